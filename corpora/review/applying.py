"""Decisions applied to rows: pure functions that never drop a decision, and say of each that does not fit why not.

A decision is on an example and a source span, so it survives a new projection: the person's place wins over the
projector's. Where the text itself has changed, a place is found again by its quote, if the new text holds it just once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spanferry.corpora.placing import placed_span, whole_relations
from spanferry.corpora.review.decisions import Decision, Key, RowState, Verdict, by_example, fold, text_digest
from spanferry.corpora.schema import Example, Pair, Projection, Span

METHOD = "review"
REMOVED = "review:rejected"
DROPPED = "review:dropped"
META = "review"

# Why a decision does not fit the data as it is now.
NO_EXAMPLE = "no_example"
NO_SOURCE_SPAN = "no_source_span"
NO_TARGET = "no_target"
SOURCE_CHANGED = "source_changed"
TEXT_CHANGED = "text_changed"
QUOTE_GONE = "quote_gone"
QUOTE_TWICE = "quote_twice"
PLACED_ELSEWHERE = "placed_elsewhere"


@dataclass(frozen=True, slots=True)
class Stale:
    """A decision that does not fit the data any more.

    Attributes:
        decision: It.
        verdict: The span's part of it; None for one on a whole row.
        reason: Why: the names above.
    """

    decision: Decision
    verdict: Verdict | None
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A row with its decisions applied.

    Attributes:
        pair: The corrected pair.
        stale: Decisions that did not fit.
        complete: Whether a person has judged every source span, and the row was neither dropped nor flagged: gold.
        applied: Verdicts that are in the pair, by action.
    """

    pair: Pair
    stale: tuple[Stale, ...] = ()
    complete: bool = False
    applied: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ReviewCounts:
    """What applying decisions to a whole dataset did.

    Attributes:
        rows: All rows.
        reviewed: Rows with a decision on them.
        gold: Rows that are complete, see ``Reviewed``.
        applied: Verdicts and row decisions in the data, by action.
        stale: Those that did not fit.
    """

    rows: int = 0
    reviewed: int = 0
    gold: int = 0
    applied: Counter[str] = field(default_factory=Counter)
    stale: list[Stale] = field(default_factory=list)


def target_digests(pair: Pair) -> dict[str, str]:
    """The digest of every target text, by field."""
    return {name: text_digest(text) for name, text in pair.target.texts.items()} if pair.target else {}


def key_of(pair: Pair, corpus: str) -> Key:
    """What decisions know the row by."""
    return (corpus, pair.source.split, pair.source.id)


def anchored(verdict: Verdict, decision: Decision, text: str) -> Span | str:
    """Where a verdict's span lies in ``text``, or why it has no place there.

    Args:
        verdict: One that has a place.
        decision: What it belongs to.
        text: The target text of its field, as it is now.
    """
    span = verdict.as_span()
    if span is None:
        return TEXT_CHANGED
    if decision.texts.get(verdict.field) == text_digest(text) and span.quote(text) == verdict.quote:
        return span
    first = text.find(verdict.quote) if verdict.quote else -1
    if first < 0:
        return QUOTE_GONE
    if text.find(verdict.quote, first + 1) >= 0:
        return QUOTE_TWICE
    by = first - span.start
    moved = tuple((a + by, b + by) for a, b in span.fragments)
    return replace(span, start=first, end=first + len(verdict.quote), fragments=moved)


def review_row(pair: Pair, state: RowState) -> Reviewed:
    """The pair with the decisions on it.

    Args:
        pair: The row as the flow made it.
        state: What its decisions add up to.
    """
    if not state.version:
        return Reviewed(pair)
    target = pair.target
    stale: list[Stale] = []
    applied: Counter[str] = Counter()
    sources = {span.id: span for span in pair.source.spans}
    placed = {span.id: span for span in (target.spans if target else ())}
    projections = {p.source_span_id: p for p in pair.projections}
    actions: dict[str, str] = {}
    for name, (decision, verdict) in state.verdicts.items():
        reason = _obstacle(verdict, decision, pair, sources)
        place = reason or _place(verdict, decision, target, placed.get(name))
        if isinstance(place, str):
            stale.append(Stale(decision, verdict, place))
            continue
        applied[decision.action] += 1
        actions[name] = "accept" if decision.action == "keep" else decision.action
        before = placed.get(name)
        if place is None:
            placed.pop(name, None)
            if name in sources and before is not None:
                projections[name] = Projection(name, None, 0.0, METHOD, REMOVED)
        else:
            # A verdict says where a span lies and what it is called; all else is as the data has it.
            place = replace(place, attributes=before.attributes) if before else placed_span(place, sources.get(name))
            placed[name] = place
            if name in sources and place != before:
                projections[name] = Projection(name, place, 1.0, METHOD)
    if state.row is not None and state.row.action == "keep" and target is None:
        stale.append(Stale(state.row, None, NO_TARGET))
    complete = (
        target is not None
        and not state.flagged
        and not (state.row and state.row.action == "drop")
        and set(sources) <= set(actions)
        # A span that was wrongly left out, and that nobody has placed since, leaves the row unfinished.
        and not any(d.action == "reject" and v.start is None for d, v in state.verdicts.values())
        and (bool(sources) or state.row is not None)
    )
    done = _rebuilt(pair, placed, projections)
    done = _with_row(done, state.row, applied)
    facts = {"complete": complete, "spans": actions} | ({"flagged": True} if state.flagged else {})
    if state.row is not None and state.row.action == "keep" and pair.reasons and target is not None:
        facts["overruled"] = list(pair.reasons)
    return Reviewed(_with_meta(done, facts), tuple(stale), complete, dict(applied))


