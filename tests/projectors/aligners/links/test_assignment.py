"""The best assignment against scipy's."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spanferry.projectors.aligners.links import assignment
from spanferry.projectors.aligners.links.assignment import best_assignment

scipy = pytest.importorskip("scipy.optimize")


def test_docstring_example_holds() -> None:
    assert doctest.testmod(assignment).failed == 0


@given(st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(lambda s: arrays(float, s, elements=st.floats(-9, 9))))
def test_the_weight_is_the_greatest(weights: np.ndarray) -> None:
    found = best_assignment(weights)
    rows, columns = scipy.linear_sum_assignment(weights, maximize=True)
    assert len(found) == min(weights.shape) == len({i for i, _ in found}) == len({j for _, j in found})
    assert sum(weights[i, j] for i, j in found) == pytest.approx(weights[rows, columns].sum(), abs=1e-9)
