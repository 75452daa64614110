from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.multiway import MultiRow, WordLinks
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.switching.batches.order import orders
from spanferry.corpora.switching.constraints.equivalence import EquivalenceConstraint
from spanferry.corpora.switching.reading import read_batch
from spanferry.corpora.switching.samplers.probability import ProbabilitySampler
from spanferry.corpora.switching.units.chunk import ChunkUnits, DocumentUnits
from spanferry.corpora.switching.units.clause import ClauseUnits, SentenceUnits
from spanferry.corpora.switching.units.phrase import PhraseUnits
from spanferry.corpora.switching.units.span import SpanUnits
from spanferry.corpora.switching.units.word import WordUnits
from spanferry.corpora.text.words import words
from tests.corpora.switching_rows import HOUSE, done, quotes, row, switched, table

EQUIVALENCE = EquivalenceConstraint()


@pytest.mark.parametrize(
    ("options", "text", "labels"),
    [
        (
            {"unit": WordUnits()},
            "Anna compró la roja casa en Viena, y she pagó 300 euros.",
            ["Anna", "la roja casa", "Viena"],
        ),
        (
            {"unit": WordUnits(), "constraint": EQUIVALENCE},
            "Anna compró la red house en Viena, y she pagó 300 euros.",
            ["Anna", "la red house", "Viena"],
        ),
        (
            {"unit": SpanUnits()},
            "Anna bought la casa roja in Viena, and she paid 300 euros.",
            ["Anna", "la casa roja", "Viena"],
        ),
        (
            {"unit": SpanUnits(labels=("LOC",))},
            "Anna bought the red house in Viena, and she paid 300 euros.",
            ["Anna", "the red house", "Viena"],
        ),
        (
            {"unit": PhraseUnits(max_words=2), "constraint": EQUIVALENCE},
            "Anna compró la casa roja en Viena, y pagó 300 euros.",
            ["Anna", "la casa roja", "Viena"],
        ),
        (
            {"unit": ClauseUnits(), "sampler": ProbabilitySampler(cross=0.5), "seed": 5},
            "Anna bought the red house in Vienna, y pagó 300 euros.",
            ["Anna", "the red house", "Vienna"],
        ),
        (
            {"unit": SentenceUnits()},
            "Anna compró la casa roja en Viena, y pagó 300 euros.",
            ["Anna", "la casa roja", "Viena"],
        ),
        (
            {"unit": DocumentUnits()},
            "Anna compró la casa roja en Viena, y pagó 300 euros.",
            ["Anna", "la casa roja", "Viena"],
        ),
    ],
    ids=["word", "word-equivalence", "span", "span-label", "phrase", "clause", "sentence", "document"],
)
def test_units(options: dict[str, Any], text: str, labels: list[str]) -> None:
    found = switched(HOUSE, **options)[0]
    assert found["text"] == text
    assert quotes(found) == list(zip(labels, ["PER", "OBJ", "LOC"], strict=True))
    assert found["relations"] == [{"head": "s0", "tail": "s1", "label": "buys"}]


def test_tokens_languages_tags_and_the_record() -> None:
    found = switched(HOUSE, constraint=EQUIVALENCE)[0]
    assert list(zip(found["tokens"], found["langs"], found["ner_tags"], strict=True))[:8] == [
        ("Anna", "en", "B-PER"), ("compró", "es", "O"), ("la", "es", "B-OBJ"), ("red", "en", "I-OBJ"),
        ("house", "en", "I-OBJ"), ("en", "es", "O"), ("Viena", "es", "B-LOC"), (",", "", "O"),
    ]  # fmt: skip
    assert found["tokens"][-3:] == ["300", "euros", "."] and found["langs"][-3:] == ["", "en", ""]
    first = found["switches"][0]
    assert first == {
        "unit": "word", "counterpart": "alignment", "lang": "es", "field": "text", "start": 5, "end": 11,
        "text": "compró", "source_start": 5, "source_end": 11, "source_text": "bought", "from_start": 5, "from_end": 11,
    }  # fmt: skip
    # en: Anna red house she euros; es: compró la en Viena y pagó.
    assert found["cmi"] == pytest.approx(100 * (1 - 6 / 11))
    assert found["spf"] == pytest.approx(6 / 10)


def test_why_units_are_not_switched() -> None:
    counts = done([HOUSE]).counts
    reported = {k: counts[k] for k in ("units", "with_counterpart", "switched", "not:same", "not:no_counterpart")}
    # "Anna" and "euros" are the same in both; "she" is linked to nothing; numbers and marks are not units.
    assert reported == {"units": 11, "with_counterpart": 8, "switched": 8, "not:same": 2, "not:no_counterpart": 1}


