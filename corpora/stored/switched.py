"""Rows of a code-switched dataset as pairs: the matrix text that each was made from, and the switched text."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from spanferry.corpora.attributes import attributes_from_json
from spanferry.corpora.schema import TEXT, Example, Pair, Projection, Relation, Span
from spanferry.corpora.stored.base import REJECTED
from spanferry.corpora.stored.records import REJECTED_SCHEMA
from spanferry.corpora.stored.switch_schema import field_of
from spanferry.corpora.stored.undo import undone

SWITCHES = "switches"
TOKEN_LANGS = "token_langs"
UNTOUCHED = "unswitched"
_AFTER = "tokens"  # the column after the text columns


def is_switched(schema: pa.Schema) -> bool:
    """Whether the rows of a file are code-switched ones."""
    return SWITCHES in schema.names


def is_record(schema: pa.Schema) -> bool:
    """Whether the rows of a file are rejected ones of a dataset that is not made of pairs."""
    result: bool = schema.names == REJECTED_SCHEMA.names
    return result


def record_pair(row: Mapping[str, Any], *, group: str) -> Pair:
    """The pair that stands for a rejected record: what it was made from, and the reasons."""
    texts = {
        name: text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        for name, text in json.loads(row["texts"] or "{}").items()
    }
    source = Example(row["id"], "und", texts or {TEXT: ""}, split=row["split"])
    return Pair(source, None, kept=group != REJECTED, reasons=tuple(row["reasons"]))


def switched_pair(row: Mapping[str, Any], *, group: str) -> Pair:
    """The pair of a code-switched row of a split, or of ``rejected``.

    The source is the matrix text, undone from the row's own record of changes; the target is the switched text, whose
    ``meta`` holds that record and the language of every token. Labels were carried over by the switching itself, so
    their score is 1; the method names the counterparts that were put into the span.
    """
    names = list(row)
    columns = names[names.index("lang") + 1 : names.index(_AFTER)]
    fields = {field_of(column): column for column in columns}
    texts = {field: row[column] for field, column in fields.items() if row[column] is not None}
    switches = [s for s in row[SWITCHES] or () if s["field"] in texts]
    spans = tuple(_span(s) for s in row["spans"])
    relations = tuple(Relation(r["head"], r["tail"], r["label"]) for r in row["relations"])
    meta = json.loads(row["meta"] or "{}")
    langs = list(zip(row["tokens"] or (), row["langs"] or (), strict=False))
    target = Example(
        row["id"],
        row["lang"],
        texts,
        spans,
        relations,
        row["label"],
        {**meta, SWITCHES: switches, TOKEN_LANGS: langs},
        split=row.get("split") or group,
    )
    backs = {field: _back([s for s in switches if s["field"] == field]) for field in texts}
    original = {**texts, **undone({**row, SWITCHES: switches})}
    sources = tuple(backs[span.field](span) for span in spans)
    source = Example(row["id"], row["lang"], original, sources, relations, row["label"], meta, split=target.split)
    projections = tuple(Projection(span.id, span, 1.0, _method(span, switches)) for span in spans)
    scores = {name: row[name] for name in ("cmi", "spf") if row.get(name) is not None}
    reasons, signature = tuple(row.get("reasons") or ()), row.get("signature") or ""
    return Pair(source, target, projections, scores, group != REJECTED, reasons, signature)


def _method(span: Span, switches: Sequence[Mapping[str, Any]]) -> str:
    inside = [s for s in switches if s["field"] == span.field and s["start"] < span.end and span.start < s["end"]]
    return "+".join(dict.fromkeys(s["counterpart"] for s in inside if s["counterpart"])) or UNTOUCHED


def _back(switches: Sequence[Mapping[str, Any]]) -> Callable[[Span], Span]:
    """The function that finds a span of the switched text in the matrix text."""

    def place(at: int, edge: str) -> int:
        by = 0
        for switch in switches:
            if at < switch["start"] or (at == switch["start"] and edge == "start"):
                break
            if at < switch["end"] or (at == switch["end"] and edge == "end"):
                return int(switch[f"source_{edge}"])
            by = switch["source_end"] - switch["end"]
        return at + by

    def back(span: Span) -> Span:
        parts = tuple((place(a, "start"), place(b, "end")) for a, b in span.fragments)
        return replace(span, start=place(span.start, "start"), end=place(span.end, "end"), fragments=parts)

    return back


def _span(value: Mapping[str, Any]) -> Span:
    fragments = tuple((f["start"], f["end"]) for f in value["fragments"])
    attributes = attributes_from_json(value.get("attributes"))
    return Span(value["start"], value["end"], value["label"], value["id"], value["field"], fragments, attributes)
