"""Joins the rows of several inputs by id. Ids are in memory, texts are not."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import pyarrow as pa

from corpora.errors import InputError
from corpora.multiway import MultiRow, join_cells, rows_from_table, rows_to_table
from corpora.readers.multiway import ParallelReader
from flows.store import Entry, Stage, write_bytes

_TABLES = 16


class StoredRows:
    """The rows of one input, on disk, by number.

    Args:
        stage: Their stage.
        shard_rows: Rows per shard.
        rows: How many there are.
    """

    def __init__(self, stage: Stage, shard_rows: int, rows: int) -> None:
        self._stage, self._shard_rows, self.rows = stage, shard_rows, rows
        self._decoded: list[MultiRow] = []
        self._shard = -1
        self._table = lru_cache(maxsize=_TABLES)(stage.read)

    def __getitem__(self, number: int) -> MultiRow:
        shard, place = divmod(number, self._shard_rows)
        if shard == self._shard + 1:
            # Inputs mostly agree on the order: then each shard is decoded once.
            self._shard, self._decoded = shard, rows_from_table(self._table(shard))
        if shard == self._shard:
            return self._decoded[place]
        return rows_from_table(self._table(shard).slice(place, 1))[0]


def store(reader: ParallelReader, stage: Stage, shard_rows: int, tell: Callable[[int], None]) -> int:
    """Writes all rows of a reader into the shards of ``stage``; returns how many. What is there stays."""
    marker = stage.open().directory / "complete"
    if marker.exists():
        return int(marker.read_text())
    total, shard, batch = 0, 0, list[MultiRow]()

    def flush() -> None:
        nonlocal shard, batch
        stage.write(shard, rows_to_table(batch), Entry(shard, len(batch), "", 0.0))
        tell(len(batch))
        shard, batch = shard + 1, []

    for row in reader.read():
        total += 1
        batch.append(row)
        if len(batch) == shard_rows:
            flush()
    if batch or not shard:
        flush()
    write_bytes(marker, str(total).encode())
    return total


def join(
    inputs: Sequence[StoredRows], places: Sequence[str], languages: Sequence[str], min_languages: int, by: str
) -> Iterator[MultiRow]:
    """The joined rows: the ids of the first input in its order, then what the second has beyond them, and so on.

    An id that occurs twice in one input is joined the first time; the second is a rejected row, ``join:duplicate_id``.

    Args:
        inputs: The rows of each input.
        places: What each input is, for messages.
        languages: The set's languages, in order.
        min_languages: Fewer cells reject a row.
        by: ``id``, or ``index``: the n-th rows of all inputs belong together, under the id of the first.

    Raises:
        InputError: By index: inputs of different length. By id: the first two inputs have no id in common.
    """
    if by == "index":
        _same_length(inputs, places)
        for number in range(inputs[0].rows):
            cells = [rows[number] for rows in inputs]
            yield join_cells(cells[0].id, cells, languages, min_languages)
        return
    known = [_ids(rows) for rows in inputs]
    _something_in_common(known, places)
    done: set[str] = set()
    for first, rows in enumerate(inputs):
        for number in range(rows.rows):
            row = rows[number]
            if known[first][row.id] != number:
                yield row.rejected("join:duplicate_id")
            elif row.reasons:
                yield row
            elif row.id not in done:
                done.add(row.id)
                cells = [row] + [
                    inputs[i][known[i][row.id]] for i in range(first + 1, len(inputs)) if row.id in known[i]
                ]
                yield join_cells(row.id, cells, languages, min_languages)


def _ids(rows: StoredRows) -> dict[str, int]:
    """Id to the number of its first row."""
    found: dict[str, int] = {}
    number = 0
    for shard in range(-(-rows.rows // rows._shard_rows)):
        column: pa.ChunkedArray = rows._stage.read(shard).column("id")
        for name in column.to_pylist():
            found.setdefault(name, number)
            number += 1
    return found


def _same_length(inputs: Sequence[StoredRows], places: Sequence[str]) -> None:
    lengths = {rows.rows for rows in inputs}
    if len(lengths) > 1:
        raise InputError(
            "; ".join(f"{place} has {rows.rows} rows" for place, rows in zip(places, inputs, strict=True)),
            hint="--set rows.join=id joins rows by their id instead",
        )


def _something_in_common(known: Sequence[dict[str, int]], places: Sequence[str]) -> None:
    if len(known) < 2 or not all(known):
        return
    for i, ids in enumerate(known):
        others = [other for k, other in enumerate(known) if k != i]
        if not any(ids.keys() & other.keys() for other in others):
            raise InputError(
                "none of its ids occurs in another input",
                where=places[i],
                valid=f"ids such as {next(iter(others[0]))!r}; it has {next(iter(ids))!r}",
                hint="--set rows.join=index joins the n-th rows of all inputs instead",
            )
