"""Lines of a text file, with errors that say where."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from spanferry.corpora.errors import ConfigError, InputError, nearest

# What JSON calls blank; U+3000 or a form feed belongs to what it is in.
BLANK = " \t\r\n\ufeff"


def check_file(path: Path) -> None:
    """Makes sure that ``path`` is a file with something in it.

    Raises:
        InputError: It is missing, a folder, or empty.
    """
    if path.is_dir():
        raise InputError("a folder where a file was expected", where=str(path), hint="name the file in it")
    if not path.is_file():
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, names, 1)
        hint = f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path that was given"
        raise InputError("no such file", where=str(path), hint=hint)
    if path.stat().st_size == 0:
        raise _empty(path)


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yields (line number from 1, line without its end) of a file, plain or ``.gz``, one line in memory at a time.

    Lines end with ``\\n`` or ``\\r\\n`` and with nothing else: U+2028 or a form feed belongs to the text. A byte order
    mark at the start of a line is dropped: joined files have one at the start of each.

    Raises:
        InputError: The file is missing, empty or blank, or not in ``encoding``; the latter with line and byte.
        ConfigError: No such encoding, or one in which a line does not end with the byte ``\\n``.
    """
    check_encoding(encoding)
    check_file(path)
    offset, blank = 0, True
    with open_bytes(path) as stream:
        try:
            for number, raw in enumerate(stream, 1):
                try:
                    line = raw.decode(encoding)
                except UnicodeDecodeError as error:
                    raise _not_encoded(path, number, offset, error, encoding) from error
                offset += len(raw)
                # Files that were joined have a mark at the start of each.
                line = line.removeprefix("\ufeff")
                blank = blank and not line.strip()
                yield number, line.removesuffix("\n").removesuffix("\r")
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"not a whole gzip file ({error})", where=str(path), hint="gunzip -t shows where"
            ) from error
    if blank:
        raise _empty(path)


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked if it is called ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def check_encoding(encoding: str) -> None:
    """Makes sure that ``encoding`` is one of text, in which a line ends with the byte ``\\n``.

    Raises:
        ConfigError: It is not.
    """
    try:
        known = codecs.lookup(encoding)
        # Python counts base64, zip and rot13 among its codecs too. They are no text encodings.
        ends_lines = known._is_text_encoding and "\n".encode(encoding) == b"\n"
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"unknown encoding {encoding!r}", valid="utf-8, latin-1, cp1252 …", hint="--set read.options.encoding=utf-8"
        ) from error
    if not known._is_text_encoding:
        raise ConfigError(
            f"{encoding!r} is not a text encoding",
            valid="utf-8, latin-1, cp1252 …",
            hint="--set read.options.encoding=utf-8",
        )
    if not ends_lines:
        raise ConfigError(
            f"encoding {encoding!r} does not end a line with one byte",
            valid="utf-8, latin-1, cp1252 …",
            hint=f"iconv -f {encoding} -t utf-8 FILE",
        )


def _empty(path: Path) -> InputError:
    return InputError("the file is empty", where=str(path), hint="check the path that was given")


def _not_encoded(path: Path, line: int, offset: int, error: UnicodeDecodeError, encoding: str) -> InputError:
    byte = error.object[error.start] if error.start < len(error.object) else 0
    return InputError(
        f"byte 0x{byte:02x} at byte {offset + error.start} of the file is not {encoding}",
        where=f"{path}:{line}",
        valid="text in the encoding of the reader's option 'encoding', utf-8 by default",
        hint="--set read.options.encoding=latin-1, or whatever the file was written in",
    )
