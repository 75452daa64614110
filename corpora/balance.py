"""Whether the counts of a run add up: nothing is lost without a reason.

``rows = kept + rejected``; every span of a source is placed, or not placed with a reason; every relation likewise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from spanferry.corpora.placing import lost_relations
from spanferry.corpora.schema import Pair


def count_problems(counts: Mapping[str, Any]) -> list[str]:
    """What does not add up in the counts of one language; empty if all does.

    Args:
        counts: ``rows``, ``kept`` and ``rejected``; ``spans``, ``projected`` and ``unprojected`` (by reason);
            ``relations``, ``relations_kept`` and ``relations_lost`` (by reason). What is not there is not checked.

    >>> count_problems({"rows": 3, "kept": 2, "rejected": 0})
    ['3 rows, but 2 kept + 0 rejected']
    """
    return [
        f"{counts[whole]:,} {whole}, but {counts.get(part, 0):,} {kept} + {_sum(counts, rest):,} {lost}"
        for whole, part, kept, rest, lost in (
            ("rows", "kept", "kept", "rejected", "rejected"),
            ("spans", "projected", "placed", "unprojected", "not placed, with a reason"),
            ("relations", "relations_kept", "kept", "relations_lost", "lost, with a reason"),
        )
        if whole in counts and counts[whole] != counts.get(part, 0) + _sum(counts, rest)
    ]


def pair_problems(pair: Pair) -> list[str]:
    """What does not add up in one row; empty if all does."""
    found = []
    if pair.kept == bool(pair.reasons):
        found.append("it is kept with a reason to reject it" if pair.kept else "it is rejected without a reason")
    told = Counter(p.source_span_id for p in pair.projections)
    found += [f"span {s.id!r} has {told[s.id]} projections" for s in pair.source.spans if told[s.id] != 1]
    sources = {span.id for span in pair.source.spans}
    found += [f"a projection of {name!r}, which is not a span of the source" for name in told if name not in sources]
    found += [
        f"span {p.source_span_id!r} has no place and no reason"
        for p in pair.projections
        if p.span is None and not p.reason
    ]
    there = {span.id for span in pair.target.spans} if pair.target else set()
    placed = {p.source_span_id for p in pair.projections if p.span is not None}
    found += [f"span {name!r} was placed and is not in the target" for name in sorted(placed - there)]
    relations = pair.target.relations if pair.target else ()
    found += [f"relation {r.label!r} dangles" for r in relations if not {r.head, r.tail} <= there]
    if pair.target and len(pair.source.relations) > len(relations) + sum(1 for _ in lost_relations(pair)):
        found.append("a relation is neither kept nor lost")
    return found


def problems(pairs: Iterable[Pair]) -> list[str]:
    """``pair_problems`` of many rows, each with the row's id in front."""
    return [f"{pair.source.id}: {problem}" for pair in pairs for problem in pair_problems(pair)]


def _sum(counts: Mapping[str, Any], name: str) -> int:
    value = counts.get(name, 0)
    return sum(value.values()) if isinstance(value, Mapping) else value
