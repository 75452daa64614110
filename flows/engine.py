"""Runs a plan: stage after stage, shard by shard, under Prefect. Only this file knows Prefect's objects.

What is on disk decides what is done: a shard with its file and its manifest line is never computed again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpora.errors import MissingExtraError, SpanferryError
from flows import prefect_server, prefect_setup, tasks
from flows.config import ExecutorConfig
from flows.detached import Tasks
from flows.plan import Plan
from projectors.base import FittedProjector

Job = tuple[str, str, int]  # stage, target language, shard


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard that could not be computed."""

    stage: str
    target: str
    shard: int
    error: BaseException

    @property
    def told(self) -> str:
        """What went wrong; of an error that is none of ours its class too, since some say nothing else."""
        return (
            str(self.error) if isinstance(self.error, SpanferryError) else f"{type(self.error).__name__}: {self.error}"
        )


@dataclass(slots=True)
class Outcome:
    """What a run did.

    Attributes:
        shards: How many shards the input has.
        computed: Shards computed now, by stage; the others were there.
        failures: Shards that failed; what came after them in their language was not run.
    """

    shards: int = 0
    computed: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Progress:
    """What the engine tells while it works. This one keeps silent."""

    def start(self, stage: str, total: int, done: int) -> None:
        """A stage begins: ``total`` rows, of which ``done`` are there already (0 total: not known)."""

    def advance(self, stage: str, rows: int) -> None:
        """``rows`` more are done."""

    def finish(self, stage: str) -> None:
        """The stage is through."""


def execute(plan: Plan, progress: Progress) -> Outcome:
    """Runs every stage that is not on disk yet, up to and including ``filter``.

    Raises:
        SpanferryError: The input can't be read or a component can't be built. A shard that fails raises nothing: it
            is in the outcome, and the other shards go on.
    """
    outcome = Outcome()
    for target in plan.config.target:
        plan.signature(target)  # every component is built, so a wrong option fails before any work
    if _all_done(plan):
        outcome.shards = tasks.shard_count(plan)
        return outcome
    config_json, root = plan.config.to_json(), str(plan.root.resolve())

    def read() -> None:
        progress.start("read", plan.config.limit or 0, 0)
        outcome.shards = tasks.read_all(plan, lambda rows: progress.advance("read", rows))
        progress.finish("read")

    def body(send: Callable[..., Any], completed: Callable[..., Iterator[Any]]) -> None:
        def submit(job: Job) -> Any:
            return send(config_json, root, *job)

        for target in plan.config.target:
            _run_language(plan, target, outcome, progress, submit, completed)

    run_under_prefect(plan.config.flow, plan.config.executor, tasks.run_task, body, first=read)
    return outcome


def _all_done(plan: Plan) -> bool:
    if not (plan.stage("read").directory / "complete").exists():
        return False
    return all(plan.stage("filter", target).done(0) for target in plan.config.target)


def stage_names(plan: Plan, target: str) -> list[str]:
    """The stages after ``read``, in order."""
    names = [] if plan.given else ["segment", "translate"]
    if isinstance(plan.unfitted(target), FittedProjector):
        names.append("fit")
    return [*names, "project", "score", "filter"]


def _run_language(
    plan: Plan,
    target: str,
    outcome: Outcome,
    progress: Progress,
    submit: Callable[[Job], Any],
    completed: Callable[[Sequence[Any]], Iterator[Any]],
) -> None:
    rows = {number: entry.rows for number, entry in plan.stage("read").entries().items()}
    for name in stage_names(plan, target):
        stage = plan.stage(name, target)
        whole = name in ("fit", "filter")
        shards = [0] if whole else list(range(outcome.shards))
        there = set(stage.entries())
        suffix = ".bin" if name == "fit" else ".arrow"
        todo = [s for s in shards if s not in there or not stage.path(s, suffix).exists()]
        total = sum(rows[s] for s in range(outcome.shards))
        title = stage.name
        pending = total if whole else sum(rows[s] for s in todo)
        progress.start(title, total, total - pending if todo else total)
        jobs = {submit((name, target, shard)): shard for shard in todo}
        failed = False
        for future in completed(list(jobs)):
            shard = jobs[future]
            result = future.result(raise_on_failure=False)
            if isinstance(result, BaseException):
                outcome.failures.append(Failure(name, target, shard, result))
                failed = True
                continue
            outcome.computed[title] = outcome.computed.get(title, 0) + 1
            progress.advance(title, total if whole else rows[shard])
        progress.finish(title)
        if failed:
            return


Body = Callable[[Callable[..., Any], Callable[..., Iterator[Any]]], None]


def run_under_prefect(
    name: str,
    executor: ExecutorConfig,
    function: Callable[..., Any],
    body: Body,
    *,
    first: Callable[[], None] = lambda: None,
) -> None:
    """Runs ``body`` as a Prefect flow.

    Args:
        name: The flow's name.
        executor: Where its tasks run.
        function: What a task does; it goes by name to other machines, so it is a module's own. Its parameters
            ``name``, ``target`` and ``shard`` name the task.
        body: Gets a function that submits the arguments of one task and returns its future, and one that yields
            futures as they are done.
        first: What is done in this process before, while Prefect's server starts.

    Raises:
        SpanferryError: Of ``first``; or there is no server.
    """
    if executor.address or executor.slurm:
        # Other machines could not reach a server of this one's own: each process there has Prefect start one.
        prefect_setup.prepare()
    else:
        prefect_server.start()
    first()
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import as_completed

    from flows.prefect_loss import give_up_when

    step = task(task_run_name="{name}-{target}-{shard}", cache_policy=NO_CACHE, persist_result=False)(function)
    calls = Tasks(function, executor.workers, prefect_server.lost)
    state = "new"

    def work() -> None:
        nonlocal state
        state = "begun"
        prefect_server.note_prefects_own()
        calls.prefect = step.submit, as_completed
        body(calls.submit, calls.completed)
        state = "done"

    _work.append(work)
    try:
        with prefect_server.used():
            give_up_when(prefect_server.lost)
            flow(name=name, task_runner=_task_runner(executor), log_prints=False)(_do_work)()
    except SpanferryError:
        raise
    except Exception:
        # Prefect notes the flow's beginning and end; where only that failed, the work is done or still to do.
        if state == "begun" or not calls.detach():
            raise
        if state == "new":
            _work.clear()
            body(calls.submit, calls.completed)
    finally:
        calls.close()


# An executor on other machines is sent the flow with each task. This function goes by name; a closure would take along
# the terminal's progress bars, which can't be sent.
_work: list[Callable[[], None]] = []


def _do_work() -> None:
    _work.pop()()


def _task_runner(config: ExecutorConfig) -> Any:
    if config.kind == "threads":
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=config.workers)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise MissingExtraError.of("prefect-dask", "dask", "--executor dask") from error
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every worker that comes and goes
    if config.address:
        return DaskTaskRunner(address=config.address)
    if config.slurm:
        kwargs = {"processes": 1, "cores": 1, **config.slurm}
        return DaskTaskRunner(
            cluster_class="dask_jobqueue.SLURMCluster",
            cluster_kwargs=kwargs,
            adapt_kwargs={"minimum": 1, "maximum": config.workers},
        )
    kwargs = {"n_workers": config.workers, "threads_per_worker": 1, "dashboard_address": None}
    kwargs["preload"] = ["flows.worker_session"]
    return DaskTaskRunner(cluster_kwargs=kwargs)
