"""What the score columns of a run hold, and how far they say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from spanferry.corpora.filters.base import Column, Filter

_MOST_ROWS = 50_000  # that are ranked: a coefficient of so many is exact to about .005
_LEAST_ROWS = 10  # that two columns have in common: a handful says nothing of how they go together
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """Values of one score column.

    Attributes:
        filter: Name of the filter.
        column: ``<filter>.<score>``.
        low: Threshold below which values are rejected, if any.
        high: Threshold above which they are.
        rows: Rows with a value.
        missing: Rows without one.
        mean: None where no row has a value.
        quantiles: Value by quantile of ``QUANTILES``; empty where no row has one.
        below: Rows below ``low``.
        above: Rows above ``high``.
    """

    filter: str
    column: str
    low: float | None
    high: float | None
    rows: int
    missing: int
    mean: float | None
    quantiles: dict[str, float]
    below: int
    above: int


def numeric_columns(filters: Sequence[Filter], frame: pl.DataFrame) -> list[tuple[Filter, Column]]:
    """The columns of ``filters`` that hold numbers, in order."""
    return [(one, c) for one in filters for c in one.columns if frame.schema[c.name].is_numeric()]


def summaries(filters: Sequence[Filter], frame: pl.DataFrame) -> list[ColumnSummary]:
    """One entry for each column that holds numbers.

    Args:
        filters: The filters that scored ``frame``.
        frame: What ``score`` gave.
    """
    found = []
    for one, column in numeric_columns(filters, frame):
        values = _finite(frame[column.name])
        n = len(values)
        quantiles = np.quantile(values, QUANTILES).tolist() if n else []
        found.append(
            ColumnSummary(
                one.name,
                column.name,
                column.low,
                column.high,
                n,
                frame.height - n,
                float(values.mean()) if n else None,
                {f"{q:g}": float(v) for q, v in zip(QUANTILES, quantiles, strict=False)},
                0 if column.low is None else int((values < column.low).sum()),
                0 if column.high is None else int((values > column.high).sum()),
            )
        )
    return found


def rank_correlation(filters: Sequence[Filter], frame: pl.DataFrame) -> tuple[list[str], list[list[float | None]]]:
    """Spearman's rank correlation of the columns that decide something.

    Of a large frame rows at equal distances are looked at, 50,000 at most.

    Returns:
        Names of the columns, and (n_columns, n_columns) coefficients over the rows that have both values; None where
        fewer than ten rows do or one of the two does not vary.
    """
    names = [c.name for _, c in numeric_columns(filters, frame) if c.good is not None]
    finite = frame.gather_every(-(-frame.height // _MOST_ROWS) or 1).select(
        pl.when(pl.col(name).cast(pl.Float64).is_finite()).then(pl.col(name).cast(pl.Float64)).alias(name)
        for name in names
    )
    table: list[list[float | None]] = [[None] * len(names) for _ in names]
    for i, one in enumerate(names):
        for j in range(i, len(names)):
            both = finite.select(pl.col(one).alias("a"), pl.col(names[j]).alias("b")).drop_nulls()
            ranks = both.select(pl.all().rank())
            value = ranks.select(pl.corr("a", "b")).item() if both.height >= _LEAST_ROWS else None
            table[i][j] = table[j][i] = None if value is None or not np.isfinite(value) else round(float(value), 4)
    return names, table


def _finite(values: pl.Series) -> "np.ndarray[Any, np.dtype[np.float64]]":
    numbers = values.cast(pl.Float64).drop_nulls().to_numpy()
    finite: np.ndarray[Any, np.dtype[np.float64]] = numbers[np.isfinite(numbers)]
    return finite
