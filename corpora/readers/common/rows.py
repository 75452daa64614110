"""One mapping of keys to values, such as a JSON object or a row of a table, to one example."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from spanferry.corpora.attributes import adopted, attributes_from_json
from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.label_keys import (
    SPAN_KEYS,
    check_consumed,
    known_keys,
    looks_like_spans,
    unpacked,
)
from spanferry.corpora.schema import TEXT, Example, Relation, Span, validate
from spanferry.corpora.text.detokenise import find_tokens
from spanferry.corpora.text.offsets import UNITS, Unit, code_points

_SPANS = "spans"


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
        ignore: Keys that may hold what looks like labels and are to be passed over.
        aliases: Whether spans are also looked for under the keys of other tools, where the row has none of its own.
    """

    text: str = TEXT
    fields: tuple[str, ...] = ()
    spans: str = _SPANS
    label: str = "label"
    id: str = "id"
    lang: str = "lang"
    start: str = "start"
    end: str = "end"
    span_label: str = "label"
    offsets: Unit = "codepoint"
    inclusive: bool = False
    ignore: tuple[str, ...] = ()
    aliases: bool = True


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
            ``unknown_field``, ``duplicate_span_id``, ``bad_relation``, ``bad_tokens``, ``unread_labels`` (a key that
            nothing reads holds what looks like labels).
    """
    name = row_id(row, keys, number)
    texts = _texts(row, keys, name)
    # Widths need valid characters, so this comes before the offsets.
    validate(Example(name, lang, texts))
    # In a row of our own the projections say how each span was placed; that is not an attribute of the span.
    ours = ("score", "method") if isinstance(row.get("projections"), Sequence) else ()
    key = spans_key(row, keys)
    given = [
        one
        for value in _items(unpacked(row.get(key)), "bad_span", name)
        for one in known_keys(value, keys.start, keys.end, keys.span_label)
    ]
    converters = {field: code_points(text, keys.offsets) for field, text in texts.items()}
    spans = tuple(_span(value, texts, converters, keys, name, ours) for value in given)
    relations = tuple(_relation(value, name) for value in _items(row.get("relations"), "bad_relation", name))
    used = {key, keys.spans, keys.id, keys.lang, "relations", "tokens", "meta", *(keys.fields or (keys.text, "texts"))}
    meta = (
        dict(row["meta"]) if isinstance(row.get("meta"), Mapping) else {"meta": row["meta"]} if row.get("meta") else {}
    )
    label = row.get(keys.label) if keys.label != key else None
    if label is None or (isinstance(label, (str, int, float)) and not looks_like_spans(label)):
        used.add(keys.label)
        label = label if label is None or isinstance(label, str) or is_number(label) else str(label)
    else:
        label = None  # a list or a table: it keeps its type in ``meta``
    check_consumed(row, used, keys.ignore, name)
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
        _tokens(row.get("tokens"), texts, converters, keys, name),
        split,
    )
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


def spans_key(row: Mapping[str, Any], keys: RowKeys) -> str:
    """The key of the row's spans: the one that was named, else the only key of other tools that holds spans."""
    if row.get(keys.spans) is not None or not keys.aliases or keys.spans != _SPANS:
        return keys.spans
    taken = {keys.id, keys.lang, keys.text, *keys.fields, *keys.ignore}
    found = [key for key in SPAN_KEYS if key not in taken and looks_like_spans(row.get(key))]
    return found[0] if len(found) == 1 else keys.spans


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
                hint=_text_hint(row, keys),
            )
    return texts


def _text_hint(row: Mapping[str, Any], keys: RowKeys) -> str:
    """What helps a row without a text: another key of it that holds one, or what its tokens lack."""
    if isinstance(row.get("tokens"), list):
        return (
            "--set read.options.tags_key=NAME names the key of the tokens' tags; spans that count tokens are read with "
            "--set read.options.offsets=token --set read.options.spans_key=NAME"
        )
    held = [str(key) for key, value in row.items() if isinstance(value, str) and key != keys.id]
    if held or isinstance(row.get(keys.text), (int, float)):
        return "--set read.options.text_key=NAME names the key of the text"
    return "no key of the row holds a text: lay it out as {text, spans: [{start, end, label}]}, a row a text"


