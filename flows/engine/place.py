"""The folder of a run: how it is recognised, held by one process at a time, and forgotten.

A run's folder has a marker that only this module writes. What is in it and is not a run's own is never touched:
``forget`` deletes what is known by the marker, a stamp or the layout of the stages, and refuses the rest by name.
"""

import contextlib
import fcntl
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spanferry.corpora.checksums import SUMS, completed_sums
from spanferry.corpora.errors import OutputError
from spanferry.corpora.files import writing
from spanferry.corpora.review.decisions import LOG
from spanferry.flows.store import digest, make_folder, write_bytes, write_json

MARKER, STAMP, LOCK, CONFIG, STAGES = ".spanferry-run.json", ".spanferry.json", ".lock", "config.json", "stages"
STOP, BUDGET = ".stop", ".budget"
_SCHEMA = 1
_FLOWS = frozenset({"translate-train", "project", "parallel", "derive", "code-switch", "apply-decisions"})
_KEYS = frozenset({"flow", "out", "seed", "executor"})
_STAGE = re.compile(r"[^/]+-[0-9a-f]{12}")
_STAGE_FILE = re.compile(r"\d{6}(\.\w+)?\.(arrow|bin)|manifest\.jsonl|signature\.txt|complete|\..+\.(tmp|tick)")
# Earlier versions' stamps do not list the files; these are the kinds that the writers, the report and the index have.
_WRITTEN = re.compile(
    r".*\.(arrow|parquet|json|jsonl|md|svg|csv|tsv|conll|conllu?|iob|spacy|tmx|txt|align|db|sqlite|npy|npz|idx|[a-z]{2})"
    r"|SHA256SUMS"
)
_REVIEW, _REVIEWED = "review.json", "-reviewed"
_INDEX = ".inspect"  # the inspector's own
_SHOWN = 8
_HALF = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")  # what a killed ``atomic_path`` leaves


def read_marker(out: Path) -> dict[str, Any] | None:
    """What the marker says: ``flow``, ``version``, ``made`` (folders that were written) and ``config`` (a digest).

    None without one, or where it is damaged.
    """
    found = _json(out / MARKER)
    about = found.get("spanferry") if isinstance(found, dict) else None
    if isinstance(about, dict) and found.get("check") not in (None, _check(about)):  # earlier versions have none
        return None
    if isinstance(about, dict) and about.get("schema") == _SCHEMA and isinstance(about.get("flow"), str):
        return {**about, "made": [name for name in about.get("made", []) if isinstance(name, str)]}
    return None


def mark(out: Path, flow: str | None, version: str, made: Iterable[str] = (), config: bytes | None = None) -> None:
    """Marks ``out`` as a run's folder, in which ``made`` are the run's own besides those that it had.

    A ``flow`` of None works on another flow's run, whose name stays. ``config`` is what ``config.json`` holds now;
    None: the same as before.
    """
    before = read_marker(out) or {"made": [], "flow": (_json(out / CONFIG) or {}).get("flow", "")}
    names = sorted({*before["made"], *made})
    about = {"schema": _SCHEMA, "flow": flow or before["flow"], "version": version, "made": names}
    if known := before.get("config") if config is None else digest(config):
        about["config"] = known
    if before != about:
        write_json(out / MARKER, {"spanferry": about, "check": _check(about)})


def is_run(out: Path) -> bool:
    """Whether a run lies in ``out``: it has our marker, or the configuration and the stages of an earlier version."""
    if read_marker(out) is not None:
        return True
    config = _json(out / CONFIG)
    known = isinstance(config, dict) and config.get("flow") in _FLOWS and set(config) >= _KEYS
    if not known and (out / MARKER).is_file():  # damaged: the names of the stages follow from what is in them
        return any(map(_is_stage, _listed(out / STAGES)))
    stages = [p for p in _listed(out / STAGES) if _STAGE.fullmatch(p.name)] if known else []
    return any((stage / "signature.txt").is_file() or (stage / "manifest.jsonl").is_file() for stage in stages)


def _is_stage(stage: Path) -> bool:
    try:
        return stage.name.endswith("-" + digest((stage / "signature.txt").read_bytes().removesuffix(b"\n")))
    except OSError:
        return False


def check_place(out: Path) -> None:
    """Whether a run may be written to ``out``: nothing is there, or a run, or what people decided on one.

    Raises:
        OutputError: Something else is there.
    """
    if out.exists() and not out.is_dir():
        raise OutputError("the run directory is a file", where=str(out), hint="--out DIRECTORY")
    others = [p for p in _listed(out) if p.name not in (LOG, LOCK) and not _HALF.fullmatch(p.name)]
    if others and not is_run(out):
        raise OutputError(
            f"the directory holds something other than a run: {_names(others, out)}",
            where=str(out),
            hint="--out NEW_DIRECTORY",
        )


