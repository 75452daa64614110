"""``run derive KIND``: one derived set, as a dataset with report and card."""

import heapq
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from spanferry.corpora.derive.base import Derivation, SideFiles, TranslatingDerivation, key_of
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.files import atomic_path, contents
from spanferry.corpora.filters.apply import build
from spanferry.corpora.filters.base import signature_of
from spanferry.corpora.signature import Signature, settings, value_text
from spanferry.corpora.stored.records import Record, write_records
from spanferry.flows import models
from spanferry.flows.engine.budget import check_budget
from spanferry.flows.engine.emit import check_sum, none_kept
from spanferry.flows.engine.flow import Flow, Result, run
from spanferry.flows.engine.step import Job, Made, Step
from spanferry.flows.sets.config import DeriveConfig
from spanferry.flows.sets.documents import EXAMPLES, SetFacts, counted, write_documents
from spanferry.flows.sets.parallel import input_names
from spanferry.flows.sets.plan import SetPlan
from spanferry.flows.sets.work import Derive, FilterRecords, StageRows, records_of


def run_derive(config: DeriveConfig, console: Console | None = None, *, overwrite: bool = False) -> Result:
    """Builds a derived set and writes ``OUT/<kind>``.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.
        overwrite: Forget what an earlier run has done.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    return run(derive_flow(config), console, overwrite=overwrite)


def derive_flow(config: DeriveConfig) -> Flow:
    """The flow of a configuration.

    Raises:
        SpanferryError: What is wrong.
    """
    check_budget(config.budget, [config.translator.model, config.reverse], config.translator.options, config.options)
    work = Derive(config.kind, config.options, config.seed, config.translator, config.reverse)
    derivation = work.derivation()
    pairs = config.align.pairs
    if pairs == "auto":
        pairs = "pivot" if "links" in derivation.needs else "none"
    plan = SetPlan(config.rows, config.align, config.rows.min_languages or derivation.min_languages, pairs)
    made = Signature.of(_own_key(config), ("seed", config.seed), *_models(config, work, derivation, plan.languages))
    derive = Step("derive", made, work, (plan.linked,), "shard" if derivation.local else "whole")
    signature, made_by = Signature.of(plan.signature, made), derive
    if config.filters:
        judged = Signature.of(("filters", signature_of(build(config.filters))))
        signature = Signature.of(signature, judged)
        made_by = Step("filter", judged, FilterRecords(work, config.filters), (derive,), "whole")
    sharded = derivation.local and not config.filters
    emit = EmitDerived(work, plan.languages, input_names(plan), signature, sharded)
    name = derivation.name
    key = Signature.of(("emit", name), ("inputs", value_text(emit.inputs)), ("rows", f"({signature})"))
    output = Step(f"emit-{name}", key, emit, (plan.linked, made_by), "emit", place=name)
    title = f"{name} {'-'.join(plan.languages)}"
    return Flow(config, [output], title=title, signatures={name: signature}, tags=[name, *plan.languages])


def _own_key(config: DeriveConfig) -> Signature:
    options = settings(dict(sorted(config.options.items()))) or "[]"
    files = contents(config.options)
    return Signature.of(("derive", f"{config.kind}{options}"), ("files", files) if files else "")


def _models(
    config: DeriveConfig, work: Derive, derivation: Derivation, languages: tuple[str, ...]
) -> list[tuple[str, object]]:
    """What the models say of themselves: weights, protection, glossary and options are in it.

    Raises:
        ConfigError: Models are configured and nothing is translated.
    """
    if not isinstance(derivation, TranslatingDerivation):
        models.refuse_set(config.translator, f"{config.kind!r} translates nothing")
        if config.reverse is not None:
            raise ConfigError(
                f"reverse={config.reverse!r} is not used: {config.kind!r} translates nothing",
                hint="leave reverse out",
            )
        return []
    ways = derivation.translations(languages)
    if not ways:
        models.refuse_set(config.translator, f"{config.kind!r} translates nothing with these options")
    models_of: list[tuple[str, Any]] = [(f"{a}>{b}", work.translator(a, b)) for a, b in ways]
    return [(way, model.signature) for way, model in models_of]


@dataclass(frozen=True)
class EmitDerived:
    """Writes a derived set, with report and card.

    Attributes:
        work: What made the records.
        languages: BCP-47, in order.
        inputs: Names of what was read.
        signature: Every choice.
        sharded: Whether the records lie in as many shards as the rows; else in one.
    """

    work: Derive
    languages: tuple[str, ...]
    inputs: tuple[str, ...]
    signature: Signature
    sharded: bool

    def __call__(self, job: Job) -> Made:
        derivation = self.work.derivation()
        counts = write_records(self._all(job), job.place, derivation.schema).rows
        if isinstance(derivation, SideFiles):
            _side_files(derivation, self._records(job), job.place)
        facts = self._facts(job, derivation, counts)
        write_documents(job.place, facts)
        derived = sum(entry.rows for entry in job.inputs[1].done().values())
        rows = StageRows(job.inputs[0], job.shards)
        total, rejected = sum(1 for _ in rows), sum(bool(row.reasons) for row in rows)
        check_sum("rows", derived + rejected, counts, derivation.name)
        reported: dict[str, Any] = {
            "read": total,
            "kept": total - rejected,
            "records": facts.kept,
            "rejected": counts["rejected"],
            "rows": dict(counts),
            "reasons": facts.reasons,
        }
        if not facts.kept:
            reported["empty"] = none_kept(derivation.name, total, facts.reasons) + _missing_fields(derivation, rows)
        return Made(rows=derived, facts=reported)

    def _records(self, job: Job) -> Iterator[Record]:
        return records_of(job.inputs[1], job.shards if self.sharded else 1)

    def _all(self, job: Job) -> Iterator[Record]:
        """The records, and the rows that were rejected before anything was derived from them."""
        yield from self._records(job)
        for row in StageRows(job.inputs[0], job.shards):
            if row.reasons:
                texts = {lang: dict(e.texts) for lang, e in row.examples.items()}
                yield Record(row.id, {}, row.split, row.reasons, texts)

    def _facts(self, job: Job, derivation: Derivation, counts: dict[str, int]) -> SetFacts:
        kept = (record for record in self._records(job) if not record.reasons)
        seed = self.work.seed
        shown = heapq.nsmallest(EXAMPLES, kept, key=lambda record: (key_of(seed, "shown", record.id), record.id))
        about = " ".join((type(derivation).__doc__ or "").strip().split("\n\n")[0].replace("``", "").split())
        return SetFacts(
            title=f"{derivation.name} {'-'.join(self.languages)}",
            about=about,
            paper=derivation.paper,
            differs=derivation.differs,
            task=derivation.task,
            languages=self.languages,
            sources=list(self.inputs),
            signature=self.signature,
            columns={f.name: _type(f.type) for f in derivation.schema},
            rows=counts,
            reasons=counted(record.reasons for record in self._all(job) if record.reasons),
            examples=[{"id": record.id, **record.values} for record in shown],
        )


def _missing_fields(derivation: Derivation, rows: StageRows) -> str:
    """Which options name a text field that no row has."""
    there = list(dict.fromkeys(name for row in rows for example in row.examples.values() for name in example.texts))
    named = {f.name: getattr(derivation, f.name) for f in fields(derivation) if f.type in ("str", str)}  # type: ignore[arg-type]
    missing = [f"options.{option}={value}" for option, value in named.items() if value and value not in there]
    if not missing or not there:
        return ""
    return f"; the rows have the fields {', '.join(there)}, none that {' or '.join(missing)} names"


def _side_files(derivation: SideFiles, records: Iterator[Record], place: Path) -> None:
    kept: Iterator[Mapping[str, Any]] = (record.values for record in records if not record.reasons)
    for name, lines in groupby(derivation.side_files(kept), key=lambda line: line[0]):
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(place / name))
            file = stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n"))
            file.writelines(line for _, line in lines)
            file.close()


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    return str(kind)
