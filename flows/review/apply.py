"""The flow ``apply-decisions``: what people decided, written into a dataset beside the one they looked at.

``OUT/es`` stays as it is. ``OUT/es-reviewed`` holds every row of it with the decisions applied, ``review.json`` with
the counts, and ``stale.jsonl`` with the decisions that no longer fit the data, each with the reason. The same
data and the same log give the same bytes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field
from rich.console import Console

from spanferry.corpora.errors import unknown_name
from spanferry.corpora.review.applying import ReviewCounts, apply_decisions
from spanferry.corpora.review.decisions import Decision, DecisionLog, Key, Unread, require_log
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.writers import open_writer
from spanferry.flows.config import ExecutorConfig, OutputConfig, Section, to_json
from spanferry.flows.engine.emit import check_sum, output_entry
from spanferry.flows.engine.flow import Flow, Result, rehearse, run
from spanferry.flows.engine.step import Job, Made, Step
from spanferry.flows.inspector.runs import REVIEWED, Corpus, find_corpora
from spanferry.flows.store import write_bytes, write_json

STALE = "stale.jsonl"
SUFFIX = "-reviewed"


class ApplyConfig(Section):
    """What ``apply-decisions`` depends on."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"out"})

    flow: Literal["apply-decisions"]
    out: Path = Field(default=Path("out"), description="the folder of the run")
    target: tuple[str, ...] = Field(default=(), description="the target languages; empty: all of the run")
    output: OutputConfig = OutputConfig()
    executor: ExecutorConfig = ExecutorConfig()
    limit: int | None = Field(default=None, ge=1, description="most rows to read")

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)


