"""The boundary policy: compounds, proclitics and suffixes in every script, in code points."""

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.placing.boundaries import BOUNDARIES, bounded, check_boundary


def moved(policy: str, source: str, target: str, *pairs: tuple[str, str]) -> list[str | None]:
    """What the targets of (source quote, target quote) become."""
    spans, found = [], []
    for k, (quote, place) in enumerate(pairs):
        span = Span(source.index(quote), source.index(quote) + len(quote), f"L{k}", f"s{k}")
        start = target.index(place)
        spans.append(span)
        found.append(Projection(span.id, Span(start, start + len(place), span.label, span.id), 0.5, "m"))
    item = ProjectionInput("e", source, target, tuple(spans), "en", "xx")
    out = bounded(policy, item, found)
    assert [p.source_span_id for p in out] == [s.id for s in spans]
    return [p.span and target[p.span.start : p.span.end] for p in out]


@pytest.mark.parametrize(
    ("source", "target", "quote", "found", "subword", "expand"),
    [
        # German: a compound, with and without a hyphen; a genitive; the whole compound is the span.
        ("Commission papers", "die Kommissionspapiere 😀", "Commission", "Kommissionspapiere", "Kommission", None),
        ("😀 EU members", "😀 die EU-Mitglieder", "EU", "EU-Mitglieder", "EU", None),
        ("the EU members", "alle EU-Mitglieder", "EU members", "EU-Mitglieder", "EU-Mitglieder", None),
        ("Berlin's parks", "Berlins Parks", "Berlin", "Berlins", "Berlin", None),
        ("EU members", "die EU-Mitglieder", "EU", "EU", "EU", "EU-Mitglieder"),
        # Arabic and Hebrew: a preposition or conjunction written with the name.
        ("in Paris now", "الآن بباريس 😀", "Paris", "بباريس", "باريس", None),
        ("and London", "ولندن", "London", "ولندن", "لندن", None),
        ("to Berlin", "הוא נסע לברלין", "Berlin", "לברלין", "ברלין", None),
        ("a city in Israel", "עיר בישראל", "Israel", "בישראל", "ישראל", None),
        ("Dana lives there", "דנה גרה שם", "Dana", "דנה", "דנה", None),
        ("the house", "في البيت", "house", "البيت", "البيت", None),
        # Turkish: a case ending after an apostrophe, and without one.
        ("in Ankara today", "bugün Ankara'da", "Ankara", "Ankara'da", "Ankara", None),
        ("in Ankara today", "bugün Ankara'da", "Ankara", "Ankara", "Ankara", "Ankara'da"),
        ("Wien trains", "trenler Wienden", "Wien", "Wienden", "Wien", None),
        # French: an article with its apostrophe.
        ("drink water", "boire l’eau", "water", "eau", "eau", "l’eau"),
        # Persian: an ending behind a non-joiner, which nobody sees.
        ("read books", "کتاب\u200cها را خواند", "books", "کتاب", "کتاب", "کتاب\u200cها"),
        # Hindi: postpositions are words; vowel signs stay with their letters.
        ("in Delhi today", "आज दिल्ली में", "Delhi", "दिल्ली", "दिल्ली", None),
        # Without spaces every character is a boundary.
        ("in Tokyo", "東京都で", "Tokyo", "東京", "東京", None),
        ("to Beijing", "去北京吧", "Beijing", "北京", "北京", None),
        ("in Bangkok", "อยู่กรุงเทพนะ", "Bangkok", "กรุงเทพ", "กรุงเทพ", None),
    ],
)
def test_what_is_written_together(
    source: str, target: str, quote: str, found: str, subword: str, expand: str | None
) -> None:
    assert moved("word", source, target, (quote, found)) == [found]
    assert moved("subword", source, target, (quote, found)) == [subword]
    assert moved("expand", source, target, (quote, found)) == [expand or found]


def test_an_apostrophe_before_a_suffix_is_no_part_of_the_span() -> None:
    source, target = "Ayla is in Ankara", "Ayla 😀 Ankara’da"
    for policy, wanted in (("word", "Ankara"), ("subword", "Ankara"), ("expand", "Ankara’da")):
        assert moved(policy, source, target, ("Ankara", "Ankara’")) == [wanted]
    # One that ends a quotation, or that the source span has, stays.
    assert moved("word", "the 'bars'", "die 'bars' da", ("'bars'", "'bars'")) == ["'bars'"]
    assert moved("word", "Max' car", "Max'in arabası", ("Max'", "Max'")) == ["Max'"]


