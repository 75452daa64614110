"""``run code-switch``: rows of several languages, or one with a dictionary or table, mixed with their labels kept."""

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from corpora.switching.dataset import tag_names, write_tables
from corpora.switching.presets import PRESETS
from corpora.switching.rows import column_of, field_of, schema_of
from corpora.switching.samplers.base import CorpusSampler
from flows.engine import Failure, run_under_prefect
from flows.parallel_documents import EXAMPLES, SetFacts, counted, write_documents
from flows.parallel_plan import SetPlan
from flows.parallel_run import STAMP, SetResult, run_set, sample_key
from flows.parallel_tasks import shard_count
from flows.store import digest, write_bytes, write_json
from flows.switch_config import SwitchConfig
from flows.switch_plan import SwitchPlan, switch_plan
from flows.switch_report import switching_files
from flows.switch_tasks import run_switch_task

NAME = "code-switch"


def run_switch(config: SwitchConfig, console: Console | None = None) -> SetResult:
    """Builds a code-switched set and writes ``OUT/code-switch``.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.

    Raises:
        SpanferryError: Before any work, for input, options or an output place that can't do.
    """
    plan = switch_plan(config.to_json(), str(config.out / "stages"))
    _ = plan.signature  # every component is built, so a wrong option fails before any work

    def emit(rows: SetPlan, result: SetResult) -> None:
        write_bytes(config.out / "config.json", config.to_json().encode())
        _stages(plan, result)
        if not result.failures:
            _emit(plan, rows, result)

    return run_set(plan.rows.config, emit, console)


def _stages(plan: SwitchPlan, result: SetResult) -> None:
    shards = shard_count(plan.rows)
    jobs: list[list[tuple[str, str, int]]] = []
    if isinstance(plan.switcher.sampler, CorpusSampler) and not plan.assign_stage.done(0):
        jobs.append([("assign", "", 0)])
    there = plan.switch_stage.entries()
    missing = [s for s in range(shards) if s not in there or not plan.switch_stage.path(s).exists()]
    jobs.append([("switch", "", shard) for shard in missing])
    if not any(jobs):
        return
    arguments = (plan.config.to_json(), str(plan.root.resolve()))

    def body(submit: Callable[..., Any], completed: Callable[[Any], Iterator[Any]]) -> None:
        for stage in jobs:
            futures = {submit(*arguments, *job): job for job in stage}
            for future in completed(list(futures)):
                found = future.result(raise_on_failure=False)
                name, target, shard = futures[future]
                if isinstance(found, BaseException):
                    result.failures.append(Failure(name, target, shard, found))
                else:
                    result.computed[name] = result.computed.get(name, 0) + 1
            if result.failures:
                return

    run_under_prefect(NAME, plan.config.executor, run_switch_task, body)


def _emit(plan: SwitchPlan, rows: SetPlan, result: SetResult) -> None:
    place = plan.config.out / NAME
    stamp = {"kind": NAME, "made": digest(plan.signature)}
    if not (place / STAMP).exists() or json.loads((place / STAMP).read_text(encoding="utf-8")) != stamp:
        fields = _fields(plan)
        tags = tag_names(_kept(plan))
        counts = write_tables(_kept(plan), _rejected(plan), place, schema_of(fields), tags)
        write_documents(place, _facts(plan, rows, counts, fields))
        for name, text in switching_files(plan, _kept(plan), _unit_counts(plan)).items():
            if name == "section.md":
                text = (place / "report.md").read_text(encoding="utf-8") + "\n" + text
                name = "report.md"
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(place / name, text.encode("utf-8", "backslashreplace"))
        write_json(place / STAMP, stamp)
    told = json.loads((place / "report.json").read_text(encoding="utf-8"))
    result.written[NAME], result.counts[NAME], result.reasons[NAME] = place, told["rows"], told["reasons"]


def _kept(plan: SwitchPlan) -> Iterator[pa.Table]:
    for shard in range(shard_count(plan.rows)):
        yield plan.switch_stage.read(shard)


def _rejected(plan: SwitchPlan) -> Iterator[pa.Table]:
    for shard in range(shard_count(plan.rows)):
        yield plan.rejected_stage.read(shard)


def _fields(plan: SwitchPlan) -> tuple[str, ...]:
    """The text fields of all shards, in order of first appearance."""
    others = {*schema_of(()).names, "split"}
    found: dict[str, None] = {}
    for table in _kept(plan):
        found.update(dict.fromkeys(field_of(name) for name in table.column_names if name not in others))
    return tuple(found) or ("text",)


def _unit_counts(plan: SwitchPlan) -> Counter[str]:
    total: Counter[str] = Counter()
    for entry in plan.switch_stage.entries().values():
        total.update(entry.counts)
    return total


def _facts(plan: SwitchPlan, rows: SetPlan, counts: dict[str, int], fields: tuple[str, ...]) -> SetFacts:
    config, switcher = plan.config, plan.switcher
    preset = PRESETS[config.preset] if config.preset else None
    shown = heapq.nsmallest(
        EXAMPLES,
        ((sample_key(rows, row["id"]), row["id"], _shown(row, fields)) for t in _kept(plan) for row in t.to_pylist()),
        key=lambda item: item[:2],
    )
    about = (
        f"Text in {switcher.matrix} with {switcher.unit.name}s in {', '.join(switcher.embedded)}, spans, tags and"
        " relations kept; every change is on record in the column switches."
    )
    return SetFacts(
        title=f"Code-switched set {'-'.join((switcher.matrix, *switcher.embedded))}",
        about=about + (f" {preset.about[0].upper()}{preset.about[1:]}." if preset else ""),
        paper=preset.paper if preset else None,
        differs=preset.differs if preset else None,
        task="token-classification",
        languages=(switcher.matrix, *switcher.embedded),
        sources=[Path(entry.rpartition("=")[2]).name for entry in config.rows.inputs],
        signature=plan.signature,
        columns={f.name: str(f.type) if not pa.types.is_nested(f.type) else "list" for f in schema_of(fields)},
        rows=counts,
        reasons=counted(row for t in _rejected(plan) for row in t["reasons"].to_pylist()),
        examples=[row for _, _, row in shown],
    )


def _shown(row: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    switches = [f"{s['source_text']} → {s['text']} ({s['lang']})" for s in row["switches"] if s["lang"]]
    texts = {name: row.get(column_of(name)) for name in fields}
    return {
        "id": row["id"],
        **texts,
        "tags": " ".join(row["ner_tags"]),
        "cmi": round(row["cmi"], 1),
        "switches": switches,
    }