def apply_decisions(
    batches: Iterable[Sequence[Pair]],
    corpus: str,
    decisions: Iterable[Decision],
    counts: ReviewCounts,
    twins: frozenset[Key] = frozenset(),
) -> Iterator[list[Pair]]:
    """All rows of a dataset, corrected; what was done is in ``counts`` once they have all passed.

    Args:
        batches: The rows as the flow made them.
        corpus: The dataset's name in the decisions.
        decisions: The log; those on other datasets are left alone.
        counts: Filled in.
        twins: Keys that more than one row has: a decision on such goes to those rows with the very text it was made on.
    """
    lines = by_example(d for d in decisions if d.corpus == corpus)
    met: dict[Key, set[str]] = {}  # keys that were met, with the decisions that fitted one of several rows of a key
    open_stale: dict[Key, list[Stale]] = {}
    for batch in batches:
        rows = []
        for pair in batch:
            key = key_of(pair, corpus)
            counts.rows += 1
            if key not in lines:
                rows.append(pair)
                continue
            done = review_row(pair, state_of(lines[key], pair, twin=key in twins))
            met.setdefault(key, set())
            open_stale.setdefault(key, []).extend(done.stale)
            counts.reviewed += 1
            counts.gold += done.complete
            counts.applied.update(done.applied)
            rows.append(done.pair)
            if key in twins:
                met[key] |= {d.id for d in lines[key] if d.texts == target_digests(pair)}
        yield rows
    for key, own in lines.items():
        counts.stale += _left_over(own, met.get(key), open_stale.get(key, []), twin=key in twins)


def state_of(lines: Sequence[Decision], pair: Pair, *, twin: bool) -> RowState:
    """The state of a row from the decisions on its key; ``twin``: other rows have that key too."""
    if not twin:
        return fold(lines)
    digests = target_digests(pair)
    own = {d.id for d in lines if d.action != "undo" and d.texts == digests}
    return fold(d for d in lines if d.id in own or d.undoes in own)


def _left_over(lines: Sequence[Decision], met: set[str] | None, stale: Sequence[Stale], *, twin: bool) -> list[Stale]:
    if met is not None and not twin:
        return list(stale)
    state = fold(lines)
    reason = NO_EXAMPLE if met is None else TEXT_CHANGED
    lost = [Stale(d, v, reason) for d, v in state.verdicts.values() if not met or d.id not in met]
    if state.row is not None and not state.row.verdicts and (not met or state.row.id not in met):
        lost.append(Stale(state.row, None, reason))
    return lost


def _obstacle(verdict: Verdict, decision: Decision, pair: Pair, sources: Mapping[str, Span]) -> str | None:
    """Why a verdict is about something that is not there, or None."""
    source = sources.get(verdict.span)
    if source is None and decision.action != "add" and verdict.source_quote:
        return NO_SOURCE_SPAN
    if source is not None and verdict.source_quote and pair.source.quote(source) != verdict.source_quote:
        return SOURCE_CHANGED
    if pair.target is None or verdict.field not in pair.target.texts:
        return NO_TARGET
    return None


def _place(verdict: Verdict, decision: Decision, target: Example | None, now: Span | None) -> Span | str | None:
    """The span that a verdict asks for, None where it asks for none, or the reason why it does not fit."""
    text = target.texts[verdict.field] if target else ""
    if decision.action == "reject":
        if now is None:
            return None
        then = anchored(verdict, decision, text)
        # It was said of one place that it is wrong; nothing was said of another one.
        same = isinstance(then, Span) and (then.start, then.end) == (now.start, now.end)
        return None if same else PLACED_ELSEWHERE
    if verdict.start is None:
        same_text = decision.texts.get(verdict.field) == text_digest(text)
        return None if same_text or now is None else TEXT_CHANGED
    return anchored(verdict, decision, text)


def _rebuilt(pair: Pair, placed: Mapping[str, Span], projections: Mapping[str, Projection]) -> Pair:
    if pair.target is None:
        return pair
    order = {p.source_span_id: i for i, p in enumerate(pair.projections)}
    spans = tuple(sorted(placed.values(), key=lambda s: (order.get(s.id, len(order)), s.start, s.end, s.id)))
    target = replace(pair.target, spans=spans, relations=whole_relations(pair.source.relations, spans))
    ordered = tuple(projections[p.source_span_id] for p in pair.projections)
    return replace(pair, target=target, projections=ordered)


def _with_row(pair: Pair, row: Decision | None, applied: Counter[str]) -> Pair:
    if row is None or (row.action == "keep" and pair.target is None):
        return pair
    if row.action == "drop":
        applied["drop"] += 1
        return pair.rejected(DROPPED)
    applied["overrule"] += bool(pair.reasons)
    return replace(pair, kept=True, reasons=())


def _with_meta(pair: Pair, facts: Mapping[str, Any]) -> Pair:
    source = replace(pair.source, meta={**pair.source.meta, META: facts})
    target = pair.target and replace(pair.target, meta={**pair.target.meta, META: facts})
    return replace(pair, source=source, target=target)
