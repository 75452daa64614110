"""The last stage: the dataset of one target language in every format, its report and its card."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.arrow import pairs_from_table
from corpora.emitted import EmittedDataset
from corpora.inspector.index import load_index
from corpora.schema import Pair
from flows import tasks
from flows.document import write_documents
from flows.plan import Plan
from flows.stages import RELATIONS, RELATIONS_KEPT, RELATIONS_LOST
from flows.store import digest, write_json

STAMP = ".spanferry.json"


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


def decided_pairs(plan: Plan, target: str) -> Iterator[list[Pair]]:
    """The final rows of one language, shard by shard: projected pairs with the filters' decisions."""
    reasons = plan.stage("filter", target).read(0).column("reasons").to_pylist()
    at = 0
    stage = plan.stage("project", target)
    for shard in range(tasks.shard_count(plan)):
        pairs = pairs_from_table(stage.read(shard))
        rows = reasons[at : at + len(pairs)]
        at += len(pairs)
        yield [pair.rejected(*why) if why else pair for pair, why in zip(pairs, rows, strict=True)]


def emit(plan: Plan, target: str) -> Emitted:
    """Writes ``OUT/<target>``, and ``OUT/<target>-<format>`` for every further format, unless they are there already.

    Each is made beside its place and renamed, so a killed run leaves the old one or the new one.
    """
    out = plan.config.out
    counts = count(plan, target)
    lost: dict[str, Any] = {}
    for name in plan.config.output.formats:
        place = out / target if name == "arrow" else out / f"{target}-{name}"
        stamp = {"signature": plan.signature(target), "writer": name, "made": _made_of(plan, target, name)}
        if _stamp_of(place) == stamp:
            continue
        report = tasks.writer(plan, name).write(decided_pairs(plan, target), place)
        lost[name] = dict(report.lost)
        if name == "arrow":
            write_documents(plan, target, decided_pairs(plan, target), place, gold_scores(counts))
            load_index(EmittedDataset(place), place.name)  # so that the inspector filters a million rows at once
        write_json(place / STAMP, stamp)
    return Emitted(target, out / target, {**counts, "lost": {k: v for k, v in lost.items() if v}})


def gold_scores(counts: dict[str, Any]) -> dict[str, float]:
    """Precision, recall and F1 of (start, end, label) where the given target side was labelled."""
    gold, found, matched = (counts.get(f"gold_{k}", 0) for k in ("spans", "predicted", "matched"))
    if not gold:
        return {}
    precision, recall, f1 = matched / max(found, 1), matched / gold, 2 * matched / (gold + found)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def count(plan: Plan, target: str) -> dict[str, Any]:
    """Counts of one language, from the manifests."""
    projected: Counter[str] = Counter()
    for entry in plan.stage("project", target).entries().values():
        projected.update(entry.counts)
    decided = plan.stage("filter", target)
    reasons = decided.entries()[0].counts
    kept = sum(not why for why in decided.read(0).column("reasons").to_pylist())
    rows = decided.entries()[0].rows
    unprojected = {k.removeprefix("unprojected:"): n for k, n in projected.items() if k.startswith("unprojected:")}
    return {
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


def _relations(counts: Counter[str]) -> dict[str, Any]:
    """Relations of the source, kept, and lost by reason; nothing where the data has none."""
    if not counts[RELATIONS]:
        return {}
    lost = {k.removeprefix(RELATIONS_LOST): n for k, n in counts.items() if k.startswith(RELATIONS_LOST)}
    return {RELATIONS: counts[RELATIONS], RELATIONS_KEPT: counts[RELATIONS_KEPT], "relations_lost": _by_number(lost)}


def _by_number(counts: Any) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _made_of(plan: Plan, target: str, name: str) -> str:
    """Digest of all that the written files depend on besides the signature."""
    options = plan.config.output.options.get(name, {})
    return digest(json.dumps([plan.filter_signature(target), options, plan.config.seed], sort_keys=True))


def _stamp_of(place: Path) -> Any:
    try:
        return json.loads((place / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
