"""Whether another method puts the labels where the run has them."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import Projector
from spanferry.projectors.filters.encoded import inputs_of
from spanferry.projectors.methods.build import build_projector

# Reasons of a method that say nothing of the run's labels.
_UNREADABLE = ("too_long", "bad_unicode", "unknown_script", "not_fitted")


class Agreement(FilterModel):
    """Rejects rows with a span that another method of projection puts elsewhere.

    The method projects each row anew, from its own texts alone. A span's agreement is the Dice coefficient of the code
    points that both cover: 1 where the two are the same, 0 where they do not touch or the other method finds no place.
    None where no span was placed, or the other method can't read the texts or would have to learn from a corpus first.

    Attributes:
        method: A projector that needs no model, or ``package.module:Class``.
        options: Of the projector; empty with ``alignment``: links of the bundled encoder.
        min_overlap: Least agreement of a row's worst span.
    """

    name: ClassVar[str] = "agreement"
    scoring: ClassVar[tuple[str, ...]] = ("method", "options")

    method: str = "alignment"
    options: dict[str, Any] = Field(default_factory=dict)
    min_overlap: float = Field(default=0.3, ge=0, le=1)

    @property
    def signature(self) -> Signature:
        """With the projector's."""
        return Signature(f"agreement({self._projector('en', 'und').signature})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``agreement.min`` (high is good) and, for reading only, ``agreement.mean``."""
        return (Column("agreement.min", pl.Float64, low=self.min_overlap), Column("agreement.mean", pl.Float64))

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        least: list[float | None] = []
        mean: list[float | None] = []
        for pair, fields in zip(pairs, inputs_of(pairs), strict=True):
            inputs = [item for item in fields.values() if item.spans]
            projector = self._projector(pair.source.lang, pair.target.lang) if pair.target and inputs else None
            others = [p for row in projector.project(inputs) for p in row] if projector else []
            places = {p.source_span_id: p.span for p in others if p.reason not in _UNREADABLE}
            found = [
                overlap(span, places[span.id])
                for span in (pair.target.spans if pair.target else ())
                if span.id in places
            ]
            least.append(min(found, default=None))
            mean.append(sum(found) / len(found) if found else None)
        return {"agreement.min": least, "agreement.mean": mean}

    def reject(self) -> list[Rule]:
        """``agreement:low``."""
        return [("agreement:low", pl.col("agreement.min") < self.min_overlap)]

    def _projector(self, source: str, target: str) -> Projector:
        options = dict(self.options)
        if self.method == "alignment" and options.setdefault("aligner", "encoder") == "encoder":
            options.setdefault("aligner_options", {"device": "cpu", "compute_type": "int8"})
        return _built(self.method, json.dumps(options, sort_keys=True), source, target)


@lru_cache(maxsize=8)
def _built(method: str, options: str, source: str, target: str) -> Projector:
    return build_projector(method, json.loads(options), None, source, target)


def overlap(one: Span, other: Span | None) -> float:
    """The Dice coefficient of the code points that two spans cover."""
    if other is None or one.field != other.field:
        return 0.0
    first, second = _covered(one), _covered(other)
    return 2 * len(first & second) / (len(first) + len(second))


def _covered(span: Span) -> set[int]:
    return {at for start, end in (span.fragments or ((span.start, span.end),)) for at in range(start, end)}
