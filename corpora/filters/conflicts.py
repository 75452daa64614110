"""The same text with other labels."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import polars as pl

from spanferry.corpora.filters.base import Column, FilterModel, Rule, Scope
from spanferry.corpora.filters.duplicates import digest, label_parts, text_parts
from spanferry.corpora.schema import Pair


class Conflicts(FilterModel):
    """Rejects rows whose target text is labelled in different ways in the same split.

    Attributes:
        keep: ``first``: the labels of the first row, in row order, stand; ``none``: all rows of such a text go.
        splits: Splits in which it looks; not in test data by default.
    """

    name: ClassVar[str] = "conflicts"
    scope: ClassVar[Scope] = "corpus"
    scoring: ClassVar[tuple[str, ...]] = ("splits",)

    keep: Literal["first", "none"] = "first"
    splits: tuple[str, ...] = ("train",)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``conflicts.text`` and ``conflicts.labels``: digests of the target's texts and of its labels."""
        return (Column("conflicts.text", pl.String), Column("conflicts.labels", pl.String))

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None for a row that is rejected already."""
        targets = [p.target if p.target and p.kept and p.target.split in self.splits else None for p in pairs]
        return {
            "conflicts.text": [digest(text_parts(t)) if t else None for t in targets],
            "conflicts.labels": [digest(label_parts(t)) if t else None for t in targets],
        }

    def reject(self) -> list[Rule]:
        """``conflicts:labels``."""
        text, labels = pl.col("conflicts.text"), pl.col("conflicts.labels")
        differs = labels.n_unique().over(text) > 1 if self.keep == "none" else labels != labels.first().over(text)
        return [("conflicts:labels", text.is_not_null() & differs)]
