"""Rows into shards: the one place where the input of a flow is read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import pyarrow as pa

from spanferry.flows.engine.step import Job, Made
from spanferry.flows.engine.store import Entry

Row = TypeVar("Row")
# Rows of a shard of a dry run: the first shard warms up, the others are timed.
REHEARSED = 16


def write_shards(
    job: Job,
    rows: Iterable[Row],
    encode: Callable[[list[Row]], pa.Table],
    *,
    shard_rows: int,
    together: int = 1,
    limit: int | None = None,
    count: Callable[[list[Row]], Mapping[str, int]] = lambda rows: {},
) -> Made:
    """Writes all rows into shards of the job's stage; only a finished reading leaves its mark.

    Args:
        job: The job of a ``read`` step.
        rows: In the order of the input.
        encode: Rows to a table.
        shard_rows: Rows per shard.
        together: How many rows in a row are made of one of the input, and stay in one shard; each counts as one here.
        limit: Rows that are read at most; None: all.
        count: What the manifest counts of a shard.

    Returns:
        Rows and counts over all shards; there is always at least one shard.
    """
    limits = [number for number in (limit, job.rehearsal) if number is not None]
    if job.positions is not None:
        chosen, shard_rows = _at(rows, [p * together + k for p in job.positions for k in range(together)]), REHEARSED
    else:
        chosen = islice(rows, min(limits, default=None))
    shard, total, counts = 0, 0, Counter[str]()
    for batch in _batches(chosen, shard_rows * together):
        own = count(batch)
        job.own.write(encode(batch), Entry(shard, len(batch), counts=dict(own)))
        counts.update(own)
        shard, total = shard + 1, total + len(batch)
        job.tick(total)
    job.own.complete(shard)
    return Made(rows=total, counts=dict(counts))


def _at(rows: Iterable[Row], positions: Sequence[int]) -> Iterator[Row]:
    """The rows at ascending positions."""
    wanted = iter(positions)
    following = next(wanted, None)
    for i, row in enumerate(rows):
        if following is None:
            return
        if i == following:
            yield row
            following = next(wanted, None)


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Lists of ``size`` rows, the last one shorter; one empty list where there are none."""
    batch = list(islice(rows, size))
    yield batch
    while batch := list(islice(rows, size)):
        yield batch
