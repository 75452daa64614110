"""The last step of ``translate-train`` and ``project``: one format of one language, with report and card."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from polars import selectors

from spanferry.corpora.arrow import pairs_from_table
from spanferry.corpora.filters import counted, removal_table
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.report.card import CardOptions, Made, card
from spanferry.corpora.report.markdown import report_files
from spanferry.corpora.report.tally import Tally
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature, value_text
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.writers import open_writer
from spanferry.flows.engine import step
from spanferry.flows.engine.emit import check_sum, none_kept, output_entry
from spanferry.flows.engine.step import Job
from spanferry.flows.engine.store import Stage
from spanferry.flows.inspector.index import load_index
from spanferry.flows.store import write_bytes
from spanferry.flows.translate.work import Filters
from spanferry.flows.version import VERSION
from spanferry.projectors.bound.max_error import Bound, bound_filter, with_probabilities
from spanferry.projectors.bound.true_error import TrueError, bound_lines, bound_sentences

MADE_BY = "made_by"
PAID = ("requests", "retries", "prompt_tokens", "completion_tokens", "cost_millionths")


@dataclass(frozen=True)
class Emit:
    """Writes ``OUT/<target>``, or ``OUT/<target>-<format>``; the Arrow dataset gets report, card and index.

    Attributes:
        flow: Name of the flow.
        source: BCP-47.
        target: BCP-47.
        writer: Name of the format.
        options: Of the writer.
        filters: That decided.
        seed: Of the rows that the report shows.
        input: Name of what was read.
        signature: Every choice, as it stands in every row.
        model: Signature of the model; None: both sides were given.
        projector: Signature of the projector.
        scores: Whether the filters' scores are among those of the rows.
    """

    flow: str
    source: str
    target: str
    writer: str
    options: dict[str, Any]
    filters: Filters
    seed: int
    input: str
    signature: Signature
    model: Signature | None
    projector: Signature
    scores: bool = False

    @property
    def key(self) -> Signature:
        """All that the files depend on besides the steps before."""
        written = output_entry(open_writer(self.writer, self.options), self.writer, self.options)
        scores = ("scores", "true") if self.scores else ""
        return Signature.of(written, ("input", value_text(self.input)), scores, ("rows", f"({self.signature})"))

    def __call__(self, job: Job) -> step.Made:
        counts = self._counts(job)
        report = open_writer(self.writer, self.options).write(self._rows(job), job.place)
        # What the rows were made by: whoever changes the filters later loads no model to know it.
        made_by = {"signature": self.signature, "model": self.model, "projector": self.projector, "input": self.input}
        facts: dict[str, Any] = {**counts, "lost": dict(report.lost), MADE_BY: made_by}
        if self.writer == "arrow":
            self._documents(job, counts)
            # So that the inspector filters a million rows at once.
            load_index(EmittedDataset(job.place), job.place.name, must_keep=True)
        return step.Made(rows=counts["rows"], facts=facts)

    def _rows(self, job: Job) -> Iterator[list[Pair]]:
        """The final rows, shard by shard: projected pairs with the filters' decisions."""
        _, project, score, decide, *_ = job.inputs
        bounds = self._bounds(job)
        reasons = decide.read(0).column("reasons").to_pylist()
        at = 0
        for shard in range(job.shards):
            job.tick(at)
            pairs = [replace(pair, signature=self.signature) for pair in pairs_from_table(project.read(shard))]
            if bounds:
                pairs = with_probabilities(pairs, pl.DataFrame(score.read(shard)), bounds)
            if self.scores:
                pairs = with_scores(pairs, pl.DataFrame(score.read(shard)))
            rows = reasons[at : at + len(pairs)]
            at += len(pairs)
            yield [pair.rejected(*why) if why else pair for pair, why in zip(pairs, rows, strict=True)]

    def _counts(self, job: Job) -> dict[str, Any]:
        """Rows, kept, spans, projected, failures and rejections by reason, agreement with gold; checked sums."""
        read, project, _, decide, *translated = job.inputs
        given, projected, paid = _total(read), _total(project), Counter[str]()
        for stage in translated:
            paid += _total(stage)
        kept = sum(not why for why in decide.read(0).column("reasons").to_pylist())
        rows = sum(entry.rows for entry in read.done().values())
        reasons = decide.done()[0].counts
        unprojected = {k.removeprefix("unprojected:"): n for k, n in projected.items() if k.startswith("unprojected:")}
        check_sum("rows", rows, {"kept": kept, "rejected": decide.done()[0].rows - kept}, self.target)
        check_sum("spans", given["spans"], {"placed": projected["projected"], **unprojected}, self.target)
        counts = {
            "read": rows,
            "rows": rows,
            "kept": kept,
            "rejected": rows - kept,
            "spans": projected["spans"],
            "projected": projected["projected"],
            "unprojected": _by_number(unprojected),
            "reasons": _by_number(reasons),
            **_relations(projected),
            "failed_rows": projected["failed_rows"],
            **{k: n for k, n in sorted(projected.items()) if k.startswith("gold_")},
        }
        if paid["terms"]:
            counts["repaired"], counts["terms"] = paid["repaired"], paid["terms"]
        if paid["requests"]:
            counts["endpoint"] = {name: paid[name] for name in PAID}
        if bound := self._bounds(job).get(self.target):
            counts["max_error"] = self._promise(job, bound)
        if why := self._empty(counts, labelled=given["labelled"]):
            counts["empty"] = why
        return counts

    def _empty(self, counts: dict[str, Any], *, labelled: int) -> str | None:
        name = f"{self.source} → {self.target}"
        if not counts["kept"]:
            return none_kept(name, counts["rows"], counts["reasons"])
        if counts["spans"] and not counts["projected"]:
            return f"{name}: none of {counts['spans']} labels was placed: {_most(counts['unprojected'])}"
        if not counts["spans"] and not labelled:
            return (
                f"{name}: the input has no labels, only {counts['rows']} texts; see the reader's options for where they"
                f" are: spanferry list readers"
            )
        return None

    def _documents(self, job: Job, counts: dict[str, Any]) -> None:
        """Writes ``report.md``, ``report.json``, ``plots/`` and the card ``README.md``."""
        tally = Tally(self.target, seed=self.seed)
        for pairs in self._rows(job):
            tally.add(pairs)
        filters = self.filters.build()
        extra: dict[str, Any] = dict(gold_scores(counts))
        notes: list[str] = []
        if "max_error" in counts:
            extra["max_error"] = counts["max_error"]
            notes = bound_lines(counts["max_error"], "OUT")
        promises = bound_sentences(counts["max_error"]) if "max_error" in counts else []
        files = report_files(
            [tally],
            {self.target: removal_table(filters, self._scores(job))},
            title=f"{self.flow} {self.source} to {self.target}",
            signatures={self.target: self.signature},
            extra={self.target: extra} if extra else None,
            notes={self.target: notes},
        )
        name = f"{self.input.split('.')[0]} in {self.target}"
        files["README.md"] = card(
            [tally], self._made(filters, promises), CardOptions(name=name, directory=job.place.name)
        )
        for old in (job.place / "plots").glob("*"):
            if f"plots/{old.name}" not in files:  # of a filter that the run had before
                old.unlink()
        for path, text in files.items():
            (job.place / path).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(job.place / path, text.encode("utf-8", "backslashreplace"))

    def _bounds(self, job: Job) -> dict[str, Bound]:
        """What ``max_error`` promises, by target language; nothing where the run does not have it."""
        filters = self.filters.build()
        one = bound_filter(filters)
        return one.bounds(counted(filters, self._scores(job), one)) if one else {}

    def _promise(self, job: Job, bound: Bound) -> dict[str, Any]:
        """The bound, with the spans that are kept in the end, and how many are wrong where there is gold."""
        true = TrueError()
        for pairs in self._rows(job):
            true.add(pairs)
        return {**bound.to_dict(), **true.to_dict()}

    def _scores(self, job: Job) -> pl.DataFrame:
        score = job.inputs[2]
        return pl.DataFrame(pa.concat_tables([score.read(shard) for shard in range(job.shards)]))

    def _made(self, filters: list[Filter], promises: Sequence[str]) -> Made:
        return Made(
            flow=self.flow,
            source=self.input,
            signature=self.signature,
            translator=self.model,
            projector=self.projector,
            filters=[(f.name, f.signature, f.threshold_signature) for f in filters],
            version=VERSION,
            promises=promises,
        )


