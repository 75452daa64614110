"""One mapping of keys to values, such as a JSON object or a row of a table, to one example."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from spanferry.corpora.attributes import adopted, attributes_from_json
from spanferry.corpora.errors import RowError
from spanferry.corpora.schema import TEXT, Example, Relation, Span, validate
from spanferry.corpora.text.detokenise import find_tokens
from spanferry.corpora.text.offsets import Unit, code_points


@dataclass(frozen=True, slots=True)
class RowKeys:
    """Which keys of a row hold what, and how its offsets count.

    Attributes:
        text: Key of the text of a one-field row.
        fields: Keys of the texts of a row with several; empty: ``texts`` (a mapping) or ``text``.
        spans: Key of the list of spans, each a mapping or ``[start, end, label]``.
        label: Key of the label of the whole example.
        id: Key of the id.
        lang: Key of the language; a row without it is in the reader's language.
        start: Key of a span's start.
        end: Key of a span's end.
        span_label: Key of a span's label.
        offsets: What offsets count.
        inclusive: Whether ``end`` is the last unit of the span rather than one past it.
    """

    text: str = TEXT
    fields: tuple[str, ...] = ()
    spans: str = "spans"
    label: str = "label"
    id: str = "id"
    lang: str = "lang"
    start: str = "start"
    end: str = "end"
    span_label: str = "label"
    offsets: Unit = "codepoint"
    inclusive: bool = False


def row_id(row: Mapping[str, Any], keys: RowKeys, number: int) -> str:
    """The row's id as a string, or its number."""
    value = row.get(keys.id)
    if isinstance(value, str) and value.isprintable():
        return value or str(number)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else str(number)


def row_to_example(row: Mapping[str, Any], keys: RowKeys, *, number: int, lang: str, split: str) -> Example:
    """The example that ``row`` describes. What the keys don't name goes to ``meta``.

    Raises:
        RowError: ``no_text``, ``empty_text``, ``bad_unicode``, ``bad_span`` (no integer offsets or no label),
            ``bad_offsets`` (also an offset inside a character, or a quote that is not what the offsets cover),
            ``unknown_field``, ``duplicate_span_id``, ``bad_relation``, ``bad_tokens``.
    """
    name = row_id(row, keys, number)
    texts = _texts(row, keys, name)
    # Widths need valid characters, so this comes before the offsets.
    validate(Example(name, lang, texts))
    # In a row of our own the projections say how each span was placed; that is not an attribute of the span.
    ours = ("score", "method") if isinstance(row.get("projections"), Sequence) else ()
    spans = tuple(_span(value, texts, keys, name, ours) for value in _items(row.get(keys.spans), "bad_span", name))
    relations = tuple(_relation(value, name) for value in _items(row.get("relations"), "bad_relation", name))
    used = {keys.spans, keys.id, keys.lang, "relations", "tokens", "meta", *(keys.fields or (keys.text, "texts"))}
    meta = (
        dict(row["meta"]) if isinstance(row.get("meta"), Mapping) else {"meta": row["meta"]} if row.get("meta") else {}
    )
    label = row.get(keys.label) if keys.label != keys.spans else None
    if label is None or isinstance(label, (str, int, float)):
        used.add(keys.label)
        label = label if label is None or isinstance(label, str) or is_number(label) else str(label)
    else:
        label = None
    meta |= {key: value for key, value in row.items() if key not in used}
    row_lang = row.get(keys.lang)
    example = Example(
        name,
        row_lang if isinstance(row_lang, str) and row_lang else lang,
        texts,
        spans,
        relations,
        label,
        meta,
        _tokens(row.get("tokens"), texts, keys, name),
        split,
    )
    _check_strings(example)
    example = validate(example)
    return adopted(example, _source_spans(row, example.spans))


