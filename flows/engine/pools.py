"""Where jobs run: in threads of this process, or as tasks of a Prefect flow. Only this file knows Prefect's objects."""

import concurrent.futures
import contextvars
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from spanferry.corpora.errors import MissingExtraError, SpanferryError
from spanferry.flows.config import ExecutorConfig
from spanferry.flows.engine.schedule import run_job
from spanferry.flows.engine.step import Job, Step
from spanferry.flows.prefect import server as prefect_server
from spanferry.flows.prefect import setup as prefect_setup


class Threads:
    """Threads of this process, without Prefect.

    Args:
        workers: Jobs at a time.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = concurrent.futures.ThreadPoolExecutor(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, step: Step, job: Job, done: Callable[[Any], None]) -> None:
        """See ``spanferry.flows.engine.schedule.Pool``."""
        self._pool.submit(run_job, step.work, step.scope, job).add_done_callback(done)

    def result(self, found: Any) -> Any:
        """See ``spanferry.flows.engine.schedule.Pool``."""
        return found.exception() or found.result()


_DASKS_OWN_THRESHOLD = 65536  # bytes, of distributed.yaml


class PrefectTasks:
    """Tasks of the Prefect flow that this is made in.

    Prefect's client raises as soon as its server is gone. The work is ours and the server only reports it, so a job
    that fails then is done again in a thread of this process, and those to come run there; stage files make that safe.
    Where there has been no server from the start, all of them run there.

    Args:
        executor: The configuration of where they run.
    """

    def __init__(self, executor: ExecutorConfig) -> None:
        self.workers = executor.workers
        # The input may lie where other machines do not see it.
        self._reads_here = bool(executor.address or executor.slurm)
        self._tasks: dict[str, Any] = {}
        self._own = Threads(self.workers) if prefect_server.given_up() else None
        self._lock = threading.Lock()

    def submit(self, step: Step, job: Job, done: Callable[[Any], None]) -> None:
        """See ``spanferry.flows.engine.schedule.Pool``."""
        if self._own is not None:
            self._own.submit(step, job, done)
            return
        try:
            made = self._task(step)
            arguments = (step.name, job.shard, step.work, step.scope, job)
            if step.scope == "read" and self._reads_here:
                done(_Finished(made(*arguments, return_state=True)))
                return
            future = made.submit(*arguments)
        except Exception as error:
            own = self._detached(error)
            if own is None:
                raise
            own.submit(step, job, done)
            return
        future.add_done_callback(lambda found: self._finished(found, step, job, done))

    def _finished(self, found: Any, step: Step, job: Job, done: Callable[[Any], None]) -> None:
        result = self.result(found)
        own = self._detached(result) if isinstance(result, Exception) else None
        if own is None:
            done(found)
        else:
            own.submit(step, job, done)

    def _detached(self, error: Exception) -> Threads | None:
        """Threads of this process if Prefect's server is gone or fails, which is reported once; else None."""
        with self._lock:
            if self._own is None and _is_prefects(error):
                self._own = Threads(self.workers)
                _give_up(error)
            return self._own

    def result(self, found: Any) -> Any:
        """See ``spanferry.flows.engine.schedule.Pool``."""
        if isinstance(found, concurrent.futures.Future):
            return found.exception() or found.result()
        try:
            return found.result(raise_on_failure=False)
        except Exception as error:  # Prefect's own, where its server is gone
            return error

    def _task(self, step: Step) -> Any:
        if step.name not in self._tasks:
            from prefect import task
            from prefect.cache_policies import NO_CACHE

            self._tasks[step.name] = task(
                name=step.name,
                task_run_name="{name} {shard}" if step.scope == "shard" else "{name}",
                tags=[step.scope, *([step.group] if step.group else [])],
                cache_policy=NO_CACHE,
                persist_result=False,
            )(_run_task)
        return self._tasks[step.name]


def _is_prefects(error: Exception) -> bool:
    """Whether an error is the server's, not the work's: it is gone, or answers with an error (its memory is short)."""
    import httpx

    # Besides, the client raises a plain RuntimeError where the server does not tell its version.
    own = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    of_client = type(error) is RuntimeError and own and own[-1].startswith("prefect.client.")
    return isinstance(error, httpx.HTTPError) or bool(of_client) or prefect_server.lost()


def _give_up(error: Exception) -> None:
    """Reports once that the server does not work, and has nothing ask it again."""
    if not prefect_server.given_up():
        said = str(error).strip()
        how = "is gone" if prefect_server.lost() or not said else f"fails ({said.splitlines()[0]})"
        _warn(f"Prefect's server {how}")
        prefect_server.give_up()


def _warn(what: str, hint: str = "") -> None:
    print(f"warning: {what}; the run goes on without it{hint and f' ({hint})'}", file=sys.stderr)


def _run_task(name: str, shard: int, work: Callable[..., Any], scope: str, job: Job) -> Any:
    """What a task does; ``name`` and ``shard`` name it."""
    return run_job(work, scope, job)


@dataclass(frozen=True)
class _Finished:
    """The state of a task that ran in this process."""

    state: Any

    def result(self, raise_on_failure: bool = True) -> Any:
        return self.state.result(raise_on_failure=raise_on_failure)


