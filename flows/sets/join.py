"""Joins the rows of several inputs by id. Ids are in memory, texts are not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa

from spanferry.corpora.errors import InputError
from spanferry.corpora.multiway import MultiRow, join_cells, rows_from_table
from spanferry.flows.engine.store import Stage

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


@dataclass
class Joined:
    """What the join used, and which labels it left out: nothing is lost uncounted.

    Attributes:
        rows: Input rows that went into a joined row.
        spans: Spans of those.
        placed: Spans that are in the joined rows.
        left_out: Spans that are not, by reason.
    """

    rows: int = 0
    spans: int = 0
    placed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, cells: Sequence[MultiRow], row: MultiRow) -> MultiRow:
        """Counts what became of ``cells`` in ``row``, which is returned."""
        self.rows += len(cells)
        self.placed += sum(len(example.spans) for example in row.examples.values())
        for cell in cells:
            for lang, example in cell.examples.items():
                self.spans += len(example.spans)
                if row.examples.get(lang) is not example:
                    why = row.missing.get(lang, ("join:language_left_out",))
                    self.left_out["join:language_twice" if lang in row.examples else why[0]] += len(example.spans)
        return row


def join(
    inputs: Sequence[StoredRows],
    places: Sequence[str],
    languages: Sequence[str],
    min_languages: int,
    by: str,
    joined: Joined,
    *,
    whole: bool = True,
) -> Iterator[MultiRow]:
    """The joined rows: the ids of the first input in its order, then what the second has beyond them, and so on.

    An id that occurs twice in one input is joined the first time; the second is a rejected row, ``join:duplicate_id``.

    Args:
        inputs: The rows of each input.
        places: What each input is, for messages.
        languages: The set's languages, in order.
        min_languages: Fewer cells reject a row.
        by: ``id``, or ``index``: the n-th rows of all inputs belong together, under the id of the first.
        joined: Counts what became of the inputs' rows and spans.
        whole: Whether these are all rows of the inputs; of a part, ids may well have no partner.

    Raises:
        InputError: By index: inputs of different length. By id: the first two inputs have no id in common.
    """
    if by == "index":
        _same_length(inputs, places)
        for number in range(inputs[0].rows):
            cells = [rows[number] for rows in inputs]
            yield joined.add(cells, join_cells(cells[0].id, cells, languages, min_languages))
        return
    known = [_ids(rows) for rows in inputs]
    if whole:
        _something_in_common(known, places)
    done: set[str] = set()
    for first, rows in enumerate(inputs):
        for number in range(rows.rows):
            row = rows[number]
            if known[first][row.id] != number:
                yield joined.add([row], row.rejected("join:duplicate_id"))
            elif row.reasons:
                yield joined.add([row], row)
            elif row.id not in done:
                done.add(row.id)
                cells = [row] + [
                    inputs[i][known[i][row.id]] for i in range(first + 1, len(inputs)) if row.id in known[i]
                ]
                yield joined.add(cells, join_cells(row.id, cells, languages, min_languages))


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
