"""The work on the shards of a code-switched set. Stage files in, one shard out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.filters.sets import filter_switched, row_filters
from spanferry.corpora.multiway import rows_from_table
from spanferry.corpora.switching.dataset import bins_from_table, bins_table
from spanferry.corpora.switching.sampling import CorpusSampler
from spanferry.flows.engine.emit import check_sum
from spanferry.flows.engine.step import Job, Made
from spanferry.flows.switch.plan import SwitcherParts

REJECTED = "rejected"


@dataclass(frozen=True)
class Assign:
    """For a sampler that needs the whole corpus: the bin of every row."""

    switcher: SwitcherParts

    def __call__(self, job: Job) -> Made:
        switcher, rows = self.switcher.build(), job.inputs[0]
        sampler = switcher.sampler
        assert isinstance(sampler, CorpusSampler)
        found = [switcher.reachable(rows.read(shard)) for shard in range(job.shards)]
        masks, keys = (np.concatenate([pair[k] for pair in found], axis=1) for k in (0, 1))
        bins = sampler.assign(masks.ravel(), keys.ravel()).reshape(masks.shape)
        return Made(bins_table(bins), sum(m.shape[1] for m, _ in found))


@dataclass(frozen=True)
class Switch:
    """The rows of one shard, switched; the rejected ones beside them.

    Attributes:
        switcher: What switches.
        filters: What switched rows are judged by, as configured.
    """

    switcher: SwitcherParts
    filters: tuple[Mapping[str, Any], ...] = ()

    def __call__(self, job: Job) -> Made:
        rows, *assigned = job.inputs
        table = rows.read(job.shard)
        bins = None
        if assigned:
            before = sum(entry.rows for shard, entry in rows.done().items() if shard < job.shard)
            bins = bins_from_table(assigned[0].read(0))[:, before : before + table.num_rows]
        switcher = self.switcher.build()
        done = switcher.switch(table, bins)
        _check_spans(table, done.kept, switcher.matrix)
        kept, rejected = done.kept, done.rejected
        if filters := row_filters(self.filters):
            kept, rejected = filter_switched(kept, rejected, rows_from_table(table), filters)
        return Made(kept, kept.num_rows, dict(sorted(done.counts.items())), {REJECTED: rejected})


def _check_spans(rows: pa.Table, kept: pa.Table, matrix: str) -> None:
    """Every kept row has the spans of the row that it was made from."""
    spans = Counter[str]()
    for row_id, examples in zip(rows["id"].to_pylist(), rows["examples"].to_pylist(), strict=True):
        own = next((e for e in examples if e["lang"] == matrix), None)
        spans[row_id] = len(own["spans"]) if own else 0
    there = sum(spans[row_id] for row_id in kept["source_id"].to_pylist())
    check_sum("spans", there, {"kept": pc.sum(pc.list_value_length(kept["spans"])).as_py() or 0}, "code-switch")
