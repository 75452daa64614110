"""How near the two sides are as sentences."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair
from spanferry.projectors.filters.encoded import encoder


class Similarity(FilterModel):
    """Rejects rows whose two sides are far apart: the cosine of the mean vectors of a multilingual encoder.

    ``similarity.cosine`` is of both texts as a whole; None where the encoder can't read one. Cosines of two encoders
    do not compare: with LaBSE 0.8 is usual, the bundled encoder, made for word links, needs a threshold of its own.

    Attributes:
        model: ``bundled``, ``labse``, another name or a directory, as for the aligner ``encoder``.
        min_cosine: Least cosine.
    """

    name: ClassVar[str] = "similarity"
    scoring: ClassVar[tuple[str, ...]] = ("model",)

    model: str = "bundled"
    min_cosine: float = Field(default=0.5, ge=-1, le=1)

    @property
    def signature(self) -> str:
        """With the encoder's."""
        return f"similarity({encoder(self.model).signature})"

    @property
    def columns(self) -> tuple[Column, ...]:
        """``similarity.cosine``; high is good."""
        return (Column("similarity.cosine", pl.Float64, low=self.min_cosine),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        judged = [pair for pair in pairs if pair.target is not None]
        texts = [
            "\n".join(example.texts.values()) for pair in judged for example in (pair.source, pair.target) if example
        ]
        vectors = encoder(self.model).embed(texts)
        found = (_cosine(one, other) for one, other in zip(vectors[::2], vectors[1::2], strict=True))
        return {"similarity.cosine": [None if pair.target is None else next(found) for pair in pairs]}

    def reject(self) -> list[Rule]:
        """``similarity:low``."""
        return [("similarity:low", pl.col("similarity.cosine") < self.min_cosine)]


def _cosine(one: "np.ndarray[Any, Any] | None", other: "np.ndarray[Any, Any] | None") -> float | None:
    # Rounded, so that sums in another order can't show.
    return None if one is None or other is None else round(float(one @ other), 5)
