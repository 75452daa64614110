"""Small files, written whole or not at all, and short digests."""

import hashlib
import json
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import OutputError
from spanferry.corpora.files import atomic_path, make_folders


def digest(text: str | bytes, length: int = 12) -> str:
    """The first ``length`` hex digits of BLAKE2b."""
    return hashlib.blake2b(text.encode() if isinstance(text, str) else text).hexdigest()[:length]


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a whole file or nothing.

    Raises:
        OutputError: The disk or its rights do not allow it.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless it is there.

    Raises:
        OutputError: A file is in the way, or the disk or its rights do not allow it.
    """
    try:
        make_folders(path)
    except OSError as error:
        raise OutputError(
            f"can't make this folder: {error.strerror}", where=str(path), hint="--out DIRECTORY, one that can be made"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` as JSON with sorted keys, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode())
