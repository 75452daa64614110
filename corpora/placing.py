"""What goes over to a target with its spans: the one place that decides, for translated and for given targets.

A relation goes over if both of its spans were placed; else it is lost, and ``lost_relations`` says why. Offsets into
the source text mean nothing in another text: attributes and ``meta`` go over without them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span

HEAD_LOST = "head_not_placed"
TAIL_LOST = "tail_not_placed"
BOTH_LOST = "no_end_placed"
NOT_CARRIED = "not_carried"

# Keys under which data has places in a text: answer_start, start_offset, end_char, token_start, begin, span …
_PLACE = re.compile(
    r"(?:(?:\w+_)?(?:start|end|begin|offset|offsets|spans?)(?:_(?:offset|char|character|idx|index|pos|position|token|byte))?"
    r"|(?:char|token|byte)_(?:range|span|index|indices|positions?))",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def with_projections(target: Example, source: Example, projections: Sequence[Projection]) -> Example:
    """The target with the spans that were placed on it, in the order of the source, and the relations between them.

    Args:
        target: Text in the target language; its own spans and relations go.
        source: The annotated example.
        projections: One for each source span.
    """
    sources = {span.id: span for span in source.spans}
    spans = tuple(placed_span(p.span, sources.get(p.source_span_id)) for p in projections if p.span is not None)
    return replace(target, spans=spans, relations=whole_relations(source.relations, spans), label=source.label)


def placed_span(span: Span, source: Span | None) -> Span:
    """A span that was placed for ``source``, with the source's attributes."""
    return span if source is None else replace(span, attributes=without_places(source.attributes))


def whole_relations(relations: Iterable[Relation], spans: Iterable[Span]) -> tuple[Relation, ...]:
    """The relations of which both ends are among ``spans``."""
    there = {span.id for span in spans}
    return tuple(r for r in relations if r.head in there and r.tail in there)


def lost_relations(pair: Pair) -> Iterator[tuple[Relation, str]]:
    """The source's relations that the target does not have, each with the reason."""
    there = {span.id for span in pair.target.spans} if pair.target else set()
    held = list(pair.target.relations) if pair.target else []
    for relation in pair.source.relations:
        head, tail = relation.head in there, relation.tail in there
        if not (head and tail):
            yield relation, HEAD_LOST if tail else TAIL_LOST if head else BOTH_LOST
        elif relation in held:
            held.remove(relation)
        else:
            yield relation, NOT_CARRIED


def without_places(values: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of ``values`` (attributes, ``meta``) that hold no place in a text.

    An entry holds one if a key in it is called like one and has a whole number (or whole numbers), or if it is a list
    of ``[start, end, label]``.

    >>> without_places({"title": "T", "plausible_answers": [{"text": "Rome", "answer_start": 71}], "token_end": 3})
    {'title': 'T'}
    """
    return {key: value for key, value in values.items() if not _holds_place(key, value)}


def _holds_place(key: object, value: Any) -> bool:
    if isinstance(key, str) and _PLACE.fullmatch(_HUMP.sub("_", key)) and _is_place(value):
        return True
    if isinstance(value, Mapping):
        return any(_holds_place(name, item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return any(_is_labelled_range(item) or _holds_place(None, item) for item in value)
    return False


def _is_place(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_place, value))
    return isinstance(value, int) and not isinstance(value, bool)


def _is_labelled_range(value: Any) -> bool:
    if not isinstance(value, list | tuple) or len(value) != 3:
        return False
    start, end, label = value
    return _is_place(start) and _is_place(end) and isinstance(start, int) and start < end and isinstance(label, str)
