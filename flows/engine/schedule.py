"""The one loop: what is there, what is to do, submit, progress, failures; over any number of languages.

A shard goes on to the next step as soon as what it needs is there; only a ``whole`` step waits for all. A shard
with its file and manifest line is never computed again; a step that no missing output depends on is not looked at.
"""

import contextlib
import errno
import heapq
import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from spanferry.corpora.errors import SpanferryError
from spanferry.corpora.files import writing
from spanferry.flows.engine import place as places
from spanferry.flows.engine.budget import RunBudget
from spanferry.flows.engine.progress import Failure, Outcome, Progress
from spanferry.flows.engine.step import Job, Made, Step, ordered
from spanferry.flows.engine.store import Entry, Stage
from spanferry.translators.endpoints.budget import RunStoppedError, spending
from spanferry.translators.engine.failures import gathered

_POLL = 0.25  # seconds between looks at what is being read and how far the work on a shard is
_TICK = 0.5  # seconds between two reports of one shard's work


class Stopped(Exception):
    """The run is to stop: raised inside the work on a shard."""


class Pool(Protocol):
    """Where jobs run."""

    workers: int

    def submit(self, step: Step, job: Job, done: Callable[[Any], None]) -> None:
        """Starts ``run_job``; ``done`` is called, in any thread, with something that ``result`` understands."""
        ...

    def result(self, found: Any) -> Any:
        """The entry or facts that the job returned, or the exception that it raised."""
        ...


# What a system says when it does not let us write.
_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM})


def run_job(work: Callable[[Job], Made], scope: str, job: Job) -> tuple[Entry, dict[str, Any]]:
    """Does the work and writes what it made; runs in whatever thread or process the pool has."""
    started = time.monotonic()
    own = job.own
    if scope != "emit":
        own.open()
    budget = RunBudget.of(own.root)
    try:
        with gathered() as failed, spending(budget):
            made = work(replace(job, tick=_ticker(own, job.shard, scope)))
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        with writing(Path(error.filename or job.place or own.directory)):
            raise
    errors = {call: asdict(one) for call, one in failed.found.items()}
    if budget is not None and budget.refused is not None:
        raise budget.refused  # the shard lacks what was refused; the memory keeps what was answered
    if made.table is not None:
        seconds = round(time.monotonic() - started, 3)
        entry = Entry(job.shard, made.rows, "", seconds, made.counts, tuple(made.parts), errors=errors)
        own.write(made.table, entry, made.parts)
    else:
        entry = Entry(job.shard, made.rows, "", 0.0, made.counts)
    own.tick(job.shard).unlink(missing_ok=True)
    return entry, dict(made.facts)


def _ticker(own: Stage, shard: int, scope: str) -> Callable[[int], None]:
    stop, path, last = own.root / places.STOP, own.tick(shard), [0.0]

    def tick(rows: int) -> None:
        if stop.exists():
            raise Stopped
        if scope != "emit" and time.monotonic() - last[0] > _TICK:
            last[0] = time.monotonic()
            with contextlib.suppress(OSError):  # a note for the display, no reason to lose the work
                path.write_text(str(rows))

    return tick


def no_tick(rows: int) -> None:
    """What a job has until it runs."""


