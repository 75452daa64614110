"""Thresholds that reach a wanted precision on judged rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import sqrt
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ValidationError

from spanferry.corpora.filters.apply import rejected_by
from spanferry.corpora.filters.base import Filter, FilterModel

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Side = Literal["low", "high"]
_Z = 1.959964  # of a two-sided interval of 95 %


@dataclass(frozen=True, slots=True)
class Judged:
    """How many spans of each row were judged right and wrong.

    Attributes:
        right: (n_rows,).
        wrong: (n_rows,).
    """

    right: Floats
    wrong: Floats

    def quality(self, kept: Mask) -> "Quality":
        """Of the spans of the rows in ``kept``, (n_rows,)."""
        right, wrong = float(self.right[kept].sum()), float(self.wrong[kept].sum())
        return Quality(int(right), int(right + wrong), int(kept.sum()), len(kept))


@dataclass(frozen=True, slots=True)
class Quality:
    """A set of rows, as far as it was judged.

    Attributes:
        right: Right spans.
        judged: Judged spans.
        kept: Rows in the set, judged or not.
        rows: All rows.
    """

    right: int
    judged: int
    kept: int
    rows: int

    @property
    def precision(self) -> float | None:
        """Share of right spans among the judged ones."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """Of the precision, with 95 % confidence (Wilson 1927)."""
        if not self.judged:
            return (0.0, 1.0)
        n, p = self.judged, self.right / self.judged
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return (max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True, slots=True)
class Proposal:
    """One threshold, with all other options as they are.

    Attributes:
        filter: Name of the filter.
        option: Its option.
        column: The score it cuts.
        now: The option's present value.
        value: The proposed one: the mildest that reaches what is wanted; else the one with the highest precision.
        reached: Whether it reaches what is wanted.
        quality: What the filters keep then.
    """

    filter: str
    option: str
    column: str
    now: float
    value: float
    reached: bool
    quality: Quality

    @property
    def setting(self) -> str:
        """What ``--set`` takes."""
        return f"filters.{self.filter}.{self.option}={self.value:g}"


@dataclass(frozen=True, slots=True)
class Proposals:
    """What ``propose`` found.

    Attributes:
        before: The rows without any filter, but for those that could not be read or translated.
        now: What the filters keep at present.
        proposals: Those that reach what is wanted first; among them the ones that keep most rows.
    """

    before: Quality
    now: Quality
    proposals: tuple[Proposal, ...]


def propose(
    filters: Sequence[Filter], frame: pl.DataFrame, judged: Judged, precision: float, *, sure: bool = False
) -> Proposals:
    """For every threshold the mildest value at which the kept spans are as right as wanted.

    Args:
        filters: The filters that scored ``frame``, with their present thresholds.
        frame: What ``score`` gave, for all rows.
        judged: Of the same rows.
        precision: Wanted share of right spans among the judged spans of kept rows.
        sure: The lower end of the interval must reach it, not the share itself.
    """
    readable: Mask = (frame["prior"].list.len() == 0).to_numpy()
    rejects = {one.name: _rejects(one, frame) for one in filters}
    votes = np.sum([*rejects.values(), np.zeros(frame.height, dtype=bool)], axis=0)
    found = []
    for one in filters:
        others: Mask = readable & (votes - rejects[one.name] == 0)
        for option, column, side in thresholds(one):
            value = _mildest(_values(frame[column]), others, judged, side, precision, sure)
            other = None if value is None else _with(one, option, value)
            if value is None or other is None:
                continue
            quality = judged.quality(others & ~_rejects(other, frame))
            reached = _reaches(quality, precision, sure)
            found.append(Proposal(one.name, option, column, float(getattr(one, option)), value, reached, quality))
    found.sort(key=lambda p: (not p.reached, -p.quality.kept if p.reached else -(p.quality.precision or 0.0), p.filter))
    return Proposals(judged.quality(readable), judged.quality(readable & (votes == 0)), tuple(found))


def thresholds(one: Filter) -> Iterator[tuple[str, str, Side]]:
    """The options of a filter that are the threshold of a column of numbers: option, column, side of the rejected."""
    if not isinstance(one, BaseModel):
        return
    scoring = one.scoring if isinstance(one, FilterModel) else ()
    for option in type(one).model_fields:
        value = getattr(one, option)
        if option in scoring or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        # A threshold shows in the filter's columns: which of them follows the option?
        tried = (_with(one, option, other) for other in (value + 1, value / 2, value + 0.01, value - 0.01))
        other = next((o for o in tried if o is not None and getattr(o, option) != value), None)
        for column, moved in zip(one.columns, other.columns if other is not None else (), strict=False):
            if column.low != moved.low:
                yield option, column.name, "low"
                break
            if column.high != moved.high:
                yield option, column.name, "high"
                break


def shortest_between(least: float, most: float) -> float:
    """The number of fewest digits in [least, most].

    >>> shortest_between(0.8231, 0.8279)
    0.825
    """
    for digits in range(17):
        step = Decimal(1).scaleb(-digits)
        middle = (Decimal(least) + Decimal(most)) / 2
        for rounding in (ROUND_FLOOR, ROUND_CEILING):
            tried = float(middle.quantize(step, rounding=rounding))
            if least <= tried <= most:
                return tried
    return most


def _with(one: Filter, option: str, value: float) -> Filter | None:
    """The filter with another value of an option; None where it does not take it."""
    if not isinstance(one, BaseModel):
        return None
    try:
        other = type(one).model_validate({**one.model_dump(), option: value})
    except ValidationError:
        return None
    return other if isinstance(other, Filter) else None


def _mildest(values: Floats, others: Mask, judged: Judged, side: Side, precision: float, sure: bool) -> float | None:
    """The mildest threshold that reaches the precision; else the one of highest precision, None without any."""
    weight = judged.right + judged.wrong
    seen = others & np.isfinite(values) & (weight > 0)
    if not seen.any():
        return None
    base = others & ~np.isfinite(values)
    right, total = float(judged.right[base].sum()), float(weight[base].sum())
    signed = values[seen] if side == "low" else -values[seen]
    order = np.argsort(-signed, kind="stable")
    ordered = signed[order]
    rights = right + np.cumsum(judged.right[seen][order])
    totals = total + np.cumsum(weight[seen][order])
    last = np.append(ordered[1:] != ordered[:-1], True)  # a threshold keeps all rows of one value or none
    ends = np.flatnonzero(last)
    shares = rights[ends] / totals[ends]
    if sure:
        n = totals[ends]
        centre = (shares + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        shares = centre - _Z / (1 + _Z**2 / n) * np.sqrt(shares * (1 - shares) / n + _Z**2 / (4 * n**2))
    good = np.flatnonzero(shares >= precision)
    at = ends[int(good[-1])] if len(good) else ends[int(np.argmax(shares))]
    kept = float(ordered[at])
    rejected = float(ordered[at + 1]) if at + 1 < len(ordered) else kept
    # Anything above the rejected value and up to the kept one decides alike on the judged rows.
    if rejected == kept:
        return kept if side == "low" else -kept
    least = rejected + (kept - rejected) / 4
    return shortest_between(least, kept) if side == "low" else shortest_between(-kept, -least)


def _reaches(quality: Quality, precision: float, sure: bool) -> bool:
    value = quality.interval[0] if sure else quality.precision
    return value is not None and value >= precision


def _values(column: pl.Series) -> Floats:
    values: Floats = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return values


def _rejects(one: Filter, frame: pl.DataFrame) -> Mask:
    rejected: Mask = rejected_by(one, frame).to_numpy()
    return rejected
