"""The bound: its arithmetic against plain counting, and that it keeps its promise on rows drawn at random."""

from itertools import combinations

import numpy as np
import pytest

from spanferry.projectors.bound.bound import GRID, JudgedRows, refutes, rows_of, threshold_for, upper_bound


@pytest.mark.parametrize(
    ("spans", "wrong", "new", "error"), [(6, 0, 4, 0.3), (5, 1, 5, 0.2), (7, 0, 3, 0.1), (4, 2, 5, 0.5), (6, 1, 6, 0.4)]
)
def test_a_refutation_is_a_count_of_draws(spans: int, wrong: int, new: int, error: float) -> None:
    total = wrong + int(error * new + 1e-9) + 1  # the fewest wrong spans with which the promise is broken
    draws = [sum(k < total for k in drawn) for drawn in combinations(range(spans + new), spans)]
    chance = float(np.mean([found <= wrong for found in draws]))
    assert refutes(spans, wrong, new, error, 1.0 - chance - 1e-9)
    assert not refutes(spans, wrong, new, error, 1.0 - chance + 1e-3)


def test_nothing_is_proved_without_spans() -> None:
    assert not refutes(0, 0, 10, 0.5, 0.95)
    assert not refutes(10, 0, 0, 0.5, 0.95)


@pytest.mark.parametrize(("spans", "wrong", "bound"), [(59, 0, 0.0495), (100, 3, 0.0757), (10, 10, 1.0), (0, 0, 1.0)])
def test_the_upper_bound_is_that_of_clopper_and_pearson(spans: int, wrong: int, bound: float) -> None:
    assert upper_bound(spans, wrong) == pytest.approx(bound, abs=2e-4)


def _drawn(random: np.random.Generator, rows: int) -> JudgedRows:
    least = random.beta(3.0, 1.2, rows)
    spans = random.integers(1, 4, rows)
    return JudgedRows(least, spans, random.binomial(spans, (1.0 - least) * 0.8))


@pytest.mark.parametrize("error", [0.1, 0.2])
def test_the_promise_is_kept_on_what_is_kept(error: float) -> None:
    random = np.random.default_rng(5)
    broken = used = 0
    for _ in range(200):
        judged, new = _drawn(random, 400), _drawn(random, 400)
        threshold = threshold_for(judged, new.least, new.spans, error)
        if threshold is not None:
            spans, wrong = new.above(threshold)
            used += 1
            broken += wrong > error * spans
    assert used >= 100, "the bound is of use here"
    assert broken <= 10  # of 200: five in a hundred


def test_more_error_keeps_more() -> None:
    random = np.random.default_rng(1)
    judged, new = _drawn(random, 2000), _drawn(random, 2000)
    found = [threshold_for(judged, new.least, new.spans, error) for error in (0.02, 0.05, 0.1, 0.2, 0.5)]
    assert None not in found[1:]
    assert found[1:] == sorted(found[1:], reverse=True) and found[1] != found[-1]  # type: ignore[type-var]
    assert set(found) - {None} <= set(GRID)


def test_where_most_is_wrong_there_is_no_threshold() -> None:
    judged = JudgedRows(np.full(200, 0.9), np.ones(200, dtype=np.int64), np.ones(200, dtype=np.int64))
    assert threshold_for(judged, np.full(200, 0.9), np.ones(200, dtype=np.int64), 0.2) is None


def test_spans_make_rows() -> None:
    rows = rows_of([3, 3, 8], np.array([0.9, 0.4, 0.7]), [True, False, True])
    assert rows.least.tolist() == [0.4, 0.7]
    assert rows.spans.tolist() == [2, 1] and rows.wrong.tolist() == [1, 0]
    assert rows.above(0.5) == (1, 0)
