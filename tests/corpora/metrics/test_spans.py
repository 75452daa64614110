"""Span metrics against counts worked out by hand."""

import doctest

import pytest

from spanferry.corpora.metrics import spans
from spanferry.corpora.metrics.spans import Score, exact_by_label, exact_score, overlap_score

GOLD = [{(0, 5, "LOC"), (8, 12, "PER")}, {(3, 4, "ORG")}, set()]


def test_docstring_examples_hold() -> None:
    assert doctest.testmod(spans).failed == 0


@pytest.mark.parametrize(
    ("predicted", "precision", "recall", "f1"),
    [
        (GOLD, 1.0, 1.0, 1.0),
        ([set(), set(), set()], 0.0, 0.0, 0.0),
        ([{(0, 5, "LOC")}, {(3, 5, "ORG")}, {(0, 1, "PER")}], 1 / 3, 1 / 3, 1 / 3),
        ([{(0, 5, "PER")}, {(3, 4, "ORG")}, set()], 0.5, 1 / 3, 0.4),
        ([[(0, 5, "LOC"), (0, 5, "LOC")], [], []], 1.0, 1 / 3, 0.5),
    ],
)
def test_exact(predicted: list, precision: float, recall: float, f1: float) -> None:
    score = exact_score(predicted, GOLD)
    assert (score.precision, score.recall, score.f1) == pytest.approx((precision, recall, f1))


def test_by_label_sums_to_the_whole() -> None:
    predicted = [{(0, 5, "LOC"), (8, 11, "PER")}, {(3, 4, "MISC")}, set()]
    scores = exact_by_label(predicted, GOLD)
    assert list(scores) == ["LOC", "MISC", "ORG", "PER"]
    assert scores["LOC"].f1 == 1.0
    assert scores["MISC"] == Score(0.0, 1.0, 0.0)
    assert sum(scores.values(), Score()) == exact_score(predicted, GOLD)


def test_overlap_counts_shared_characters_under_the_same_label() -> None:
    assert overlap_score([[(0, 4, "A"), (4, 8, "B")]], [[(2, 6, "A")]]) == Score(2.0, 8.0, 4.0)
    assert overlap_score([[(0, 4, "A"), (2, 6, "A")]], [[(0, 6, "A")]]).f1 == 1.0


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        exact_score([[]], [])
