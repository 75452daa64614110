"""Apostrophes that set off endings, and those that stand for a vowel: told from the texts alone."""

from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.apostrophes import has_suffixes, with_suffixes
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.methods.default import DefaultProjector

TURKISH = [
    ("set an alarm in Ankara", "Ankara'da alarm kur", "Ankara"),
    ("what is the weather in Izmir", "İzmir'de hava nasıl", "Izmir"),
    ("play a song by Tarkan", "Tarkan'ın şarkısını çal", "Tarkan"),
    ("go to Bursa", "Bursa'ya git", "Bursa"),
    ("weather in Berlin today", "bugün Berlin'de hava", "Berlin"),
    ("music by Sezen", "Sezen'in müziği", "Sezen"),
]
ITALIAN = [
    ("the weather in Aquila", "il tempo all'Aquila", "Aquila"),
    ("the hour of art", "l'ora dell'arte", "art"),
    ("the water", "l'acqua", "water"),
    ("the friend of Anna", "l'amico d'Anna", "Anna"),
    ("the island", "l'isola", "island"),
]


def inputs(rows: list[tuple[str, str, str]], language: str) -> list[ProjectionInput]:
    return [
        ProjectionInput(
            f"{k}", source, target, (Span(source.index(q), source.index(q) + len(q), "X", "s"),), "en", language
        )
        for k, (source, target, q) in enumerate(rows)
    ]


def test_endings_and_elisions_are_told_apart() -> None:
    assert has_suffixes(target for _, target, _ in TURKISH)
    assert not has_suffixes(target for _, target, _ in ITALIAN)
    assert not has_suffixes(["Anna's house", "Tom's car", "they're here", "we'll go"])
    assert not has_suffixes(["Ankara'da"])  # one proves nothing


def test_an_ending_stays_with_its_word() -> None:
    text = "bugün Ankara'da 'x' l’"
    assert [text[a:b] for a, b in with_suffixes(text, words(text))][:2] == ["bugün", "Ankara'da"]


def test_turkish_words_stay_whole_and_italian_articles_apart() -> None:
    for rows, language, wanted in (
        (TURKISH, "tr", ["Ankara'da", "İzmir'de", "Tarkan'ın", "Bursa'ya", "Berlin'de", "Sezen'in"]),
        (ITALIAN, "it", ["Aquila", "arte", "acqua", "Anna", "isola"]),
    ):
        items = inputs(rows, language)
        fitted = DefaultProjector().fit(items)
        found = [own[0].span for own in fitted.project(items)]
        quotes = [s and item.target_text[s.start : s.end] for s, item in zip(found, items, strict=True)]
        assert sum(a == b for a, b in zip(quotes, wanted, strict=True)) >= len(wanted) - 1, quotes
        again = DefaultProjector().with_state(fitted.state()).project(items)
        assert [own[0].span for own in again] == found


def test_given_words_are_taken_as_they_are() -> None:
    items = inputs(TURKISH, "tr")
    aligner = LexicalAligner().fit(items)
    text = items[0].target_text
    given = ProjectionInput("g", items[0].source_text, text, (), "en", "tr", (), words(text))
    assert aligner.align([given])[0].target_words == words(text)
    assert text[slice(*aligner.align(items[:1])[0].target_words[0])] == "Ankara'da"
