"""Relations that did not come over."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.placing import lost_relations
from spanferry.corpora.schema import Pair


class Relations(FilterModel):
    """Rejects a row that lost too many relations of its source, since a span of theirs was not placed.

    Attributes:
        max_lost: Share of the source's relations that may be lost. 1: all of them, so nothing is rejected; 0: none.
    """

    name: ClassVar[str] = "relations"

    max_lost: float = Field(default=1.0, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``relations.lost``: lost relations over the source's; ``relations.labels``: which, by label."""
        return (
            Column("relations.lost", pl.Float64, high=self.max_lost),
            Column("relations.labels", pl.List(pl.String)),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        share: list[float | None] = []
        labels: list[list[str] | None] = []
        for pair in pairs:
            if pair.target is None or not pair.source.relations:
                share.append(None)
                labels.append(None)
                continue
            lost = [relation for relation, _ in lost_relations(pair)]
            share.append(len(lost) / len(pair.source.relations))
            labels.append(sorted({relation.label for relation in lost}))
        return {"relations.lost": share, "relations.labels": labels}

    def reject(self) -> list[Rule]:
        """``relations:<label>`` for each label of which a relation was lost."""
        over = pl.col("relations.lost") > self.max_lost
        return [("relations", pl.when(over).then(pl.col("relations.labels")))]
