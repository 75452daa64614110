"""A flow as data, and the one function that runs it: lock, marker, steps, outputs, report of what was done."""

import contextlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from spanferry.flows.config import BudgetConfig, ExecutorConfig
from spanferry.flows.engine import place as places
from spanferry.flows.engine.budget import RunBudget
from spanferry.flows.engine.estimate import SAMPLE_ROWS, RunEstimate, Survey, TimedThread, estimated
from spanferry.flows.engine.pools import PrefectTasks, Threads, publish_artifacts, run_under_prefect
from spanferry.flows.engine.progress import Failure, Outcome, Progress
from spanferry.flows.engine.schedule import Schedule
from spanferry.flows.engine.step import Step
from spanferry.flows.store import write_bytes
from spanferry.flows.version import VERSION


@dataclass(frozen=True)
class Flow:
    """What a flow does with one configuration.

    Attributes:
        config: The resolved configuration, with ``flow``, ``out``, ``executor`` and ``to_json``.
        outputs: The ``emit`` steps; what they come after are the flow's steps.
        title: What is run, for people: ``en → es, de``.
        signatures: What is shown before a dry run, by target or kind.
        tags: For Prefect: languages and the like.
        survey: Goes through the rows for the estimate of a dry run; None: it makes none.
        keeps_config: Whether the run's ``config.json`` is this flow's: not of a flow that works on another's run.
    """

    config: Any
    outputs: Sequence[Step]
    title: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    survey: Callable[[], Survey] | None = None
    keeps_config: bool = True

    @cached_property
    def executor(self) -> ExecutorConfig:
        """Where its jobs run."""
        return getattr(self.config, "executor", ExecutorConfig())


@dataclass
class Result:
    """What a run wrote and what went wrong in it.

    Attributes:
        config: The resolved configuration.
        written: Output to its folder.
        facts: Output to what its work reported; the same when it was there already.
        outcome: Shards computed now, and those that failed.
        seconds: Wall-clock time.
        estimate: Of a dry run: what the run will take.
    """

    config: Any
    written: dict[str, Path] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float = 0.0
    estimate: RunEstimate | None = None

    @property
    def failures(self) -> list[Failure]:
        """Shards that failed."""
        return self.outcome.failures

    @property
    def computed(self) -> dict[str, int]:
        """Shards computed now, by step."""
        return self.outcome.computed

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Of sets: format or kind to rows by split, ``rejected`` last."""
        return {name: facts["rows"] for name, facts in self.facts.items() if isinstance(facts.get("rows"), dict)}

    @property
    def reasons(self) -> dict[str, dict[str, int]]:
        """Format, kind or language to rejected rows by reason."""
        return {name: facts.get("reasons", {}) for name, facts in self.facts.items()}

    @property
    def failed_rows(self) -> int:
        """Rows that could not be read or translated, over all outputs."""
        return sum(facts.get("failed_rows", 0) for facts in self.facts.values())

    @property
    def model_errors(self) -> dict[str, dict[str, Any]]:
        """Step and kind of call to ``rows`` on which a model failed and the ``last`` error, of all outputs."""
        return {name: one for facts in self.facts.values() for name, one in facts.get("model_errors", {}).items()}

    @property
    def empty(self) -> str | None:
        """Why there is nothing in an output; None: there is something in all of them."""
        return next((facts["empty"] for facts in self.facts.values() if facts.get("empty")), None)


def run(
    flow: Flow,
    console: Console | None = None,
    *,
    overwrite: bool = False,
    prefect: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Runs what is not done yet and writes the outputs.

    Args:
        flow: The flow; building it has checked every component.
        console: Where progress goes; None keeps silent.
        overwrite: Forget what an earlier run has done, once its folder is held.
        prefect: Whether it is a Prefect flow run; without, it runs in threads of this process.
        progress: Hears how far every step is, instead of ``console``.

    Raises:
        SpanferryError: The place can't do, or another process writes to it.
    """
    started = time.monotonic()
    out: Path = flow.config.out
    if flow.keeps_config:
        places.check_place(out)
    with places.run_lock(out):
        if overwrite:
            places.forget(out)
        places.sweep(out)
        if flow.keeps_config:
            places.mark(out, flow.config.flow, VERSION)
        result = _work(flow, out, console, prefect, progress or Progress())
    result.seconds = time.monotonic() - started
    return result


def rehearse(flow: Flow, console: Console) -> Result:
    """Runs all steps on the first rows in a temporary folder; nothing of it stays, nothing is written to ``out``.

    Raises:
        SpanferryError: What is wrong, with the place or with a row's work.
    """
    started = time.monotonic()
    out: Path = flow.config.out
    if flow.keeps_config:
        places.check_place(out)
    for name, signature in flow.signatures.items():
        console.print(f"[bold]{escape(name)}[/]  {escape(signature)}", highlight=False, soft_wrap=True)
    free = shutil.disk_usage(_existing(out)).free
    console.print(f"disk   {free / 2**30:.1f} GiB free at {escape(str(out))}")
    survey = flow.survey() if flow.survey else None
    sampled = survey.sample() if survey else []
    positions = tuple(survey.positions[i] for i in sampled) if survey else None
    with tempfile.TemporaryDirectory(prefix="spanferry-") as folder:
        schedule, result = _schedule(flow, Path(folder), Progress(), SAMPLE_ROWS, positions)
        with TimedThread() as pool:
            result.outcome = schedule.run(pool)
        paid = schedule.counted()
    for failure in result.failures:
        raise failure.error
    for name, facts in result.facts.items():
        console.print(f"{escape(name)}     {escape(_rehearsed(facts))}")
        if facts.get("empty"):
            console.print(f"{escape(name)}     {escape(facts['empty'])}", soft_wrap=True)
    if survey and survey.rows:
        found = estimated(survey, sampled, pool.jobs, paid, flow.executor.workers, warmed=1)
        for line in found.lines():
            console.print(line, highlight=False, soft_wrap=True)
        result.estimate = found
    console.print(f"{time.monotonic() - started:.1f} s. Nothing was written.")
    return result