def forget(out: Path) -> None:
    """Removes an earlier run's own files; what people decided on it stays. Only for the holder of the run's lock.

    Raises:
        OutputError: There is something in the folder that no run made; nothing has been removed.
    """
    check_place(out)
    foreign = list(foreign_entries(out))
    if foreign:
        raise OutputError(
            f"not removed: it holds something other than the run: {_names(foreign, out)}",
            where=str(out),
            hint="move it away, or --out NEW_DIRECTORY",
        )
    for path in _listed(out):
        if path.name in (LOG, LOCK, MARKER):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (out / MARKER).unlink(missing_ok=True)


def foreign_entries(out: Path) -> Iterator[Path]:
    """Everything in a run's folder that no run made."""
    made = set((read_marker(out) or {"made": []})["made"])
    for path in _listed(out):
        if path.is_symlink():
            yield path
        elif path.name == STAGES and path.is_dir():
            yield from _foreign_stages(path)
        elif path.is_dir() and path.name != _INDEX:
            stamp = _json(path / STAMP)
            ours = path.name in made or isinstance(stamp, dict) or _is_review(path)
            yield from _foreign_files(path, stamp) if ours else [path]
        elif path.name not in (LOG, LOCK, MARKER, CONFIG, _INDEX) and not path.name.endswith(".tmp"):
            yield path


def _foreign_stages(stages: Path) -> Iterator[Path]:
    for path in _listed(stages):
        if path.name in (STOP, BUDGET):
            continue
        if path.is_symlink() or not path.is_dir() or not _STAGE.fullmatch(path.name):
            yield path
            continue
        yield from (p for p in _listed(path) if p.is_symlink() or p.is_dir() or not _STAGE_FILE.fullmatch(p.name))


def _foreign_files(folder: Path, stamp: Any) -> Iterator[Path]:
    listed = stamp.get("files") if isinstance(stamp, dict) else None
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_symlink():
            yield path
        elif path.is_dir() or relative.parts[0].startswith(".write.") or path.name == STAMP:
            continue
        elif isinstance(listed, list):
            if relative.as_posix() not in listed and not path.name.endswith(".tmp"):
                yield path
        elif not _WRITTEN.fullmatch(path.name) and not path.name.endswith(".tmp"):
            yield path


def _is_review(folder: Path) -> bool:
    """Whether an earlier version wrote it from decisions: ``es-reviewed``, or a format of it."""
    stem, found, _ = folder.name.partition(_REVIEWED)
    return bool(found) and isinstance(_json(folder.with_name(stem + _REVIEWED) / _REVIEW), dict)


def sweep(out: Path) -> None:
    """Removes what a killed process left half-written. Only for the holder of the run's lock."""
    for folder in (out, out / _INDEX, out / STAGES, *(p for p in _listed(out / STAGES) if p.is_dir())):
        for left in (*folder.glob(".*.tmp"), *folder.glob(".*.tick"), *folder.glob(STOP)):
            with writing(left):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    for name in (read_marker(out) or {"made": []})["made"]:
        halves = [p for p in (out / name).rglob(".*.tmp") if _HALF.fullmatch(p.name)]
        for left in (*halves, *(out / name).glob(".write.*")):
            with writing(left):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


@contextlib.contextmanager
def run_lock(out: Path) -> Iterator[None]:
    """Holds the run directory for this process.

    Raises:
        OutputError: Another process works on it.
    """
    make_folder(out)
    with writing(out / LOCK):
        file = (out / LOCK).open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                "another spanferry process writes to this directory", where=str(out), hint="wait for it, or --out OTHER"
            ) from error
        yield


def stamp_of(place: Path) -> Mapping[str, Any]:
    """The stamp of an output folder; empty without one, or where it is damaged."""
    found = _json(place / STAMP)
    if not isinstance(found, dict) or not isinstance(found.get("facts", {}), dict):
        return {}
    check = found.pop("check", None)  # earlier versions have none
    return found if check is None or check == _check(found) else {}


def stamp(place: Path, made: str, facts: Mapping[str, Any], stages: Sequence[str] = ()) -> None:
    """Stamps an output folder as finished: what it was made by, what it holds, its files and their checksums.

    Args:
        place: The folder.
        made: Digest of the step that wrote it.
        facts: What the step reported.
        stages: Names of the folders of the stages that it was written from.
    """
    sums = completed_sums(place, [STAMP]).encode()
    write_bytes(place / SUMS, sums)
    files = sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file() and p.name != STAMP)
    about = {"made": made, "facts": dict(facts), "files": files, "stages": list(stages), "sums": digest(sums)}
    write_json(place / STAMP, {**about, "check": _check(about)})


def _check(about: Mapping[str, Any]) -> str:
    return digest(json.dumps(about, sort_keys=True))


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _names(paths: list[Path], out: Path) -> str:
    shown = ", ".join(p.relative_to(out).as_posix() + ("/" if p.is_dir() else "") for p in paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else shown


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
