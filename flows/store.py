"""Stage files: one Arrow file per (stage, shard), written whole or not at all, and a manifest line for each.

The directory of a stage carries the digest of every choice up to that stage, so a changed choice finds no file and an
unchanged one finds all of them. Nothing is ever read half-written: files appear by rename after an fsync.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.arrow import read_table, write_table
from corpora.decisions import LOG
from corpora.errors import OutputError
from corpora.files import atomic_path

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stage's manifest.

    Attributes:
        shard: Number of the shard.
        rows: Rows in its file.
        inputs: Digest of the files it was made from.
        seconds: Wall-clock time of the work; nothing depends on it.
        counts: Whatever the stage counts.
    """

    shard: int
    rows: int
    inputs: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """A directory of shard files.

    Attributes:
        name: ``translate``; with the target language where it has one, ``translate-es``.
        signature: Every choice up to this stage, readable.
        root: The run's ``stages`` directory.
    """

    name: str
    signature: str
    root: Path

    @property
    def directory(self) -> Path:
        return self.root / f"{self.name}-{digest(self.signature)}"

    def path(self, shard: int, suffix: str = ".arrow") -> Path:
        return self.directory / f"{shard:06d}{suffix}"

    def open(self) -> "Stage":
        """Makes the directory, with the readable signature in it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        note = self.directory / "signature.txt"
        if not note.exists():
            write_bytes(note, (self.signature + "\n").encode())
        return self

    def done(self, shard: int) -> bool:
        """Whether the shard's file is there and has its manifest line (a file without one was cut off before it)."""
        return self.path(shard).exists() and shard in self.entries()

    def entries(self) -> dict[int, Entry]:
        """Manifest lines by shard; the last one of a shard counts. A torn last line is not there."""
        found: dict[int, Entry] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.directory / MANIFEST).read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(json.JSONDecodeError, TypeError):
                    entry = Entry(**json.loads(line))
                    found[entry.shard] = entry
        return found

    def write(self, shard: int, table: pa.Table, entry: Entry) -> Entry:
        """Writes the shard's file, then its manifest line."""
        write_table(self.path(shard), table)
        self.record(entry)
        return entry

    def record(self, entry: Entry) -> None:
        """Appends one manifest line; several processes may do so at once."""
        line = json.dumps(asdict(entry), sort_keys=True) + "\n"
        with (self.directory / MANIFEST).open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A line torn by a crash must not swallow the next one.
            if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def read(self, shard: int) -> pa.Table:
        """The shard's table."""
        return read_table(self.path(shard))


def digest(text: str | bytes, length: int = 12) -> str:
    """The first ``length`` hex digits of BLAKE2b."""
    return hashlib.blake2b(text.encode() if isinstance(text, str) else text).hexdigest()[:length]


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a whole file or nothing.

    Raises:
        OutputError: The disk or its rights do not allow it.
    """
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise OutputError(
            f"can't write: {error.strerror}", where=str(path), hint="--out DIR with free space"
        ) from error


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless it is there.

    Raises:
        OutputError: A file is in the way, or the disk or its rights do not allow it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"can't make this folder: {error.strerror}", where=str(path), hint="--out DIRECTORY, one that can be made"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` as JSON with sorted keys, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode())


def sweep(out: Path) -> None:
    """Removes what a killed process left half-written. Only for the holder of the run's lock."""
    for folder in (out, *out.glob("stages/*")):
        for left in folder.glob(".*.tmp"):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def check_place(out: Path) -> None:
    """Whether a run may be written to ``out``: nothing is there, or a run, or what people decided on one.

    Raises:
        OutputError: Something else is there.
    """
    if out.exists() and not out.is_dir():
        raise OutputError("the run directory is a file", where=str(out), hint="--out DIRECTORY")
    if out.exists() and any(p.name != LOG for p in out.iterdir()) and not (out / "config.json").exists():
        raise OutputError("the directory holds something else than a run", where=str(out), hint="--out NEW_DIRECTORY")


@contextlib.contextmanager
def run_lock(out: Path) -> Iterator[None]:
    """Holds the run directory for this process.

    Raises:
        OutputError: Another process works on it.
    """
    make_folder(out)
    with (out / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                "another spanferry process writes to this directory", where=str(out), hint="wait for it, or --out OTHER"
            ) from error
        yield
