"""Stage files: one Arrow file per (step, shard), written whole or not at all, and a manifest line for each.

The directory of a stage carries the digest of every choice up to that stage, so a changed choice finds no file and an
unchanged one finds all of them. Nothing is ever read half-written: files appear by rename after an fsync. What was
changed on the disk later is found by its digest: such a shard is not done, and computed again.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from spanferry.corpora.arrow import read_table, write_table
from spanferry.corpora.errors import InputError
from spanferry.corpora.files import make_folders, writing
from spanferry.flows.store import digest, write_bytes

MANIFEST, SIGNATURE, COMPLETE = "manifest.jsonl", "signature.txt", "complete"
_CHECK = "check"  # digest of the rest of a manifest line

# Digests of files as they were last seen: a file is hashed once while it does not change.
_seen: dict[Path, tuple[tuple[int, int, int], str]] = {}
# Manifests as far as they were read: inode, bytes, entries.
_manifests: dict[Path, tuple[int, int, dict[int, "Entry"]]] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stage's manifest.

    Attributes:
        shard: Number of the shard.
        rows: Rows in its file.
        inputs: Digest of the files it was made from; empty where the stage's signature says it all.
        seconds: Wall-clock time of the work; nothing depends on it.
        counts: Whatever the step counts.
        parts: Names of further files of the shard.
        files: Digest of each file of the shard, by its suffix; earlier versions have none.
        errors: Kind of model call to ``rows`` that failed in it and the ``last`` error.
    """

    shard: int
    rows: int
    inputs: str = ""
    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """A directory of shard files.

    Attributes:
        name: ``translate-es``.
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
        with writing(self.directory):
            make_folders(self.directory)
        note = self.directory / SIGNATURE
        if not note.exists():
            write_bytes(note, (self.signature + "\n").encode())
        return self

    def done(self) -> dict[int, Entry]:
        """Entries of the shards whose files are there as they were written; one without its line was cut off before."""
        if not self.directory.is_dir():
            return {}
        there = {path.name for path in self.directory.iterdir()}

        def whole(entry: Entry) -> bool:
            stem = f"{entry.shard:06d}"
            own = f"{stem}.arrow" in there or f"{stem}.bin" in there
            parts = all(f"{stem}.{part}.arrow" in there for part in entry.parts)
            return own and parts and all(self._is_whole(entry, suffix) for suffix in entry.files)

        return {shard: entry for shard, entry in self.entries().items() if whole(entry)}

    def entries(self) -> dict[int, Entry]:
        """Manifest lines by shard; the last one of a shard counts. Torn, damaged and foreign lines are passed over."""
        try:
            lines = (self.directory / MANIFEST).read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        return {entry.shard: entry for line in lines if (entry := parsed(line)) is not None}

    def write(self, table: pa.Table | bytes, entry: Entry, parts: Mapping[str, pa.Table] | None = None) -> Entry:
        """Writes the files of the entry's shard, then its manifest line with their digests."""
        tables = {f".{name}.arrow": part for name, part in (parts or {}).items()}
        if isinstance(table, bytes):
            write_bytes(self.path(entry.shard, ".bin"), table)
        else:
            tables[".arrow"] = table
        for suffix, part in tables.items():
            write_table(self.path(entry.shard, suffix), part)
        suffixes = [*tables, ".bin"] if isinstance(table, bytes) else [*tables]
        entry = replace(entry, files={suffix: file_digest(self.path(entry.shard, suffix)) for suffix in suffixes})
        self.record(entry)
        return entry

    def record(self, entry: Entry) -> None:
        """Appends one manifest line; several processes may do so at once."""
        fields = asdict(entry)
        line = json.dumps({**fields, _CHECK: _check(fields)}, sort_keys=True) + "\n"
        path = self.directory / MANIFEST
        with writing(path), path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A line torn by a crash must not swallow the next one.
            if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def read(self, shard: int, part: str = "") -> pa.Table:
        """The shard's table, or a further one of the same shard.

        Raises:
            InputError: The file is missing or not as it was written.
        """
        return read_table(self._checked(shard, f".{part}.arrow" if part else ".arrow"))

    def state(self) -> bytes:
        """The bytes of a stage that has them instead of a table.

        Raises:
            InputError: The file is missing or not as it was written.
        """
        return self._checked(0, ".bin").read_bytes()

    def _checked(self, shard: int, suffix: str) -> Path:
        entry, path = self._entry(shard), self.path(shard, suffix)
        if entry is not None and suffix in entry.files and not self._is_whole(entry, suffix):
            raise InputError(
                "the stage file is missing or not as it was written",
                where=str(path),
                hint="the same command again computes it anew",
            )
        return path

    def _entry(self, shard: int) -> Entry | None:
        """The entry of one shard; only what the manifest has gained since the last call is read."""
        path = self.directory / MANIFEST
        try:
            with path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                before, offset, entries = _manifests.get(path, (inode, 0, {}))
                if before != inode:
                    offset, entries = 0, {}
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return None
        lines = data[: data.rfind(b"\n") + 1]
        fresh = {entry.shard: entry for line in lines.split(b"\n") if (entry := parsed(line)) is not None}
        if lines:
            entries = entries | fresh
            _manifests[path] = (inode, offset + len(lines), entries)
        return entries.get(shard)

    def _is_whole(self, entry: Entry, suffix: str) -> bool:
        try:
            return file_digest(self.path(entry.shard, suffix)) == entry.files[suffix]
        except OSError:
            return False

    @property
    def shards(self) -> int | None:
        """Of a stage that makes the shards: how many there are; None: it is not finished."""
        try:
            count, *check = (self.directory / COMPLETE).read_text(encoding="utf-8").split()
            return int(count) if check in ([], [digest(f"{self.signature}|{count}")]) else None
        except (OSError, ValueError):
            return None

    def complete(self, shards: int) -> None:
        """Marks that all shards are there."""
        write_bytes(self.directory / COMPLETE, f"{shards} {digest(f'{self.signature}|{shards}')}".encode())

    def tick(self, shard: int) -> Path:
        """The file that holds how far the work on a shard is."""
        return self.directory / f".{shard:06d}.tick"


def stage_at(directory: Path) -> Stage:
    """The stage that lies in a directory; one without a readable signature has no shards and no marker that counts."""
    try:
        signature = (directory / SIGNATURE).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, ValueError):
        signature = ""
    return Stage(directory.name.rpartition("-")[0], signature, directory.parent)


def parsed(line: bytes) -> Entry | None:
    """The entry of a manifest line; None: it is torn, damaged or not ours."""
    try:
        fields = json.loads(line)
        if _CHECK in fields and fields.pop(_CHECK) != _check(fields):
            return None
        entry = Entry(**fields)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    kinds = ((entry.counts, dict), (entry.parts, list), (entry.files, dict), (entry.errors, dict))
    numbers = all(type(number) is int and number >= 0 for number in (entry.shard, entry.rows))
    return entry if numbers and all(isinstance(value, kind | tuple) for value, kind in kinds) else None


def file_digest(path: Path) -> str:
    """Digest of a file's bytes, remembered while the file does not change."""
    stat = path.stat()
    state = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    known = _seen.get(path)
    if known is None or known[0] != state:
        known = _seen[path] = (state, digest(path.read_bytes()))
    return known[1]


def _check(fields: Mapping[str, Any]) -> str:
    return digest(json.dumps(fields, sort_keys=True))
