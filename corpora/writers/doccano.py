"""doccano: ``<split>.jsonl`` for a sequence labelling project.

``{"text", "label": [[start, end, "PER"]]}``, or with ``relations`` ``{"text", "entities": [{"id", "start_offset",
"end_offset", "label"}], "relations": [{"from_id", "to_id", "type"}]}``. Every other key is kept by doccano as metadata
and comes back with the export: ``example_id``, ``lang``, ``split``, ``class``, ``source``, and ``scores``, one per span
in their order (doccano has no predictions, so a reviewer sees them there).

doccano counts offsets in UTF-16 units, as its editor's JavaScript does, unless a project counts grapheme clusters.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.placing import whole_relations
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import WriteReport, lost_attributes, refuse_loss, subject
from spanferry.corpora.text.offsets import Unit, in_unit
from spanferry.corpora.writers.lines import write_lines


@dataclass(frozen=True)
class DoccanoWriter:
    """Writes doccano's JSONL for sequence labelling, the first text field with its spans.

    Attributes:
        relations: Writes ``entities`` and ``relations``, for projects with relation labelling.
        offsets: What doccano counts: UTF-16 units.
        allow_loss: Leaves out other fields' spans, relations (without ``relations``), parts of discontinuous spans.
    """

    name: ClassVar[str] = "doccano"
    holds: ClassVar[frozenset[str]] = frozenset({"overlap", "scores"})

    relations: bool = False
    offsets: Unit = "utf16"
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        return write_lines(batches, out, ".jsonl", self._lines)

    def _lines(self, pair: Pair, lost: Counter[str]) -> tuple[str]:
        return (json.dumps(self._row(pair, lost), ensure_ascii=False),)

    def _row(self, pair: Pair, lost: Counter[str]) -> dict[str, Any]:
        example = subject(pair)
        field, text = next(iter(example.texts.items()))
        spans = [span for span in example.spans if span.field == field]
        # A relation to a span of another field, which is not written, would dangle.
        whole = whole_relations(example.relations, spans)
        missing = Counter(
            discontinuous=sum(bool(span.fragments) for span in spans),
            fields=len(example.texts) - 1,
            relations=len(example.relations) - (len(whole) if self.relations else 0),
        )
        if not self.allow_loss and pair.kept:
            refuse_loss(+missing, example.id, "doccano", self.name)
        lost.update(+missing + lost_attributes(spans))
        convert = in_unit(text, self.offsets)
        places = [(convert(span.start), convert(span.end), span.label) for span in spans]
        row: dict[str, Any] = {"text": text}
        if self.relations:
            numbers = {span.id: i for i, span in enumerate(spans)}
            row["entities"] = [
                {"id": i, "start_offset": a, "end_offset": b, "label": label} for i, (a, b, label) in enumerate(places)
            ]
            row["relations"] = [
                {"id": i, "from_id": numbers[r.head], "to_id": numbers[r.tail], "type": r.label}
                for i, r in enumerate(whole)
            ]
        else:
            row["label"] = [list(place) for place in places]
        scores = {p.source_span_id: p.score for p in pair.projections if p.span is not None}
        row |= {"example_id": example.id, "lang": example.lang, "split": pair.source.split, "class": example.label}
        row["scores"] = [scores.get(span.id) for span in spans]
        row["source"] = pair.source.texts.get(field) if pair.target is not None else None
        return row | ({"reasons": list(pair.reasons)} if pair.reasons else {})