def _items(value: Any, reason: str, where: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RowError(reason, f"{_shown(value)} where a list was expected", where=where)
    return value


Convert = Callable[[int], int]


def _span(
    value: Any,
    texts: Mapping[str, str],
    converters: Mapping[str, Convert],
    keys: RowKeys,
    where: str,
    ours: Sequence[str],
) -> Span:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
        value = dict(zip((keys.start, keys.end, keys.span_label), value, strict=True))
    if not isinstance(value, Mapping):
        raise RowError("bad_span", f"{_shown(value)} is not a span", where=where, valid="{start, end, label}")
    label = value.get(keys.span_label)
    if not isinstance(label, (str, int)) or isinstance(label, bool):
        raise RowError("bad_span", f"a span has the label {_shown(label)}", where=where, valid="a string")
    field = value.get("field") or next(iter(texts))
    if not isinstance(field, str) or field not in texts:
        raise RowError("unknown_field", f"span in field {field!r}", where=where, valid=", ".join(texts))
    convert = converters[field]
    parts = [_edges(part) for part in _items(value.get("fragments"), "bad_span", where)]
    fragments = tuple(_range(part, convert, keys, where) for part in parts)
    hull = (parts[0][0], parts[-1][-1]) if parts else (None, None)
    given = (value.get(keys.start, hull[0]), value.get(keys.end, hull[1]))
    start, end = _range(given, convert, keys, where)
    _check_quote(value, texts[field], start, end, given, keys, where)
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


def _range(value: Sequence[Any], convert: Convert, keys: RowKeys, where: str) -> tuple[int, int]:
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
            hint=f"--set read.options.offsets={'|'.join(UNITS)}",
        ) from error


def _check_quote(
    value: Mapping[str, Any], text: str, start: int, end: int, given: tuple[Any, Any], keys: RowKeys, where: str
) -> None:
    quote = value.get("quote", value.get("text"))
    covered = text[start:end]
    if not isinstance(quote, str) or quote == covered:
        return
    raise RowError(
        "bad_offsets",
        f"the offsets cover {covered!r}, the span says {quote!r}",
        where=where,
        hint=fitting_unit(text, given, quote, keys) or "no declared unit of the offsets fits",
    )


def fitting_unit(text: str, given: tuple[int, int], quote: str, keys: RowKeys) -> str | None:
    """The options with which the offsets ``given`` cover ``quote``, as a hint, or None."""
    for inclusive in (keys.inclusive, not keys.inclusive):
        for unit in (keys.offsets, *UNITS):
            convert = code_points(text, unit)
            try:
                start, end = convert(given[0]), convert(given[1] + inclusive)
            except KeyError:
                continue
            if start >= 0 and text[start:end] == quote:
                chosen = [f"--set read.options.offsets={unit}"] if unit != keys.offsets else []
                if inclusive != keys.inclusive:
                    chosen.append(f"--set read.options.end={'inclusive' if inclusive else 'exclusive'}")
                return " ".join(chosen)
    return None


def _relation(value: Any, where: str) -> Relation:
    parts = [value.get(key) for key in ("head", "tail", "label")] if isinstance(value, Mapping) else value
    match parts:
        case [str(head), str(tail), str(label)]:
            return Relation(head, tail, label)
    raise RowError("bad_relation", f"{_shown(value)} is not a relation", where=where, valid="{head, tail, label}")


def _tokens(
    value: Any, texts: Mapping[str, str], converters: Mapping[str, Convert], keys: RowKeys, where: str
) -> dict[str, tuple[tuple[int, int], ...]]:
    if value is None:
        return {}
    by_field = value if isinstance(value, Mapping) else {next(iter(texts)): value}
    tokens = {}
    for field, items in by_field.items():
        if field not in texts:
            raise RowError("unknown_field", f"tokens in field {field!r}", where=where, valid=", ".join(texts))
        text = texts[field]
        listed = _items(items, "bad_tokens", where)
        ranges: tuple[tuple[int, int], ...] | None
        if listed and all(isinstance(item, Mapping) and isinstance(item.get("text"), str) for item in listed):
            listed = [item["text"] for item in listed]  # Prodigy's
        if all(isinstance(item, str) for item in listed):
            ranges = find_tokens(list(listed), text)
        else:
            ranges = tuple(_token(item, converters[field], keys, where) for item in listed)
        edges = [edge for pair in ranges or () for edge in pair]
        if ranges is None or edges != sorted(edges) or (edges and not 0 <= edges[0] <= edges[-1] <= len(text)):
            raise RowError("bad_tokens", f"the tokens of field {field!r} are not in its text, in order", where=where)
        tokens[field] = ranges
    return tokens


def _token(item: Any, convert: Convert, keys: RowKeys, where: str) -> tuple[int, int]:
    pair = _edges(item)
    if None in pair:
        raise RowError("bad_tokens", f"{_shown(item)} is not a token", where=where, valid="a string or [start, end]")
    return _range(pair, convert, keys, where)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