@dataclass(frozen=True, slots=True)
class Emitted:
    """What was written for one language.

    Attributes:
        target: Language.
        directory: Where the Arrow dataset lies.
        counts: Rows, kept, spans, projected, failures and rejections by reason, agreement with gold.
    """

    target: str
    directory: Path
    counts: dict[str, Any]


def with_scores(pairs: Sequence[Pair], frame: pl.DataFrame) -> list[Pair]:
    """The pairs with every finite number of ``frame`` among their scores, by the name of its column."""
    numbers = frame.select(selectors.numeric().cast(pl.Float64))
    found = []
    for pair, row in zip(pairs, numbers.iter_rows(named=True), strict=True):
        own = {name: value for name, value in row.items() if value is not None and isfinite(value)}
        found.append(replace(pair, scores={**pair.scores, **own}))
    return found


def gold_scores(counts: dict[str, Any]) -> dict[str, float]:
    """Precision, recall and F1 of (start, end, label) where the given target side was labelled."""
    gold, found, matched = (counts.get(f"gold_{k}", 0) for k in ("spans", "predicted", "matched"))
    if not gold:
        return {}
    precision, recall, f1 = matched / max(found, 1), matched / gold, 2 * matched / (gold + found)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _total(stage: Stage) -> Counter[str]:
    total: Counter[str] = Counter()
    for entry in stage.done().values():
        total.update(entry.counts)
    return total


def _relations(counts: Counter[str]) -> dict[str, Any]:
    """Relations of the source, kept, and lost by reason; nothing where they are not counted."""
    if not counts["relations"]:
        return {}
    prefix = "relations_lost:"
    lost = {name.removeprefix(prefix): n for name, n in counts.items() if name.startswith(prefix)}
    check_sum("relations", counts["relations"], {"kept": counts["relations_kept"], **lost}, "relations")
    return {
        "relations": counts["relations"],
        "relations_kept": counts["relations_kept"],
        "relations_lost": _by_number(lost),
    }


def _by_number(counts: Any) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _most(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in list(reasons.items())[:3])
