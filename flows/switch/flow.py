"""``run code-switch``: rows of several languages, or one with a dictionary or table, mixed with their labels kept."""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from rich.console import Console

from spanferry.corpora.derive.base import key_of
from spanferry.corpora.report.page import report_page
from spanferry.corpora.signature import Signature, value_text
from spanferry.corpora.stored.switch_schema import column_of, field_of, schema_of
from spanferry.corpora.switching.dataset import tag_names, write_tables
from spanferry.corpora.switching.presets import PRESETS
from spanferry.corpora.switching.sampling import CorpusSampler
from spanferry.flows.engine.emit import check_sum, none_kept
from spanferry.flows.engine.flow import Flow, Result, run
from spanferry.flows.engine.step import Job, Made, Step
from spanferry.flows.sets.documents import EXAMPLES, SetFacts, counted, write_documents
from spanferry.flows.sets.parallel import input_names
from spanferry.flows.store import write_bytes
from spanferry.flows.switch.config import SwitchConfig
from spanferry.flows.switch.plan import SwitcherParts, SwitchPlan
from spanferry.flows.switch.report import switching_files
from spanferry.flows.switch.work import REJECTED, Assign, Switch

NAME = "code-switch"


def run_switch(config: SwitchConfig, console: Console | None = None, *, overwrite: bool = False) -> Result:
    """Builds a code-switched set and writes ``OUT/code-switch``.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.
        overwrite: Forget what an earlier run has done.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    return run(switch_flow(config), console, overwrite=overwrite)


def switch_flow(config: SwitchConfig) -> Flow:
    """The flow of a configuration.

    Raises:
        SpanferryError: What is wrong.
    """
    plan = SwitchPlan(config)
    switcher, rows = plan.switcher, plan.rows.linked
    files = ("files", plan.files)
    key = Signature.of(plan.key, files)
    assigned: tuple[Step, ...] = ()
    if isinstance(switcher.sampler, CorpusSampler):
        assigned = (Step("assign", Signature.of(plan.assigning, files), Assign(plan.parts), (rows,), "whole"),)
    switch = Step("switch", key, Switch(plan.parts, config.filters), (rows, *assigned))
    emit = EmitSwitched(plan.parts, config.preset, config.seed, input_names(plan.rows), plan.signature)
    stated = ("inputs", value_text(emit.inputs)), ("preset", config.preset or "none")
    made = Signature.of(("emit", NAME), *stated, ("rows", f"({plan.signature})"))
    output = Step(f"emit-{NAME}", made, emit, (plan.rows.joined, switch), "emit", place=NAME)
    names = "-".join((switcher.matrix, *switcher.embedded))
    tags = [switcher.matrix, *switcher.embedded]
    return Flow(config, [output], title=names, signatures={names: plan.signature}, tags=tags)


@dataclass(frozen=True)
class EmitSwitched:
    """Writes a code-switched set, with report, card and measures.

    Attributes:
        switcher: What switched the rows.
        preset: Name of the preset that was used.
        seed: Of the rows that the report shows.
        inputs: Names of what was read.
        signature: Every choice.
    """

    switcher: SwitcherParts
    preset: str | None
    seed: int
    inputs: tuple[str, ...]
    signature: Signature

    def __call__(self, job: Job) -> Made:
        place, fields = job.place, _fields(job)
        tags = tag_names(_kept(job))
        counts = write_tables(_kept(job), _rejected(job), place, schema_of(fields), tags)
        facts = self._facts(job, counts, fields)
        write_documents(place, facts)
        units: Counter[str] = Counter()
        for entry in job.inputs[1].done().values():
            units.update(entry.counts)
        files = switching_files(self.switcher.build(), _kept(job), units)
        report = (place / "report.md").read_text(encoding="utf-8") + "\n" + files.pop("section.md")
        files |= {"report.md": report, "report.html": report_page(report, pictures=files)}
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(place / name, text.encode("utf-8", "backslashreplace"))
        read = sum(entry.rows for entry in job.inputs[0].done().values())
        made = sum(table.num_rows for table in _kept(job)) + sum(table.num_rows for table in _rejected(job))
        check_sum("rows", made, counts, NAME)
        reported: dict[str, Any] = {
            "read": read,
            "kept": facts.kept,
            "rejected": counts["rejected"],
            "rows": dict(counts),
            "reasons": facts.reasons,
        }
        if not facts.kept:
            reported["empty"] = none_kept(NAME, read, facts.reasons)
        return Made(rows=facts.kept, facts=reported)

    def _facts(self, job: Job, counts: dict[str, int], fields: tuple[str, ...]) -> SetFacts:
        switcher = self.switcher.build()
        preset = PRESETS[self.preset] if self.preset else None
        shown = heapq.nsmallest(
            EXAMPLES,
            (
                (key_of(self.seed, "shown", row["id"]), row["id"], _shown(row, fields))
                for table in _kept(job)
                for row in table.to_pylist()
            ),
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
            sources=list(self.inputs),
            signature=self.signature,
            columns={f.name: str(f.type) if not pa.types.is_nested(f.type) else "list" for f in schema_of(fields)},
            rows=counts,
            reasons=counted(row for t in _rejected(job) for row in t["reasons"].to_pylist()),
            examples=[row for _, _, row in shown],
        )


def _kept(job: Job) -> Iterator[pa.Table]:
    for shard in range(job.shards):
        yield job.inputs[1].read(shard)


def _rejected(job: Job) -> Iterator[pa.Table]:
    for shard in range(job.shards):
        yield job.inputs[1].read(shard, REJECTED)


def _fields(job: Job) -> tuple[str, ...]:
    """The text fields of all shards, in order of first appearance."""
    others = {*schema_of(()).names, "split"}
    found: dict[str, None] = {}
    for table in _kept(job):
        found.update(dict.fromkeys(field_of(name) for name in table.column_names if name not in others))
    return tuple(found) or ("text",)


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
