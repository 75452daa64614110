"""``run parallel``: rows of several languages, joined by id, with word links, in every format that was asked for."""

import heapq
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from spanferry.corpora.derive.base import key_of
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.report.tally import inline
from spanferry.corpora.signature import Signature, value_text
from spanferry.corpora.writers.parallel import open_parallel_writer
from spanferry.flows.engine.emit import check_sum, none_kept, output_entry
from spanferry.flows.engine.flow import Flow, Result, run
from spanferry.flows.engine.step import Job, Made, Step
from spanferry.flows.sets.config import ParallelConfig
from spanferry.flows.sets.documents import EXAMPLES, SetFacts, counted, write_documents
from spanferry.flows.sets.plan import SetPlan
from spanferry.flows.sets.work import StageRows


def run_parallel(config: ParallelConfig, console: Console | None = None, *, overwrite: bool = False) -> Result:
    """Builds a parallel set and writes ``OUT/<format>`` for every format.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.
        overwrite: Forget what an earlier run has done.

    Raises:
        SpanferryError: Before any work, for input, options or an output place that can't do.
    """
    return run(parallel_flow(config), console, overwrite=overwrite)


def parallel_flow(config: ParallelConfig) -> Flow:
    """The flow of a configuration.

    Raises:
        SpanferryError: What is wrong.
    """
    pairs = "pivot" if config.align.pairs == "auto" else config.align.pairs
    plan = SetPlan(config.rows, config.align, config.rows.min_languages or 2, pairs)
    outputs = []
    for name in config.output.formats:
        options = config.output.options.get(name) or {}
        made = output_entry(open_parallel_writer(name, options), name, options)
        emit = EmitSet(name, options, plan.languages, config.seed, input_names(plan), plan.signature, _linker(plan))
        inputs = ("inputs", value_text(emit.inputs))
        key = Signature.of(made, ("seed", config.seed), inputs, ("rows", f"({plan.signature})"))
        outputs.append(Step(f"emit-{name}", key, emit, (plan.joined, plan.linked), "emit", place=name))
    names = "-".join(plan.languages)
    return Flow(config, outputs, title=names, signatures={names: plan.signature}, tags=plan.languages)


def input_names(plan: SetPlan) -> tuple[str, ...]:
    """What a set was made from, without paths of this machine."""
    return tuple(Path(entry.rpartition("=")[2]).name for entry in plan.rows.inputs)


def _linker(plan: SetPlan) -> Signature | None:
    return plan.aligner_signature if plan.directions else None


@dataclass(frozen=True)
class EmitSet:
    """Writes one format of a parallel set, with report and card.

    Attributes:
        writer: Name of the format.
        options: Of the writer.
        languages: BCP-47, in order.
        seed: Of the rows that the report shows.
        inputs: Names of what was read.
        signature: Every choice.
        linker: Signature of the aligner; None: no words are linked.
    """

    writer: str
    options: dict[str, Any]
    languages: tuple[str, ...]
    seed: int
    inputs: tuple[str, ...]
    signature: Signature
    linker: Signature | None

    def __call__(self, job: Job) -> Made:
        rows = StageRows(job.inputs[1], job.shards)
        report = open_parallel_writer(self.writer, self.options).write_rows(rows, job.place, self.languages)
        facts = self._facts(rows, report.rows, {self.writer: report.lost} if report.lost else {})
        write_documents(job.place, facts)
        total = sum(entry.rows for entry in job.inputs[0].done().values())
        rejected = sum(bool(row.reasons) for row in rows)
        links = sum(len(links.links) for row in rows for links in row.links if not row.reasons)
        if self.writer == "multiway":
            check_sum("rows", total, report.rows, self.writer)
        reported: dict[str, Any] = {
            "read": total,
            "kept": total - rejected,
            "links": links,
            "rows": dict(report.rows),
            "reasons": facts.reasons,
            "lost": dict(report.lost),
        }
        if not facts.kept:
            reported["empty"] = none_kept(self.writer, total, facts.reasons)
        return Made(rows=total, facts=reported)

    def _facts(self, rows: StageRows, counts: dict[str, int], lost: dict[str, dict[str, int]]) -> SetFacts:
        cells: Counter[str] = Counter()
        reasons: list[tuple[str, ...]] = []
        kept = (row for row in rows if not row.reasons)
        shown = heapq.nsmallest(EXAMPLES, kept, key=lambda row: (key_of(self.seed, "shown", row.id), row.id))
        for row in rows:
            if row.reasons:
                reasons.append(row.reasons)
            else:
                cells.update(row.languages)
        links = f", words linked by `{self.linker}`" if self.linker else ""
        return SetFacts(
            title=f"Parallel set {'-'.join(self.languages)}",
            about=f"The same examples in {', '.join(self.languages)}, joined by id; a missing cell is null{links}.",
            paper=None,
            differs=None,
            task="translation",
            languages=self.languages,
            sources=list(self.inputs),
            signature=self.signature,
            columns={},
            rows=counts,
            reasons=counted(reasons),
            cells={lang: cells[lang] for lang in self.languages},
            lost=lost,
            examples=[_shown(row) for row in shown],
        )


def _shown(row: MultiRow) -> dict[str, str]:
    return {"id": row.id, **{lang: inline(example) for lang, example in row.examples.items()}}
