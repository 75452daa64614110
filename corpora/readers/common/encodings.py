"""Encodings of text files: which one a file is in, and what to do with bytes that it does not have.

A byte outside the encoding stays in its line, as Python's ``surrogateescape`` holds it, until the row is made; the row
is then a bad row. A file of which most is outside the encoding is in another one: that is an error of the file.
"""

import codecs
import re
from pathlib import Path

from spanferry.corpora.errors import ConfigError, InputError, RowError

_VALID = "utf-8, utf-16, cp1252, latin-1 …"
_EXAMPLE = "--set read.options.encoding=utf-8"
_ESCAPED = re.compile("[\udc80-\udcff]+")
# A mark of UTF-32 starts like one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_WIDE = {"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
_NULS = 0.25  # of the bytes; half of Latin text in UTF-16 is zero, and no text in a narrow encoding has any
_FEWEST, _MOST = 3, 0.9  # lines with bytes outside the encoding, and their share of the lines beyond ASCII
_SHOWN = 20  # characters around a bad byte


def check_encoding(encoding: str) -> None:
    """Makes sure that ``encoding`` is one of text with lines.

    Raises:
        ConfigError: It is not.
    """
    try:
        known = codecs.lookup(encoding)
        # Python counts base64, zip and rot13 among its codecs too. They are not text encodings.
        ends_lines = known.name in _WIDE or (known._is_text_encoding and "\n".encode(encoding) == b"\n")
    except (LookupError, ValueError) as error:
        raise ConfigError(f"unknown encoding {encoding!r}", valid=_VALID, hint=_EXAMPLE) from error
    if not known._is_text_encoding:
        raise ConfigError(f"{encoding!r} is not a text encoding", valid=_VALID, hint=_EXAMPLE)
    if not ends_lines:
        raise ConfigError(
            f"encoding {encoding!r} does not end a line with one byte"
            + (", and the file has no byte order mark" if known.name in ("utf-16", "utf-32") else ""),
            valid=f"{_VALID}, utf-16-le",
            hint=f"iconv -f {encoding} -t utf-8 FILE > FILE.utf8",
        )


def encoding_of(path: Path, start: bytes, declared: str) -> str:
    """The encoding of a file: the one that its byte order mark names, else the declared one.

    Args:
        path: The file, for messages.
        start: Its first bytes.
        declared: What the option ``encoding`` says.

    Raises:
        ConfigError: See ``check_encoding``.
        InputError: Most of the file is outside the declared encoding.
    """
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if marked is not None:
        return marked
    check_encoding(declared)
    if codecs.lookup(declared).name in _WIDE:
        return declared
    if start.count(0) >= _NULS * len(start) > 0:
        wide = "utf-16-le" if start[1::2].count(0) >= start[0::2].count(0) else "utf-16-be"
        raise InputError(
            f"every other byte is zero: the file is not in {declared} but, by its looks, in {wide}",
            where=str(path),
            valid=_VALID,
            hint=f"--set read.options.encoding={wide}",
        )
    _check_most(path, start, declared)
    return declared


def is_wide(encoding: str) -> bool:
    """Whether the lines of the encoding do not end with the byte ``\\n``."""
    return codecs.lookup(encoding).name in _WIDE | {"utf-16", "utf-32"}


def peeked(start: bytes) -> str:
    """The first bytes of a file as text to look at: in the encoding of its mark, else in UTF-8 as far as it is that."""
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    return start.decode(marked, "replace").removeprefix("\ufeff")


def check_decoded(text: str, encoding: str, line: int | None = None) -> None:
    """Makes sure that all bytes of ``text``, which may be one line of a row, were in the encoding.

    Raises:
        RowError: ``bad_encoding``: one was not; the message has the byte and what is around it.
    """
    found = None if text.isascii() else _ESCAPED.search(text)
    if found is None:
        return
    byte = ord(found[0][0]) - 0xDC00
    around = text[max(0, found.start() - _SHOWN) : found.end() + _SHOWN].encode("utf-8", "surrogateescape")
    other = _likely(around)
    place = "" if line is None else f"line {line}: "
    raise RowError(
        "bad_encoding",
        f"{place}byte 0x{byte:02x} is not {encoding}; in {other} the place reads {around.decode(other, 'replace')!r}",
        hint=f"--set read.options.encoding={other} if the whole file is in it, else mend the line",
    )


def decoded_bytes(path: Path, content: bytes, encoding: str) -> str:
    """The text of a whole small file, such as one of BRAT's.

    Raises:
        RowError: ``bad_encoding``: it is not in the encoding.
        ConfigError: See ``check_encoding``.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is None:
        check_encoding(encoding)
    try:
        return content.decode(marked or encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        other = _likely(content[error.start : error.start + _SHOWN])
        raise RowError(
            "bad_encoding",
            f"byte 0x{content[error.start]:02x} at byte {error.start} of {path.name} is not {marked or encoding}",
            hint=f"--set read.options.encoding={other}, or whatever the file was written in",
        ) from error


def _check_most(path: Path, start: bytes, encoding: str) -> None:
    lines = start.split(b"\n")
    if len(lines) > 1:
        lines.pop()  # it may be cut off
    bad: list[tuple[int, UnicodeDecodeError]] = []
    beyond = filled = 0
    for number, line in enumerate(lines, 1):
        filled += bool(line.strip())
        if line.isascii():
            continue
        beyond += 1
        try:
            line.decode(encoding)
        except UnicodeDecodeError as error:
            bad.append((number, error))
    many = len(bad) >= _FEWEST and len(bad) >= _MOST * beyond
    if not many and not (len(bad) == filled >= _FEWEST - 1):
        return
    number, first = bad[0]
    around = first.object[max(0, first.start - _SHOWN) : first.start + _SHOWN]
    other = _likely(start)
    raise InputError(
        f"byte 0x{first.object[first.start]:02x} is not {encoding}, and neither are bytes in {len(bad)} of the "
        f"{beyond} lines beyond ASCII at its start; in {other} this one reads {around.decode(other, 'replace')!r}",
        where=f"{path}:{number}",
        valid="text in the encoding of the reader's option 'encoding', utf-8 by default",
        hint=f"--set read.options.encoding={other}, or whatever the file was written in",
    )


def _likely(content: bytes) -> str:
    """A Western encoding that has all the bytes: what most files are in that are not in UTF-8."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"
