"""Whether the words under a label are linked with those of the source span, and with no others."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule, by_id
from spanferry.corpora.schema import Pair, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import Alignment
from spanferry.projectors.filters.encoded import aligned_fields, encoder, inside


class Aligned(FilterModel):
    """Rejects rows with a span whose words are linked to few words of the source span, or mostly to others.

    Links are those of a multilingual encoder. ``aligned.coverage`` is the share of the words of both spans that have a
    link to the other span; ``aligned.contiguity`` the share of the links of either span that lead to the other one.
    Both are of the row's worst span; None where no span was placed, the encoder can't read a text, or (contiguity) no
    word has a link.

    Attributes:
        model: ``bundled``, another name or a directory, as for the aligner ``encoder``.
        min_coverage: Least coverage.
        min_contiguity: Least contiguity.
    """

    name: ClassVar[str] = "aligned"
    scoring: ClassVar[tuple[str, ...]] = ("model",)

    model: str = "bundled"
    min_coverage: float = Field(default=0.1, ge=0, le=1)
    min_contiguity: float = Field(default=0.3, ge=0, le=1)

    @property
    def signature(self) -> Signature:
        """With the encoder's."""
        return Signature(f"aligned({encoder(self.model).signature})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``aligned.coverage`` and ``aligned.contiguity``; high is good."""
        return (
            Column("aligned.coverage", pl.Float64, low=self.min_coverage),
            Column("aligned.contiguity", pl.Float64, low=self.min_contiguity),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        coverage: list[float | None] = []
        contiguity: list[float | None] = []
        for pair, fields in zip(pairs, aligned_fields(pairs, self.model), strict=True):
            found = _spans(pair, fields)
            coverage.append(min((one for one, _ in found), default=None))
            contiguity.append(min((two for _, two in found if two is not None), default=None))
        return {"aligned.coverage": coverage, "aligned.contiguity": contiguity}

    def reject(self) -> list[Rule]:
        """``aligned:coverage`` and ``aligned:contiguity``."""
        return [
            ("aligned:coverage", pl.col("aligned.coverage") < self.min_coverage),
            ("aligned:contiguity", pl.col("aligned.contiguity") < self.min_contiguity),
        ]


def _spans(pair: Pair, fields: dict[str, Alignment]) -> list[tuple[float, float | None]]:
    """Coverage and contiguity of each placed span."""
    if pair.target is None:
        return []
    sources = by_id(pair.source.spans)
    return [
        _span(sources[span.id], span, fields[span.field])
        for span in pair.target.spans
        if span.id in sources and span.field in fields
    ]


def _span(source: Span, target: Span, alignment: Alignment) -> tuple[float, float | None]:
    read, written = inside(alignment.source_words, source), inside(alignment.target_words, target)
    both = [(read[i], written[j]) for i, j in alignment.links]
    linked = {("s", i) for i, j in alignment.links if read[i] and written[j]}
    linked |= {("t", j) for i, j in alignment.links if read[i] and written[j]}
    size = int(read.sum() + written.sum())
    either = sum(a or b for a, b in both)
    return len(linked) / size if size else 0.0, sum(a and b for a, b in both) / either if either else None
