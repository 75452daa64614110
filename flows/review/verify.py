"""Whether a run's folder is as it was written: datasets by their checksums, stage files by their manifests.

Damaged Arrow can bring a process down, so stage files are opened in a process of their own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spanferry.corpora.checksums import SUMS, changed_files
from spanferry.corpora.errors import InputError
from spanferry.flows.engine.place import CONFIG, MARKER, STAMP, read_marker, stamp_of
from spanferry.flows.engine.store import COMPLETE, MANIFEST, SIGNATURE, Entry, parsed, stage_at
from spanferry.flows.inspector.index import FOLDER, is_whole_index
from spanferry.flows.store import digest

# Prints for every path that it is given how many rows its batches hold, or what is wrong with it.
_READ_ALL = """
import json, sys
import pyarrow as pa
for path in sys.argv[1:]:
    try:
        rows = 0
        with pa.memory_map(path) as file, pa.ipc.open_file(file) as reader:
            for i in range(reader.num_record_batches):
                batch = reader.get_batch(i)
                batch.validate(full=True)
                rows += batch.num_rows
        print(json.dumps(rows), flush=True)
    except Exception as error:
        print(json.dumps(str(error).partition("\\n")[0] or type(error).__name__), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was written.

    Attributes:
        path: Relative to the folder that was looked at.
        what: What is wrong with it.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at.

    Attributes:
        datasets: Folders with checksums.
        stage_files: Files of stages.
        problems: What is not as it was written, in the order of the paths.
    """

    datasets: int
    stage_files: int
    problems: tuple[Problem, ...]


def verify(out: Path) -> Verified:
    """Looks at everything in a run's folder, or in one dataset.

    Raises:
        InputError: There is no such folder, or nothing of ours in it.
    """
    if not out.is_dir():
        raise InputError("no such folder", where=str(out), hint="spanferry verify OUT, the folder that --out named")
    datasets = sorted(path.parent for path in out.rglob(SUMS))
    unsummed = sorted(path.parent for path in out.rglob(STAMP) if not (path.parent / SUMS).exists())
    stages = sorted(path.parent for path in out.glob(f"stages/*/{MANIFEST}"))
    if not (datasets or unsummed or stages):
        raise InputError(
            "neither a run nor a dataset of Spanferry's",
            where=str(out),
            valid=f"a folder with {SUMS}, or with folders that have it",
            hint="spanferry verify OUT, the folder that --out named",
        )
    problems = [p for folder in datasets for p in _dataset(folder)]
    problems += [Problem(str(folder), f"has no {SUMS}: an earlier version wrote it") for folder in unsummed]
    problems += _run_files(out)
    found, files = _stages(stages)
    problems += found
    shown = [Problem(str(Path(p.path).relative_to(out)), p.what) for p in problems]
    return Verified(len(datasets), files, tuple(sorted(shown, key=lambda p: (p.path, p.what))))


def _dataset(folder: Path) -> Iterator[Problem]:
    try:
        for name, what in changed_files(folder):
            yield Problem(str(folder / name), what)
    except InputError as error:
        yield Problem(str(folder / SUMS), error.message)


def _run_files(out: Path) -> Iterator[Problem]:
    """What a run writes beside the data: marker, configuration, stamps and the inspector's indexes."""
    for path in [out / CONFIG, *out.rglob(STAMP)]:
        if path.is_file() and not _is_json(path):
            yield Problem(str(path), "not JSON")
        elif path.name == STAMP:
            yield from _stamp(path.parent)
    marker = read_marker(out)
    if (out / MARKER).is_file() and marker is None:
        yield Problem(str(out / MARKER), "damaged")
    if marker and "config" in marker:
        path = out / CONFIG
        if not path.is_file():
            yield Problem(str(path), "missing")
        elif digest(path.read_bytes()) != marker["config"] and _is_json(path):
            yield Problem(str(path), "changed")
    for path in sorted((out / FOLDER).glob("*.arrow")):
        if not is_whole_index(path):
            yield Problem(str(path), "changed")


def _stamp(folder: Path) -> Iterator[Problem]:
    stamp, path = stamp_of(folder), folder / STAMP
    if not stamp and path.read_bytes().strip() != b"{}":
        yield Problem(str(path), "changed")
    sums = folder / SUMS
    if "sums" in stamp and sums.is_file() and digest(sums.read_bytes()) != stamp["sums"]:
        yield Problem(str(sums), "changed")


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


def _stages(stages: Sequence[Path]) -> tuple[list[Problem], int]:
    problems: list[Problem] = []
    expected: dict[Path, Entry] = {}
    for folder in stages:
        entries, bad = _entries(folder)
        problems += [Problem(str(folder / MANIFEST), f"line {number} is broken") for number in bad]
        problems += _stage_notes(folder)
        for shard, entry in entries.items():
            paths = [folder / f"{shard:06d}{suffix}" for suffix in (".arrow", ".bin")]
            path = next((p for p in paths if p.exists()), None)
            if path is None:
                problems.append(Problem(str(paths[0]), "missing"))
            else:
                expected[path] = entry
            for suffix, written in entry.files.items():
                part = folder / f"{shard:06d}{suffix}"
                if not part.exists():
                    if suffix not in (".arrow", ".bin"):
                        problems.append(Problem(str(part), "missing"))
                elif digest(part.read_bytes()) != written:
                    problems.append(Problem(str(part), "changed"))
        known = {f"{shard:06d}" for shard in entries}
        problems += [
            Problem(str(path), f"has no line in {MANIFEST}")
            for path in folder.iterdir()
            if path.suffix in (".arrow", ".bin") and not path.name.startswith(".") and path.stem not in known
        ]
    digests = {path: digest(path.read_bytes()) for path in expected}
    known_digests = set(digests.values())
    for path, entry in expected.items():
        if entry.inputs and entry.inputs not in known_digests:
            problems.append(Problem(str(path), "the file it was made from has changed or is missing"))
    tables = [path for path in expected if path.suffix == ".arrow"]
    for path, counted in zip(tables, _rows(tables), strict=True):
        if counted != expected[path].rows and str(path) not in {p.path for p in problems}:
            what = counted if isinstance(counted, str) else f"{counted} rows, {expected[path].rows} were written"
            problems.append(Problem(str(path), what))
    return problems, len(expected)


def _stage_notes(folder: Path) -> Iterator[Problem]:
    """The readable signature, by which the folder is named, and the marker of a stage that makes the shards."""
    stage = stage_at(folder)
    if stage.directory != folder:
        yield Problem(str(folder / SIGNATURE), "changed" if (folder / SIGNATURE).exists() else "missing")
    elif (folder / COMPLETE).exists() and stage.shards is None:
        yield Problem(str(folder / COMPLETE), "changed")


def _entries(folder: Path) -> tuple[dict[int, Entry], list[int]]:
    """The last line of every shard, and the numbers of the lines that are broken; a torn one a killed run left."""
    entries: dict[int, Entry] = {}
    bad = []
    for number, line in enumerate((folder / MANIFEST).read_bytes().split(b"\n"), 1):
        entry = parsed(line)
        if entry is not None:
            entries[entry.shard] = entry
        elif line.endswith(b"}") or any(parsed(line[:-1] + end) for end in (b"", b"}")):
            bad.append(number)
    return entries, bad


def _rows(paths: Sequence[Path]) -> list[int | str]:
    """How many rows each Arrow file has, or what is wrong with it."""
    counted: list[int | str] = []
    while len(counted) < len(paths):
        rest = [str(path) for path in paths[len(counted) :]]
        done = subprocess.run([sys.executable, "-c", _READ_ALL, *rest[:500]], capture_output=True, check=False)
        counted += [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode:
            counted.append("damaged: it can't be opened without ending the process")
    return counted
