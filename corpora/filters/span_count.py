"""Every label as often on the target as on the source."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair


class SpanCount(FilterModel):
    """Rejects a row in which a label has fewer or more spans on the target than on the source.

    A model that learns from a text where one name of three lost its label learns not to see names; hence the default.

    Attributes:
        max_missing: Share of the source's spans that may differ. 0: none.
    """

    name: ClassVar[str] = "span_count"

    max_missing: float = Field(default=0.0, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``span_count.difference``: spans too few or too many, over the source's spans; ``span_count.labels``."""
        return (
            Column("span_count.difference", pl.Float64, high=self.max_missing),
            Column("span_count.labels", pl.List(pl.String)),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        difference: list[float | None] = []
        labels: list[list[str] | None] = []
        for pair in pairs:
            if pair.target is None or not (pair.source.spans or pair.target.spans):
                difference.append(None)
                labels.append(None)
                continue
            counts = Counter(span.label for span in pair.source.spans)
            counts.subtract(span.label for span in pair.target.spans)
            wrong = {label: abs(count) for label, count in counts.items() if count}
            difference.append(sum(wrong.values()) / max(1, len(pair.source.spans)))
            labels.append(sorted(wrong))
        return {"span_count.difference": difference, "span_count.labels": labels}

    def reject(self) -> list[Rule]:
        """``span_count:<label>`` for each label that differs."""
        over = pl.col("span_count.difference") > self.max_missing
        return [("span_count", pl.when(over).then(pl.col("span_count.labels")))]
