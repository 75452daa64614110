"""Stage files: one Arrow file per (step, shard), written whole or not at all, and a manifest line for each.

The directory of a stage carries the digest of every choice up to that stage, so a changed choice finds no file and an
unchanged one finds all of them. Nothing is ever read half-written: files appear by rename after an fsync.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa

from spanferry.corpora.arrow import read_table, write_table
from spanferry.flows.store import digest, write_bytes

MANIFEST, SIGNATURE, COMPLETE = "manifest.jsonl", "signature.txt", "complete"


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
    """

    shard: int
    rows: int
    inputs: str = ""
    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: Sequence[str] = ()


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
        self.directory.mkdir(parents=True, exist_ok=True)
        note = self.directory / SIGNATURE
        if not note.exists():
            write_bytes(note, (self.signature + "\n").encode())
        return self

    def done(self) -> dict[int, Entry]:
        """Entries of the shards whose file is there too (a file without its line was cut off before it)."""
        if not self.directory.is_dir():
            return {}
        there = {path.name for path in self.directory.iterdir()}

        def whole(entry: Entry) -> bool:
            stem = f"{entry.shard:06d}"
            own = f"{stem}.arrow" in there or f"{stem}.bin" in there
            return own and all(f"{stem}.{part}.arrow" in there for part in entry.parts)

        return {shard: entry for shard, entry in self.entries().items() if whole(entry)}

    def entries(self) -> dict[int, Entry]:
        """Manifest lines by shard; the last one of a shard counts. A torn last line is not there."""
        found: dict[int, Entry] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.directory / MANIFEST).read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(json.JSONDecodeError, TypeError):
                    entry = Entry(**json.loads(line))
                    found[entry.shard] = entry
        return found

    def write(self, table: pa.Table | bytes, entry: Entry, parts: Mapping[str, pa.Table] | None = None) -> Entry:
        """Writes the files of the entry's shard, then its manifest line."""
        for name, part in (parts or {}).items():
            write_table(self.path(entry.shard, f".{name}.arrow"), part)
        if isinstance(table, bytes):
            write_bytes(self.path(entry.shard, ".bin"), table)
        else:
            write_table(self.path(entry.shard), table)
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

    def read(self, shard: int, part: str = "") -> pa.Table:
        """The shard's table, or a further one of the same shard."""
        return read_table(self.path(shard, f".{part}.arrow" if part else ".arrow"))

    def state(self) -> bytes:
        """The bytes of a stage that has them instead of a table."""
        return self.path(0, ".bin").read_bytes()

    @property
    def shards(self) -> int | None:
        """Of a stage that makes the shards: how many there are; None: it is not finished."""
        try:
            return int((self.directory / COMPLETE).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def complete(self, shards: int) -> None:
        """Marks that all shards are there."""
        write_bytes(self.directory / COMPLETE, str(shards).encode())

    def tick(self, shard: int) -> Path:
        """The file that tells how far the work on a shard is."""
        return self.directory / f".{shard:06d}.tick"
