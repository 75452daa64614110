"""Rows of a JSON file, however they are laid out: a line each, a list, objects one after the other, under a key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import split_word
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.json_values import Unreadable, dump_raw, parse_json, parse_values, placed_items
from spanferry.corpora.readers.common.label_keys import TEXT_KEYS, TOKEN_KEYS, looks_like_spans, spacy_row
from spanferry.corpora.readers.common.text import BLANK, read_lines


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One row of the file.

    Attributes:
        where: Its place, ``path:line``.
        raw: How it stands in the file.
        value: The object, or the error that says why it is none.
        split: The split that the file names for it, or None.
    """

    where: str
    raw: str
    value: dict[str, Any] | RowError
    split: str | None = None


def json_rows(path: Path, encoding: str) -> Iterator[JsonRow]:
    """The rows of a JSON file, in its order.

    An object on each line is read line by line. All else is one JSON value and is held in memory: a list of rows, rows
    over several lines each, or an object that holds the rows under one key, by split or by id.

    Raises:
        InputError: See ``read_lines``; or the file is one JSON value, and that is broken.
    """
    first = list(islice(((n, line) for n, line in read_lines(path, encoding) if line.strip(BLANK)), 2))
    if _is_lines([line for _, line in first]):
        for number, line in read_lines(path, encoding):
            if line.strip(BLANK):
                yield JsonRow(f"{path}:{number}", line, _object(line, encoding))
        return
    text = "\n".join(line for _, line in read_lines(path, encoding))
    found = False
    try:
        for row in _rows(path, text, encoding):
            found = True
            yield row
    except RowError as error:
        raise InputError(
            error.message, where=str(path), hint="a JSON object on each line is read row by row: jq -c '.[]' FILE"
        ) from error
    if not found:
        raise InputError("no row in it", where=str(path), hint="is this the right file?")


def is_row(value: Any) -> bool:
    """Whether ``value`` is a row that readers know: an object with a text or tokens, or ``[text, {…}]``."""
    value = spacy_row(value)
    if not isinstance(value, Mapping) or looks_like_spans([value]):
        return False
    return any(isinstance(value.get(key), str) for key in (*TEXT_KEYS, "context", "question")) or any(
        isinstance(value.get(key), (list, Mapping)) for key in (*TOKEN_KEYS, "texts", "data")
    )


def _is_lines(lines: list[str]) -> bool:
    """Whether each line is a row of its own, judged by the first two that are not blank."""
    values: list[Any] = []
    for number, line in enumerate(lines):
        line = line.removeprefix("\ufeff").strip(BLANK)
        try:
            values.append(parse_json(line))
        except RowError as error:
            if values or not _goes_on(line, error):
                return True
            # No object goes on with a row: the first line is one that was cut off.
            return line.startswith("{") and any(map(_is_row_line, lines[number + 1 :]))
    if len(values) > 1:
        return True
    value = spacy_row(values[0])
    if isinstance(value, list):
        return not all(is_row(item) or item is None or isinstance(item, Mapping) for item in value)
    return not isinstance(value, dict) or _inner(value) is None


def _is_row_line(line: str) -> bool:
    try:
        return is_row(parse_json(line.strip(BLANK)))
    except RowError:
        return False


def _goes_on(line: str, error: RowError) -> bool:
    """Whether a line that is not JSON is the start of a value over several lines."""
    if line[:1] not in ("{", "[") or not isinstance(error.__cause__, ValueError):
        return False
    place = getattr(error.__cause__, "pos", 0)
    return place >= len(line.rstrip()) - 1 and line[-1:] in ("{", "[", ",", ":", '"', "}", "]")


def _object(line: str, encoding: str) -> dict[str, Any] | RowError:
    try:
        check_decoded(line, encoding)
        return as_object(parse_json(line.removeprefix("\ufeff").strip(BLANK)))
    except RowError as error:
        return error


def as_object(value: Any) -> dict[str, Any]:
    """The row that a JSON value is, also ``[text, {"entities": …}]``.

    Raises:
        RowError: ``bad_json``: it is none.
    """
    if isinstance(value, Unreadable):
        raise value.error
    row = spacy_row(value)
    if not isinstance(row, dict):
        raise RowError("bad_json", f"a JSON {type(row).__name__}, not an object")
    return row


def _rows(path: Path, text: str, encoding: str) -> Iterator[JsonRow]:
    line, seen = 1, 0
    for value, start, end in parse_values(text):
        listed = isinstance(value, list) and not isinstance(spacy_row(value), dict)
        inner = _inner(value) if isinstance(value, dict) else None
        if inner is not None:
            for number, (split, row) in enumerate(inner, 1):
                yield _row(f"{path}: row {number}", dump_raw(row), row, encoding, split)
            continue
        for item, first, last in placed_items(text, start, encoding) if listed else ((value, start, end),):
            line, seen = line + text.count("\n", seen, first), first
            if item is not None:
                yield _row(f"{path}:{line}", text[first:last], item, encoding)


def _row(where: str, raw: str, value: Any, encoding: str, split: str | None = None) -> JsonRow:
    try:
        check_decoded(raw, encoding)
        return JsonRow(where, raw, as_object(value), split)
    except RowError as error:
        return JsonRow(where, raw, error, split)


def _inner(value: Mapping[str, Any]) -> list[tuple[str | None, Any]] | None:
    """The rows that an object holds, with their splits, where it is not a row itself; None where it holds none."""
    if is_row(value) and not _are_rows(value.get("data")):
        return None
    by_split = {split_word(key): rows for key, rows in value.items()}
    if value and None not in by_split and all(map(_are_rows, value.values())):
        return [(split, row) for split, rows in by_split.items() for row in rows]
    if len(value) > 1 and all(is_row(row) for row in value.values()):
        return [(None, {"id": key, **spacy_row(row)}) for key, row in value.items()]
    held = [rows for rows in value.values() if _are_rows(rows)]
    if len(held) == 1:
        # SNIPS: the rows of an intent, each in pieces.
        key = next(key for key, rows in value.items() if rows is held[0])
        pieces = all(isinstance(row, Mapping) and isinstance(row.get("data"), list) for row in held[0])
        return [(None, {**row, "label": key} if pieces else row) for row in held[0] if row is not None]
    nested = [inner for inner in value.values() if isinstance(inner, Mapping)]
    if not held and len(nested) == len(value) == 1:
        return _inner(nested[0])
    return None


def _are_rows(value: Any) -> bool:
    if not isinstance(value, list) or _are_pieces(value):
        return False
    return any(map(is_row, value)) and all(is_row(row) or row is None for row in value)


def _are_pieces(value: list[Any]) -> bool:
    """Whether a list holds the pieces of one text, as SNIPS has them: ``{"text"}`` and ``{"text", "entity"}``."""
    known = all(isinstance(item, Mapping) and set(item) <= {"text", "entity"} for item in value)
    return known and any("entity" in item for item in value)
