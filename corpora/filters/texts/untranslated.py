"""Targets that are their source."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.filters.text import letters, primary, without_spans
from spanferry.corpora.schema import Pair


class Untranslated(FilterModel):
    """Rejects a target that copies its source, names apart.

    Both texts are compared without their spans, code, URLs and placeholders: what is left when those are gone must have
    been translated. ``untranslated.similarity`` is one less the normalised edit distance, ignoring case;
    ``untranslated.letters`` the letters that were compared, the fewer of the two sides.

    Attributes:
        max_similarity: A target more like its source than this is a copy.
        min_letters: A text with fewer letters passes: `Hotel Bristol, Wien` is right as it is.
    """

    name: ClassVar[str] = "untranslated"

    max_similarity: float = Field(default=0.9, ge=0, le=1)
    min_letters: int = Field(default=12, ge=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``untranslated.similarity`` (low is good) and ``untranslated.letters``."""
        return (
            Column("untranslated.similarity", pl.Float64, high=self.max_similarity),
            Column("untranslated.letters", pl.Int32),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None where both sides are one language."""
        similarity: list[float | None] = []
        compared: list[int | None] = []
        for pair in pairs:
            if pair.target is None or primary(pair.source.lang) == primary(pair.target.lang):
                similarity.append(None)
                compared.append(None)
                continue
            source, target = (_plain(without_spans(e)) for e in (pair.source, pair.target))
            similarity.append(Levenshtein.normalized_similarity(source, target))
            compared.append(min(letters(source), letters(target)))
        return {"untranslated.similarity": similarity, "untranslated.letters": compared}

    def reject(self) -> list[Rule]:
        """``untranslated:copy``."""
        alike = pl.col("untranslated.similarity") > self.max_similarity
        return [("untranslated:copy", alike & (pl.col("untranslated.letters") >= self.min_letters))]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
