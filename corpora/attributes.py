"""Attributes of spans: as JSON in columns, and where data of earlier versions has them.

Versions before 0.2 kept them in ``meta["span_extra"]``, by the number of the source span.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.schema import Example, Pair, Span

EARLIER = "span_extra"


def attributes_json(span: Span) -> str | None:
    """A span's attributes as columns hold them: JSON, or None where there are none."""
    return json.dumps(dict(span.attributes)) if span.attributes else None


def attributes_from_json(value: Any) -> dict[str, Any]:
    """The attributes in a cell: JSON of ours, or a mapping; what is neither has none."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def with_earlier_attributes(pair: Pair) -> Pair:
    """The pair with the attributes that an earlier version kept in ``meta``."""
    spans = pair.source.spans
    target = pair.target and adopted(pair.target, spans)
    placed = {span.id: span for span in (target.spans if target else ())}
    projections = tuple(
        replace(p, span=placed.get(p.source_span_id, p.span)) if p.span else p for p in pair.projections
    )
    return replace(pair, source=adopted(pair.source, spans), target=target, projections=projections)


def adopted(example: Example, source_spans: Sequence[Span]) -> Example:
    """The example in which ``meta["span_extra"]`` of an earlier version has become attributes.

    Args:
        example: The source, or its projection: spans meet by their ids.
        source_spans: The spans of the source, which ``span_extra`` counts.
    """
    extra = example.meta.get(EARLIER)
    if not isinstance(extra, Mapping) or not all(_is_number(key, len(source_spans)) for key in extra):
        return example
    by_id = {source_spans[int(key)].id: value for key, value in extra.items() if isinstance(value, Mapping)}
    spans = tuple(replace(s, attributes={**by_id.get(s.id, {}), **s.attributes}) for s in example.spans)
    meta = {key: value for key, value in example.meta.items() if key != EARLIER}
    return replace(example, spans=spans, meta=meta)


def _is_number(key: object, count: int) -> bool:
    return isinstance(key, str) and key.isascii() and key.isdigit() and int(key) < count
