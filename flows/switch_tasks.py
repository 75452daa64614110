"""The work on the shards of a code-switched set. Paths in, stage files out."""

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from corpora.filters.sets import filter_switched
from corpora.multiway import rows_from_table
from corpora.switching.dataset import bins_from_table, bins_table
from corpora.switching.samplers.base import CorpusSampler
from flows.parallel_tasks import shard_count
from flows.store import Entry
from flows.switch_plan import SwitchPlan, switch_plan


def run_switch_task(config_json: str, root: str, name: str, target: str, shard: int) -> dict[str, Any]:
    """Does one stage's work on one shard and writes its file.

    Args:
        config_json: The resolved configuration.
        root: The run's ``stages`` directory, seen from where this runs.
        name: ``assign`` or ``switch``.
        target: Empty; a task has one.
        shard: Number of the shard; 0 for ``assign``.

    Returns:
        The manifest entry.
    """
    plan = switch_plan(config_json, root)
    return asdict(_assign(plan) if name == "assign" else _switch(plan, shard))


def _assign(plan: SwitchPlan) -> Entry:
    started = time.monotonic()
    switcher, sampler = plan.switcher, plan.switcher.sampler
    assert isinstance(sampler, CorpusSampler)
    found = [switcher.reachable(plan.rows.align_stage.read(s)) for s in range(shard_count(plan.rows))]
    masks, keys = (np.concatenate([pair[k] for pair in found], axis=1) for k in (0, 1))
    bins = sampler.assign(masks.ravel(), keys.ravel()).reshape(masks.shape)
    entry = Entry(0, sum(m.shape[1] for m, _ in found), "", round(time.monotonic() - started, 3))
    return plan.assign_stage.open().write(0, bins_table(bins), entry)


def _switch(plan: SwitchPlan, shard: int) -> Entry:
    started = time.monotonic()
    table = plan.rows.align_stage.read(shard)
    bins = None
    if isinstance(plan.switcher.sampler, CorpusSampler):
        before = sum(plan.rows.align_stage.read(s).num_rows for s in range(shard))
        bins = bins_from_table(plan.assign_stage.read(0))[:, before : before + table.num_rows]
    done = plan.switcher.switch(table, bins)
    if plan.filters:
        done.kept, done.rejected = filter_switched(done.kept, done.rejected, rows_from_table(table), plan.filters)
    plan.rejected_stage.open().write(shard, done.rejected, Entry(shard, done.rejected.num_rows, "", 0.0))
    entry = Entry(
        shard, done.kept.num_rows, "", round(time.monotonic() - started, 3), dict(sorted(done.counts.items()))
    )
    return plan.switch_stage.open().write(shard, done.kept, entry)