@dataclass(frozen=True)
class Review:
    """What was applied, and what was not.

    Attributes:
        rows: Rows of the dataset.
        reviewed: Those with a decision.
        gold: Those that are decided on completely.
        applied: Decisions by action.
        stale: Why decisions did not fit, one reason each.
    """

    rows: int
    reviewed: int
    gold: int
    applied: Mapping[str, int]
    stale: list[str]


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written for one dataset.

    Attributes:
        corpus: Its name.
        directory: Where the corrected dataset lies.
        counts: What was applied, and what was not.
    """

    corpus: str
    directory: Path
    counts: Review


def run_apply(config: ApplyConfig, console: Console | None = None) -> list[Applied]:
    """Applies the decisions on every dataset of a run that has any.

    Raises:
        SpanferryError: There is no run, no log or no such dataset, or a format can't hold the rows.
    """
    done = []
    for flow in apply_flows(config):
        result = run(flow, console)
        for failure in result.failures:
            raise failure.error
        done += applied_of(result)
    return done


def dry_run(config: ApplyConfig, console: Console) -> None:
    """Applies the decisions in a temporary folder and writes nothing."""
    for flow in apply_flows(config):
        rehearse(flow, console)


def applied_of(result: Result) -> list[Applied]:
    """What a run of this flow wrote, by dataset."""
    return [
        Applied(
            facts["corpus"],
            result.written[name],
            Review(facts["rows"], facts["reviewed"], facts["gold"], facts["applied"], facts["stale"]),
        )
        for name, facts in result.facts.items()
        if facts["writer"] == "arrow"
    ]


def apply_flows(config: ApplyConfig) -> list[Flow]:
    """One flow for every run below the folder that has decisions.

    Raises:
        SpanferryError: There is no run, no log or no such dataset, or an option of a format is wrong.
    """
    corpora = [c for c in find_corpora(config.out) if not c.reviewed]
    names = {c.name for c in corpora} | {c.key for c in corpora}
    for name in config.target:
        if name not in names:
            raise unknown_name("dataset", name, sorted(names), hint=f"spanferry inspect {config.out}")
    for name in config.output.formats:
        open_writer(name, config.output.options.get(name, {}))
    chosen = [c for c in corpora if not config.target or {c.name, c.key} & set(config.target)]
    require_log(next((c.log for c in chosen if c.log.is_file()), chosen[0].log))
    flows = []
    for folder, those in groupby(chosen, key=lambda c: c.folder.parent):
        outputs = [step for corpus in those for step in _steps(config, corpus)]
        if outputs:
            own = config.model_copy(update={"out": folder})
            titles = ", ".join(dict.fromkeys(step.group for step in outputs))
            flows.append(Flow(own, outputs, title=titles, tags=[step.group for step in outputs], keeps_config=False))
    return flows


def _steps(config: ApplyConfig, corpus: Corpus) -> list[Step]:
    lines = DecisionLog(corpus.log).decisions
    decisions = tuple(d for d in lines if d.corpus == corpus.key)
    if not decisions and corpus.key not in config.target:
        return []
    version = corpus.open().version
    decided = Signature("\n".join(d.to_json() for d in decisions)).digest()
    steps = []
    for name in config.output.formats:
        options = config.output.options.get(name, {})
        place = f"{corpus.key}{SUFFIX}" if name == "arrow" else f"{corpus.key}{SUFFIX}-{name}"
        written = output_entry(open_writer(name, options), name, options)
        key = Signature.of(("data", version), written, ("limit", config.limit or "none"), ("decisions", decided))
        work = Apply(corpus, decisions, name, options, config.limit)
        steps.append(Step(f"emit-{place}", key, work, (), "emit", corpus.key, place))
    return steps


@dataclass(frozen=True)
class Apply:
    """Writes one format of a dataset with the decisions applied.

    Attributes:
        corpus: The dataset.
        decisions: On it.
        writer: Name of the format.
        options: Of the writer.
        limit: Rows at most; None: all.
    """

    corpus: Corpus
    decisions: tuple[Decision, ...]
    writer: str
    options: dict[str, Any]
    limit: int | None

    def __call__(self, job: Job) -> Made:
        data, counts, key = self.corpus.open(), ReviewCounts(), self.corpus.key
        limits = [n for n in (self.limit, job.rehearsal) if n is not None]
        pairs = _first(data.pairs(), min(limits)) if limits else data.pairs()
        rows = apply_decisions(pairs, key, self.decisions, counts, twins_of(data, key, self.decisions))
        if self.writer == "arrow":
            # The mark goes first: what a killed process leaves must not be taken for data to review.
            write_json(job.place / REVIEWED, {})
        open_writer(self.writer, self.options).write(rows, job.place)
        if self.writer == "arrow":
            write_bytes(job.place / STALE, "".join(stale_lines(counts)).encode())
            write_json(job.place / REVIEWED, summary(counts))
        if not limits:
            check_sum("rows", data.rows, {"written": counts.rows}, self.corpus.name)
        stale = [s.reason for s in counts.stale]
        facts = {**summary(counts), "stale": stale, "corpus": self.corpus.name, "writer": self.writer}
        return Made(rows=counts.rows, facts={**facts, "read": counts.rows})


def _first(batches: Iterable[list[Pair]], count: int) -> Iterator[list[Pair]]:
    rows = islice((pair for batch in batches for pair in batch), count)
    while batch := list(islice(rows, 1000)):
        yield batch


def unread_lines(out: Path) -> dict[Path, list[Unread]]:
    """The lines of a run's logs that hold no decision that this version knows, by file."""
    logs = sorted({c.log for c in find_corpora(out) if c.log.is_file()})
    return {path: found for path in logs if (found := DecisionLog(path).unread)}


def summary(counts: ReviewCounts | Review) -> dict[str, Any]:
    """The counts as JSON values."""
    reasons = Counter(s if isinstance(s, str) else s.reason for s in counts.stale)
    return {
        "rows": counts.rows,
        "reviewed": counts.reviewed,
        "gold": counts.gold,
        "applied": dict(sorted(counts.applied.items())),
        "stale": len(counts.stale),
        "stale_reasons": dict(sorted(reasons.items())),
    }


def stale_lines(counts: ReviewCounts) -> Iterator[str]:
    """A line of JSON for every decision that did not fit, with the reason."""
    for stale in counts.stale:
        verdict = asdict(stale.verdict) if stale.verdict else None
        value = {"reason": stale.reason, "verdict": verdict, "decision": json.loads(stale.decision.to_json())}
        yield json.dumps(value, sort_keys=True) + "\n"


def twins_of(data: EmittedDataset, corpus: str, decisions: Iterable[Decision]) -> frozenset[Key]:
    """The keys that decisions are on and that more than one row has."""
    wanted = {d.key for d in decisions}
    ids = {name for _, _, name in wanted}
    found: Counter[Key] = Counter()
    for part in data.parts:
        for batch in part.batches:
            own = "split" in batch.schema.names
            splits = batch.column("split").to_pylist() if own else [part.split] * batch.num_rows
            for name, split in zip(batch.column("id").to_pylist(), splits, strict=True):
                if name in ids:
                    found[(corpus, split, name)] += 1
    return frozenset(key for key, count in found.items() if count > 1 and key in wanted)