@pytest.mark.parametrize(
    ("target", "found", "wanted"),
    [
        ("直到《枫丹白露法令》发布", "枫丹白露法令》", "《枫丹白露法令》"),
        ("直到《枫丹白露法令》发布", "《枫丹白露法令", "《枫丹白露法令》"),
        ("直到《枫丹白露法令》发布", "枫丹白露法令", "枫丹白露法令"),
        ("le décret (dit « de Nantes ») fut", "« de Nantes", "de Nantes"),
        ("das Edikt (Nantes, 1598) galt", "Nantes, 1598)", "(Nantes, 1598)"),
        ("das Edikt von Nantes) galt", "Edikt von Nantes)", "Edikt von Nantes"),
        ("x ( y", "( ", "( "),
    ],
)
def test_brackets_at_the_edges_come_in_pairs(target: str, found: str, wanted: str) -> None:
    for policy in BOUNDARIES:
        assert moved(policy, "the Edict of Nantes", target, ("Edict of Nantes", found)) == [wanted]
    # Unless the source span has one alone as well.
    assert moved("word", "see a) and b)", "siehe a) und b)", ("a)", "a)")) == ["a)"]


def test_neighbours_stay_disjoint_and_nested_spans_nested() -> None:
    pairs = (("EU", "EU"), ("members", "Mitglieder"))
    assert moved("expand", "EU members", "EU-Mitglieder", *pairs) == ["EU", "Mitglieder"]
    assert moved("expand", "EU members", "EU-Mitglieder", *reversed(pairs)) == ["Mitglieder", "EU"]
    nested = (("Paris Club", "Pariser Klub"), ("Paris", "Pariser"))
    assert moved("subword", "the Paris Club", "der Pariser Klub", *nested) == ["Pariser Klub", "Paris"]


def test_what_was_not_placed_or_has_fragments_stays() -> None:
    span = Span(0, 2, "X", "s")
    item = ProjectionInput("e", "EU x", "die EU-Leute", (span, span), "en", "de")
    parts = Projection("s", Span(0, 12, "X", "s", fragments=((0, 3), (4, 12))), 0.4, "m")
    lost = Projection("s", None, 0.0, "m", "unaligned")
    for policy in BOUNDARIES:
        assert bounded(policy, item, [lost, parts]) == [lost, parts]


def test_other_names_are_refused() -> None:
    assert check_boundary("subword") == "subword"
    with pytest.raises(ConfigError, match="unknown boundary 'loose'") as error:
        check_boundary("loose")
    assert "expand" in str(error.value)


def test_the_old_name_is_answered_with_the_new_one() -> None:
    with pytest.raises(ConfigError, match="now called 'subword'") as error:
        check_boundary("strict")
    assert error.value.hint == "boundary=subword"


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("0 Levemir", "80 Levemir"),  # never inside a number
        ("W", "Wirkstoffe"),
        ("agents", "Wirkstoffe"),
        ("Levemir", "80 Levemir"),  # a word is left out by the method, not by the boundary
        ("am Main", "Maintal"),
    ],
)
def test_a_cut_without_a_reason_is_not_made(quote: str, found: str) -> None:
    assert moved("subword", f"x {quote} y", f"der {found} da", (quote, found)) == [found]


@pytest.mark.parametrize(
    ("source", "target", "quote", "found", "subword"),
    [
        ("all alarms", "alle Wecker", "all", "alle", "alle"),  # endings and other spellings are not words of a compound
        ("the best songs", "die besten Lieder", "best", "besten", "besten"),
        ("in Europe", "in Europa", "Europe", "Europa", "Europa"),
        ("European law", "europäisches Recht", "European", "europäisches", "europäisches"),
        ("American law", "amerikanisches Recht", "American", "amerikanisches", "amerikanisches"),
        ("Wales is green", "Gales es verde", "Wales", "Gales", "Gales"),
        ("the Treaty", "el Tratado", "Treaty", "Tratado", "Tratado"),
        ("agents", "Wirkstoffe", "active agents", "Wirkstoffe", "Wirkstoffe"),
        ("80 Levemir", "80 Levemir", "Levemir 80", "80 Levemir", "80 Levemir"),
        ("the wifi W is on", "das W-Lan ist an", "W", "W-Lan", "W-Lan"),  # one letter never remains
        ("plan B works", "B-Plan wirkt", "B", "B-Plan", "B-Plan"),
        ("a Commission paper", "ein Kommissionspapier", "Commission", "Kommissionspapier", "Kommission"),
        ("the EU accession", "der EU-Beitritt", "EU", "EU-Beitritt", "EU"),
        ("the Just Smile playlist", "die Just Smile-Liste", "Just Smile", "Just Smile-Liste", "Just Smile"),
    ],
)
def test_a_cut_needs_a_reason(source: str, target: str, quote: str, found: str, subword: str) -> None:
    source = source if quote in source else f"{source} {quote}"
    assert moved("subword", source, target, (quote, found)) == [subword]