def test_equivalence_is_its_definition() -> None:
    links = "0-0 1-3 2-1 3-2 5-5 6-4 7-7"
    one = row("r", ("en", "a b c d e f g h", []), ("es", "p q r s t u v w", [], links))
    order = orders(read_batch(table([HOUSE, one]), "en", ["es"]))["es"]
    pairs = [tuple(map(int, p.split("-"))) for p in links.split()]
    expected = [any(all((a < i) == (b < j) for a, b in pairs) for j in range(9)) for i in range(8)]
    assert order.agrees[-8:].tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=9),
    st.integers(0, 1 << 40),
    st.sampled_from([WordUnits(), PhraseUnits(max_words=2), ChunkUnits(size=3)]),
    st.tuples(st.integers(0, 6), st.integers(1, 7)).filter(lambda r: r[0] < r[1]),
)
def test_any_links_leave_labels_in_place(links: list[Any], seed: int, unit: Any, place: tuple[int, int]) -> None:
    text, other = "One two three four five six seven", "uno dos tres cuatro cinco seis siete"
    cut = words(text)
    label = Span(cut[place[0]][0], cut[place[1] - 1][1], "X", "s0")
    examples = {
        "en": Example("r", "en", {"text": text}, (label,)),
        "es": Example("r", "es", {"text": other}, (Span(4, 12, "X", "s0"),)),
    }
    found = tuple(sorted((a, b, 1.0) for a, b in set(links)))
    given_row = MultiRow("r", examples, (WordLinks("en", "es", "text", cut, words(other), found),))
    for constraint in ({}, {"constraint": EQUIVALENCE}):
        out = switched(given_row, unit=unit, seed=seed, sampler=ProbabilitySampler(cross=0.7), **constraint)[0]
        inside = [
            s for s in out["switches"] if s["lang"] and s["source_start"] < label.end and label.start < s["source_end"]
        ]
        if not inside:
            assert out["text"][out["spans"][0]["start"] : out["spans"][0]["end"]] == label.quote(text)
        assert out["ner_tags"].count("B-X") == 1


def test_nested_and_discontinuous_spans() -> None:
    text, other = "the mayor of Vienna left", "der Bürgermeister von Wien ging"
    labels = (Span(0, 19, "PER", "a"), Span(13, 19, "LOC", "b"), Span(4, 24, "EV", "c", fragments=((4, 9), (20, 24))))
    theirs = (
        Span(0, 26, "PER", "a"),
        Span(22, 26, "LOC", "b"),
        Span(4, 31, "EV", "c", fragments=((4, 17), (27, 31))),
    )
    examples = {"en": Example("r", "en", {"text": text}, labels), "de": Example("r", "de", {"text": other}, theirs)}
    links = tuple((k, k, 1.0) for k in range(5))
    given_row = MultiRow("r", examples, (WordLinks("en", "de", "text", words(text), words(other), links),))
    whole = switched(given_row, languages=("de",), unit=DocumentUnits())[0]
    assert [quote for quote, _ in quotes(whole)] == [
        "der Bürgermeister von Wien",
        "Wien",
        "Bürgermeister von Wien ging",
    ]
    assert [(f["start"], f["end"]) for f in whole["spans"][2]["fragments"]] == [(4, 17), (27, 31)]
    word = switched(given_row, languages=("de",))[0]
    assert word["text"] == other and [quote for quote, _ in quotes(word)][:2] == ["der Bürgermeister von Wien", "Wien"]
    inner = switched(given_row, languages=("de",), unit=SpanUnits(labels=("LOC",)))[0]
    assert inner["text"] == "the mayor of Wien left"
    assert [quote for quote, _ in quotes(inner)] == ["the mayor of Wien", "Wien", "mayor of Wien left"]
    assert inner["ner_tags"] == ["B-PER", "I-PER", "I-PER", "I-PER", "O"]


def test_a_span_without_a_place_is_not_lost() -> None:
    lost = row("r", ("en", "Anna left.", [("Anna", "PER")]), ("de", "Sie ging.", [("", "PER")], "0-0 1-1 2-2"))
    found = done([lost], languages=("de",), unit=DocumentUnits())
    assert found.kept["text"].to_pylist() == ["Anna left."]
    assert found.kept["unswitched"].to_pylist() == ["span_lost"] and found.counts["not:span_lost"] == 1
    gone = done([lost], languages=("de",), unit=DocumentUnits(), unswitched="reject")
    assert gone.kept.num_rows == 0
    assert gone.rejected.to_pylist()[0]["reasons"] == ["switch:span_lost"]


def test_rows_that_can_not_be_used_are_rejected_with_their_reasons() -> None:
    other = MultiRow("x", {"de": Example("x", "de", {"text": "Hallo"})})
    found = done([other, HOUSE.rejected("join:duplicate_id"), HOUSE])
    assert found.kept.num_rows == 1
    assert [(r["id"], r["reasons"]) for r in found.rejected.to_pylist()] == [
        ("x", ["switch:no_matrix"]),
        ("house", ["join:duplicate_id"]),
    ]


def test_the_same_whatever_the_batch_and_other_seeds_differ() -> None:
    rows = [HOUSE, *(row(f"r{i}", ("en", "red house", []), ("es", "casa roja", [], "0-1 1-0")) for i in range(60))]
    half = {"sampler": ProbabilitySampler(cross=0.5)}
    together = done(rows, **half, copies=2).kept
    apart = [r for one in rows for r in done([one], **half, copies=2).kept.to_pylist()]
    assert together.to_pylist() == apart
    assert together["id"].to_pylist()[:2] == ["house/cs0", "house/cs1"]
    assert together["text"].to_pylist() != done(rows, **half, copies=2, seed=1).kept["text"].to_pylist()
    assert 30 < np.mean([len(r["switches"]) for r in apart[2:]]) * 60 < 90
