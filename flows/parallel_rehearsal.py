"""A rehearsal of a parallel or derived set: everything is checked, a few rows go through, nothing is written."""

import shutil
import time
from itertools import islice

from rich.console import Console
from rich.markup import escape

from corpora.multiway import MultiRow, join_cells
from flows import parallel_tasks as tasks
from flows.parallel_config import DeriveConfig, ParallelConfig
from flows.parallel_plan import SetPlan, check, set_plan
from flows.run import REHEARSAL_ROWS, existing
from projectors.base import FittedAligner


def rehearse(config: ParallelConfig | DeriveConfig, console: Console) -> None:
    """Resolves everything, checks inputs, models and disk, joins, links and derives from the first rows in memory.

    Raises:
        SpanferryError: What is wrong.
    """
    plan = set_plan(config.to_json(), str(config.out / "stages"))
    check(plan)
    console.print(f"[bold]{'-'.join(plan.languages)}[/]  {escape(plan.signature)}", highlight=False)
    free = shutil.disk_usage(existing(config.out)).free
    console.print(f"disk   {free / 2**30:.1f} GiB free at {escape(str(config.out))}")
    started = time.monotonic()
    rows = first_rows(plan)
    kept = [row for row in rows if not row.reasons]
    links = sum(len(links.links) for row in kept for links in row.links)
    told = f"{len(rows)} rows, {len(kept)} kept, {links} links"
    if isinstance(config, DeriveConfig):
        records = list(plan.derivation.derive(kept))
        good = sum(not record.reasons for record in records)
        told += f", {good} records, {len(records) - good} rejected"
    console.print(f"{told}, {time.monotonic() - started:.1f} s. Nothing was written.")


def first_rows(plan: SetPlan) -> list[MultiRow]:
    """The first rows of the first input with what the first rows of the others have for them, linked."""
    inputs = [list(islice(reader.read(), REHEARSAL_ROWS)) for reader in plan.readers]
    if plan.config.rows.join == "index":
        cells = [list(found) for found in zip(*inputs, strict=False)]
    else:
        known = [{row.id: row for row in reversed(rows)} for rows in inputs]
        cells = [[rows[name] for rows in known if name in rows] for name in dict.fromkeys(r.id for r in inputs[0])]
    rows = [join_cells(found[0].id, found, plan.languages, plan.min_languages) for found in cells]
    fitted = {}
    for direction in plan.directions:
        aligner = plan.unfitted()
        if isinstance(aligner, FittedAligner):
            aligner = aligner.fit([item for row in rows for item in tasks.alignment_inputs(row, direction)])
        fitted[direction] = aligner
    return tasks.linked_rows(rows, fitted)
