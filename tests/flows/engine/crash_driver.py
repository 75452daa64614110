"""Crashes a small run at its calls to the disk or at random moments, runs it again, and prints what came of it.

Run as a process of its own, with ``disk_calls.c`` in front of the system::

    cc -shared -fPIC -o disk.so tests/flows/engine/disk_calls.c -ldl
    LD_PRELOAD=$PWD/disk.so python -m tests.flows.engine.crash_driver FOLDER --share 1
    LD_PRELOAD=$PWD/disk.so python -m tests.flows.engine.crash_driver FOLDER --moments 200 --workers 4

It imports everything once and forks for each try, so it must not run a flow itself: threads do not survive a fork.
After each crash the same command must give the bytes of a run that nothing disturbed, and leave nothing temporary.
"""

import argparse
import contextlib
import gc
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.flows.engine.crash_disk import CRASHED, KINDS, Disk

_ROWS = 6
_FAILING = ("ENOSPC", "EIO")


@dataclass(frozen=True)
class Setting:
    """The run that is crashed.

    Attributes:
        folder: Its input, and ``out``.
        workers: Threads.
        over: Whether ``out`` holds the output of another configuration, which is replaced.
    """

    folder: Path
    workers: int = 1
    over: bool = False

    @property
    def out(self) -> Path:
        """What the run writes."""
        return self.folder / "out"

    def build(self, seed: int) -> Any:
        """The flow; into a language without a bundled model, so that none is loaded."""
        from spanferry.flows.config import RunConfig, build_config
        from spanferry.flows.translate.flow import translate_flow

        own = {"read.path": str(self.folder / "en.jsonl"), "read.target": str(self.folder / "es.jsonl")}
        own |= {"target": ("sw",), "shard_rows": 2, "projector.kind": "copy", "filters": (), "out": self.out}
        own |= {"executor.workers": self.workers, "output.formats": ("arrow", "jsonl"), "seed": seed}
        return translate_flow(build_config(RunConfig, "project", options=own))


