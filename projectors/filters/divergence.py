"""Words of one side that nothing on the other side says."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule, by_id
from spanferry.corpora.schema import Pair, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import Alignment
from spanferry.projectors.filters.encoded import aligned_fields, content, encoder, inside
from spanferry.projectors.filters.word_support import word_support

# Chosen on human translations of Europarl (es), with and without planted damage.
_WINDOW = 6  # words that stand together: a clause that was left out is seldom shorter
_SHORT, _SHORT_WEIGHT = 3, 0.3  # words of so many letters are mostly function words, and count less

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Divergence(FilterModel):
    """Rejects rows of which one side says what the other does not: a clause left out, or another sentence.

    A word's support is the mean of the probability of its best link by a multilingual encoder and, where there is a
    bundled table of word translations, of the best translation there or of a like spelling. ``divergence.source`` and
    ``divergence.target`` are the mean support of a side's words, ``divergence.gap`` that of the least supported six
    source words in a row, ``divergence.span`` that of the words of the worst labelled span within its counterpart.
    Words without letters or digits do not count, those of up to three letters little. None where the encoder can't read
    a text.

    Attributes:
        model: ``bundled``, another name or a directory, as for the aligner ``encoder``.
        min_support: Least mean support of either side.
        min_gap: Least support of six words in a row.
        min_span: Least support of a span.
        min_words: With fewer words on a side only spans are judged.
    """

    name: ClassVar[str] = "divergence"
    scoring: ClassVar[tuple[str, ...]] = ("model",)

    model: str = "bundled"
    min_support: float = Field(default=0.3, ge=0, le=1)
    min_gap: float = Field(default=0.1, ge=0, le=1)
    min_span: float = Field(default=0.1, ge=0, le=1)
    min_words: int = Field(default=4, ge=1)

    @property
    def signature(self) -> Signature:
        """With the encoder's."""
        return Signature(f"divergence({encoder(self.model).signature})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``.source``, ``.target``, ``.gap`` and ``.span`` (high is good), and ``.words`` of the shorter side."""
        return (
            Column("divergence.source", pl.Float64, low=self.min_support),
            Column("divergence.target", pl.Float64, low=self.min_support),
            Column("divergence.gap", pl.Float64, low=self.min_gap),
            Column("divergence.span", pl.Float64, low=self.min_span),
            Column("divergence.words", pl.Int32),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        for pair, fields in zip(pairs, aligned_fields(pairs, self.model), strict=True):
            for column, value in zip(columns.values(), _row(pair, fields), strict=True):
                column.append(value)
        return columns

    def reject(self) -> list[Rule]:
        """``divergence:source``, ``divergence:target``, ``divergence:gap`` and ``divergence:span``."""
        enough = pl.col("divergence.words") >= self.min_words
        return [
            ("divergence:source", enough & (pl.col("divergence.source") < self.min_support)),
            ("divergence:target", enough & (pl.col("divergence.target") < self.min_support)),
            ("divergence:gap", enough & (pl.col("divergence.gap") < self.min_gap)),
            ("divergence:span", pl.col("divergence.span") < self.min_span),
        ]


def weakest(support: Floats, weights: Floats, window: int = _WINDOW) -> float:
    """The least weighted mean of ``window`` values in a row; of all where there are fewer.

    >>> weakest(np.array([1.0, 0.0, 0.5, 1.0]), np.ones(4), window=2)
    0.25
    """
    ones = np.ones(min(window, len(support)))
    sums = np.convolve(support * weights, ones, "valid")
    # A window of function words alone says little, whatever it lacks.
    return float((sums / np.maximum(np.convolve(weights, ones, "valid"), 1.0)).min())


def _row(pair: Pair, fields: dict[str, Alignment]) -> tuple[float | None, ...]:
    if pair.target is None or not fields:
        return None, None, None, None, None
    sides: tuple[list[Floats], list[Floats]] = ([], [])
    weights: tuple[list[Floats], list[Floats]] = ([], [])
    spans: list[float] = []
    sources = by_id(pair.source.spans)
    for name, found in fields.items():
        texts = pair.source.texts[name], pair.target.texts[name]
        counted = content(texts[0], found.source_words), content(texts[1], found.target_words)
        read = [texts[0][a:b].lower() for a, b in found.source_words]
        written = [texts[1][a:b].lower() for a, b in found.target_words]
        for side, own in enumerate(_support(found, read, written, pair)):
            sides[side].append(own[counted[side]])
            lengths = [len(w) for w, good in zip((read, written)[side], counted[side], strict=True) if good]
            weights[side].append(np.where(np.array(lengths, dtype=int) <= _SHORT, _SHORT_WEIGHT, 1.0))
        spans += [
            value
            for span in pair.target.spans
            if span.field == name and span.id in sources
            if (value := _span(found, read, written, counted, sources[span.id], span, pair)) is not None
        ]
    (one, other), (weight, other_weight) = (tuple(map(np.concatenate, part)) for part in (sides, weights))
    worst = min(spans, default=None)
    if not len(one) or not len(other):
        return None, None, None, worst, None
    return (
        float(np.average(one, weights=weight)),
        float(np.average(other, weights=other_weight)),
        weakest(one, weight),
        worst,
        min(len(one), len(other)),
    )


def _support(found: Alignment, read: Sequence[str], written: Sequence[str], pair: Pair) -> tuple[Floats, Floats]:
    """Support of every word of both sides."""
    linked = tuple(found.probabilities.max(axis=axis, initial=0.0).astype(np.float64) for axis in (1, 0))
    supported = word_support(read, written, pair.source.lang, pair.target.lang) if pair.target is not None else None
    if supported is None:
        return linked[0], linked[1]
    return (linked[0] + supported[0]) / 2, (linked[1] + supported[1]) / 2


def _span(
    found: Alignment,
    read: Sequence[str],
    written: Sequence[str],
    counted: "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]",
    source: Span,
    target: Span,
    pair: Pair,
) -> float | None:
    """Support of the words of a span and of its counterpart by each other; None where one has no words."""
    rows: list[int] = np.flatnonzero(inside(found.source_words, source) & counted[0]).tolist()
    columns: list[int] = np.flatnonzero(inside(found.target_words, target) & counted[1]).tolist()
    if not rows or not columns:
        return None
    part = Alignment(
        tuple(found.source_words[i] for i in rows),
        tuple(found.target_words[j] for j in columns),
        found.probabilities[np.ix_(rows, columns)],
    )
    own = _support(part, [read[i] for i in rows], [written[j] for j in columns], pair)
    return float((own[0].mean() + own[1].mean()) / 2)
