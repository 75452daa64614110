"""What a run will take, estimated by a dry run from a sample of its rows: time, memory, requests, tokens and cost."""

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spanferry.flows.engine.pools import Threads
from spanferry.flows.engine.schedule import run_job
from spanferry.flows.engine.step import Job, Step
from spanferry.translators.endpoints.estimate import estimate, sample_positions
from spanferry.translators.endpoints.limits import Usage

SAMPLE_ROWS = 64
# A prompt's own words, in bytes: what a row takes grows with its text and this (``instruct`` has 150).
_PROMPT_BYTES = 150


@dataclass(frozen=True, slots=True)
class Survey:
    """The rows of a run, as far as an estimate needs them.

    Attributes:
        rows: How many there are.
        size: Sum of the sizes of all rows.
        sizes: Of each row that has to be translated: a text that comes again is translated once.
        positions: Which row each of ``sizes`` is of.
    """

    rows: int
    size: int
    sizes: Sequence[int]
    positions: Sequence[int]

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]], shard_rows: int, *, remembered: bool) -> "Survey":
        """Goes through all rows.

        Args:
            rows: The texts of each row.
            shard_rows: Rows of a shard, within which equal texts are translated once.
            remembered: Whether a memory holds over all shards.
        """
        seen: set[int] = set()
        sizes: list[int] = []
        positions: list[int] = []
        count = total = 0
        for texts in rows:
            if count % shard_rows == 0 and not remembered:
                seen.clear()
            size = sum(len(text.encode("utf-8", "replace")) + _PROMPT_BYTES for text in texts)
            key = hash(tuple(texts))
            if key not in seen:
                seen.add(key)
                sizes.append(size)
                positions.append(count)
            count, total = count + 1, total + size
        return cls(count, total, sizes, positions)

    def sample(self) -> list[int]:
        """Indices into ``sizes`` of rows that stand for all, in ascending order."""
        return sample_positions(self.sizes, SAMPLE_ROWS)


@dataclass(frozen=True, slots=True)
class _Timed:
    """Seconds of one job: on the clock, of its own thread's processor time, and of the whole process's."""

    step: Step
    shard: int
    wall: float
    own: float
    process: float


class TimedThread(Threads):
    """One thread that notes what each job takes."""

    def __init__(self) -> None:
        super().__init__(1)
        self.jobs: list[_Timed] = []

    def submit(self, step: Step, job: Job, done: Callable[[Any], None]) -> None:
        """See ``spanferry.flows.engine.schedule.Pool``."""

        def timed() -> Any:
            began = time.perf_counter(), time.thread_time(), time.process_time()
            try:
                return run_job(step.work, step.scope, job)
            finally:
                ended = time.perf_counter(), time.thread_time(), time.process_time()
                self.jobs.append(_Timed(step, job.shard, *(b - a for a, b in zip(began, ended, strict=True))))

        self._pool.submit(timed).add_done_callback(done)


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run will take.

    Attributes:
        rows: Rows of the input.
        sampled: Rows that it is estimated from.
        seconds: Wall-clock time of the work on them, without what starts and ends.
        memory: Peak of this process in bytes so far; the run needs at least as much.
        requests: Requests to endpoints; 0: none is asked.
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens written.
        cost: In the currency of the prices.
    """

    rows: int
    sampled: int
    seconds: float
    memory: int
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def lines(self) -> list[str]:
        """For people, one fact a line."""
        found = [
            f"estimate for all {self.rows:,} rows, from {self.sampled:,} of them:",
            f"  time    {_clock(self.seconds)}",
            f"  memory  {self.memory / 2**20:,.0f} MiB at least",
        ]
        if self.requests:
            found += [
                f"  asked   {self.requests:,} requests, {self.prompt_tokens:,} tokens in, "
                f"{self.completion_tokens:,} out" + (f", cost {self.cost:,.4f}" if self.cost else "")
            ]
        return found


def estimated(
    survey: Survey, sampled: Sequence[int], jobs: Sequence[_Timed], paid: Counter[str], workers: int, *, warmed: int
) -> RunEstimate:
    """What all rows will take.

    Translation and projection use all cores or wait for a server, the rest of a job holds the interpreter. So the run
    takes as long as the tightest of the three: all processor time over the cores, the jobs' time on the clock over the
    workers, and the jobs' own processor time.

    Args:
        survey: All rows.
        sampled: What ``survey.sample`` gave.
        jobs: What the jobs on the sample took.
        paid: Sums of what the steps counted.
        workers: Jobs at a time.
        warmed: Shards at the start in which a step's first job loads and compiles; their time is not counted.
    """
    shards = max((job.shard for job in jobs), default=0) + 1
    skipped = warmed if shards > warmed else 0
    asked = sum(survey.sizes[i] for i in sampled)
    measured = asked * (shards - skipped) / shards or 1
    wall = own = process = 0.0
    for job in jobs:
        if job.step.scope == "emit" or (job.step.scope == "shard" and job.shard < skipped):
            continue
        base = {"read": survey.size, "shard": measured}.get(job.step.scope, asked)  # a dry run goes through all rows
        ratio = survey.size / base if base else 1.0
        wall, own, process = wall + ratio * job.wall, own + ratio * job.own, process + ratio * job.process
    seconds = max(process / _cores(), wall / workers, own)
    usage = Usage(
        paid["requests"],
        paid["retries"],
        paid["prompt_tokens"],
        paid["completion_tokens"],
        paid["cost_millionths"] / 1e6,
    )
    found = estimate(survey.sizes, sampled, usage)
    return RunEstimate(
        survey.rows, len(sampled), seconds, _peak(), found.requests, found.prompt_tokens, found.completion_tokens,
        found.cost,
    )  # fmt: skip


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _clock(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {left:02d} s" if minutes else f"{seconds:.1f} s"
