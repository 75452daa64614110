"""JSON of unknown origin: numbers of any length, any depth, one bad row among good ones."""

import json
from collections.abc import Iterator
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.encodings import check_decoded

# Python refuses to convert integers of more than 4,300 digits, and Arrow holds 64 bits.
_MOST_DIGITS = 4000
# The standard encoder and decoder recurse; far below their limit whatever the stack holds already.
MOST_LEVELS = 100


class HugeNumber:
    """Stands for a number that is too long to be one; never valid in a row."""

    def __repr__(self) -> str:
        return f"a number of more than {_MOST_DIGITS:,} digits"


class Unreadable:
    """Stands for an item of a list that can't be read, with the error that says why."""

    def __init__(self, error: RowError, raw: str) -> None:
        self.error, self.raw = error, raw


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= _MOST_DIGITS else HugeNumber()


_DECODER = json.JSONDecoder(parse_int=_integer)


def parse_json(text: str) -> Any:
    """The JSON value of ``text``.

    Raises:
        RowError: ``bad_json``: it is none, or nested too deeply to be read.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise RowError("bad_json", "not JSON that can be read: it is nested too deeply") from error
    except ValueError as error:
        raise RowError("bad_json", f"not JSON ({error})") from error


def parse_items(text: str, encoding: str = "utf-8") -> Iterator[Any]:
    """The items of the JSON list that ``text`` is, one after the other, those that can't be read as ``Unreadable``.

    These are items that are nested too deeply, or have bytes outside the file's ``encoding``.

    Raises:
        RowError: ``bad_json``: it is not JSON.
    """
    yield from (item for item, _, _ in placed_items(text, text.index("["), encoding))


def parse_values(text: str, encoding: str | None = None) -> Iterator[tuple[Any, int, int]]:
    """The JSON values that follow each other in ``text``, with the place where each starts and ends.

    Where ``encoding`` is given, values with bytes outside it are ``Unreadable``.

    Raises:
        RowError: ``bad_json``: something else is among them.
    """
    at = _blank(text, 0)
    while at < len(text):
        item, end = _item(text, at, encoding)
        yield item, at, end
        at = _blank(text, end)


def placed_items(text: str, at: int, encoding: str = "utf-8") -> Iterator[tuple[Any, int, int]]:
    """See ``parse_items``: the items of the list that starts at ``at``, with where each starts and ends."""
    at = _blank(text, at + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        item, end = _item(text, at, encoding)
        yield item, at, end
        at = _blank(text, end)
        mark = text[at : at + 1]
        if mark == "]":
            return
        if mark != ",":
            raise RowError("bad_json", f"not JSON (a comma or ] was expected at character {at})")
        at = _blank(text, at + 1)


def _item(text: str, at: int, encoding: str | None) -> tuple[Any, int]:
    try:
        item, end = _DECODER.raw_decode(text, at)
    except RecursionError:
        end = _end_of(text, at)
        error = RowError("bad_json", "not JSON that can be read: it is nested too deeply")
        return Unreadable(error, text[at:end]), end
    except ValueError as error:
        raise RowError("bad_json", f"not JSON ({error})") from error
    if encoding is not None and not text.isascii():
        try:
            check_decoded(text[at:end], encoding)
        except RowError as error:
            return Unreadable(error, text[at:end]), end
    return item, end


def check_json(value: Any, where: str) -> None:
    """Makes sure that ``value`` consists of JSON values and is not nested too deeply.

    Raises:
        RowError: ``bad_meta``: it does not.
    """
    pending = [(value, 0)]
    while pending:
        item, level = pending.pop()
        if level > MOST_LEVELS:
            raise RowError("bad_meta", f"nested more than {MOST_LEVELS} levels deep", where=where)
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                raise RowError("bad_meta", "a key that is not a string", where=where)
            pending += [(v, level + 1) for v in item.values()]
        elif isinstance(item, (list, tuple)):
            pending += [(v, level + 1) for v in item]
        elif isinstance(item, HugeNumber):
            raise RowError("bad_meta", repr(item), where=where)
        elif not (item is None or isinstance(item, (str, int, float))):
            raise RowError("bad_meta", f"a {type(item).__name__}, which JSON does not have", where=where)


def dump_raw(value: Any) -> str:
    """A row as JSON for people to read, whatever it holds."""
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError, TypeError):
        return "(a row that JSON can't show)"


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r", "\ufeff"):
        at += 1
    return at


def _end_of(text: str, at: int) -> int:
    """Where the list or object that starts at ``at`` ends."""
    depth, in_string = 0, False
    while at < len(text):
        c = text[at]
        if in_string:
            if c == "\\":
                at += 1
            in_string = c != '"'
        elif c == '"':
            in_string = True
        elif c in "[{":
            depth += 1
        elif c in "]}":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    raise RowError("bad_json", "not JSON (a list or an object does not end)")
