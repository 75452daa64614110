"""From hard links to target words, rule by rule."""

import doctest

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.projectors.aligners.links import symmetrise as symmetrisation
from spanferry.projectors.aligners.links.symmetrise import symmetrise
from spanferry.projectors.placing import rules
from spanferry.projectors.placing.rules import apply_rule, check_rule, failed_filter, is_punctuation, runs

WORDS = ["a", "b", ",", "c", "d", "e", "."]


def place(rule: str, links: list[tuple[int, int]], inside: list[int], sure: dict[tuple[int, int], float] | None = None):
    mask = np.array([i in inside for i in range(4)])
    probabilities = np.zeros((4, len(WORDS)))
    for link in links:
        probabilities[link] = (sure or {}).get(link, 0.9)
    return apply_rule(rule, sorted(links), mask, probabilities, WORDS)


def test_docstring_examples_hold() -> None:
    assert doctest.testmod(rules).failed == 0
    assert doctest.testmod(symmetrisation).failed == 0


@pytest.mark.parametrize(
    ("rule", "links", "expected"),
    [
        ("minmax", [(0, 0), (1, 4)], ((0, 5), None)),
        ("minmax", [(0, 0), (1, 1), (2, 5)], ((0, 2), None)),  # word 2 lies outside the span
        ("gap=1", [(0, 0), (1, 1), (1, 3)], ((0, 4), None)),
        ("gap=1", [(0, 0), (1, 3), (1, 4)], ((3, 5), None)),
        ("gap=2", [(0, 0), (1, 3), (1, 4)], ((0, 5), None)),
        ("longest", [(0, 0), (1, 3), (1, 4)], ((3, 5), None)),
        ("contiguous", [(0, 0), (1, 1)], ((0, 2), None)),
        ("contiguous", [(0, 0), (1, 3)], (None, "not_contiguous")),
        ("minmax", [(2, 0)], (None, "unaligned")),
        ("minmax", [(0, 1), (1, 2)], ((1, 2), None)),  # a comma at the edge
        ("minmax", [(0, 2), (1, 3)], ((3, 4), None)),
        ("minmax", [(0, 1), (0, 2), (1, 3)], ((1, 4), None)),  # a comma within
        ("minmax", [(0, 2)], ((2, 3), None)),  # nothing but a comma
    ],
)
def test_rules(rule: str, links: list[tuple[int, int]], expected: tuple) -> None:
    assert place(rule, links, [0, 1]) == expected


def test_the_heavier_of_two_stretches_wins() -> None:
    links = [(0, 0), (1, 4)]
    assert place("longest", links, [0, 1], {(1, 4): 0.95}) == ((4, 5), None)
    assert place("longest", links, [0, 1], {(0, 0): 0.95}) == ((0, 1), None)


def test_one_word_with_scattered_links_keeps_the_likeliest() -> None:
    assert place("minmax", [(0, 0), (0, 4)], [0], {(0, 4): 0.95}) == ((4, 5), None)
    assert place("minmax", [(0, 0), (0, 1)], [0]) == ((0, 2), None)


def test_runs_ignore_order_and_repetition() -> None:
    assert runs([5, 1, 2, 2]) == [(1, 3), (5, 6)]
    assert runs([], gap=3) == []


def test_filters_name_what_failed() -> None:
    inside = np.array([True, True, False])
    assert failed_filter(["all_aligned"], [(0, 0)], inside) == "source_word_unaligned"
    assert failed_filter(["all_aligned", "contiguous"], [(0, 0), (1, 2)], inside) == "not_contiguous"
    assert failed_filter(["all_aligned", "contiguous"], [(0, 0), (1, 1)], inside) is None
    assert failed_filter([], [], inside) is None


@pytest.mark.parametrize("rule", ["min-max", "gap", "gap=", "gap=-1", "gap=x", "minmax=1", ""])
def test_unknown_rules_are_refused(rule: str) -> None:
    with pytest.raises(ConfigError, match="unknown span rule") as error:
        check_rule(rule)
    assert "Hint:" in str(error.value)


FORWARD = np.array([[0.9, 0.0, 0.0], [0.0, 0.8, 0.7], [0.1, 0.0, 0.1]])
BACKWARD = np.array([[0.9, 0.0, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 0.6]])


@pytest.mark.parametrize(
    ("method", "links"),
    [
        ("posterior", ((0, 0), (1, 1))),
        ("intersection", ((0, 0), (1, 1))),
        ("union", ((0, 0), (1, 1), (1, 2), (2, 2))),
        ("grow-diag-final-and", ((0, 0), (1, 1), (1, 2), (2, 2))),
    ],
)
def test_symmetrisation(method: str, links: tuple) -> None:
    assert symmetrise(FORWARD, BACKWARD, method) == links


def test_marks_of_direction_are_no_words_to_end_a_span_on() -> None:
    assert all(map(is_punctuation, (".", "«", "\u200f", "\ufeff", "\u200b")))
    assert not any(map(is_punctuation, ("a", "5", "\u0301a", "日")))
