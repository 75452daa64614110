"""Both sides given: two readers in step."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import BadRow, Draft, FileReader, Reader
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.schema import TEXT, Example

Row = Example | BadRow
_BY_PLACE = "--set read.pair_by=index (evaluate projection: --pair-by index) pairs rows by their place"


@dataclass(frozen=True)
class LinesReader(FileReader):
    """Reads plain text, one example without spans on each line (Moses), or one column of a TSV file.

    A TSV file of translations is opened twice, once for each column, and the two are zipped by index.
    Blank lines are bad rows (``empty_text``): dropping them would shift the two sides against each other.

    Attributes:
        column: Column of the text, from 0, negative from the end; by default the whole line.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "text"

    column: int | None = None
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft]:
        for number, line in read_lines(self.path, self.encoding):
            yield Draft(
                str(number),
                f"{self.path}:{number}",
                partial(str, line),
                self.rows_split,
                partial(self._made, number, line),
            )

    def _made(self, number: int, line: str) -> Example:
        check_decoded(line, self.encoding)
        return Example(str(number), self.lang, {TEXT: self._text(line)}, split=self.rows_split)

    def _text(self, line: str) -> str:
        if self.column is None:
            return line
        columns = line.split("\t")
        if not -len(columns) <= self.column < len(columns):
            raise RowError("bad_columns", f"{len(columns)} column(s), column={self.column} is not among them")
        return columns[self.column]


def zip_examples(
    source: Reader, target: Reader, by: Literal["index", "id"] = "index"
) -> Iterator[tuple[Row, Row | None]]:
    """Yields each source row with the target row that translates it, or with None if there is none.

    By index, the two must have as many rows; by id, a target row that belongs to no source row comes last, as a bad row
    ``no_source``, so that it is counted. By id, memory grows with how differently the two sides are ordered.

    Raises:
        InputError: Different numbers of rows (by index), an id that occurs twice, or no id in common (by id), or
            what the readers raise.
    """
    return _by_index(source, target) if by == "index" else _by_id(source, target)


def _by_index(source: Reader, target: Reader) -> Iterator[tuple[Row, Row | None]]:
    sources, targets, count = source.read(), target.read(), 0
    for row in sources:
        other = next(targets, None)
        if other is None:
            raise _counts(source, count + 1 + sum(1 for _ in sources), target, count)
        count += 1
        yield row, other
    left = sum(1 for _ in targets)
    if left:
        raise _counts(source, count, target, count + left)


def _counts(source: Reader, n_source: int, target: Reader, n_target: int) -> InputError:
    return InputError(
        f"the source has {n_source} rows, the target has {n_target}: they can't be translations row by row",
        where=f"{_place(source)} and {_place(target)}",
        hint="--set read.pair_by=id (evaluate projection: --pair-by id) pairs rows by their id instead",
    )


def _by_id(source: Reader, target: Reader) -> Iterator[tuple[Row, Row | None]]:
    targets, waiting, matched = target.read(), dict[str, Row](), 0
    seen_targets: set[str] = set()
    seen_sources: set[str] = set()
    for row in source.read():
        _once(row.id, seen_sources, source)
        while row.id not in waiting and (other := next(targets, None)) is not None:
            _once(other.id, seen_targets, target)
            waiting[other.id] = other
        found = waiting.pop(row.id, None)
        matched += found is not None
        yield row, found
    for other in targets:
        _once(other.id, seen_targets, target)
        waiting[other.id] = other
    if not matched:
        raise InputError(
            "no id of the source occurs in the target",
            where=f"{_place(source)} and {_place(target)}",
            valid=f"source ids such as {min(seen_sources, default='')!r}, target ids {min(seen_targets, default='')!r}",
            hint=_BY_PLACE,
        )
    for other in waiting.values():
        raw = other.raw if isinstance(other, BadRow) else other.text
        yield BadRow(other.id, "no_source", f"{_place(target)}: no source row has the id {other.id!r}", raw), other


def _once(row_id: str, seen: set[str], reader: Reader) -> None:
    if row_id in seen:
        raise InputError(
            f"the id {row_id!r} occurs twice",
            where=_place(reader),
            hint=_BY_PLACE,
        )
    seen.add(row_id)


def _place(reader: Reader) -> str:
    return str(getattr(reader, "path", reader.signature))
