"""The worst translations by the translator's own score."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule, Scope
from spanferry.corpora.schema import Pair

MT_SCORE = "mt_score"


class TranslationScore(FilterModel):
    """Rejects the rows that the translator itself believes in least, language by language.

    ``translation_score.mean`` is the row's ``mt_score``: the mean log-probability per piece of the translation, in
    nats. Scores of two languages or models do not compare, so the cut is a percentile of each target language. Of equal
    scores none is rejected before the share is reached.

    Attributes:
        share: Share of a language's rows that go, those of lowest score.
        min_score: Lower scores are rejected whatever the share, in nats per piece.
        min_rows: The share applies to languages with at least this many rows.
    """

    name: ClassVar[str] = "translation_score"
    scope: ClassVar[Scope] = "corpus"

    share: float = Field(default=0.05, ge=0, lt=1)
    min_score: float = -6.0
    min_rows: int = Field(default=20, ge=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``translation_score.mean``; high is good."""
        return (Column("translation_score.mean", pl.Float64, low=self.min_score),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None for a row without a target or a score: given translations have none."""
        return {
            "translation_score.mean": [None if p.target is None else p.scores.get(MT_SCORE) for p in pairs],
        }

    def reject(self) -> list[Rule]:
        """``translation_score:percentile`` and ``translation_score:low``."""
        mean = pl.col("translation_score.mean")
        count = mean.count().over("target_lang")
        worst = mean.rank("max").over("target_lang") <= self.share * count
        return [
            ("translation_score:percentile", worst & (count >= self.min_rows)),
            ("translation_score:low", mean < self.min_score),
        ]
