"""Crashes a small run at its boundaries with the disk, runs it again, and prints as JSON what came of it.

Run as a process of its own: ``python -m tests.flows.engine.crash_driver FOLDER SHARE SEED``. It imports everything
once and forks for each try, so it must not run a flow itself: threads do not survive a fork.

A boundary is a call that changes the disk below the run's folder: a file opened for writing, an fsync, a rename, a
removal, a new folder. What happens at boundary number k:

- ``kill``: the process ends before it.
- ``ENOSPC``, ``EIO``: the call fails, and every later write too (a full disk stays full).
- ``power``: the process ends, and what was not synced is lost: a file that was written since its last fsync is cut in
  half, a rename is undone whose folder was not synced.
"""

# It stands between pathlib and the system, so it works with what pathlib calls.
# ruff: noqa: PTH104, PTH107, PTH110, PTH112, PTH113, PTH115, PTH120, PTH202
import contextlib
import errno
import hashlib
import importlib
import json
import os
import random
import shutil
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

KINDS = ("kill", "ENOSPC", "EIO", "power")
_CRASHED = 77
_ROWS = 6


class Disk:
    """Counts boundaries below ``out`` and does ``kind`` at number ``at``; 0: never."""

    def __init__(self, out: Path, kind: str, at: int) -> None:
        self.out, self.kind, self.at, self.count = str(out), kind, at, 0
        self.unsynced: dict[str, int] = {}  # path to its size when it was last synced
        self.renamed: dict[str, tuple[str, bytes | None]] = {}  # target to source and what it held before
        self.off = False

    def install(self) -> None:
        import pyarrow as pa

        replace, os_file = os.replace, pa.OSFile

        def synced(descriptor: int) -> None:  # in name only, which is much faster: the machine itself stays up
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            self.boundary(path)
            self.unsynced.pop(path, None)
            for target in [t for t in self.renamed if os.path.dirname(t) == path]:
                del self.renamed[target]

        def replaced(source: Any, target: Any, **more: Any) -> None:
            source, target = os.fspath(source), os.fspath(target)
            self.boundary(target)
            before = Path(target).read_bytes() if os.path.isfile(target) else None
            replace(source, target, **more)
            if source in self.unsynced:
                self.unsynced[target] = self.unsynced.pop(source)
            if os.path.isfile(target):
                self.renamed[target] = (source, before)

        def opened(path: str, mode: str = "r", *more: Any) -> Any:
            if "w" in mode:
                self.boundary(path)
                self.unsynced[path] = 0
            return os_file(path, mode, *more)

        os.fsync, os.replace, pa.OSFile = synced, replaced, opened  # type: ignore[misc, assignment]
        sys.addaudithook(self.heard)

    def heard(self, event: str, details: tuple[Any, ...]) -> None:
        if self.off or event not in ("open", "os.remove", "os.mkdir", "os.rmdir"):
            return
        path = details[0]
        if not isinstance(path, str) or not path.startswith(self.out) or path.endswith("/.lock"):
            return
        if event == "open":
            mode, flags = details[1], details[2]
            if not flags & (os.O_WRONLY | os.O_RDWR) or (mode and mode == "rb+"):
                return
            self.boundary(path)
            size = os.path.getsize(path) if os.path.exists(path) and not flags & os.O_TRUNC else 0
            self.unsynced.setdefault(path, size)
        elif event != "os.rmdir" and "dir_fd" not in details:
            # A full disk does not hinder a removal.
            self.boundary(path, fails=event == "os.mkdir")

    def boundary(self, path: str, *, fails: bool = True) -> None:
        if self.off or not path.startswith(self.out):
            return
        self.count += 1
        if not self.at or self.count < self.at:
            return
        if self.kind in ("kill", "power"):
            self.off = True
            if self.kind == "power":
                self.lose()
            os._exit(_CRASHED)
        if fails:
            number = getattr(errno, self.kind)
            raise OSError(number, os.strerror(number), path)

    def lose(self) -> None:
        for path, size in self.unsynced.items():
            if os.path.isfile(path):
                os.truncate(path, (size + os.path.getsize(path)) // 2)
        for target, (source, before) in reversed(self.renamed.items()):
            if os.path.isfile(target):
                os.rename(target, source) if os.path.isdir(os.path.dirname(source)) else os.remove(target)
                if before is not None:
                    Path(target).write_bytes(before)


def build(folder: Path) -> Any:
    from spanferry.flows.config import RunConfig, build_config
    from spanferry.flows.translate.flow import translate_flow

    own = {"read.path": str(folder / "en.jsonl"), "read.target": str(folder / "es.jsonl"), "target": ("es",)}
    own |= {"shard_rows": 2, "projector.kind": "copy", "filters": (), "executor.workers": 1, "out": folder / "out"}
    return translate_flow(build_config(RunConfig, "project", options={**own, "output.formats": ("arrow", "jsonl")}))


def child(folder: Path, kind: str, at: int) -> tuple[int, str]:
    """Runs the flow in a fork; its exit status and what it said (the boundaries if all went well)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        status, said = 1, ""
        os.close(reading)
        try:
            from spanferry.corpora.errors import SpanferryError
            from spanferry.flows.engine.flow import run

            disk = Disk(folder / "out", kind, at)
            disk.install()
            try:
                done = run(build(folder), prefect=False)
                said = json.dumps([disk.count, sorted(sys.modules)])
                status = 0
                for failure in done.failures:
                    status, said = (2 if isinstance(failure.error, SpanferryError) else 3), repr(failure.error)
            except SpanferryError as error:
                status, said = 2, str(error)
            disk.off = True
        except BaseException:
            status, said = 3, traceback.format_exc()
        os.write(writing, said.encode()[:60_000])
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode(errors="replace")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def hashes(out: Path) -> dict[str, str]:
    """What was emitted: every file besides the stages, whose manifests hold times."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_file() and not name.startswith("stages/"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def left(out: Path) -> list[str]:
    return [
        p.relative_to(out).as_posix()
        for p in out.rglob("*")
        if p.name.endswith((".tmp", ".tick")) or ".write." in p.name
    ]


def attempt(folder: Path, kind: str, at: int, expected: dict[str, str]) -> tuple[str, str]:
    """What the crash was, and what is wrong after the same command again; empty: nothing."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    status, said = child(folder, kind, at)
    if status not in (0, 2, _CRASHED):
        return "ended otherwise", said
    if status == 2 and not any(hint in said for hint in ("same command", "Hint:")):
        return "refused", f"no hint: {said}"
    if kind in ("ENOSPC", "EIO") and (
        tmp := [p for p in left(out) if not p.startswith("stages/") and p.endswith(".tmp")]
    ):
        # The disk let removals through, so nothing temporary may be left by an error.
        return "refused", f"left at once: {tmp}"
    again, said = child(folder, "", 0)
    what = {0: "unharmed", 2: "refused"}.get(status, "killed")
    if again:
        return what, f"again: {said}"
    found = hashes(out)
    if found != expected:
        return what, f"differs: {sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))}"
    return what, f"left: {left(out)}" if left(out) else ""


def main(folder: Path, share: int, seed: int) -> dict[str, Any]:
    # Imported before the forks, so that no child pays for it.
    import datasets  # noqa: F401
    import polars  # noqa: F401

    import spanferry.flows.engine.flow  # noqa: F401

    for lang, text in (("en", "Anna has {} cats."), ("es", "Anna tiene {} gatos.")):
        rows = [
            {"id": f"r{n}", "text": text.format(n), "spans": [{"start": 0, "end": 4, "label": "PER", "id": "p"}]}
            for n in range(_ROWS)
        ]
        (folder / f"{lang}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    started = time.monotonic()
    status, said = child(folder, "", 0)
    if status:
        raise SystemExit(said)
    (boundaries, modules), expected = json.loads(said), hashes(folder / "out")
    for name in modules:  # those that the flow imports as it goes
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    tries = [(kind, at) for kind in KINDS for at in range(1, boundaries + 1)]
    if share > 1:
        tries = random.Random(seed).sample(tries, len(tries) // share)
    ends: Counter[str] = Counter()
    failures = []
    for kind, at in tries:
        what, wrong = attempt(folder, kind, at, expected)
        ends[what] += 1
        print(kind, at, what, wrong[:1500], file=sys.stderr)
        if wrong:
            failures.append([kind, at, wrong])
    took = round(time.monotonic() - started, 1)
    return {"boundaries": boundaries, "tries": len(tries), "ends": ends, "failures": failures, "seconds": took}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
