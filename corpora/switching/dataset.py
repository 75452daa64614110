"""Tables as a folder that ``datasets.load_from_disk`` opens, written as a stream; rejected rows beside them."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.stored.base import REJECTED
from spanferry.corpora.stored.features import features_json, with_features
from spanferry.corpora.stored.layout import INDEX, data_files, describe, old_splits, open_stream, write_index
from spanferry.corpora.stored.records import REJECTED_SCHEMA

TAGS = "ner_tags"


def write_tables(
    kept: Iterable[pa.Table],
    rejected: Iterable[pa.Table],
    out: Path,
    schema: pa.Schema,
    tags: Sequence[str] = ("O",),
) -> dict[str, int]:
    """Writes kept rows by their column ``split`` and the rejected ones beside them; memory is that of one table.

    Args:
        kept: Rows with the columns of ``schema``, or some of them, and ``split``.
        rejected: Rows of ``spanferry.corpora.stored.records.REJECTED_SCHEMA``.
        out: The folder; an earlier set in it is replaced, whole or not at all.
        schema: The columns; those of the files have the tags as classes.
        tags: The names of the classes of the column ``ner_tags``.

    Returns:
        Rows by split in order of first appearance, ``rejected`` last.
    """
    classes = {TAGS: tuple(tags)} if TAGS in schema.names else {}
    if classes:
        schema = schema.set(schema.get_field_index(TAGS), pa.field(TAGS, pa.list_(pa.int64())))
    schema = with_features(schema, classes)
    with work_folder(out) as folder:
        new = folder / "new"
        rows: dict[str, int] = {}
        with ExitStack() as stack:
            streams: dict[str, Any] = {}
            for table in kept:
                whole = _with_columns(_with_classes(table, tags), schema)
                for split in dict.fromkeys(table["split"].to_pylist()):
                    if split not in streams:
                        streams[split], rows[split] = _open(stack, new / split, schema), 0
                    part = whole.filter(pc.equal(table["split"], split))
                    streams[split].write_table(part.combine_chunks())
                    rows[split] += part.num_rows
            if not streams:
                _open(stack, new / "train", schema)
                rows["train"] = 0
            stream, rows_rejected = _open(stack, new / REJECTED, REJECTED_SCHEMA), 0
            for table in rejected:
                stream.write_table(table)
                rows_rejected += table.num_rows
        for split in rows:
            _describe(new / split, schema, split, classes)
        _describe(new / REJECTED, REJECTED_SCHEMA, None, {})
        write_index(new, rows)
        publish(new, out, index=INDEX, stale=old_splits(out))
    return {**rows, REJECTED: rows_rejected}


def _with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [table[f.name] if f.name in table.column_names else pa.nulls(table.num_rows, f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _open(stack: ExitStack, folder: Path, schema: pa.Schema) -> Any:
    folder.mkdir(parents=True)
    return stack.enter_context(open_stream(data_files(folder, 1)[0], schema))


def _describe(folder: Path, schema: pa.Schema, split: str | None, classes: dict[str, tuple[str, ...]]) -> None:
    describe(folder, data_files(folder, 1), features_json(schema, classes), split)


def tag_names(tables: Iterable[pa.Table]) -> tuple[str, ...]:
    """The classes of ``ner_tags``: ``O``, then ``B-`` and ``I-`` of every label in the rows, sorted."""
    found: set[str] = set()
    for table in tables:
        found.update(pc.unique(pc.list_flatten(table[TAGS])).to_pylist())
    return ("O", *(f"{letter}-{label}" for label in sorted({tag[2:] for tag in found - {"O"}}) for letter in "BI"))


def _with_classes(table: pa.Table, tags: Sequence[str]) -> pa.Table:
    if TAGS not in table.column_names:
        return table
    column = table[TAGS].combine_chunks()
    numbers = pc.index_in(column.flatten(), value_set=pa.array(tags, pa.string())).cast(pa.int64())
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    offsets = np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), numbers)
    return table.set_column(table.column_names.index(TAGS), TAGS, lists)


def bins_table(bins: np.ndarray) -> pa.Table:
    """Bins by copy, (n_copies, n_rows), as a table."""
    return pa.table({f"copy{i}": pa.array(row) for i, row in enumerate(bins)})


def bins_from_table(table: pa.Table) -> np.ndarray:
    """Reverse of ``bins_table``."""
    return np.stack([column.to_numpy() for column in table.columns])
