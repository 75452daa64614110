"""Copying: the same spelling, nearly the same, and never nearly the same number."""

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.methods.copying import CopyProjector, copies


def item(source: str, target: str, *quotes: str) -> ProjectionInput:
    spans, at = [], 0
    for k, quote in enumerate(quotes):
        at = source.index(quote, at)
        spans.append(Span(at, at + len(quote), "X", f"s{k}"))
        at += len(quote)
    return ProjectionInput("e1", source, target, tuple(spans), "en", "xx")


def placed(source: str, target: str, *quotes: str, **options: float) -> list[str | None]:
    given = item(source, target, *quotes)
    (found,) = CopyProjector(**options).project([given])
    assert [p.source_span_id for p in found] == [s.id for s in given.spans]
    return [target[p.span.start : p.span.end] if p.span else p.reason for p in found]


@pytest.mark.parametrize(
    ("source", "target", "quote", "expected"),
    [
        (
            "We met Kumar Ponnambalam there.",
            "Trafen wir dort Kumar Ponnambalam?",
            "Kumar Ponnambalam",
            "Kumar Ponnambalam",
        ),
        ("A democratic Romania", "Una Rumanía democrática", "democratic", "democrática"),
        ("Ask Ivan Petrov now.", "Спроси Ивана Петрова.", "Ivan Petrov", "Ивана Петрова"),
        ("Maria is here", "Η Μαρία είναι εδώ", "Maria", "Μαρία"),
        ("in Moscow", "в Москве", "Moscow", "not_copied"),
        ("Call 555-0101 now", "Ruf 555-0101 an", "555-0101", "555-0101"),
        ("Call 555-0101 now", "Ruf 555-0102 an", "555-0101", "not_copied"),
        ("Pay 1500 euros", "Zahle 1501 Euro", "1500 euros", "not_copied"),
        ("Mail ann@example.org today", "Schreib an ann@example.org heute", "ann@example.org", "ann@example.org"),
        ("Mail ann@example.org today", "Schreib an anna@example.org heute", "ann@example.org", "not_copied"),
        ("See https://a.org/b1", "Siehe https://a.org/b1", "https://a.org/b1", "https://a.org/b1"),
        ("The 👍🏽 helps", "Das 👍🏽 hilft", "👍🏽", "👍🏽"),
        ("A house", "Ein Baum", "house", "not_copied"),
        ("Tokyo is big", "東京は大きい", "Tokyo", "not_copied"),
    ],
)
def test_one_span(source: str, target: str, quote: str, expected: str) -> None:
    assert placed(source, target, quote) == [expected]


def test_several_occurrences_go_in_order() -> None:
    given = item("Ann saw Bob, then Ann left.", "Ann sah Bob, dann ging Ann.", "Ann", "Bob", "Ann")
    (found,) = CopyProjector().project([given])
    assert [(p.span.start, p.span.end) for p in found if p.span] == [(0, 3), (8, 11), (23, 26)]


def test_the_second_occurrence_alone_is_the_second() -> None:
    given = ProjectionInput("e", "Ann and Ann", "Ann und Ann", (Span(8, 11, "PER", "s"),), "en", "de")
    (found,) = CopyProjector().project([given])
    assert found[0].span == Span(8, 11, "PER", "s")


def test_an_alignment_breaks_ties() -> None:
    given = ProjectionInput("e", "Ann left", "Ann rief: Ann ging", (Span(0, 3, "PER", "s"),), "en", "de")
    source, target = words(given.source_text), words(given.target_text)
    probabilities = np.zeros((len(source), len(target)), np.float32)
    probabilities[0, 3] = 0.9
    (found,) = CopyProjector().project([given], [Alignment(source, target, probabilities)])
    assert found[0].span is not None and found[0].span.start == 10


def test_fewer_occurrences_than_spans() -> None:
    assert placed("Ann met Ann", "Ann kam", "Ann", "Ann") == ["Ann", "overlap"]


def test_scores_are_the_similarity() -> None:
    given = item("in Brussels and Rome", "in Brüssel und Rome", "Brussels", "Rome")
    (found,) = CopyProjector().project([given])
    assert 0.75 <= found[0].score < 1.0
    assert found[1].score == 1.0


def test_a_higher_ratio_finds_less() -> None:
    assert placed("in Brussels", "in Brüssel", "Brussels", ratio=1.0) == ["not_copied"]


def test_empty_target_and_fragments() -> None:
    assert placed("Ann", "  ", "Ann") == ["empty_target"]
    span = Span(0, 11, "X", "s", fragments=((0, 3), (8, 11)))
    given = ProjectionInput("e", "Ann and Bob", "Ann, Eva, Bob", (span,), "en", "de")
    (found,) = CopyProjector().project([given])
    assert found[0].span == Span(0, 13, "X", "s", fragments=((0, 3), (10, 13)))


def test_occurrences_do_not_overlap() -> None:
    given = item("New York", "New York, New York New York", "New York")
    assert [target for target, _ in copies(given, (0, 8))] == [(0, 8), (10, 18), (19, 27)]


def test_ratio_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"ratio = 1\.5"):
        CopyProjector(1.5)
