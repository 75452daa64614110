"""What each filter takes away, alone and together with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from spanferry.corpora.filters.apply import decided, rejected_by
from spanferry.corpora.filters.base import Column, Filter

BINS = 30


@dataclass(frozen=True, slots=True)
class Histogram:
    """Values of one score column.

    Attributes:
        column: The column.
        low: Threshold below which values are rejected, if any.
        high: Threshold above which they are.
        good: ``high``, ``low`` or ``middle``: the good direction.
        edges: Ascending bin edges, (n_bins + 1,); the last bin includes its right edge.
        counts: Rows per bin, (n_bins,).
        missing: Rows without a value.
    """

    column: str
    low: float | None
    high: float | None
    good: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What one filter removed.

    Attributes:
        name: The filter.
        removed: Rows it rejects when it is the only filter.
        only: Rows that no other filter rejects as well.
        share: ``removed`` over all rows.
        only_share: ``only`` over all rows.
        histograms: Of its columns that decide something.
    """

    name: str
    removed: int
    only: int
    share: float
    only_share: float
    histograms: tuple[Histogram, ...]


@dataclass(frozen=True, slots=True)
class RemovalTable:
    """Filters side by side.

    Attributes:
        rows: Number of rows.
        kept: Rows that are kept with all filters and all earlier reasons.
        prior: Rows that were rejected before any filter.
        filters: One entry per filter, in order.
        correlation: (n_filters, n_filters) phi coefficients of the decisions; None where a filter rejects none or all.
    """

    rows: int
    kept: int
    prior: int
    filters: tuple[Removal, ...]
    correlation: tuple[tuple[float | None, ...], ...]


def removal_table(filters: Sequence[Filter], frame: pl.DataFrame) -> RemovalTable:
    """Share removed by each filter alone and together, correlation, and histograms with thresholds.

    Args:
        filters: The filters that scored ``frame``.
        frame: What ``score`` gave; one language's rows, to compare languages.
    """
    rows = frame.height
    decisions = np.zeros((len(filters), rows), dtype=bool)
    for i, one in enumerate(filters):
        decisions[i] = rejected_by(one, frame).to_numpy()
    votes = decisions.sum(axis=0)
    removals = []
    for i, one in enumerate(filters):
        removed, only = int(decisions[i].sum()), int((decisions[i] & (votes == 1)).sum())
        histograms = tuple(h for c in one.columns if (h := histogram(frame[c.name], c)) is not None)
        removals.append(Removal(one.name, removed, only, _share(removed, rows), _share(only, rows), histograms))
    kept = int((decided(filters, frame).list.len() == 0).sum())
    prior = int((frame["prior"].list.len() > 0).sum())
    return RemovalTable(rows, kept, prior, tuple(removals), _correlation(decisions))


def histogram(values: pl.Series, column: Column, bins: int = BINS) -> Histogram | None:
    """Counts of ``values`` in equal bins; None for a column that decides nothing.

    Bins cover the thresholds and the values from the 0.5th to the 99.5th percentile; the rest is in the outer bins.
    """
    if column.good is None or not values.dtype.is_numeric():
        return None
    numbers: Any = values.cast(pl.Float64).drop_nulls().to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    bounds = [b for b in (column.low, column.high) if b is not None]
    if len(numbers):
        bounds += [float(q) for q in np.percentile(numbers, (0.5, 99.5))]
    low, high = min(bounds), max(bounds)
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    counts, _ = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)
    return Histogram(
        column.name,
        column.low,
        column.high,
        column.good,
        tuple(round(float(e), 6) for e in edges),
        tuple(int(c) for c in counts),
        len(values) - len(numbers),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _correlation(decisions: "np.ndarray[Any, Any]") -> tuple[tuple[float | None, ...], ...]:
    """Phi coefficients between the rows of ``decisions``, (n_filters, n_rows)."""
    if not decisions.shape[1]:
        return tuple((None,) * len(decisions) for _ in decisions)
    values = decisions.astype(np.float64)
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=1))
    table: list[tuple[float | None, ...]] = []
    for i in range(len(decisions)):
        row: list[float | None] = []
        for j in range(len(decisions)):
            scale = float(spread[i] * spread[j])
            row.append(round(float(centred[i] @ centred[j]) / scale, 4) if scale > 0 else None)
        table.append(tuple(row))
    return tuple(table)
