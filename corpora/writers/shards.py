"""Rows into numbered files of a fixed number of rows, one file open at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa

from spanferry.corpora.schema import Pair

ROWS_PER_BATCH = 1000

Opener = Callable[[Path], AbstractContextManager[Any]]


class Shards:
    """Takes the rows of one split; where files and batches end depends on the number of rows only.

    Args:
        paths: The files, in order; all are made, even if there are no rows.
        shard_rows: Rows per file.
        convert: Pairs to a table.
        open_file: Opens a file; what it gives has ``write_table``.
    """

    def __init__(
        self, paths: list[Path], shard_rows: int, convert: Callable[[list[Pair]], pa.Table], open_file: Opener
    ) -> None:
        self.paths, self._shard_rows, self._convert, self._open = paths, shard_rows, convert, open_file
        self._waiting: list[Pair] = []
        self._next, self._room = 0, 0
        self._context: AbstractContextManager[Any] | None = None
        self._sink: Any = None

    def add(self, pair: Pair) -> None:
        """Takes one more row."""
        if not self._room:
            self._start()
        self._waiting.append(pair)
        self._room -= 1
        if not self._room or len(self._waiting) == ROWS_PER_BATCH:
            self._flush()

    def close(self) -> None:
        """Writes what is left, and the files that have no rows."""
        while self._next < len(self.paths):
            self._start()
        self._end()

    def _start(self) -> None:
        self._end()
        self.paths[self._next].parent.mkdir(parents=True, exist_ok=True)
        self._context = self._open(self.paths[self._next])
        self._sink = self._context.__enter__()
        self._next += 1
        self._room = self._shard_rows

    def _flush(self) -> None:
        if self._waiting:
            self._sink.write_table(self._convert(self._waiting))
            self._waiting = []

    def _end(self) -> None:
        if self._context is not None:
            self._flush()
            self._context.__exit__(None, None, None)
            self._context = None


def shard_count(rows: int, shard_rows: int) -> int:
    """How many files ``rows`` fill; at least one."""
    return max(1, -(-rows // shard_rows))
