"""Targets whose words are too short or too long to be words."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field, model_validator

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.filters.text import plain_text
from spanferry.corpora.schema import Pair
from spanferry.corpora.text.scripts import UNSPACED_CHARACTER


class AverageWordLength(FilterModel):
    """Rejects a target whose words have, on average, too few or too many characters.

    Words are what white space parts. ``average_word_length.mean`` is None for a text without words, or with a script
    that is written without spaces; code, URLs, tags and placeholders do not count. OpusFilter has the same with 2 and
    20, and counts them.

    Attributes:
        low: Shorter means are rejected.
        high: Longer means are rejected.
        min_words: A text with fewer words passes: a German compound may be a row.
    """

    name: ClassVar[str] = "average_word_length"

    low: float = Field(default=2.0, ge=0)
    high: float = Field(default=20.0, gt=0)
    min_words: int = Field(default=3, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> "AverageWordLength":
        if self.low > self.high:
            raise ValueError(f"low is above high ({self.low} > {self.high})")
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """``average_word_length.mean`` (in characters; the middle is good) and ``average_word_length.words``."""
        return (
            Column("average_word_length.mean", pl.Float64, low=self.low, high=self.high),
            Column("average_word_length.words", pl.Int32),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        means: list[float | None] = []
        counts: list[int | None] = []
        for pair in pairs:
            text = "\n".join(map(plain_text, pair.target.texts.values())) if pair.target else ""
            words = [] if UNSPACED_CHARACTER.search(text) else text.split()
            means.append(sum(map(len, words)) / len(words) if words else None)
            counts.append(len(words) or None)
        return {"average_word_length.mean": means, "average_word_length.words": counts}

    def reject(self) -> list[Rule]:
        """``average_word_length:short`` and ``average_word_length:long``."""
        mean, enough = pl.col("average_word_length.mean"), pl.col("average_word_length.words") >= self.min_words
        return [
            ("average_word_length:short", enough & (mean < self.low)),
            ("average_word_length:long", enough & (mean > self.high)),
        ]
