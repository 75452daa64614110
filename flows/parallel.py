"""``run parallel``: rows of several languages, joined by id, with word links, in every format that was asked for."""

import heapq
import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

from corpora.multiway import MultiRow
from corpora.tally import inline
from flows.parallel_config import ParallelConfig
from flows.parallel_documents import EXAMPLES, SetFacts, counted, write_documents
from flows.parallel_plan import SetPlan
from flows.parallel_run import STAMP, SetResult, run_set, sample_key
from flows.parallel_tasks import StageRows, shard_count
from flows.store import digest, write_json


def run_parallel(config: ParallelConfig, console: Console | None = None) -> SetResult:
    """Builds a parallel set and writes ``OUT/<format>`` for every format.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.

    Raises:
        SpanferryError: Before any work, for input, options or an output place that can't do.
    """
    return run_set(config, _emit, console)


def _emit(plan: SetPlan, result: SetResult) -> None:
    rows = StageRows(plan.align_stage, shard_count(plan))
    for name, writer in plan.writers().items():
        place = plan.config.out / name
        made = digest(f"{plan.align_signature}|{writer!r}|{plan.config.seed}")
        stamp = {"writer": name, "made": made}
        if not _made(place, stamp):
            report = writer.write_rows(rows, place, plan.languages)
            lost = {name: report.lost} if report.lost else {}
            write_documents(place, _facts(plan, rows, report.rows, lost))
            write_json(place / STAMP, stamp)
        told = json.loads((place / "report.json").read_text(encoding="utf-8"))
        result.written[name], result.counts[name], result.reasons[name] = place, told["rows"], told["reasons"]


def _made(place: Path, stamp: dict[str, Any]) -> bool:
    try:
        return bool(json.loads((place / STAMP).read_text(encoding="utf-8")) == stamp)
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def _facts(plan: SetPlan, rows: StageRows, counts: dict[str, int], lost: dict[str, dict[str, int]]) -> SetFacts:
    cells: Counter[str] = Counter()
    reasons: list[tuple[str, ...]] = []
    kept = (row for row in rows if not row.reasons)
    shown = heapq.nsmallest(EXAMPLES, kept, key=lambda row: (sample_key(plan, row.id), row.id))
    for row in rows:
        if row.reasons:
            reasons.append(row.reasons)
        else:
            cells.update(row.languages)
    links = f", words linked by `{plan.unfitted().signature}`" if plan.directions else ""
    return SetFacts(
        title=f"Parallel set {'-'.join(plan.languages)}",
        about=f"The same examples in {', '.join(plan.languages)}, joined by id; a missing cell is null{links}.",
        paper=None,
        differs=None,
        task="translation",
        languages=plan.languages,
        sources=[Path(entry.rpartition("=")[2]).name for entry in plan.config.rows.inputs],
        signature=plan.signature,
        columns={},
        rows=counts,
        reasons=counted(reasons),
        cells={lang: cells[lang] for lang in plan.languages},
        lost=lost,
        examples=[_shown(row) for row in shown],
    )


def _shown(row: MultiRow) -> dict[str, str]:
    return {"id": row.id, **{lang: inline(example) for lang, example in row.examples.items()}}