class Schedule:
    """Runs the steps that are not on disk yet.

    Args:
        outputs: The ``emit`` steps.
        out: The run's folder.
        root: Where the stages are.
        progress: Hears how far every step is.
        rehearsal: Rows that a dry run reads at most; None: it is not one.
        positions: Which rows it reads; None: the first.
        emitting: Called before an output is written.
        emitted: Called with what was written and its facts.
    """

    def __init__(
        self,
        outputs: Sequence[Step],
        out: Path,
        root: Path,
        progress: Progress,
        *,
        rehearsal: int | None = None,
        positions: tuple[int, ...] | None = None,
        emitting: Callable[[Step], None] = lambda step: None,
        emitted: Callable[[Step, dict[str, Any]], None] = lambda step, facts: None,
    ) -> None:
        self._out, self._root, self.progress = out, root, progress
        self._rehearsal, self._positions = rehearsal, positions
        self._emitting, self._emitted = emitting, emitted
        self.steps = ordered(outputs)
        self.outcome = Outcome()
        self._stages = [step.stage(root) for step in self.steps]
        self._number = {(step.name, step.digest): k for k, step in enumerate(self.steps)}
        self._after = [[self._at(before) for before in step.after] for step in self.steps]
        self._dependents: list[list[int]] = [[] for _ in self.steps]
        for k, befores in enumerate(self._after):
            for before in befores:
                self._dependents[before].append(k)
        self._base = [None if step.base is None else self._at(step.base) for step in self.steps]
        self._counts: dict[int, int] = {}
        self._done = [self._on_disk(k) for k in range(len(self.steps))]
        self._started: set[tuple[int, int]] = set()
        self._ready: list[tuple[int, int, int, int]] = []
        self._flying: dict[tuple[int, int], int] = {}  # rows reported so far
        self._broken: set[int] = set()
        self._groups = list(dict.fromkeys(step.group for step in self.steps))
        self._needed = self._what_is_needed()
        self._closed: set[int] = set()
        self._totals = [self._rows_of(k) for k in range(len(self.steps))]

    def _at(self, step: Step) -> int:
        return self._number[(step.name, step.digest)]

    def _on_disk(self, k: int) -> dict[int, Entry]:
        step = self.steps[k]
        if step.scope == "emit":
            made = places.stamp_of(self._out / step.place).get("made") == step.digest
            return {0: Entry(0, 0)} if made else {}
        if step.scope == "read" and self._count_of(k) is None:
            return {}  # what is there is read again: the same rows, from the start
        return self._stages[k].done()

    def shards(self, k: int) -> int | None:
        """How many shards a step has; None: not known yet."""
        if self.steps[k].scope in ("whole", "emit"):
            return 1
        base = self._base[k]
        return None if base is None else self._count_of(base)

    def _count_of(self, base: int) -> int | None:
        """How many shards a ``read`` step has made; looked up until it is known."""
        if base not in self._counts and (count := self._stages[base].shards) is not None:
            self._counts[base] = count
        return self._counts.get(base)

    def _complete(self, k: int) -> bool:
        count = self.shards(k)
        return count is not None and len(self._done[k]) >= count

    def _what_is_needed(self) -> set[int]:
        needed: set[int] = set()
        for k in reversed(range(len(self.steps))):
            wanted = self.steps[k].scope == "emit" or any(d in needed for d in self._dependents[k])
            if wanted and not self._complete(k):
                needed.add(k)
        return needed

    @property
    def nothing_to_do(self) -> bool:
        """Whether every output is there."""
        return not self._needed

    def counted(self) -> Counter[str]:
        """Sums of what the shards of all steps counted."""
        total: Counter[str] = Counter()
        for stage, step in zip(self._stages, self.steps, strict=True):
            if step.scope == "shard":
                for entry in stage.done().values():
                    total.update(entry.counts)
        return total

    def run(self, pool: Pool, budget: RunBudget | None = None) -> Outcome:
        """Runs what is needed; a job that fails ends what depends on it and nothing else.

        Where the budget is spent nothing further starts; what is under way is finished.
        """
        found: queue.SimpleQueue[tuple[int, int, Any]] = queue.SimpleQueue()
        (self._root / places.STOP).unlink(missing_ok=True)
        for k in sorted(self._needed):
            self._check_step(k)
            if self._totals[k]:  # some of it was there
                self._report(k)
        try:
            while self._ready or self._flying:
                if budget is not None and (over := budget.time_is_over()) is not None:
                    self._stop(over)
                while self._ready and len(self._flying) <= pool.workers:
                    *_, k, shard = heapq.heappop(self._ready)
                    self._flying[(k, shard)] = 0
                    job = self._job(k, shard)
                    if self.steps[k].scope == "emit":
                        self._emitting(self.steps[k])
                    self._report(k)
                    pool.submit(self.steps[k], job, partial(_put, found, k, shard))
                try:
                    self._finish(*found.get(timeout=_POLL), pool)
                except queue.Empty:
                    self._poll()
        except BaseException:
            # Whoever works on a shard stops at its next batch; the files of finished shards stay.
            with contextlib.suppress(OSError):
                self._root.mkdir(parents=True, exist_ok=True)
                (self._root / places.STOP).touch()
            raise
        if self.outcome.stopped and budget is not None and (why := budget.over()) is not None:
            self.outcome.stopped = str(why)  # with what was under way when it stopped
        for k, step in enumerate(self.steps):
            if step.scope == "read":
                self.outcome.shards[step.name] = self._stages[k].shards or 0
        return self.outcome

    def _job(self, k: int, shard: int) -> Job:
        inputs = tuple(self._stages[before] for before in self._after[k])
        base = self._base[k]
        count = 0 if base is None else self._count_of(base) or 0
        place = self._out / self.steps[k].place
        return Job(inputs, self._stages[k], shard, count, place, no_tick, self._rehearsal, self._positions)

    def _check_step(self, k: int) -> None:
        """Makes ready what can start of step ``k`` and has not."""
        step, count = self.steps[k], self.shards(k)
        if k not in self._needed or k in self._broken:
            return
        if step.scope != "shard":
            if all(self._complete(b) for b in self._after[k]):
                self._start(k, 0)
            return
        base = self._base[k]
        assert base is not None
        known = range(count) if count is not None else self._done[base]
        for shard in known:
            self._check_shard(k, shard)

    def _check_shard(self, k: int, shard: int) -> None:
        if k not in self._needed or k in self._broken:
            return
        for before in self._after[k]:
            whole = self.steps[before].scope == "whole" or (
                self.steps[before].scope == "read" and before != self._base[k]
            )
            if not (self._complete(before) if whole else shard in self._done[before]):
                return
        self._start(k, shard)

    def _start(self, k: int, shard: int) -> None:
        if (k, shard) in self._started or shard in self._done[k] or self.outcome.stopped:
            return
        self._started.add((k, shard))
        # Groups in order; within one the later steps first, so that a shard goes through and little waits.
        heapq.heappush(self._ready, (self._groups.index(self.steps[k].group), -k, k, shard))

    def _finish(self, k: int, shard: int, found: Any, pool: Pool) -> None:
        del self._flying[(k, shard)]
        step = self.steps[k]
        result = pool.result(found)
        if isinstance(result, RunStoppedError):
            self._stop(result)
            return
        if isinstance(result, BaseException):
            if not isinstance(result, Exception) or (step.scope == "read" and isinstance(result, SpanferryError)):
                raise result  # an input that can't be read is the user's to mend, before anything else
            self.outcome.failures.append(Failure(step.name, step.group, shard, result))
            self._break(k)
            return
        entry, facts = result
        if step.scope == "read":
            self._add_new_shards(k)
        else:
            self._done[k][shard] = entry
            self._totals[k] += self._rows(k, shard)
        if step.scope == "emit":
            if errors := self._model_errors(k):
                facts = {**facts, "model_errors": errors}
            stages = [f"{before.name}-{before.digest}" for before in step.after]
            places.stamp(self._out / step.place, step.digest, facts, stages)
            self._emitted(step, facts)
        elif step.scope != "read":
            self.outcome.computed[step.name] = self.outcome.computed.get(step.name, 0) + 1
        self._follow(k, shard)
        self._report(k)

    def _model_errors(self, k: int) -> dict[str, dict[str, Any]]:
        """What models failed at in the steps before an output, by step and kind of call: rows and the last error."""
        before, waiting = set[int](), list(self._after[k])
        while waiting:
            j = waiting.pop()
            if j not in before:
                before.add(j)
                waiting += self._after[j]
        found: dict[str, dict[str, Any]] = {}
        for j in sorted(before):
            for _, entry in sorted(self._done[j].items()):
                for call, one in entry.errors.items():
                    name = f"{self.steps[j].name}, {call}"
                    rows = found.get(name, {}).get("rows", 0) + one["rows"]
                    found[name] = {"rows": rows, "last": one["last"]}
        return found

    def _stop(self, why: RunStoppedError) -> None:
        self.outcome.stopped = self.outcome.stopped or str(why)
        self._ready.clear()

    def _follow(self, k: int, shard: int) -> None:
        """Makes ready what waited for a shard of step ``k``; for the last one, also what waited for all of them."""
        for dependent in self._dependents[k]:
            if self.steps[dependent].scope == "shard" and self.steps[k].scope in ("read", "shard"):
                self._check_shard(dependent, shard)
        if self._complete(k):
            for dependent in self._dependents[k]:
                self._check_step(dependent)

    def _add_new_shards(self, k: int) -> None:
        """Adds the shards that a ``read`` step has made since the last check."""
        fresh = {shard: entry for shard, entry in self._stages[k].done().items() if shard not in self._done[k]}
        self._done[k] |= fresh
        self._totals[k] += sum(entry.rows for entry in fresh.values())
        for shard in fresh:
            self._follow(k, shard)

    def _rows(self, k: int, shard: int) -> int:
        """Rows of the input that a shard of step ``k`` stands for."""
        base = self._base[k]
        if base is None:
            return 0
        if self.steps[k].scope in ("whole", "emit"):
            return self._totals[base]
        entry = self._done[base].get(shard)
        return entry.rows if entry else 0

    def _rows_of(self, k: int) -> int:
        base = self._base[k]
        if base is None or self.steps[k].scope == "emit":
            return 0
        rows = {shard: entry.rows for shard, entry in self._done[base].items()}
        if self.steps[k].scope == "whole":
            return sum(rows.values()) if self._done[k] else 0
        return sum(rows.get(shard, 0) for shard in self._done[k])

    def _break(self, k: int) -> None:
        """What depends on a step that failed does not start any more; its own other shards do."""
        for dependent in self._dependents[k]:
            if self.steps[dependent].scope != "shard" and dependent not in self._broken:
                self._broken.add(dependent)
                self._break(dependent)
            elif self.steps[dependent].scope == "shard":
                self._break(dependent)

    def _poll(self) -> None:
        for k, shard in list(self._flying):
            if self.steps[k].scope == "read":
                self._add_new_shards(k)
            else:
                with contextlib.suppress(OSError, ValueError):  # not there yet, or being written
                    self._flying[(k, shard)] = int(self._stages[k].tick(shard).read_text())
            self._report(k)

    def _report(self, k: int) -> None:
        step, base = self.steps[k], self._base[k]
        if step.scope == "emit" or base is None:
            return
        total = self._totals[base] if self._count_of(base) is not None else None
        done = self._totals[k] + sum(rows for (j, _), rows in self._flying.items() if j == k)
        self.progress.update(step.name, done, total)
        if self._complete(k) and k not in self._closed:
            self._closed.add(k)
            self.progress.finish(step.name)


def _put(found: "queue.SimpleQueue[tuple[int, int, Any]]", k: int, shard: int, value: Any) -> None:
    found.put((k, shard, value))
