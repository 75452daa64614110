"""Trees: they learn what a sum of single witnesses can't say, and come back from a file as they were."""

import json

import numpy as np
import pytest

from spanferry.projectors.bound.trees import Trees, fit_trees


def _either() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    values = random.random((400, 3))
    return values, (values[:, 0] > 0.5) != (values[:, 1] > 0.5)


def test_two_witnesses_that_speak_only_together() -> None:
    values, right = _either()
    found = fit_trees(values[:300], right[:300]).log_odds(values[300:])
    assert np.mean((found > 0) == right[300:]) >= 0.9


def test_numbers_make_the_same_trees() -> None:
    values, right = _either()
    values[::7, 2] = np.nan
    trees = fit_trees(values, right)
    again = Trees.of(json.loads(json.dumps(trees.numbers())))
    np.testing.assert_allclose(again.log_odds(values), trees.log_odds(values), atol=2e-3)
    assert fit_trees(values[:60], right[:60]).numbers() == fit_trees(values[:60], right[:60]).numbers()


def test_a_missing_value_counts_as_the_median() -> None:
    values, right = _either()
    trees = fit_trees(values[:60], right[:60])
    missing, filled = values[:5].copy(), values[:5].copy()
    missing[:, 1], filled[:, 1] = np.nan, np.median(values[:60, 1]).round(5)
    np.testing.assert_allclose(trees.log_odds(missing), trees.log_odds(filled))
    assert trees.log_odds(values[:0]).shape == (0,)


def test_one_outcome_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="right and wrong"):
        fit_trees(np.zeros((30, 2)), np.ones(30, dtype=bool))
