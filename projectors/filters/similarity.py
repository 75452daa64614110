"""How near the two sides are as sentences."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature
from spanferry.projectors.filters.encoded import aligned_fields, content, encoder

_BUNDLED = "bundled"


class Similarity(FilterModel):
    """Rejects rows whose two sides are far apart by a multilingual encoder.

    ``similarity.links`` is the mean probability of the best link of each word, of both sides. ``similarity.cosine`` is
    the cosine of the mean vectors of both texts. The bundled encoder has none: it was made for word links, and its mean
    vectors tell languages apart better than meanings (AUC .60 for another sentence's translation in Europarl es; links
    .98). Cosines
    of two encoders do not compare; with LaBSE 0.8 is usual. None where the encoder can't read a text.

    Attributes:
        model: ``bundled``, ``labse``, another name or a directory, as for the aligner ``encoder``.
        min_links: Least mean probability.
        min_cosine: Least cosine.
    """

    name: ClassVar[str] = "similarity"
    scoring: ClassVar[tuple[str, ...]] = ("model",)

    model: str = _BUNDLED
    min_links: float = Field(default=0.35, ge=0, le=1)
    min_cosine: float = Field(default=0.5, ge=-1, le=1)

    @property
    def signature(self) -> Signature:
        """With the encoder's."""
        return Signature(f"similarity({encoder(self.model).signature})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``similarity.links`` and ``similarity.cosine``; high is good."""
        return (
            Column("similarity.links", pl.Float64, low=self.min_links),
            Column("similarity.cosine", pl.Float64, low=self.min_cosine),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        cosines = [None] * len(pairs) if self.model == _BUNDLED else self._cosines(pairs)
        return {"similarity.links": [_links(*row) for row in self._linked(pairs)], "similarity.cosine": cosines}

    def reject(self) -> list[Rule]:
        """``similarity:links`` and ``similarity:cosine``."""
        return [
            ("similarity:links", pl.col("similarity.links") < self.min_links),
            ("similarity:cosine", pl.col("similarity.cosine") < self.min_cosine),
        ]

    def _linked(self, pairs: Sequence[Pair]) -> "list[tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]]":
        """The best link of every word of both sides, field by field."""
        rows = []
        for pair, fields in zip(pairs, aligned_fields(pairs, self.model), strict=True):
            read, written = [], []
            for name, found in fields.items() if pair.target is not None else ():
                assert pair.target is not None
                best = [found.probabilities.max(axis=axis, initial=0.0) for axis in (1, 0)]
                read.append(best[0][content(pair.source.texts[name], found.source_words)])
                written.append(best[1][content(pair.target.texts[name], found.target_words)])
            rows.append((read, written))
        return rows

    def _cosines(self, pairs: Sequence[Pair]) -> list[float | None]:
        judged = [pair for pair in pairs if pair.target is not None]
        texts = ["\n".join(one.texts.values()) for pair in judged for one in (pair.source, pair.target) if one]
        vectors = encoder(self.model).embed(texts)
        found = (_cosine(one, other) for one, other in zip(vectors[::2], vectors[1::2], strict=True))
        return [None if pair.target is None else next(found) for pair in pairs]


def _links(read: "list[np.ndarray[Any, Any]]", written: "list[np.ndarray[Any, Any]]") -> float | None:
    sides = [np.concatenate([np.zeros(0), *side]) for side in (read, written)]
    return float(np.mean([side.mean() for side in sides])) if all(len(side) for side in sides) else None


def _cosine(one: "np.ndarray[Any, Any] | None", other: "np.ndarray[Any, Any] | None") -> float | None:
    # Rounded, so that sums in another order can't show.
    return None if one is None or other is None else round(float(one @ other), 5)
