"""Records of delimited text (RFC 4180): quoted cells may hold delimiters and line ends."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.text import read_lines

DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
_MOST_LINES = 1000  # of one record; a quote that is open for longer was none


def likely_delimiter(line: str) -> str:
    """The delimiter that parts a heading into the most cells."""
    return max(DELIMITERS.values(), key=lambda mark: len(_cells(line, mark)[0]))


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, str, list[str] | RowError]]:
    """Yields the first line of each record, how it stands in the file, and its cells.

    A line whose quote is not closed within 1,000 lines is an error, and reading goes on after it. Where tabs delimit,
    a quote that is not closed on its line stands for itself: tools that write tabs rarely quote.
    """
    lines = read_lines(path, encoding)
    waiting: deque[tuple[int, str]] = deque()
    while True:
        first = waiting.popleft() if waiting else next(lines, None)
        if first is None:
            return
        number, raw = first
        cells, is_open = _cells(raw, delimiter)
        if not is_open:
            yield number, raw, cells
        elif delimiter == "\t":
            yield number, raw, raw.split(delimiter)
        else:
            yield _long(number, raw, delimiter, lines, waiting)


def _long(
    number: int, raw: str, delimiter: str, lines: Iterator[tuple[int, str]], waiting: deque[tuple[int, str]]
) -> tuple[int, str, list[str] | RowError]:
    """A record over several lines; lines that were looked at and do not belong to it go to ``waiting``."""
    taken: list[tuple[int, str]] = []
    cells, is_open = _cells(raw, delimiter)
    while is_open and len(taken) < _MOST_LINES:
        more = waiting.popleft() if waiting else next(lines, None)
        if more is None:
            break
        taken.append(more)
        rest, is_open = _cells(more[1], delimiter, within=True)
        cells = [*cells[:-1], f"{cells[-1]}\n{rest[0]}", *rest[1:]]
    if not is_open:
        return number, "\n".join([raw, *(line for _, line in taken)]), cells
    waiting.extendleft(reversed(taken))
    return (
        number,
        raw,
        RowError("bad_quotes", "a quote is opened and not closed", hint='"" stands for a quote in a cell'),
    )


def _cells(line: str, delimiter: str, within: bool = False) -> tuple[list[str], bool]:
    """The cells of a line, and whether the last one's quote is open; ``within``: it starts within a quoted cell."""
    cells: list[str] = []
    at, size = 0, len(line)
    while True:
        if within or line.startswith('"', at):
            at += not within
            cell, at, is_open = _quoted(line, at)
            if is_open:
                return [*cells, cell], True
            within = False
        else:
            cell = ""
        stop = line.find(delimiter, at)
        stop = size if stop < 0 else stop
        cells.append(cell + line[at:stop])
        if stop >= size:
            return cells, False
        at = stop + 1


def _quoted(line: str, at: int) -> tuple[str, int, bool]:
    """The content of a quoted cell, where it ends, and whether it goes on."""
    parts: list[str] = []
    while True:
        stop = line.find('"', at)
        if stop < 0:
            return "".join([*parts, line[at:]]), len(line), True
        parts.append(line[at:stop])
        if not line.startswith('"', stop + 1):
            return "".join(parts), stop + 1, False
        parts.append('"')
        at = stop + 2
