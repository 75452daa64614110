"""A pair as one row of an emitted dataset.

| column | what |
|---|---|
| ``id``, ``lang`` | of the translated example |
| ``text`` (or ``question``, ``context`` …) | its text, a column per field; null where there is no translation. A field whose name is taken by another column is called ``text_<name>``, see ``corpora.columns`` |
| ``spans`` | the projected spans: ``start``, ``end`` (code points, end exclusive), ``label``, ``id``, ``field``, ``fragments``, ``attributes`` (JSON), and the projection's ``score`` and ``method`` |
| ``relations`` | ``head``, ``tail`` (span ids), ``label``; those of which both ends were placed |
| ``label`` | of the whole example: a string, or a class with ``class_label`` |
| ``tokens``, ``ner_tags`` | words of the first field and their IOB2 tags as classes, where tags can hold the spans of most kept rows; of spans that overlap they have the longest |
| ``source`` | ``lang``, the texts, ``spans`` and ``relations`` of the original, and its ``meta`` where that differs |
| ``projections`` | one per source span, placed or not: ``source_span_id``, ``placed``, ``score``, ``method``, ``reason`` |
| ``scores`` | ``name`` and ``value`` of every filter and model score |
| ``reasons`` | why the row was rejected; empty if it was kept |
| ``signature`` | the choices that made it |
| ``meta`` | JSON |
| ``split`` | of the source |

Offsets of source tokens are not emitted; they are in the source data.
"""  # noqa: E501

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from spanferry.corpora.arrow import RANGE, RELATION, SCORE
from spanferry.corpora.attributes import attributes_json
from spanferry.corpora.columns import column_of
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.corpora.stored.base import Survey, beyond_tags, held_relations, refuse_loss, subject
from spanferry.corpora.stored.features import with_features
from spanferry.corpora.stored.flat import tagged_tokens

_SPAN = [
    ("start", pa.int64()),
    ("end", pa.int64()),
    ("label", pa.string()),
    ("id", pa.string()),
    ("field", pa.string()),
    ("fragments", pa.list_(RANGE)),
    ("attributes", pa.string()),
]
_PLACED_SPAN = pa.struct([*_SPAN, ("score", pa.float64()), ("method", pa.string())])
_PROJECTION = pa.struct(
    [
        ("source_span_id", pa.string()),
        ("placed", pa.bool_()),
        ("score", pa.float64()),
        ("method", pa.string()),
        ("reason", pa.string()),
    ]
)
_SOURCE_TAKEN = frozenset({"lang", "spans", "relations", "meta"})
TAKEN = frozenset(
    {
        "id",
        "lang",
        "spans",
        "relations",
        "label",
        "tokens",
        "ner_tags",
        "source",
        "projections",
        "scores",
        "reasons",
        "signature",
        "meta",
        "split",
    }
)


