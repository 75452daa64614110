"""Rows of any schema as a folder that ``datasets.load_from_disk`` opens, written as a stream.

The layout is that of ``corpora.writers.arrow``: a ``DatasetDict`` of the splits, and the rejected rows beside it in
``OUT/rejected``, a dataset of its own.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.stored.base import REJECTED, WriteReport, check_split
from spanferry.corpora.stored.features import features_json
from spanferry.corpora.stored.layout import INDEX, data_files, describe, old_splits, write_index

REJECTED_SCHEMA = pa.schema(
    [("id", pa.string()), ("split", pa.string()), ("reasons", pa.list_(pa.string())), ("texts", pa.string())]
)
_ROWS_PER_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a derived set, or one that was rejected.

    Attributes:
        id: Unique within the set.
        values: The other columns; empty for a rejected row.
        split: Dataset split.
        reasons: Why it was rejected, ``kind:detail``; empty if it was kept.
        texts: Of a rejected row: what it was made from, as JSON values.
    """

    id: str
    values: Mapping[str, Any]
    split: str = "train"
    reasons: tuple[str, ...] = ()
    texts: Mapping[str, Any] = field(default_factory=dict)


def write_records(
    records: Iterable[Record],
    out: Path,
    schema: pa.Schema,
    *,
    features: Mapping[str, Any] | None = None,
    shard_rows: int = 100_000,
) -> WriteReport:
    """Writes the kept records by split and the rejected ones beside them; memory does not grow with the records.

    Args:
        records: In the order they shall be written.
        out: The folder; an earlier set in it is replaced, whole or not at all.
        schema: The columns, ``id`` first.
        features: The library ``datasets``' description of columns that it has a type of its own for.
        shard_rows: Rows per file.

    Raises:
        OutputError: A split is called what can't be a folder's name.
    """
    with work_folder(out) as folder:
        new = folder / "new"
        groups: dict[str, _Group] = {}
        rejected = _Group(new / REJECTED, REJECTED_SCHEMA, shard_rows)
        for record in records:
            if record.reasons:
                rejected.add(
                    {
                        "id": record.id,
                        "split": record.split,
                        "reasons": list(record.reasons),
                        "texts": json.dumps(dict(record.texts), ensure_ascii=False),
                    }
                )
                continue
            if record.split not in groups:
                groups[record.split] = _Group(new / check_split(record.split, "rows"), schema, shard_rows)
            groups[record.split].add({"id": record.id, **record.values})
        groups = groups or {"train": _Group(new / "train", schema, shard_rows)}
        for name, group in groups.items():
            group.close(name, dict(features or {}))
        rejected.close(None, {})
        write_index(new, groups)
        files = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
        publish(new, out, index=INDEX, stale=old_splits(out))
    return WriteReport({**{name: group.rows for name, group in groups.items()}, REJECTED: rejected.rows}, {}, files)


class _Group:
    """The files of one split; their names tell how many there are, so they get them at the end."""

    def __init__(self, folder: Path, schema: pa.Schema, shard_rows: int) -> None:
        self.folder, self.schema, self.rows = folder, schema, 0
        self._shard_rows, self._parts = shard_rows, list[Path]()
        self._waiting: list[dict[str, Any]] = []
        self._sink: Any = None
        self._stream: Any = None
        folder.mkdir(parents=True)

    def add(self, row: dict[str, Any]) -> None:
        if self.rows % self._shard_rows == 0:
            self._start()
        self.rows += 1
        self._waiting.append(row)
        if len(self._waiting) == _ROWS_PER_BATCH:
            self._flush()

    def close(self, split: str | None, features: dict[str, Any]) -> None:
        if not self._parts:
            self._start()
        self._end()
        paths = data_files(self.folder, len(self._parts))
        for part, path in zip(self._parts, paths, strict=True):
            part.rename(path)
        describe(self.folder, paths, {**features_json(self.schema, {}), **features}, split)

    def _start(self) -> None:
        self._end()
        path = self.folder / f"part-{len(self._parts):05d}.arrow"
        self._parts.append(path)
        self._sink = pa.OSFile(str(path), "wb")
        self._stream = pa.ipc.new_stream(self._sink, self.schema)

    def _flush(self) -> None:
        if self._waiting:
            self._stream.write_table(pa.Table.from_pylist(self._waiting, schema=self.schema))
            self._waiting = []

    def _end(self) -> None:
        if self._stream is not None:
            self._flush()
            self._stream.close()
            self._sink.close()
