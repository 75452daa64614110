"""Where converted models live, and how they get there without ever being half there."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from spanferry.corpora.errors import ModelError

_TAIL = 8  # random characters at the end of a name that is not final
_LOCK = ".lock"


def cache_root() -> Path:
    """``$SPANFERRY_CACHE``, else the platform's cache directory for this user."""
    if given := os.environ.get("SPANFERRY_CACHE"):
        return Path(given).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "spanferry"


def models_root() -> Path:
    """Where converted models are: ``<name>@<hash>-<quantization>/`` each."""
    return cache_root() / "models"


@contextmanager
def written_once(final: Path) -> Iterator[Path | None]:
    """A directory to fill that becomes ``final`` when the block ends well, or None where ``final`` is there already.

    Two processes that want the same directory wait for each other; a block that fails leaves nothing behind.

    Raises:
        ModelError: The cache can't be written.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(final.parent / f".{final.name}{_LOCK}")
        lock.acquire()
    except OSError as error:
        raise ModelError(
            f"the model cache can't be written ({error})", where=str(final.parent), hint="set SPANFERRY_CACHE"
        ) from error
    try:
        if final.is_dir():
            yield None
            return
        # What a process that was killed has left: nobody else fills a directory under this lock.
        for left in final.parent.glob(f".{glob.escape(final.name)}.{'?' * _TAIL}"):
            shutil.rmtree(left, ignore_errors=True)
        partial = final.parent / f".{final.name}.{uuid.uuid4().hex[:_TAIL]}"
        try:
            yield partial
            partial.rename(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        lock.release()


def require_space(directory: Path, needed: int, what: str) -> None:
    """Checks that ``needed`` bytes are free where ``directory`` is or will be.

    Raises:
        ModelError: There is less.
    """
    place = directory
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ModelError(
            f"{what} needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            where=str(place),
            hint="free some space, or set SPANFERRY_CACHE to a larger disk",
        )
