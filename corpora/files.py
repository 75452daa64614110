"""Files that are either whole or not there: temporary name, fsync, rename."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, wraps
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from spanferry.corpora.checksums import write_sums
from spanferry.corpora.errors import OutputError

_WORK = ".write."
_LONGEST_NAME = 4096  # PATH_MAX of Linux; a longer text is not a path
Found = TypeVar("Found")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system says against writing to ``path`` into an error of ours.

    Raises:
        OutputError: The disk is full or broken, or its rights do not allow it.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"can't write: {error.strerror or error}",
            where=str(path),
            hint="what is finished is kept: make room or give write permission and run the same command again, "
            "or write elsewhere: --out DIR",
        ) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary file name beside ``path``; once it has been written it takes the name ``path``.

    The content is on the disk before the name changes, and the name before this returns. A block that raises leaves
    ``path`` as it was and takes the temporary file away. What a killed process leaves is for the owner of the folder
    to sweep: here it could be another writer's work. The folder is made if it is not there.

    Raises:
        OutputError: The disk or its rights do not allow it.
    """
    # Two writers of the same path must not share the temporary file, hence a name nobody else has.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with writing(path):
        make_folders(path.parent)
        try:
            yield temporary
            sync_file(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            with contextlib.suppress(OSError):  # the first error says more
                temporary.unlink(missing_ok=True)


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Yields an empty folder inside ``out``, which is made if need be; it is gone afterwards.

    What a killed process left of its own is taken away first: one process at a time writes into ``out``.

    Raises:
        OutputError: The disk or its rights do not allow it.
    """
    with writing(out):
        make_folders(out)
        for left in out.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(dir=out, prefix=_WORK, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def publish(new: Path, out: Path, *, index: str, stale: Collection[str] = ()) -> None:
    """Moves what lies in ``new`` into ``out``, in place of what has the same name there, the file ``index`` last.

    With it go the checksums of its files, see ``spanferry.corpora.checksums``.

    The old index goes first: whoever opens ``out`` meanwhile finds no dataset rather than half of two.
    ``stale`` names folders of an earlier output that go too. All else in ``out`` is left alone.

    Raises:
        OutputError: A folder that would be replaced holds files of another kind than the new one.
    """
    kinds = {p.suffix for p in new.rglob("*") if p.is_file()}
    for folder in (out / name for name in {*stale, *(p.name for p in new.iterdir() if p.is_dir())}):
        other = min((p for p in folder.rglob("*") if p.is_file() and p.suffix not in kinds), default=None)
        if other is not None:
            raise OutputError(
                f"the folder would be replaced, but it holds {other.name!r}, which Spanferry did not write",
                where=str(folder),
                hint="write into another folder: --out DIR",
            )
    write_sums(new)
    for path in sorted(new.rglob("*")):
        sync_folder(path) if path.is_dir() else sync_file(path)
    (out / index).unlink(missing_ok=True)
    for name in stale:
        shutil.rmtree(out / name)
    for path in sorted(new.iterdir(), key=lambda p: (p.name == index, p.name)):
        target = out / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    sync_folder(out)


def make_folders(path: Path) -> None:
    """Makes a folder and those above it; the new names are on the disk when this returns.

    Raises:
        OSError: The disk or its rights do not allow it, or a file is in the way.
    """
    if not path.parent.is_dir():
        make_folders(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Waits until the content of ``path`` is on the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Waits until the names in the folder ``path`` are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content_hash(paths: Iterable[Path], size: int = 4, *, root: Path | None = None) -> str:
    """``2 * size`` hex digits that follow from the content of the files, in the order given.

    Args:
        paths: The files.
        size: Bytes of the digest.
        root: Where their names say something (ids, splits, languages): the folder below which they do; None: they
            say nothing.
    """
    digest = blake2b(digest_size=size)
    for path in paths:
        if root is not None:
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        digest.update(path.stat().st_size.to_bytes(8, "big"))
    return digest.hexdigest()


def files_named_in(value: object) -> list[Path]:
    """The files that options name, at any depth, each once and sorted: what they hold belongs to the options."""
    if isinstance(value, Mapping):
        return sorted({path for part in value.values() for path in files_named_in(part)})
    if isinstance(value, list | tuple):
        return sorted({path for part in value for path in files_named_in(part)})
    is_name = isinstance(value, str) and 0 < len(value) < _LONGEST_NAME and "\0" not in value
    return [Path(str(value))] if is_name and Path(str(value)).is_file() else []


def contents(value: object) -> str:
    """``<name>@<hash>`` of every file that options name, joined by ``+``; empty where they name none."""
    return "+".join(f"{path.name}@{content_hash([path])}" for path in files_named_in(value))


def cached_while_unchanged(size: int) -> Callable[[Callable[..., Found]], Callable[..., Found]]:
    """Like ``functools.lru_cache`` for a function whose first argument is the path of a file that it reads.

    A file that was changed or replaced meanwhile is read again: its inode, size and time of change belong to the key.

    Args:
        size: How many results are kept.
    """

    def wrap(function: Callable[..., Found]) -> Callable[..., Found]:
        @lru_cache(maxsize=size)
        def remembered(about: tuple[int, int, int] | None, path: str, *others: Hashable) -> Found:
            return function(path, *others)

        @wraps(function)
        def read(path: str, *others: Hashable) -> Found:
            try:
                found = Path(path).stat()
            except OSError:
                return remembered(None, path, *others)  # raises what the function says of it
            return remembered((found.st_ino, found.st_size, found.st_mtime_ns), path, *others)

        return read

    return wrap
