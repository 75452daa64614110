"""Files that are packed: recognised by their first bytes, unpacked while they are read."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from spanferry.corpora.errors import InputError

_SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_TESTS = {"gzip": "gunzip -t", "bzip2": "bunzip2 -t", "xz": "xz -t", "zstd": "zstd -t"}
_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive"}
_TAR = (257, b"ustar")  # place and mark of a tar header (POSIX.1-1988)
# What the libraries raise over files that are damaged or cut off.
_ERRORS = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


def plain_name(name: str) -> str:
    """The name in small letters, without the suffix that says how the file is packed."""
    name = name.lower()
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)


def packing(path: Path) -> str | None:
    """How a file is packed: ``gzip``, ``bzip2``, ``xz``, ``zstd``, or None. Its first bytes count, then its name.

    Raises:
        InputError: It is an archive, which holds files of its own.
    """
    with path.open("rb") as stream:
        start = stream.read(_TAR[0] + len(_TAR[1]))
    archive = next((name for mark, name in _ARCHIVES.items() if start.startswith(mark)), None)
    if archive or start[_TAR[0] :] == _TAR[1]:
        raise InputError(
            f"{archive or 'a tar archive'}, not a file of texts",
            where=str(path),
            hint="unpack it and name a file in it, or the folder",
        )
    known = next((name for mark, name in _MAGIC.items() if start.startswith(mark)), None)
    return known or _SUFFIXES.get(path.suffix.lower())


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked if it is packed."""
    match packing(path):
        case "gzip":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        case "bzip2":
            return bz2.open(path, "rb")
        case "xz":
            return lzma.open(path, "rb")
        case "zstd":
            import pyarrow as pa

            return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))
        case _:
            return path.open("rb")


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Turns what the libraries raise over a damaged packed file into an error of ours.

    Raises:
        InputError: The file is packed, and not whole.
    """
    kind = packing(path)
    if kind is None:
        yield
        return
    try:
        yield
    except _ERRORS as error:
        raise InputError(
            f"not a whole {kind} file ({error})", where=str(path), hint=f"{_TESTS[kind]} shows more"
        ) from error


def head(path: Path, size: int) -> bytes:
    """The first bytes of a file, unpacked; at most ``size``.

    Raises:
        InputError: It is packed, and damaged.
    """
    with unpacking(path), open_bytes(path) as stream:
        return stream.read(size)
