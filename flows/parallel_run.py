"""Runs the stages of a parallel or derived set that are not on disk yet, and writes what comes of them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from corpora.derive.base import key_of
from flows import parallel_tasks as tasks
from flows.engine import Failure, Progress, run_under_prefect
from flows.parallel_config import DeriveConfig, ParallelConfig
from flows.parallel_plan import SetPlan, check, set_plan
from flows.progress import TerminalProgress
from flows.store import check_place, run_lock, sweep, write_bytes
from projectors.base import FittedAligner

STAMP = ".spanferry.json"
Job = tuple[str, str, int]


@dataclass(slots=True)
class SetResult:
    """What a run wrote and what went wrong in it.

    Attributes:
        out: The run directory.
        written: Format or kind to its folder.
        counts: Format or kind to rows by split, ``rejected`` last.
        reasons: Format or kind to rejected rows by reason.
        failures: Shards that failed.
        computed: Shards computed now, by stage.
        seconds: Wall-clock time.
    """

    out: Path
    written: dict[str, Path] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    computed: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def run_set(
    config: ParallelConfig | DeriveConfig, emit: Callable[[SetPlan, SetResult], None], console: Console | None = None
) -> SetResult:
    """Runs what is not done yet and writes the set.

    Args:
        config: The resolved configuration.
        emit: Writes the finished rows.
        console: Where progress goes; None keeps silent.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    started = time.monotonic()
    out = config.out
    check_place(out)
    plan = set_plan(config.to_json(), str(out / "stages"))
    check(plan)
    result = SetResult(out)
    with run_lock(out):
        sweep(out)
        write_bytes(out / "config.json", config.to_json().encode())
        with _progress(console) as progress:
            _stages(plan, result, progress)
        if not result.failures:
            emit(plan, result)
    result.seconds = time.monotonic() - started
    return result


def sample_key(plan: SetPlan, name: str) -> int:
    """What the rows shown in the report are drawn by: the seed and the row's id, not its place."""
    return key_of(plan.config.seed, "shown", name)


@contextlib.contextmanager
def _progress(console: Console | None) -> Iterator[Progress]:
    if console is None:
        yield Progress()
        return
    with TerminalProgress(console) as progress:
        yield progress


def _stages(plan: SetPlan, result: SetResult, progress: Progress) -> None:
    if _done(plan):
        return
    shards = 0
    config_json, root = plan.config.to_json(), str(plan.root.resolve())

    def read() -> None:
        nonlocal shards
        progress.start("read", 0, 0)
        shards = tasks.read_rows(plan, lambda rows: progress.advance("read", rows))
        progress.finish("read")

    def body(submit: Callable[..., Any], completed: Callable[[Any], Iterator[Any]]) -> None:
        for title, jobs in _todo(plan, shards):
            progress.start(title, len(jobs), 0)
            futures = {submit(config_json, root, *job): job for job in jobs}
            for future in completed(list(futures)):
                found = future.result(raise_on_failure=False)
                if isinstance(found, BaseException):
                    result.failures.append(Failure(title, futures[future][1], futures[future][2], found))
                    continue
                result.computed[title] = result.computed.get(title, 0) + 1
                progress.advance(title, 1)
            progress.finish(title)
            if result.failures:
                return

    run_under_prefect(plan.config.flow, plan.config.executor, tasks.run_set_task, body, first=read)


def _todo(plan: SetPlan, shards: int) -> Iterator[tuple[str, list[Job]]]:
    """Stage by stage, what is not on disk; looked at when the stage before is done."""
    if plan.directions:
        if isinstance(plan.unfitted(), FittedAligner):
            missing = [d for d in plan.directions if not plan.fit_stage(d).path(0, ".bin").exists()]
            yield "fit", [("fit", f"{a}>{b}", 0) for a, b in missing]
        there = _there(plan.align_stage)
        yield "align", [("align", "", shard) for shard in range(shards) if shard not in there]
    if isinstance(plan.config, DeriveConfig):
        there = _there(plan.derive_stage)
        count = shards if plan.derivation.local else 1
        yield "derive", [("derive", "", shard) for shard in range(count) if shard not in there]


def _there(stage: Any) -> set[int]:
    return {shard for shard in stage.entries() if stage.path(shard).exists()}


def _done(plan: SetPlan) -> bool:
    if not (plan.rows_stage.directory / "complete").exists():
        return False
    return not any(jobs for _, jobs in _todo(plan, tasks.shard_count(plan)))
