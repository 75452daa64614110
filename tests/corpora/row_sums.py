"""What must hold in every row that a flow makes: nothing is lost without a reason."""

from collections import Counter

from spanferry.corpora.placing import lost_relations
from spanferry.corpora.schema import Pair


def pair_problems(pair: Pair) -> list[str]:
    """What does not add up in one row; empty if all does."""
    found = []
    if pair.kept == bool(pair.reasons):
        found.append("it is kept with a reason to reject it" if pair.kept else "it is rejected without a reason")
    counts = Counter(p.source_span_id for p in pair.projections)
    found += [f"span {s.id!r} has {counts[s.id]} projections" for s in pair.source.spans if counts[s.id] != 1]
    sources = {span.id for span in pair.source.spans}
    found += [f"a projection of {name!r}, which is not a span of the source" for name in counts if name not in sources]
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
