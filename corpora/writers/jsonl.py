"""JSON Lines: ``OUT/<split>.jsonl`` and ``OUT/rejected.jsonl``, which the reader ``jsonl`` takes back.

Each line is the translated example as the reader knows it (``id``, ``lang``, ``text`` or ``texts``, ``spans``,
``relations``, ``label``, ``meta``, ``tokens``, ``split``), and beside it ``source`` in the same form, ``projections``,
``scores``, ``reasons`` and ``signature``. A row without translation has the text null.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.schema import TEXT, Example, Pair, Projection, Span
from spanferry.corpora.stored.base import EVERYTHING, WriteReport, held_relations
from spanferry.corpora.writers.lines import write_lines


@dataclass(frozen=True)
class JsonlWriter:
    """Writes one JSON object per row.

    Attributes:
        source: Whether to write the source and the projections too.
    """

    name: ClassVar[str] = "jsonl"
    holds: ClassVar[frozenset[str]] = EVERYTHING

    source: bool = True

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        return write_lines(batches, out, ".jsonl", self._lines)

    def _lines(self, pair: Pair, lost: Counter[str]) -> tuple[str]:
        return (json.dumps(self._row(pair, lost), ensure_ascii=False),)

    def _row(self, pair: Pair, lost: Counter[str]) -> dict[str, Any]:
        placed = {p.source_span_id: p for p in pair.projections if p.span is not None}
        if pair.target is not None:
            row = _example(pair.target, placed, lost)
        else:
            row = {"id": pair.source.id, "lang": None, "split": pair.source.split, TEXT: None, "spans": []}
        if self.source:
            row["source"] = _example(pair.source, {}, Counter())
            row["projections"] = [_projection(p) for p in pair.projections]
        return row | {"scores": dict(pair.scores), "reasons": list(pair.reasons), "signature": pair.signature}


def _example(example: Example, placed: dict[str, Projection], lost: Counter[str]) -> dict[str, Any]:
    only_text = list(example.texts) == [TEXT]
    row: dict[str, Any] = {"id": example.id, "lang": example.lang, "split": example.split}
    row |= {TEXT: example.text} if only_text else {"texts": dict(example.texts)}
    row["spans"] = [_span(span, example, placed.get(span.id)) for span in example.spans]
    row |= {"relations": [{"head": r.head, "tail": r.tail, "label": r.label} for r in held_relations(example, lost)]}
    row |= {"label": example.label, "meta": dict(example.meta)}
    if example.tokens:
        row["tokens"] = {field: [list(pair) for pair in ranges] for field, ranges in example.tokens.items()}
    return row


def _span(span: Span, example: Example, projection: Projection | None) -> dict[str, Any]:
    row: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label, "id": span.id}
    row |= {"field": span.field, "quote": example.quote(span)}
    if span.fragments:
        row["fragments"] = [list(pair) for pair in span.fragments]
    if span.attributes:
        row["attributes"] = dict(span.attributes)
    return row if projection is None else row | {"score": projection.score, "method": projection.method}


def _projection(projection: Projection) -> dict[str, Any]:
    return {
        "source_span_id": projection.source_span_id,
        "placed": projection.span is not None,
        "score": projection.score,
        "method": projection.method,
        "reason": projection.reason,
    }