def start(setting: Setting, kind: str = "", at: int = 0, *, seed: int = 0) -> tuple[int, int]:
    """Starts the flow in a fork; its process id and the descriptor from which what it says is read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status, said = 1, ""
    os.close(reading)
    try:
        from spanferry.corpora.errors import SpanferryError
        from spanferry.flows.engine.flow import run

        disk = Disk(setting.out, kind, at)
        disk.install()
        try:
            done = run(setting.build(seed), prefect=False)
            said = json.dumps([disk.count, sorted(sys.modules)])
            status = 0
            for failure in done.failures:
                status, said = (2 if isinstance(failure.error, SpanferryError) else 3), str(failure.error)
                if status == 3:
                    said = "".join(traceback.format_exception(failure.error))
        except SpanferryError as error:
            status, said = 2, str(error)
        disk.off = True
    except BaseException:
        status, said = 3, traceback.format_exc()
    with contextlib.suppress(OSError):
        os.write(writing, said.encode()[:60_000])
    os._exit(status)


def end(started: tuple[int, int]) -> tuple[int, str]:
    """Waits for a fork: exit status and what it said, the number of calls if all went well."""
    pid, reading = started
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
    """Temporary files and folders."""
    ends = (".tmp", ".tick")
    return sorted(
        p.relative_to(out).as_posix() for p in out.rglob("*") if p.name.endswith(ends) or p.name.startswith(".write.")
    )


def fresh(setting: Setting, before: Path) -> None:
    """Makes ``out`` as it is before the run that is crashed."""
    shutil.rmtree(setting.out, ignore_errors=True)
    if setting.over:
        shutil.copytree(before, setting.out)


def crashed(setting: Setting, kind: str, at: int) -> tuple[str, str]:
    """How the run ended that was disturbed, and what is wrong with that; empty: nothing."""
    status, said = end(start(setting, kind, at))
    # Where the disk loses what another thread has mapped, that thread ends the process a moment before.
    if status not in (0, 2, CRASHED) and not (status == -signal.SIGBUS and kind.startswith("power")):
        return "ended otherwise", f"status {status} {said}"
    if status == 2 and not any(hint in said for hint in ("same command", "Hint:")):
        return "refused", f"no hint: {said}"
    # A full disk lets removals through, so nothing temporary may be left by an error.
    if kind in _FAILING and (tmp := [p for p in left(setting.out) if not p.endswith(".tick")]):
        return "refused", f"left at once: {tmp}"
    return {0: "unharmed", 2: "refused"}.get(status, "killed"), ""


def killed(setting: Setting, seconds: float) -> tuple[str, str]:
    """Kills the run after so many seconds."""
    pid, reading = start(setting)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    status, said = end((pid, reading))
    if status not in (0, -signal.SIGKILL):
        return "ended otherwise", f"status {status} {said}"
    return "killed" if status else "unharmed", ""


def again(setting: Setting, expected: dict[str, str]) -> str:
    """What is wrong after the same command; empty: nothing."""
    status, said = end(start(setting))
    if status:
        return f"again: {said}"
    found = hashes(setting.out)
    if found != expected:
        return f"differs: {sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))}"
    return f"left: {left(setting.out)}" if left(setting.out) else ""


def main(setting: Setting, share: int, seed: int, moments: int, seconds: float) -> dict[str, Any]:
    """Tries everything, in random order, for at most so many seconds; figures, and failures in full."""
    # Imported before the forks, so that no child pays for it.
    import datasets  # noqa: F401
    import polars  # noqa: F401

    import spanferry.flows.engine.flow  # noqa: F401

    for lang, text in (("en", "Anna has {} cats."), ("es", "Anna tiene {} gatos.")):
        rows = [
            {"id": f"r{n}", "text": text.format(n), "spans": [{"start": 0, "end": 4, "label": "PER", "id": "p"}]}
            for n in range(_ROWS)
        ]
        (setting.folder / f"{lang}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    began = time.monotonic()
    before = setting.folder / "before"
    if setting.over:
        shutil.rmtree(before, ignore_errors=True)
        shutil.rmtree(setting.out, ignore_errors=True)
        _must(end(start(setting, seed=1)))
        setting.out.rename(before)
    fresh(setting, before)
    calls, modules = json.loads(_must(end(start(setting))))
    for name in modules:  # those that the flow imports as it goes
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that forks copy less
    fresh(setting, before)
    started = time.monotonic()
    _must(end(start(setting)))
    took, expected = time.monotonic() - started, hashes(setting.out)
    rng = random.Random(seed)
    tries: list[tuple[str, float]] = [(kind, at) for kind in KINDS for at in range(1, calls + 1)]
    tries = rng.sample(tries, len(tries) // share) if share else []
    tries += [("moment", rng.uniform(0, took)) for _ in range(moments)]
    ends: Counter[str] = Counter()
    failures = []
    for kind, at in tries:
        if time.monotonic() - began > seconds:
            break
        fresh(setting, before)
        what, wrong = killed(setting, at) if kind == "moment" else crashed(setting, kind, int(at))
        wrong = wrong or again(setting, expected)
        ends[f"{kind}: {what}"] += 1
        if wrong:
            failures.append([kind, at, wrong])
            print(kind, at, what, wrong[:3000], file=sys.stderr, flush=True)
    spent = round(time.monotonic() - began, 1)
    return {"calls": calls, "tries": sum(ends.values()), "ends": ends, "failures": failures, "seconds": spent}


def _must(ended: tuple[int, str]) -> str:
    status, said = ended
    if status:
        raise SystemExit(said)
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=int, default=0, help="one in so many of the calls; 0: none, 1: all")
    parser.add_argument("--moments", type=int, default=0, help="random moments")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="ends after so many")
    parser.add_argument("--over", action="store_true", help="over another run's output")
    given = parser.parse_args()
    run_of = Setting(given.folder, given.workers, given.over)
    print(json.dumps(main(run_of, given.share, given.seed, given.moments, given.seconds)))