# An executor on other machines is sent the flow with each task, so the flow's function goes by name, and what it does
# comes from the context that it is called in: two flows in two threads have two of them.
_body: contextvars.ContextVar[Callable[[], None]] = contextvars.ContextVar("body")


def _do_body(configuration: Mapping[str, Any]) -> None:
    prefect_server.note_prefects_own()
    _body.get()()


def start_server(executor: ExecutorConfig) -> None:
    """Has Prefect's server started, so that it comes up while the run gets ready.

    Raises:
        NoServerError: There is no port for it.
    """
    if executor.address or executor.slurm:
        # Other machines could not reach a server of this one's own: each process there has Prefect start one.
        prefect_setup.prepare()
    else:
        prefect_server.start()


def run_under_prefect(
    name: str,
    run_name: str,
    tags: Sequence[str],
    configuration: Mapping[str, Any],
    executor: ExecutorConfig,
    body: Callable[[], None],
) -> None:
    """Runs ``body`` as a Prefect flow; where there is no server for it, as it is, with a warning.

    Args:
        name: The flow's name.
        run_name: The name of this run of it.
        tags: Of the run.
        configuration: The run's parameters, for people.
        executor: Where its tasks run.
        body: What is done.

    Raises:
        SpanferryError: A package is not installed.
    """
    prefect_server.try_again()
    try:
        start_server(executor)
        runner = _task_runner(executor)
        from prefect import flow
        from prefect import tags as tagged

        from spanferry.flows.prefect.loss import give_up_when

        prefect_server.wait()
    except prefect_server.NoServerError as error:
        _warn(f"{error.where}: {error.message}" if error.where else error.message, error.hint or "")
        prefect_server.give_up()
        body()
        return

    state = "new"

    def noted() -> None:
        nonlocal state
        state = "begun"
        body()
        state = "done"

    try:
        with prefect_server.used(), tagged("spanferry", *tags), _as_body(noted):
            give_up_when(prefect_server.lost)
            made = flow(
                name=name,
                flow_run_name=_plain(run_name),
                task_runner=runner,
                log_prints=False,
                validate_parameters=False,
            )(_do_body)
            made(configuration=dict(configuration))
    except SpanferryError:
        raise
    except Exception as error:
        # Prefect notes the flow's beginning and end; where only that failed, the work is done or still to do.
        if state == "begun" or not _is_prefects(error):
            raise
        _give_up(error)
        if state == "new":
            body()


def _plain(name: str) -> str:
    """Prefect fills in what stands in braces."""
    return name.replace("{", "(").replace("}", ")")


@contextmanager
def _as_body(body: Callable[[], None]) -> Iterator[None]:
    token = _body.set(body)
    try:
        yield
    finally:
        _body.reset(token)


def publish_artifacts(
    rows: Sequence[Mapping[str, Any]], reasons: Mapping[str, int], reports: Mapping[str, str]
) -> None:
    """Leaves the closing table, the reasons and links to the reports with the flow run, for Prefect's pages."""
    from prefect.artifacts import create_link_artifact, create_table_artifact

    if prefect_server.lost():
        return
    try:
        if rows:
            create_table_artifact([dict(row) for row in rows], key="summary", description="What was written")
        if reasons:
            table = [{"reason": reason, "count": count} for reason, count in reasons.items()]
            create_table_artifact(table, key="reasons", description="Rows rejected and labels not placed, by reason")
        for number, (name, link) in enumerate(reports.items()):
            create_link_artifact(link, link_text=f"report of {name}", key=f"report-{number}")
    except Exception as error:
        if not _is_prefects(error):
            raise
        _give_up(error)


def _task_runner(config: ExecutorConfig) -> Any:
    if config.kind == "threads":
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=config.workers)
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise MissingExtraError.of("prefect-dask", "dask", "--executor dask") from error
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it reports every worker that comes and goes
    if config.address:
        return DaskTaskRunner(address=config.address)
    if config.slurm:
        kwargs = {"processes": 1, "cores": 1, **config.slurm}
        return DaskTaskRunner(
            cluster_class="dask_jobqueue.SLURMCluster",
            cluster_kwargs=kwargs,
            adapt_kwargs={"minimum": 1, "maximum": config.workers},
        )
    _let_workers_keep_memory()
    kwargs = {
        "n_workers": config.workers,
        "threads_per_worker": 1,
        "dashboard_address": None,
        # A heartbeat on its way when the cluster closes is an error to a worker; what fails a task reaches us as such.
        "silence_logs": logging.CRITICAL,
        "preload": ["spanferry.flows.prefect.worker_session"],
    }
    return DaskTaskRunner(cluster_kwargs=kwargs)


def _let_workers_keep_memory() -> None:
    """Drops Dask's ``MALLOC_TRIM_THRESHOLD_`` of 64 KiB for its workers, unless the user chose another.

    With it glibc gives every array of some size back to the system at once, and half the time of a projection goes
    into asking for it again.
    """
    import dask.config

    place, name = "distributed.nanny.pre-spawn-environ", "MALLOC_TRIM_THRESHOLD_"
    environ = dask.config.get(place, {})
    if environ.get(name) == _DASKS_OWN_THRESHOLD:
        dask.config.set({place: {key: value for key, value in environ.items() if key != name}})
