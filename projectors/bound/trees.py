"""A sum of small decision trees that gives log-odds: gradient boosting (Friedman, 2001) with Newton steps, in numpy.

Whether a span is right depends on its witnesses together: a copied word is right where no translation of it is known
and wrong where one is. A logistic regression of the same numbers can't say that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Chosen on Europarl es and de and xSID de and nl by cross-fitted AUC, of two or three values each.
_TREES, _DEPTH, _RATE = 200, 4, 0.1
_ROWS, _LEAST = 0.7, 8  # share of the rows that a tree is fitted on; rows on either side of a split, at least
_RIDGE, _BINS = 2.0, 32


@dataclass(frozen=True)
class Trees:
    """Full binary trees of one depth.

    Attributes:
        start: Log-odds before any tree.
        fill: What stands for a missing value, (n_features,).
        features: Which feature each inner node looks at, root first, (n_trees, 2 ** depth - 1).
        cuts: Values above it go right, (n_trees, 2 ** depth - 1).
        leaves: What is added, (n_trees, 2 ** depth).
    """

    start: float
    fill: Floats
    features: NDArray[np.int64]
    cuts: Floats
    leaves: Floats

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "Trees":
        """From the numbers of a weights file."""
        arrays = (np.array(numbers[name], dtype=np.float64) for name in ("fill", "cuts", "leaves"))
        fill, cuts, leaves = arrays
        return Trees(float(numbers["start"]), fill, np.array(numbers["features"], dtype=np.int64), cuts, leaves)

    def numbers(self) -> dict[str, Any]:
        """What ``of`` reads."""
        return {
            "start": round(self.start, 6),
            "fill": self.fill.round(5).tolist(),
            "features": self.features.tolist(),
            "cuts": self.cuts.round(5).tolist(),
            "leaves": self.leaves.round(5).tolist(),
        }

    def log_odds(self, values: Floats) -> Floats:
        """The log-odds of each row of (n, n_features), (n,); missing values are nan."""
        table = np.where(np.isnan(values), self.fill, values)
        rows = np.arange(len(table))
        total = np.full(len(table), self.start)
        inner = self.features.shape[1]
        for features, cuts, leaves in zip(self.features, self.cuts, self.leaves, strict=True):
            node = np.zeros(len(table), dtype=np.int64)
            while len(node) and node[0] < inner:
                node = 2 * node + 1 + (table[rows, features[node]] > cuts[node])
            total += leaves[node - inner]
        return total


def fit_trees(values: Floats, right: Sequence[bool] | NDArray[np.bool_], *, seed: int = 0) -> Trees:
    """Trees under which the given outcomes are likely.

    Args:
        values: Missing values are nan, (n, n_features).
        right: (n,).
        seed: Of the rows that each tree is fitted on.

    Raises:
        ValueError: All outcomes are the same.
    """
    hits = np.asarray(right, dtype=np.float64)
    if not 0.0 < hits.sum() < len(hits):
        raise ValueError("right and wrong spans are needed")
    known = [column[~np.isnan(column)] for column in values.T]
    fill = np.array([np.median(column) if len(column) else 0.0 for column in known]).round(5)
    table = np.where(np.isnan(values), fill, values)
    # Cuts lie between values, at five digits as they are stored, so that a value that was fitted on goes the same way.
    grid = [_cuts(column) for column in table.T]
    bins = np.column_stack([np.searchsorted(cuts, column) for cuts, column in zip(grid, table.T, strict=True)])
    random = np.random.default_rng(seed)
    start = float(np.log(hits.mean() / (1.0 - hits.mean())))
    inner = 2**_DEPTH - 1
    features = np.zeros((_TREES, inner), dtype=np.int64)
    cuts, leaves = np.full((_TREES, inner), np.inf), np.zeros((_TREES, inner + 1))
    total = np.full(len(hits), start)
    for tree in range(_TREES):
        sure = 1.0 / (1.0 + np.exp(-total))
        slope, bend = hits - sure, sure * (1.0 - sure)
        drawn = random.random(len(hits)) < _ROWS
        node = np.zeros(len(hits), dtype=np.int64)
        for number in range(inner):
            inside = node == number
            best = _split(bins, grid, slope, bend, inside & drawn)
            if best is not None:
                features[tree, number], place = best
                cuts[tree, number] = grid[best[0]][place]
            right_side = table[:, features[tree, number]] > cuts[tree, number]
            node[inside] = 2 * number + 1 + right_side[inside]
        for leaf in range(inner + 1):
            own = (node == inner + leaf) & drawn
            leaves[tree, leaf] = _RATE * slope[own].sum() / (bend[own].sum() + _RIDGE)
        total += leaves[tree][node - inner]
    # JSON has no infinity: nothing is above the largest float.
    return Trees(start, fill, features, np.where(np.isinf(cuts), 1e9, cuts), leaves)


def _cuts(column: Floats) -> Floats:
    """Up to one less than ``_BINS`` values that part a column into equally many rows, ascending."""
    return np.unique(np.quantile(column, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]).round(5))


def _split(
    bins: NDArray[np.int64], grid: Sequence[Floats], slope: Floats, bend: Floats, inside: NDArray[np.bool_]
) -> tuple[int, int] | None:
    """The feature and the number of the cut that explain most; None: none explains anything."""
    if inside.sum() < 2 * _LEAST:
        return None
    own, count = bins[inside], bins.shape[1]
    places = (own + np.arange(count) * (_BINS + 1)).ravel()

    def sums(weights: Floats) -> Floats:
        found = np.bincount(places, np.repeat(weights, count), count * (_BINS + 1))
        return found.reshape(count, _BINS + 1).cumsum(axis=1).astype(np.float64)

    g, h, n = sums(slope[inside]), sums(bend[inside]), sums(np.ones(int(inside.sum())))
    with np.errstate(invalid="ignore"):
        gain = (
            g**2 / (h + _RIDGE)
            + (g[:, -1:] - g) ** 2 / (h[:, -1:] - h + _RIDGE)
            - g[:, -1:] ** 2 / (h[:, -1:] + _RIDGE)
        )
    gain[(n < _LEAST) | (n[:, -1:] - n < _LEAST)] = -np.inf
    for feature, cuts in enumerate(grid):
        gain[feature, len(cuts) :] = -np.inf
    best = int(gain.argmax())
    feature, place = divmod(best, _BINS + 1)
    return (feature, place) if gain[feature, place] > 1e-6 else None