@dataclass(frozen=True)
class RowShape:
    """The columns of a dataset and how its rows fill them.

    Attributes:
        fields: Text fields.
        tags: The span labels to tag, sorted; None: no tags.
        classes: The names of the labels of whole examples, sorted; None: they stay as they are.
        allow_loss: Whether tags may leave out what they can't hold.
        label: Type of the labels of whole examples: text, or numbers where all are.
        writer: Name of the writer, for messages; empty: nobody asked for tags, and what they can't hold is counted as
            ``not_in_tags``.
    """

    fields: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    allow_loss: bool = False
    writer: str = "arrow"
    label: pa.DataType = field(default_factory=pa.string)

    @classmethod
    def of(
        cls,
        seen: Survey,
        fields: tuple[str, ...],
        tags: bool | None,
        class_label: bool,
        allow_loss: bool,
        writer: str = "arrow",
    ) -> "RowShape":
        """The shape for rows with ``fields`` of a dataset; ``tags`` None: if they hold the spans of most rows."""
        if tags is None:
            return cls.of(seen, fields, seen.in_tags > seen.beyond_tags, class_label, True, "")
        return cls(
            fields,
            tuple(sorted(seen.labels)) if tags else None,
            tuple(sorted(seen.classes)) if class_label and seen.classes else None,
            allow_loss,
            writer,
            _label_type(seen.label_types),
        )

    @property
    def names(self) -> dict[str, str]:
        """Column by text field."""
        return {field: column_of(field, TAKEN) for field in self.fields}

    @property
    def _source_names(self) -> dict[str, str]:
        return {field: column_of(field, _SOURCE_TAKEN) for field in self.fields}

    @property
    def class_names(self) -> dict[str, tuple[str, ...]]:
        """The classes of the columns that hold class numbers."""
        found = {"label": self.classes} if self.classes is not None else {}
        if self.tags is not None:
            found["ner_tags"] = ("O", *(f"{letter}-{label}" for label in self.tags for letter in "BI"))
        return found

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow columns, with the metadata of their features."""
        texts = [(column, pa.string()) for column in self.names.values()]
        source = [
            ("lang", pa.string()),
            *((column, pa.string()) for column in self._source_names.values()),
            ("spans", pa.list_(pa.struct(_SPAN))),
            ("relations", pa.list_(RELATION)),
            ("meta", pa.string()),
        ]
        tags = [("tokens", pa.list_(pa.string())), ("ner_tags", pa.list_(pa.int64()))]
        columns = pa.schema(
            [
                ("id", pa.string()),
                ("lang", pa.string()),
                *texts,
                ("spans", pa.list_(_PLACED_SPAN)),
                ("relations", pa.list_(RELATION)),
                ("label", self.label if self.classes is None else pa.int64()),
                *(tags if self.tags is not None else ()),
                ("source", pa.struct(source)),
                ("projections", pa.list_(_PROJECTION)),
                ("scores", pa.list_(SCORE)),
                ("reasons", pa.list_(pa.string())),
                ("signature", pa.string()),
                ("meta", pa.string()),
                ("split", pa.string()),
            ]
        )
        return with_features(columns, self.class_names)

    def table(self, pairs: Sequence[Pair], lost: Counter[str]) -> pa.Table:
        """The pairs as rows; what tags could not hold is counted in ``lost``.

        Raises:
            OutputError: Tags can't hold the spans of a pair, and ``allow_loss`` is false.
        """
        return pa.Table.from_pylist([self._row(pair, lost) for pair in pairs], schema=self.schema)

    def _row(self, pair: Pair, lost: Counter[str]) -> dict[str, Any]:
        source, target, about = pair.source, pair.target, subject(pair)
        placed = {p.source_span_id: p for p in pair.projections if p.span is not None}
        names = self.names
        row: dict[str, Any] = {column: target and target.texts.get(field) for field, column in names.items()}
        row |= {
            "id": about.id,
            "lang": about.lang if target else None,
            "spans": [_span(span) | _placing(placed.get(span.id)) for span in (target.spans if target else ())],
            "relations": _relations(target, lost) if target else [],
            "label": about.label if self.label != pa.string() or about.label is None else str(about.label),
            "source": {
                "lang": source.lang,
                **{column: source.texts.get(field) for field, column in self._source_names.items()},
                "spans": [_span(span) for span in source.spans],
                "relations": _relations(source, Counter()),
                "meta": None if source.meta == about.meta else json.dumps(dict(source.meta)),
            },
            "projections": [
                {
                    "source_span_id": p.source_span_id,
                    "placed": p.span is not None,
                    "score": p.score,
                    "method": p.method,
                    "reason": p.reason,
                }
                for p in pair.projections
            ],
            "scores": [{"name": name, "value": float(value)} for name, value in pair.scores.items()],
            "reasons": list(pair.reasons),
            "signature": pair.signature,
            "meta": json.dumps(dict(about.meta)),
            "split": source.split,
        }
        if self.classes is not None:
            # A rejected row may have a label that no kept row has; -1 is what ``datasets`` takes for none.
            row["label"] = self.classes.index(str(about.label)) if str(about.label) in self.classes else -1
        return row | self._tags(target, lost, pair.kept)

    def _tags(self, target: Example | None, lost: Counter[str], kept: bool) -> dict[str, Any]:
        if self.tags is None:
            return {}
        if target is None:
            return {"tokens": [], "ner_tags": []}
        tokens, tags, missing = tagged_tokens(target)
        missing.pop("relations", None)  # their own column holds them
        # A rejected row is there to be looked at; it must not stop the writing.
        if not self.allow_loss and kept:
            refuse_loss(missing, target.id, "ner_tags", self.writer)
        if self.writer:
            lost.update(missing)
        elif kept and (beyond := beyond_tags(target).total()):
            lost["not_in_tags"] += beyond
        numbers = {name: i for i, name in enumerate(self.class_names["ner_tags"])}
        return {"tokens": [target.text[a:b] for a, b in tokens], "ner_tags": [numbers.get(tag, -1) for tag in tags]}


def _label_type(types: set[type]) -> pa.DataType:
    if not types or not types <= {int, float}:
        return pa.string()
    return pa.float64() if float in types else pa.int64()


def _span(span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "label": span.label,
        "id": span.id,
        "field": span.field,
        "fragments": [{"start": a, "end": b} for a, b in span.fragments],
        "attributes": attributes_json(span),
    }


def _placing(projection: Projection | None) -> dict[str, Any]:
    return {"score": projection.score, "method": projection.method} if projection else {"score": None, "method": None}


def _relations(example: Example, lost: Counter[str]) -> list[dict[str, str]]:
    return [{"head": r.head, "tail": r.tail, "label": r.label} for r in held_relations(example, lost)]
