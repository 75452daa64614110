"""From a configuration to a finished run directory: the one function that both the command line and a library call."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from corpora import filters as filtering
from corpora.schema import Pair
from flows import stages, tasks
from flows.config import RunConfig
from flows.emit import Emitted, emit
from flows.engine import Failure, Outcome, Progress, execute
from flows.plan import Plan, plan_of
from flows.progress import TerminalProgress
from flows.store import check_place, run_lock, sweep, write_bytes
from projectors.base import FittedProjector

REHEARSAL_ROWS = 64


@dataclass(slots=True)
class RunResult:
    """What a run wrote and what went wrong in it.

    Attributes:
        config: The resolved configuration.
        emitted: One entry per target language that was finished.
        outcome: Shards computed now, and those that failed.
        seconds: Wall-clock time.
    """

    config: RunConfig
    emitted: list[Emitted] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float = 0.0

    @property
    def failures(self) -> list[Failure]:
        """Shards that failed."""
        return self.outcome.failures

    @property
    def failed_rows(self) -> int:
        """Rows that could not be read or translated, over all languages."""
        return sum(e.counts["failed_rows"] for e in self.emitted)


def run_flow(config: RunConfig, console: Console | None = None) -> RunResult:
    """Runs what is not done yet and writes ``OUT/<target>`` for every target language.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    started = time.monotonic()
    out = config.out
    check_place(out)
    plan = plan_of(config.to_json(), str(out / "stages"))
    check(plan)
    with run_lock(out):
        sweep(out)
        write_bytes(out / "config.json", config.to_json().encode())
        result = RunResult(config)
        if console is None:
            result.outcome = execute(plan, Progress())
        else:
            with TerminalProgress(console) as progress:
                result.outcome = execute(plan, progress)
        broken = {failure.target for failure in result.failures}
        for target in config.target:
            if target not in broken:
                result.emitted.append(emit(plan, target))
    result.seconds = time.monotonic() - started
    return result


def check(plan: Plan) -> dict[str, str]:
    """Builds every component, so that whatever is wrong is told before any work; returns the signatures.

    Raises:
        SpanferryError: What is wrong.
    """
    signatures = {target: plan.signature(target) for target in plan.config.target}
    _ = plan.read_signature, plan.filters
    for name in plan.config.output.formats:
        tasks.writer(plan, name)
    return signatures


def dry_run(config: RunConfig, console: Console) -> None:
    """Resolves everything, checks model, paths and disk, pushes one batch through, and writes nothing."""
    plan = plan_of(config.to_json(), str(config.out / "stages"))
    for target, signature in check(plan).items():
        console.print(f"[bold]{target}[/]  {escape(signature)}", highlight=False)
    free = shutil.disk_usage(existing(config.out)).free
    console.print(f"disk   {free / 2**30:.1f} GiB free at {escape(str(config.out))}")
    pairs: list[Pair] = []
    for pair in tasks.read_pairs(plan):
        pairs.append(pair)
        if len(pairs) == REHEARSAL_ROWS:
            break
    for target in config.target:
        started = time.monotonic()
        done = rehearse(plan, target, pairs)
        counts = stages.count_pairs(done)
        reasons = filtering.decide(plan.filters, stages.score_rows(done, plan.filters))
        kept = sum(pair.kept and not why for pair, why in zip(done, reasons, strict=True))
        console.print(
            f"{target}     {len(done)} rows, {counts.get('spans', 0)} spans, {counts.get('projected', 0)} projected, "
            f"{kept} kept, {time.monotonic() - started:.1f} s. Nothing was written."
        )


def rehearse(plan: Plan, target: str, pairs: Sequence[Pair]) -> list[Pair]:
    """All stages up to the projection on a few rows, in memory."""
    source = plan.config.source
    projector = plan.unfitted(target)
    if plan.given:
        rows = stages.given_inputs(pairs, source, target)
        flat = [item for row in rows for item in row]
        if isinstance(projector, FittedProjector):
            projector = projector.fit(flat)
        found = iter(stages.project_some(projector, flat))
        grouped = [[p for _ in row for p in next(found)] for row in rows]
        return stages.assemble_given(pairs, grouped, plan.signature(target))
    translator = plan.translator(target)
    segments = stages.segment_rows(pairs, translator, source, plan.config.segment.mode)
    translations = stages.translate_segments(segments, translator, source, target)
    inputs = stages.projection_inputs(pairs, segments, translations, source, target)
    if isinstance(projector, FittedProjector):
        projector = projector.fit([item for item in inputs if item is not None])
    translations, projections = stages.project_translated(projector, inputs, translations)
    return stages.assemble_translated(pairs, segments, translations, projections, target, plan.signature(target))


def existing(path: Path) -> Path:
    """The nearest folder above that exists."""
    while not path.exists():
        path = path.parent if path != path.parent else Path()
    return path
