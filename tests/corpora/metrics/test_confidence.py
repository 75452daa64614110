"""Bootstrap, calibration and alignment scores against values worked out by hand."""

import doctest

import numpy as np
import pytest

from spanferry.corpora.metrics import calibration, links
from spanferry.corpora.metrics.bootstrap import f1_interval, paired_bootstrap
from spanferry.corpora.metrics.calibration import Bin, expected_calibration_error, reliability, selective_f1
from spanferry.corpora.metrics.links import LinkScore, link_counts, link_score


@pytest.mark.parametrize("module", [calibration, links])
def test_docstring_examples_hold(module) -> None:
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_bins_hold_their_predictions() -> None:
    found = reliability([0.0, 0.5, 0.74, 1.0], [False, True, False, True], bins=4)
    assert found == [
        Bin(0.0, 0.25, 1, 0.0, 0.0),
        Bin(0.25, 0.5, 0, 0.0, 0.0),
        Bin(0.5, 0.75, 2, pytest.approx(0.62), 0.5),
        Bin(0.75, 1.0, 1, 1.0, 1.0),
    ]


def test_calibration_error_weighs_bins_by_their_size() -> None:
    # Nine predictions at .95 all right (off by .05), one at .15 that is right too (off by .85).
    assert expected_calibration_error([0.95] * 9 + [0.15], [True] * 10) == pytest.approx(0.9 * 0.05 + 0.1 * 0.85)
    assert expected_calibration_error([], []) == 0.0
    with pytest.raises(ValueError, match=r"scores from 0\.5 to 1\.5"):
        reliability([0.5, 1.5], [True, True])


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (0.0, 0.0),
        (0.5, 1.0),  # the two best, both right
        (0.75, 2 * 2 / (3 + 3)),  # and a wrong one whose gold is still there
        (1.0, 2 * 2 / (4 + 3)),  # and a wrong one that has none
    ],
)
def test_f1_of_the_most_confident(coverage: float, expected: float) -> None:
    scores, right = [0.2, 0.9, 0.4, 0.8], [False, True, False, True]
    groups = ["b", "a", "a", "a"]
    assert selective_f1(scores, right, groups, {"a": 3}, coverage) == pytest.approx(expected)


def test_bootstrap_distinguishes_a_real_difference_from_none() -> None:
    draw = np.random.default_rng(7)
    gold = np.ones(300)
    good, bad = draw.random(300) < 0.9, draw.random(300) < 0.7
    first, second = (np.column_stack([hits, gold, gold]) for hits in (bad, good))
    found = paired_bootstrap(first, second)
    assert found.delta == pytest.approx(good.mean() - bad.mean())
    assert 0 < found.low < found.delta < found.high
    assert found.p == pytest.approx(1 / 1001)
    assert paired_bootstrap(first, first).p == 1.0
    noise = np.column_stack([np.roll(bad, 1), gold, gold])
    assert paired_bootstrap(first, noise).p == 1.0


def test_bootstrap_is_the_same_every_time_and_follows_the_seed() -> None:
    counts = np.column_stack([np.arange(40) % 3 == 0, 1 + np.arange(40) % 7, np.ones(40)])
    assert f1_interval(counts) == f1_interval(counts)
    assert f1_interval(counts) != f1_interval(counts, seed=1)
    low, high = f1_interval(counts)
    assert low < 2 * 14 / counts[:, 1:].sum() < high


def test_the_interval_is_as_wide_as_the_binomial_one() -> None:
    counts = np.column_stack([np.arange(400) < 320, np.ones(400), np.ones(400)])
    low, high = f1_interval(counts, samples=4000)
    expected = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert high - low == pytest.approx(expected, rel=0.1)


def test_no_texts_have_no_f1() -> None:
    assert f1_interval(np.zeros((0, 3))) == (0.0, 0.0)


def test_alignment_scores_sum_over_pairs() -> None:
    total = link_score([(0, 0)], [(0, 0), (1, 1)]) + link_score([(0, 1)], [(0, 0)])
    assert total == LinkScore(predicted=2, sure=3, sure_hits=1, possible_hits=1)
    assert (total.precision, total.recall, total.f1, total.aer) == (0.5, pytest.approx(1 / 3), pytest.approx(0.4), None)


def test_error_rate_where_links_are_graded() -> None:
    score = link_score([(0, 0), (1, 1), (2, 0)], [(0, 0)], [(1, 1)])
    assert score.aer == pytest.approx(1 - (1 + 2) / (3 + 1))


def test_counts_without_grades_give_the_same_f1() -> None:
    scores = [link_score([(0, 0), (1, 0)], [(0, 0)]), link_score([], [(0, 0), (1, 1)])]
    correct, predicted, gold = link_counts(scores).sum(axis=0)
    assert 2 * correct / (predicted + gold) == pytest.approx((scores[0] + scores[1]).f1)