def _rehearsed(facts: Mapping[str, Any]) -> str:
    names = ("read", "spans", "projected", "kept", "links", "records", "rejected")
    return ", ".join(f"{facts[name]} {'rows' if name == 'read' else name}" for name in names if name in facts)


def _existing(path: Path) -> Path:
    """The nearest folder above that exists."""
    while not path.exists():
        path = path.parent if path != path.parent else Path()
    return path


def _schedule(
    flow: Flow, out: Path, progress: Progress, rehearsal: int | None = None, positions: tuple[int, ...] | None = None
) -> tuple[Schedule, Result]:
    result = Result(flow.config)
    shown = False

    def emitting(step: Step) -> None:
        nonlocal shown
        if flow.keeps_config or places.is_run(out):
            places.mark(out, flow.config.flow if flow.keeps_config else None, VERSION, [step.place])
        if flow.keeps_config and not shown:
            # What lies on disk keeps its configuration until there is something of the new one.
            _write_config(flow, out)
            shown = True

    def emitted(step: Step, facts: dict[str, Any]) -> None:
        result.written[step.place], result.facts[step.place] = out / step.place, facts

    root = out.resolve() / places.STAGES
    schedule = Schedule(
        flow.outputs, out, root, progress,
        rehearsal=rehearsal, positions=positions, emitting=emitting, emitted=emitted,
    )  # fmt: skip
    return schedule, result


def _work(flow: Flow, out: Path, console: Console | None, prefect: bool, progress: Progress) -> Result:
    schedule, result = _schedule(flow, out, progress)
    budget = RunBudget.begin(out.resolve() / places.STAGES, getattr(flow.config, "budget", BudgetConfig()))

    def body(pool_of: Callable[[], Any]) -> None:
        with _shown(console, progress) as displayed, contextlib.ExitStack() as stack:
            schedule.progress = displayed
            pool = pool_of()
            if isinstance(pool, Threads):
                stack.enter_context(pool)
            result.outcome = schedule.run(pool, budget)
        _collect_outputs(flow, out, result)

    if schedule.nothing_to_do:
        _collect_outputs(flow, out, result)
        if flow.keeps_config:
            _write_config(flow, out)
    elif prefect:
        config = flow.config

        def under_prefect() -> None:
            body(lambda: PrefectTasks(flow.executor))
            publish_artifacts(*_artifacts(result))

        name = " ".join(filter(None, [config.flow, flow.title, f"({out.name})"]))
        parameters = config.model_dump(mode="json")
        run_under_prefect(config.flow, name, [config.flow, *flow.tags], parameters, flow.executor, under_prefect)
    else:
        body(lambda: Threads(flow.executor.workers))
    return result


def _write_config(flow: Flow, out: Path) -> None:
    config = flow.config.to_json().encode()
    write_bytes(out / places.CONFIG, config)
    places.mark(out, flow.config.flow, VERSION, config=config)


def _collect_outputs(flow: Flow, out: Path, result: Result) -> None:
    """Outputs that were there already, with the facts of their stamp; all in the flow's order."""
    written, facts = dict(result.written), dict(result.facts)
    result.written, result.facts = {}, {}
    for step in flow.outputs:
        stamp = places.stamp_of(out / step.place)
        if step.place in written:
            result.written[step.place], result.facts[step.place] = written[step.place], facts[step.place]
        elif stamp.get("made") == step.digest:
            result.written[step.place], result.facts[step.place] = out / step.place, dict(stamp.get("facts", {}))


@contextlib.contextmanager
def _shown(console: Console | None, progress: Progress) -> Any:
    if console is None:
        yield progress
        return
    from spanferry.flows.engine.display import shown_on

    with shown_on(console) as progress:
        yield progress


def _artifacts(result: Result) -> tuple[list[dict[str, Any]], dict[str, int], dict[str, str]]:
    rows, reasons, reports = [], Counter[str](), dict[str, str]()
    for name, facts in result.facts.items():
        numbers = {key: value for key, value in facts.items() if isinstance(value, int)}
        splits = facts["rows"] if isinstance(facts.get("rows"), dict) else {}
        rows.append({"output": name, **splits, **numbers})
        for key in ("reasons", "unprojected"):
            reasons.update(facts.get(key, {}))
        if (result.written[name] / "report.html").exists():
            reports[name] = (result.written[name] / "report.html").resolve().as_uri()
    for failure in result.failures:
        reasons[f"failed: {failure.stage}"] += 1
    return rows, dict(reasons.most_common()), reports
