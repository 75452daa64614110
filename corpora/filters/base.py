"""What a filter is, and the small base class that ours share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import polars as pl
from pydantic import BaseModel, ConfigDict

from spanferry.corpora.schema import Pair, Span
from spanferry.corpora.signature import Signature, value_text

Scope = Literal["row", "corpus"]
Rule = tuple[str, pl.Expr]


@dataclass(frozen=True, slots=True)
class Column:
    """One score that a filter writes.

    Attributes:
        name: ``<filter>.<score>``.
        dtype: Its polars type; the same for every shard, also where all values are null.
        low: Values below it are rejected; None: small values are good, or nothing is decided by this column.
        high: Values above it are rejected; None likewise.
    """

    name: str
    dtype: Any
    low: float | None = None
    high: float | None = None

    @property
    def good(self) -> Literal["high", "low", "middle"] | None:
        """Which direction is good, or None for a column that is not a number or decides nothing."""
        if self.low is not None and self.high is not None:
            return "middle"
        return "high" if self.low is not None else "low" if self.high is not None else None


@runtime_checkable
class Filter(Protocol):
    """Scores rows, and separately says which scores are bad.

    Options of scoring are part of ``signature``, thresholds only of ``threshold_signature``.

    >>> from spanferry.corpora.filters import build
    >>> isinstance(build([{"kind": "copy"}])[0], Filter)
    True
    """

    @property
    def name(self) -> str:
        """The name in reasons and column names."""
        ...

    @property
    def scope(self) -> Scope:
        """``row``: each row is judged alone; ``corpus``: over the rows that no row filter rejected."""
        ...

    @property
    def signature(self) -> str:
        """Every choice that changes a score."""
        ...

    @property
    def threshold_signature(self) -> str:
        """Every choice that changes a decision but no score."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that ``score`` writes, in order."""
        ...

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """Column name to one value per pair. Each row alone, never raises for a row; None: nothing to judge."""
        ...

    def reject(self) -> list[Rule]:
        """Reasons and expressions over the columns.

        An expression is Boolean (true: rejected for ``reason``) or a list of strings (rejected for ``reason:item``,
        for each item). Null and the empty list accept.
        """
        ...


class FilterModel(BaseModel):
    """A filter whose options are its fields.

    Class attributes:
        name: The filter's name.
        scope: See ``Filter``.
        scoring: Names of the options that change scores; all others are thresholds.
        version: Goes up when the same options give other scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    scope: ClassVar[Scope] = "row"
    scoring: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1

    @property
    def signature(self) -> Signature:
        """``name(option=value,…)`` with the options that change scores."""
        state = self._state([f for f in type(self).model_fields if f in self.scoring])
        return Signature(state if self.version == 1 else f"{state}.v{self.version}")

    @property
    def threshold_signature(self) -> Signature:
        """Likewise with the thresholds."""
        return Signature(self._state([f for f in type(self).model_fields if f not in self.scoring]))

    def _state(self, fields: Sequence[str]) -> str:
        chosen = []
        for field in fields:
            value = getattr(self, field)
            chosen.append(
                f"{field}={'/'.join(map(value_text, value)) if isinstance(value, tuple) else value_text(value)}"
            )
        return f"{self.name}({','.join(chosen)})" if chosen else self.name


def signature_of(filters: Sequence[Filter]) -> Signature:
    """What filters score and decide by, in order."""
    return Signature("+".join(f"{one.signature}{one.threshold_signature}" for one in filters))


def by_id(spans: Sequence[Span]) -> Mapping[str, Span]:
    """Spans by id. Projected spans carry the id of the source span they come from."""
    return {span.id: span for span in spans}
