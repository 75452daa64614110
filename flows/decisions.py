"""The flow ``apply-decisions``: what people decided, written into a dataset beside the one they looked at.

``OUT/es`` stays as it is. ``OUT/es-reviewed`` holds every row of it with the decisions applied, ``review.json`` with
the counts, and ``stale.jsonl`` with the decisions that do not fit the data any more, each with the reason. The same
data and the same log give the same bytes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from corpora.decisions import Decision, DecisionLog, Key, require_log
from corpora.emitted import EmittedDataset
from corpora.errors import unknown_name
from corpora.inspector.corpora_of import REVIEWED, Corpus, find_corpora
from corpora.review import ReviewCounts, apply_decisions
from corpora.writers import Writer, open_writer
from flows.config import OutputConfig, Section
from flows.store import run_lock, write_bytes, write_json

STALE = "stale.jsonl"
SUFFIX = "-reviewed"


class ApplyConfig(Section):
    """What ``apply-decisions`` depends on."""

    flow: Literal["apply-decisions"]
    out: Path = Path("out")
    target: tuple[str, ...] = ()
    output: OutputConfig = OutputConfig()


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
    counts: ReviewCounts


def run_apply(config: ApplyConfig) -> list[Applied]:
    """Applies the decisions on every dataset of a run that has any.

    Raises:
        SpanferryError: There is no run, no log or no such dataset, or a format can't hold the rows.
    """
    corpora = [c for c in find_corpora(config.out) if not c.reviewed]
    names = {c.name for c in corpora} | {c.key for c in corpora}
    for name in config.target:
        if name not in names:
            raise unknown_name("dataset", name, sorted(names), hint=f"spanferry inspect {config.out}")
    writers = [(name, open_writer(name, config.output.options.get(name, {}))) for name in config.output.formats]
    chosen = [c for c in corpora if not config.target or {c.name, c.key} & set(config.target)]
    require_log(next((c.log for c in chosen if c.log.is_file()), chosen[0].log))
    done = []
    for corpus in chosen:
        lines = DecisionLog(corpus.log).decisions
        decisions = [d for d in lines if d.corpus == corpus.key]
        if not decisions and corpus.key not in config.target:
            continue
        with run_lock(corpus.folder.parent):
            done.append(_apply(corpus, decisions, writers))
    return done


def _apply(corpus: Corpus, decisions: Sequence[Decision], writers: Sequence[tuple[str, Writer]]) -> Applied:
    place = corpus.folder.parent / f"{corpus.key}{SUFFIX}"
    counts = ReviewCounts()
    for name, writer in writers:
        out = place if name == "arrow" else place.with_name(f"{place.name}-{name}")
        data = corpus.open()
        seen = ReviewCounts()
        rows = apply_decisions(data.pairs(), corpus.key, decisions, seen, twins_of(data, corpus.key, decisions))
        if name == "arrow":
            # The mark goes first: what a killed process leaves must not be taken for data to review.
            write_json(place / REVIEWED, {})
            counts = seen
        writer.write(rows, out)
    lines = "".join(stale_lines(counts))
    write_bytes(place / STALE, lines.encode())
    write_json(place / REVIEWED, summary(counts))
    return Applied(corpus.name, place, counts)


def summary(counts: ReviewCounts) -> dict[str, object]:
    """The counts as JSON values."""
    reasons = Counter(s.reason for s in counts.stale)
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
