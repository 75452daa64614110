"""Examples and pairs as Arrow tables and back, without loss, and the files that hold them.

Columns are built whole (flat children and offsets), not row by row: shards pass through here at every stage.
Ordered mappings (texts, tokens, scores) are lists of structs, so that their order survives; ``meta`` is JSON.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.attributes import attributes_from_json, attributes_json, with_earlier_attributes
from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.files import atomic_path
from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span

T = TypeVar("T")

RANGE = pa.struct([("start", pa.int64()), ("end", pa.int64())])
SPAN = pa.struct(
    [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("id", pa.string()),
        ("field", pa.string()),
        ("fragments", pa.list_(RANGE)),
        ("attributes", pa.string()),  # JSON; null: none
    ]
)
RELATION = pa.struct([("head", pa.string()), ("tail", pa.string()), ("label", pa.string())])
FIELD_TEXT = pa.struct([("field", pa.string()), ("text", pa.string())])
FIELD_TOKENS = pa.struct([("field", pa.string()), ("ranges", pa.list_(RANGE))])
SCORE = pa.struct([("name", pa.string()), ("value", pa.float64())])
EXAMPLE = pa.struct(
    [
        ("id", pa.string()),
        ("lang", pa.string()),
        ("texts", pa.list_(FIELD_TEXT)),
        ("spans", pa.list_(SPAN)),
        ("relations", pa.list_(RELATION)),
        ("label", pa.string()),
        ("meta", pa.string()),
        ("tokens", pa.list_(FIELD_TOKENS)),
        ("split", pa.string()),
        ("numeric", pa.bool_()),  # whether the label is a number, in JSON
    ]
)
PROJECTION = pa.struct(
    [
        ("source_span_id", pa.string()),
        ("span", SPAN),
        ("score", pa.float64()),
        ("method", pa.string()),
        ("reason", pa.string()),
    ]
)
PAIR = pa.struct(
    [
        ("source", EXAMPLE),
        ("target", EXAMPLE),
        ("projections", pa.list_(PROJECTION)),
        ("scores", pa.list_(SCORE)),
        ("kept", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("signature", pa.string()),
    ]
)
EXAMPLE_SCHEMA = pa.schema(list(EXAMPLE))
PAIR_SCHEMA = pa.schema(list(PAIR))

_NO_SPAN = Span(0, 0, "")
_NO_EXAMPLE = Example("", "", {})
_ROWS_PER_BATCH = 4096


def examples_to_table(examples: Sequence[Example]) -> pa.Table:
    """The examples as a table of ``EXAMPLE_SCHEMA``, one row each.

    Raises:
        RowError: ``bad_unicode``: a string with an unpaired surrogate, which UTF-8 can't hold.
    """
    return _table(_examples, EXAMPLE_SCHEMA, examples)


def pairs_to_table(pairs: Sequence[Pair]) -> pa.Table:
    """The pairs as a table of ``PAIR_SCHEMA``, one row each.

    Raises:
        RowError: ``bad_unicode``: a string with an unpaired surrogate, which UTF-8 can't hold.
    """
    return _table(_pairs, PAIR_SCHEMA, pairs)


def examples_from_table(table: pa.Table) -> list[Example]:
    """The examples of a table that ``examples_to_table`` made (or a slice or concatenation of such)."""
    return _read_examples(_columns(table, EXAMPLE_SCHEMA))


def pairs_from_table(table: pa.Table) -> list[Pair]:
    """The pairs of a table that ``pairs_to_table`` made (or a slice or concatenation of such)."""
    source, target, projections, scores, kept, reasons, signature = _columns(table, PAIR_SCHEMA)
    rows = zip(
        _read_examples(_children(source)),
        _with_missing(target, _read_examples(_children(target))),
        _read_list(projections, _read_projections),
        _read_list(scores, _read_tuples),
        _values(kept),
        _read_list(reasons, _values),
        _values(signature),
        strict=True,
    )
    pairs = [Pair(s, t, p, dict(named), k, r, sig) for s, t, p, named, k, r, sig in rows]
    earlier = "attributes" not in source.type.field("spans").type.value_type.names
    return [with_earlier_attributes(pair) for pair in pairs] if earlier else pairs


def write_table(path: Path | str, table: pa.Table) -> None:
    """Writes an Arrow IPC file, zstd inside, whole or not at all; the same table gives the same bytes."""
    # One chunk first: the bytes must follow from the rows, not from how the table was put together.
    batches = table.combine_chunks().to_batches(max_chunksize=_ROWS_PER_BATCH)
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
    with (
        atomic_path(Path(path)) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=options) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def read_table(path: Path | str) -> pa.Table:
    """The table of an Arrow IPC file, memory-mapped.

    Raises:
        InputError: There is no such file, or it is not an Arrow IPC file.
    """
    return pa.Table.from_batches(*_read_batches(Path(path)))


def iter_batches(path: Path | str) -> Iterator[pa.Table]:
    """The record batches of an Arrow IPC file, each as a table: one batch in memory at a time.

    Raises:
        InputError: There is no such file, or it is not an Arrow IPC file.
    """
    batches, schema = _read_batches(Path(path))
    for batch in batches:
        yield pa.Table.from_batches([batch], schema)


def _read_batches(path: Path) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        reader.schema.to_string()  # raises where a name is not text
    except FileNotFoundError as error:
        raise InputError("no such Arrow file", where=str(path), hint="run the stage that writes it") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"not an Arrow IPC file ({str(error).splitlines()[0]})",
            where=str(path),
            hint="remove it and run again: a stage file is always written whole, so this one was changed later",
        ) from error
    return _checked_batches(reader, path), reader.schema


def _checked_batches(reader: pa.ipc.RecordBatchFileReader, path: Path) -> Iterator[pa.RecordBatch]:
    for i in range(reader.num_record_batches):
        try:
            batch = reader.get_batch(i)
            # Offsets that point elsewhere would kill the interpreter when they are followed.
            batch.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(
                f"batch {i} is damaged ({str(error).splitlines()[0]})",
                where=str(path),
                hint="remove it and run again: a stage file is always written whole, so this one was changed later",
            ) from error
        yield batch


# Building: flat Python lists into Arrow children.


def _table(build: Callable[[Sequence[Any]], list[pa.Array]], schema: pa.Schema, rows: Sequence[Any]) -> pa.Table:
    try:
        return pa.Table.from_arrays(build(rows), schema=schema)
    except UnicodeEncodeError as error:
        # Rare, so the row is looked for only now.
        bad = next(row for row in rows if not _encodes(build, row))
        name = (bad.source if isinstance(bad, Pair) else bad).id.encode("utf-8", "backslashreplace").decode()
        message = "a string holds an unpaired surrogate, which UTF-8 can't hold"
        raise RowError("bad_unicode", message, where=name) from error


def _encodes(build: Callable[[Sequence[Any]], list[pa.Array]], row: Any) -> bool:
    try:
        build([row])
    except UnicodeEncodeError:
        return False
    return True


def _pairs(rows: Sequence[Pair]) -> list[pa.Array]:
    return [
        _struct(EXAMPLE, _examples([p.source for p in rows])),
        _struct(EXAMPLE, _examples([p.target or _NO_EXAMPLE for p in rows]), [p.target is None for p in rows]),
        _list([p.projections for p in rows], PROJECTION, _projections),
        _list([tuple(p.scores.items()) for p in rows], SCORE, _named_values),
        pa.array([p.kept for p in rows], pa.bool_()),
        _list([p.reasons for p in rows], pa.string(), _strings),
        _strings([p.signature for p in rows]),
    ]


def _examples(rows: Sequence[Example]) -> list[pa.Array]:
    return [
        _strings([e.id for e in rows]),
        _strings([e.lang for e in rows]),
        _list([tuple(e.texts.items()) for e in rows], FIELD_TEXT, _named_strings),
        _list([e.spans for e in rows], SPAN, _spans),
        _list([e.relations for e in rows], RELATION, _relations),
        _strings([e.label if isinstance(e.label, str | None) else json.dumps(e.label) for e in rows]),
        _strings([json.dumps(dict(e.meta)) if e.meta else "{}" for e in rows]),
        _list([tuple(e.tokens.items()) for e in rows], FIELD_TOKENS, _named_ranges),
        _strings([e.split for e in rows]),
        pa.array([isinstance(e.label, int | float) for e in rows], pa.bool_()),
    ]


def _strings(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _integers(values: Sequence[int]) -> pa.Array:
    return pa.array(values, pa.int64())


def _struct(kind: pa.StructType, children: list[pa.Array], missing: Sequence[bool] | None = None) -> pa.StructArray:
    mask = pa.array(missing, pa.bool_()) if missing is not None and any(missing) else None
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)


def _list(rows: Sequence[Sequence[T]], kind: pa.DataType, build: Callable[[list[T]], pa.Array]) -> pa.ListArray:
    offsets = pa.array(list(accumulate(map(len, rows), initial=0)), pa.int32())
    return pa.ListArray.from_arrays(offsets, build(list(chain.from_iterable(rows))), type=pa.list_(kind))


def _ranges(values: list[tuple[int, int]]) -> pa.StructArray:
    return _struct(RANGE, [_integers([a for a, _ in values]), _integers([b for _, b in values])])


def _named_strings(values: list[tuple[str, str]]) -> pa.StructArray:
    return _struct(FIELD_TEXT, [_strings([n for n, _ in values]), _strings([v for _, v in values])])


def _named_values(values: list[tuple[str, float]]) -> pa.StructArray:
    return _struct(SCORE, [_strings([n for n, _ in values]), pa.array([float(v) for _, v in values], pa.float64())])


def _named_ranges(values: list[tuple[str, tuple[tuple[int, int], ...]]]) -> pa.StructArray:
    return _struct(FIELD_TOKENS, [_strings([n for n, _ in values]), _list([v for _, v in values], RANGE, _ranges)])


def _relations(values: list[Relation]) -> pa.StructArray:
    columns = [[r.head for r in values], [r.tail for r in values], [r.label for r in values]]
    return _struct(RELATION, [_strings(c) for c in columns])


def _spans(values: list[Span], missing: Sequence[bool] | None = None) -> pa.StructArray:
    children = [
        _integers([s.start for s in values]),
        _integers([s.end for s in values]),
        _strings([s.label for s in values]),
        _strings([s.id for s in values]),
        _strings([s.field for s in values]),
        _list([s.fragments for s in values], RANGE, _ranges),
        _strings([attributes_json(s) for s in values]),
    ]
    return _struct(SPAN, children, missing)


def _projections(values: list[Projection]) -> pa.StructArray:
    children = [
        _strings([p.source_span_id for p in values]),
        _spans([p.span or _NO_SPAN for p in values], [p.span is None for p in values]),
        pa.array([float(p.score) for p in values], pa.float64()),
        _strings([p.method for p in values]),
        _strings([p.reason for p in values]),
    ]
    return _struct(PROJECTION, children)


# Reading: Arrow children into flat Python lists, cut by the lengths of the lists.


def _columns(table: pa.Table, schema: pa.Schema) -> list[pa.Array]:
    # Files of earlier versions have no numbers among the labels, and do not say so.
    names = [name for name in schema.names if name in table.column_names or name != "numeric"]
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise InputError(
            f"the table has no column {missing[0]!r}",
            valid=schema.names,
            hint="a stage file of an older version: run again with --overwrite",
        )
    return [table.column(name).combine_chunks() for name in names]


def _children(array: pa.StructArray) -> list[pa.Array]:
    return [array.field(i) for i in range(array.type.num_fields)]


def _values(array: pa.Array) -> list[Any]:
    # numpy's conversion is several times as fast as to_pylist, but turns missing numbers into nan.
    if array.null_count and not pa.types.is_string(array.type):
        return list(array.to_pylist())
    return list(array.to_numpy(zero_copy_only=False).tolist())


def _with_missing(array: pa.Array, values: list[T]) -> list[T | None]:
    if not array.null_count:
        return list(values)
    return [
        v if there else None
        for v, there in zip(values, array.is_valid().to_numpy(zero_copy_only=False).tolist(), strict=True)
    ]


def _read_list(array: pa.ListArray, read: Callable[[pa.Array], list[T]]) -> Iterable[tuple[T, ...]]:
    values = read(array.flatten())
    ends = list(accumulate(_values(pc.fill_null(pc.list_value_length(array), 0)), initial=0))
    return [tuple(values[a:b]) for a, b in pairwise(ends)]


def _read_tuples(array: pa.StructArray) -> list[tuple[Any, ...]]:
    return list(zip(*(_values(c) for c in _children(array)), strict=True))


def _read_relations(array: pa.StructArray) -> list[Relation]:
    return [Relation(*row) for row in _read_tuples(array)]


def _read_spans(array: pa.StructArray) -> list[Span]:
    columns = dict(zip(array.type.names, _children(array), strict=True))
    attributes = columns.pop("attributes", None)
    fragments = columns.pop("fragments")
    # Files of earlier versions have no attributes.
    extra = [None] * len(array) if attributes is None else _values(attributes)
    rows = zip(*map(_values, columns.values()), _read_list(fragments, _read_tuples), extra, strict=True)
    return [
        Span(a, b, label, name, field, parts, attributes_from_json(x)) for a, b, label, name, field, parts, x in rows
    ]


def _read_projections(array: pa.StructArray) -> list[Projection]:
    source_span_id, span, *rest = _children(array)
    spans = _with_missing(span, _read_spans(span))
    rows = zip(_values(source_span_id), spans, *(_values(c) for c in rest), strict=True)
    return [Projection(*row) for row in rows]


def _read_named_ranges(array: pa.StructArray) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    name, ranges = _children(array)
    return list(zip(_values(name), _read_list(ranges, _read_tuples), strict=True))


def _read_examples(columns: list[Any]) -> list[Example]:
    ids, langs, texts, spans, relations, labels, metas, tokens, splits, *numeric = columns
    values = _values(labels)
    if numeric and any(marks := _values(numeric[0])):
        values = [_from_json(v) if mark else v for v, mark in zip(values, marks, strict=True)]
    rows = zip(
        _values(ids),
        _values(langs),
        _read_list(texts, _read_tuples),
        _read_list(spans, _read_spans),
        _read_list(relations, _read_relations),
        values,
        _values(metas),
        _read_list(tokens, _read_named_ranges),
        _values(splits),
        strict=True,
    )
    return [
        Example(i, lang, dict(t), s, r, label, {} if m in ("{}", None) else _from_json(m), dict(k), split)
        for i, lang, t, s, r, label, m, k, split in rows
    ]


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{text[:40]!r} is not JSON", hint="the file was changed: run again") from error