def is_number(value: Any) -> bool:
    """Whether a label can stay the number that it is: one that every format holds."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _source_spans(row: Mapping[str, Any], own: Sequence[Span]) -> Sequence[Span]:
    """The spans that ``span_extra`` of an earlier version counts: those of the source beside it, or our own."""
    source = row.get("source")
    beside = source.get("spans") if isinstance(source, Mapping) else None
    if not isinstance(beside, Sequence):
        return own
    return [
        Span(0, 0, "", str(span.get("id") or f"#{i}")) for i, span in enumerate(beside) if isinstance(span, Mapping)
    ]


def _texts(row: Mapping[str, Any], keys: RowKeys, where: str) -> dict[str, str]:
    texts: dict[str, Any]
    if keys.fields:
        texts = {key: row.get(key) for key in keys.fields}
    elif isinstance(row.get("texts"), Mapping):
        texts = dict(row["texts"])
    else:
        texts = {TEXT: row.get(keys.text)}
    for field, text in texts.items():
        if not isinstance(text, str):
            key = keys.text if field == TEXT and not keys.fields and "texts" not in row else field
            raise RowError(
                "no_text",
                f"{key!r} holds {_shown(text)}, not a text",
                where=where,
                valid=f"one of the row's keys: {', '.join(map(str, row))}",
                hint="--set read.options.text_key=NAME names the key of the text",
            )
    return texts


def _items(value: Any, reason: str, where: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RowError(reason, f"{_shown(value)} where a list was expected", where=where)
    return value


def _span(value: Any, texts: Mapping[str, str], keys: RowKeys, where: str, ours: Sequence[str]) -> Span:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
        value = dict(zip((keys.start, keys.end, keys.span_label), value, strict=True))
    if not isinstance(value, Mapping):
        raise RowError("bad_span", f"{_shown(value)} is no span", where=where, valid="{start, end, label}")
    label = value.get(keys.span_label)
    if not isinstance(label, (str, int)) or isinstance(label, bool):
        raise RowError("bad_span", f"a span has the label {_shown(label)}", where=where, valid="a string")
    field = value.get("field") or next(iter(texts))
    if field not in texts:
        raise RowError("unknown_field", f"span in field {field!r}", where=where, valid=", ".join(texts))
    convert = code_points(texts[field], keys.offsets)
    parts = [_edges(part) for part in _items(value.get("fragments"), "bad_span", where)]
    fragments = tuple(_range(part, convert, keys, where) for part in parts)
    hull = (parts[0][0], parts[-1][-1]) if parts else (None, None)
    start, end = _range((value.get(keys.start, hull[0]), value.get(keys.end, hull[1])), convert, keys, where)
    _check_quote(value, texts[field][start:end], where)
    fragments = fragments if len(fragments) > 1 else ()
    return Span(start, end, str(label), str(value.get("id") or ""), field, fragments, _attributes(value, keys, ours))


def _attributes(value: Mapping[str, Any], keys: RowKeys, ours: Sequence[str]) -> dict[str, Any]:
    """What a span says beyond where it lies and what it is called; ours stand under ``attributes``."""
    known = {keys.start, keys.end, keys.span_label, "id", "field", "fragments", "quote", "text", "attributes", *ours}
    other = {key: item for key, item in value.items() if key not in known and item is not None}
    return other | attributes_from_json(value.get("attributes"))


def _edges(part: Any) -> tuple[Any, ...]:
    if isinstance(part, Mapping):
        return (part.get("start"), part.get("end"))
    return tuple(part) if isinstance(part, Sequence) and len(part) == 2 else (None, None)


def _range(value: Sequence[Any], convert: Callable[[int], int], keys: RowKeys, where: str) -> tuple[int, int]:
    if len(value) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
        shown = ", ".join(map(_shown, value))
        raise RowError(
            "bad_span", f"a span has the offsets ({shown})", where=where, valid=f"integers {keys.start!r}, {keys.end!r}"
        )
    try:
        return convert(value[0]), convert(value[1] + keys.inclusive)
    except KeyError as error:
        raise RowError(
            "bad_offsets",
            f"offset {error.args[0]} ({keys.offsets}) is outside the text or inside a character",
            where=where,
            hint="--set read.options.offsets=codepoint|utf16|byte",
        ) from error


def _check_quote(value: Mapping[str, Any], covered: str, where: str) -> None:
    quote = value.get("quote", value.get("text"))
    if isinstance(quote, str) and quote != covered:
        raise RowError(
            "bad_offsets",
            f"the offsets cover {covered!r}, the span says {quote!r}",
            where=where,
            hint="--set read.options.offsets=codepoint|utf16|byte, or --set read.options.end=inclusive",
        )


def _relation(value: Any, where: str) -> Relation:
    parts = [value.get(key) for key in ("head", "tail", "label")] if isinstance(value, Mapping) else value
    match parts:
        case [str(head), str(tail), str(label)]:
            return Relation(head, tail, label)
    raise RowError("bad_relation", f"{_shown(value)} is no relation", where=where, valid="{head, tail, label}")


def _check_strings(example: Example) -> None:
    strings = [example.id, example.lang, example.split, str(example.label or ""), *example.texts]
    strings += [s for span in example.spans for s in (span.label, span.id)]
    strings += [s for r in example.relations for s in (r.head, r.tail, r.label)]
    if any("\ud800" <= c <= "\udfff" for c in "".join(strings)):
        raise RowError("bad_unicode", "an id or a label holds an unpaired surrogate", where=example.id)


def _tokens(value: Any, texts: Mapping[str, str], keys: RowKeys, where: str) -> dict[str, tuple[tuple[int, int], ...]]:
    if value is None:
        return {}
    by_field = value if isinstance(value, Mapping) else {next(iter(texts)): value}
    tokens = {}
    for field, items in by_field.items():
        text = texts.get(field, "")
        if isinstance(items, Sequence) and all(isinstance(item, str) for item in items):
            ranges = find_tokens(list(items), text)
        else:
            convert = code_points(text, keys.offsets)
            ranges = tuple(_range(tuple(item), convert, keys, where) for item in _items(items, "bad_tokens", where))
        edges = [edge for pair in ranges or () for edge in pair]
        if ranges is None or edges != sorted(edges) or (edges and not 0 <= edges[0] <= edges[-1] <= len(text)):
            raise RowError("bad_tokens", f"the tokens of field {field!r} are not in its text, in order", where=where)
        tokens[field] = ranges
    return tokens


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
