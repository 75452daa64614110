"""Lines of a text file, with errors that say where."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from spanferry.corpora.errors import InputError, nearest
from spanferry.corpora.readers.common.encodings import encoding_of, is_wide
from spanferry.corpora.readers.common.packed import head, open_bytes, unpacking

# What JSON calls blank; U+3000 or a form feed belongs to what it is in.
BLANK = " \t\r\n\ufeff"
SNIFFED = 1 << 16  # bytes that are looked at to tell the encoding or the format of a file


def check_file(path: Path) -> None:
    """Makes sure that ``path`` is a file with something in it.

    Raises:
        InputError: It is missing, a folder, a pipe, or empty.
    """
    if path.is_dir():
        raise InputError("a folder where a file was expected", where=str(path), hint="name the file in it")
    if str(path) == "-" or path.is_fifo():
        raise InputError(
            "a pipe can't be read twice, and a run reads its input again when it goes on",
            where=str(path),
            hint="write it to a file: COMMAND > rows.jsonl, then --input rows.jsonl",
        )
    if not path.is_file():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, names, 1)
        hint = f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path that was given"
        raise InputError("no such file", where=str(path), hint=hint)
    if path.stat().st_size == 0:
        raise _empty(path)


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, line without its end) of a file, plain or packed, one line in memory at a time.

    Lines end with ``\\n`` or ``\\r\\n`` and with nothing else: U+2028 or a form feed belongs to the text. A byte order
    mark at the start of a line is dropped: joined files have one at the start of each. Bytes outside the encoding are
    escaped (PEP 383): ``check_decoded`` makes a bad row of them.

    Raises:
        InputError: The file is missing, empty or blank, packed and damaged, or for the most part not in ``encoding``.
        ConfigError: No such encoding.
    """
    check_file(path)
    start = head(path, SNIFFED)
    encoding = encoding_of(path, start, encoding)
    wide = is_wide(encoding)
    if not wide and b"\n" not in start and start.rstrip(b"\r").count(b"\r") > 1:
        raise InputError(
            "its lines end with a carriage return alone", where=str(path), hint=r"tr '\r' '\n' < FILE > FILE.new"
        )
    blank = True
    with unpacking(path), open_bytes(path) as stream:
        lines = io.TextIOWrapper(stream, encoding, newline="\n") if wide else _decoded(stream, encoding)
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                # Files that were joined have a mark at the start of each.
                line = line.removeprefix("\ufeff")
                blank = blank and not line.strip()
                yield number, line.removesuffix("\n").removesuffix("\r")
        except UnicodeError as error:
            raise InputError(
                f"after this line the file is not {encoding} ({error})",
                where=f"{path}:{number}",
                hint=f"iconv -f {encoding} -t utf-8 FILE > FILE.utf8",
            ) from error
    if blank:
        raise _empty(path)


def _decoded(stream: Iterable[bytes], encoding: str) -> Iterator[str]:
    for raw in stream:
        yield raw.decode(encoding, "surrogateescape")


def _empty(path: Path) -> InputError:
    return InputError("the file is empty", where=str(path), hint="check the path that was given")
