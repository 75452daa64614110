"""Words of one side that nothing on the other side says."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair
from spanferry.projectors.base import Alignment
from spanferry.projectors.filters.encoded import aligned_fields, content, encoder

_WINDOW = 4  # words that stand together: a clause left out is seldom shorter

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Divergence(FilterModel):
    """Rejects rows of which one side says what the other does not: a clause left out, or another sentence.

    A word's support is the probability of its best link by a multilingual encoder. ``divergence.source`` and
    ``divergence.target`` are the mean support of a side's words; ``divergence.gap`` is that of the least supported four
    source words in a row. Words without letters or digits do not count. None where the encoder can't read a text.

    Attributes:
        model: ``bundled``, another name or a directory, as for the aligner ``encoder``.
        min_support: Least mean support of either side.
        min_gap: Least support of four words in a row.
        min_words: With fewer words on a side nothing is decided.
    """

    name: ClassVar[str] = "divergence"
    scoring: ClassVar[tuple[str, ...]] = ("model",)

    model: str = "bundled"
    min_support: float = Field(default=0.15, ge=0, le=1)
    min_gap: float = Field(default=0.0, ge=0, le=1)
    min_words: int = Field(default=4, ge=1)

    @property
    def signature(self) -> str:
        """With the encoder's."""
        return f"divergence({encoder(self.model).signature})"

    @property
    def columns(self) -> tuple[Column, ...]:
        """``divergence.source``, ``.target`` and ``.gap`` (high is good), and ``.words`` of the shorter side."""
        return (
            Column("divergence.source", pl.Float64, low=self.min_support),
            Column("divergence.target", pl.Float64, low=self.min_support),
            Column("divergence.gap", pl.Float64, low=self.min_gap),
            Column("divergence.words", pl.Int32),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        for pair, fields in zip(pairs, aligned_fields(pairs, self.model), strict=True):
            read, written = _supports(pair, fields)
            known = len(read) > 0 and len(written) > 0
            row = (
                (float(read.mean()), float(written.mean()), weakest(read), min(len(read), len(written)))
                if known
                else (None, None, None, None)
            )
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        return columns

    def reject(self) -> list[Rule]:
        """``divergence:source``, ``divergence:target`` and ``divergence:gap``."""
        enough = pl.col("divergence.words") >= self.min_words
        return [
            ("divergence:source", enough & (pl.col("divergence.source") < self.min_support)),
            ("divergence:target", enough & (pl.col("divergence.target") < self.min_support)),
            ("divergence:gap", enough & (pl.col("divergence.gap") < self.min_gap)),
        ]


def weakest(support: Floats, window: int = _WINDOW) -> float:
    """The least mean of ``window`` values in a row; of all where there are fewer.

    >>> weakest(np.array([1.0, 0.0, 0.5, 1.0]), window=2)
    0.25
    """
    size = min(window, len(support))
    return float(np.convolve(support, np.full(size, 1 / size), "valid").min())


def _supports(pair: Pair, fields: dict[str, Alignment]) -> tuple[Floats, Floats]:
    """Support of the words of both sides, fields one after the other."""
    read: list[Floats] = [np.zeros(0)]
    written: list[Floats] = [np.zeros(0)]
    for name, found in fields.items() if pair.target is not None else ():
        assert pair.target is not None
        sides = (
            (read, pair.source.texts[name], found.source_words, 1),
            (written, pair.target.texts[name], found.target_words, 0),
        )
        for kept, text, words, axis in sides:
            best = found.probabilities.max(axis=axis, initial=0.0).astype(np.float64)
            kept.append(best[content(text, words)])
    return np.concatenate(read), np.concatenate(written)
