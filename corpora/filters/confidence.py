"""How sure the projection was of the least sure span."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair


class Confidence(FilterModel):
    """Rejects a row whose least certain placed span scored too low.

    Spans that were not placed are the business of ``span_count``. The scores of the projectors ``default`` and
    ``ensemble`` are calibrated on gold: of the spans below 0.5 more are wrong than right, which is where the default
    threshold stands. Scores of other methods rank the spans of one method and are not on that scale.

    Attributes:
        min_score: Least projection score, in [0, 1].
    """

    name: ClassVar[str] = "confidence"

    min_score: float = Field(default=0.5, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``confidence.min`` (high is good) and, for reading only, ``confidence.mean``."""
        return (Column("confidence.min", pl.Float64, low=self.min_score), Column("confidence.mean", pl.Float64))

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        least: list[float | None] = []
        mean: list[float | None] = []
        for pair in pairs:
            scores = [float(p.score) for p in pair.projections if p.span is not None]
            least.append(min(scores, default=None))
            mean.append(sum(scores) / len(scores) if scores else None)
        return {"confidence.min": least, "confidence.mean": mean}

    def reject(self) -> list[Rule]:
        """``confidence:low``; a score that is not a number is low."""
        score = pl.col("confidence.min")
        return [("confidence:low", (score < self.min_score) | score.is_nan())]
