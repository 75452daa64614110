"""Decisions applied to rows: what survives a new projection and a new text, and what is reported when it does not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.review.applying import (
    NO_EXAMPLE,
    NO_SOURCE_SPAN,
    NO_TARGET,
    PLACED_ELSEWHERE,
    QUOTE_GONE,
    QUOTE_TWICE,
    REMOVED,
    SOURCE_CHANGED,
    TEXT_CHANGED,
    ReviewCounts,
    apply_decisions,
    review_row,
    target_digests,
)
from spanferry.corpora.review.decisions import Decision, fold, stamped
from spanferry.corpora.schema import Pair, Projection, Relation, Span
from spanferry.flows.inspector.edits import Edit, verdicts_of
from tests.flows.inspector.inspector_runs import pair

SOURCE = ("Ann flew from Rome to Oslo.", [("Ann", "person"), ("Rome", "place"), ("Oslo", "place")])


def _pair(text: str = "Ana voló de Roma a Oslo 😀.", quotes: tuple[str | None, ...] = ("Ana", "Roma", None)) -> Pair:
    return pair("e1", SOURCE, (text, quotes), lang="es")


def _decided(row: Pair, *edits: Edit) -> list[Decision]:
    lines: list[Decision] = []
    for edit in edits:
        about = {"corpus": "es", "split": row.source.split, "example": row.source.id, "action": edit.action}
        verdicts = verdicts_of(row, fold(lines), edit)
        lines.append(stamped({**about, "verdicts": verdicts, "texts": target_digests(row)}))
    return lines


def _move(row: Pair, span: str, quote: str) -> Edit:
    start = row.target.text.index(quote)
    return Edit("move", span, start=start, end=start + len(quote), quote=quote)


def _quotes(row: Pair) -> dict[str, str]:
    return {span.id: row.target.quote(span) for span in row.target.spans}


def _reasons(row: Pair, lines: list[Decision]) -> list[str]:
    return [s.reason for s in review_row(row, fold(lines)).stale]


def test_every_action() -> None:
    row = _pair()
    lines = _decided(
        row,
        Edit("accept", "s0", quote="Ana"),
        Edit("reject", "s1", quote="Roma"),
        _move(row, "s2", "Oslo"),
        Edit("label", "s2", label="city", quote="Oslo"),
        Edit("add", field="text", start=24, end=25, label="emoji", quote="😀"),
    )
    done = review_row(row, fold(lines))
    assert _quotes(done.pair) == {"s0": "Ana", "s2": "Oslo", "added-1": "😀"}
    assert {s.id: s.label for s in done.pair.target.spans} == {"s0": "person", "s2": "city", "added-1": "emoji"}
    assert done.complete and not done.stale
    assert done.pair.projections == (
        row.projections[0],
        Projection("s1", None, 0.0, "review", REMOVED),
        Projection("s2", Span(19, 23, "city", "s2"), 1.0, "review"),
    )
    assert done.pair.target.meta["review"]["spans"] == {
        "s0": "accept",
        "s1": "reject",
        "s2": "label",
        "added-1": "add",
    }


def test_a_row_nobody_decided_on_stays_as_it_is() -> None:
    row = _pair()
    assert review_row(row, fold([])).pair == row


def test_gold_needs_every_span_judged() -> None:
    row = _pair()
    some = _decided(row, Edit("accept", "s0", quote="Ana"), Edit("accept", "s1", quote="Roma"))
    assert not review_row(row, fold(some)).complete
    rest = _decided(row, Edit("accept", "s2"))
    assert review_row(row, fold(some + rest)).complete, "rightly without a place"
    wrong = _decided(row, Edit("reject", "s2"))
    assert not review_row(row, fold(some + wrong)).complete, "it should have one, and nobody has given it one"
    flag = _decided(row, Edit("flag"))
    assert not review_row(row, fold(some + rest + flag)).complete


def test_a_person_goes_before_a_new_projection() -> None:
    old = _pair()
    lines = _decided(old, Edit("accept", "s0", quote="Ana"), _move(old, "s1", "de Roma"), Edit("accept", "s2"))
    new = _pair(quotes=("Ana voló", "Roma", "Oslo"))
    done = review_row(new, fold(lines))
    assert _quotes(done.pair) == {"s0": "Ana", "s1": "de Roma"} and done.complete


def test_a_new_text_is_searched_for_the_quote() -> None:
    old = _pair()
    lines = _decided(old, Edit("accept", "s0", quote="Ana"), _move(old, "s1", "Roma"), _move(old, "s2", "Oslo"))
    done = review_row(_pair("😀 En avión voló Ana a Oslo desde Roma.", (None, None, None)), fold(lines))
    assert _quotes(done.pair) == {"s0": "Ana", "s1": "Roma", "s2": "Oslo"} and done.complete
    twice = _pair("Ana, Ana voló de Roma.", (None, None, None))
    assert sorted(_reasons(twice, lines)) == [QUOTE_GONE, QUOTE_TWICE]
    assert _quotes(review_row(twice, fold(lines)).pair) == {"s1": "Roma"}


def test_parts_of_a_discontinuous_span_move_together() -> None:
    row = _pair()
    edit = Edit("move", "s1", start=4, end=16, fragments=((4, 8), (12, 16)), quote="voló de Roma")
    lines = _decided(row, edit)
    done = review_row(_pair("Hoy Ana voló de Roma.", (None, None, None)), fold(lines))
    assert done.pair.target.spans == (Span(8, 20, "place", "s1", fragments=((8, 12), (16, 20))),)


@pytest.mark.parametrize(
    ("new", "action", "reason"),
    [
        (_pair(quotes=("Ana", "de Roma", None)), Edit("reject", "s1", quote="Roma"), PLACED_ELSEWHERE),
        (_pair("Ana voló a Oslo.", ("Ana", None, "Oslo")), Edit("accept", "s2"), TEXT_CHANGED),
        (replace(_pair(), target=None), Edit("accept", "s0", quote="Ana"), NO_TARGET),
        (
            pair("e1", ("Ann flew.", [("Ann", "person")]), ("Ana voló.", ["Ana"]), lang="es"),
            Edit("accept", "s1", quote="Roma"),
            NO_SOURCE_SPAN,
        ),
        (
            pair("e1", ("Eve flew.", [("Eve", "person")]), ("Ana voló.", ["Ana"]), lang="es"),
            Edit("accept", "s0", quote="Ana"),
            SOURCE_CHANGED,
        ),
    ],
)
def test_what_does_not_fit_is_listed_with_its_reason(new: Pair, action: Edit, reason: str) -> None:
    lines = _decided(_pair(), action)
    done = review_row(new, fold(lines))
    assert [s.reason for s in done.stale] == [reason]
    assert done.stale[0].decision == lines[0]
    assert done.pair.target is None or done.pair.target.spans == new.target.spans


def test_a_rejected_row_is_accepted_anyway_and_a_kept_one_dropped() -> None:
    row = _pair().rejected("length_ratio:short")
    kept = review_row(row, fold(_decided(row, Edit("keep"))))
    assert kept.pair.kept and kept.pair.reasons == () and kept.complete
    assert kept.pair.target.meta["review"]["overruled"] == ["length_ratio:short"]
    spans = review_row(row, fold(_decided(row, Edit("accept", "s0", quote="Ana"))))
    assert not spans.pair.kept, "a span that is right does not overrule a filter"
    dropped = review_row(_pair(), fold(_decided(_pair(), Edit("drop"))))
    assert not dropped.pair.kept and dropped.pair.reasons == ("review:dropped",) and not dropped.complete


def test_relations_follow_their_spans() -> None:
    row = _pair()
    source = replace(row.source, relations=(Relation("s0", "s1", "from"), Relation("s0", "s2", "to")))
    row = replace(row, source=source, target=replace(row.target, relations=(source.relations[0],)))
    lines = _decided(row, Edit("reject", "s1", quote="Roma"), _move(row, "s2", "Oslo"))
    assert review_row(row, fold(lines)).pair.target.relations == (source.relations[1],)


def test_a_decision_on_one_of_two_rows_with_the_same_id() -> None:
    one, two = _pair(), _pair("Ana salió de Roma.", ("Ana", "Roma", None))
    lines = _decided(two, Edit("reject", "s0", quote="Ana"))
    lost = _decided(_pair("Ana huyó de Roma."), Edit("reject", "s0", quote="Ana"))
    twins, counts = frozenset({("es", "train", "e1")}), ReviewCounts()
    done = [p for batch in apply_decisions([[one, two]], "es", lines + lost, counts, twins) for p in batch]
    assert done[0] == one and _quotes(done[1]) == {"s1": "Roma"}
    assert [s.decision for s in counts.stale] == lost


def test_no_decision_is_ever_dropped() -> None:
    row, gone = _pair(), pair("gone", SOURCE, ("Ana voló.", ("Ana", None, None)), lang="es")
    lines = _decided(row, Edit("accept", "s0", quote="Ana")) + _decided(gone, Edit("accept", "s0", quote="Ana"))
    lines += _decided(gone, Edit("drop"))
    counts = ReviewCounts()
    list(apply_decisions([[row]], "es", lines, counts))
    assert counts.applied == {"accept": 1} and counts.rows == counts.reviewed == 1
    assert [(s.decision.example, s.reason) for s in counts.stale] == [("gone", NO_EXAMPLE)] * 2


@given(st.text(min_size=1), st.text(), st.text())
def test_an_anchored_span_always_covers_its_quote(quote: str, before: str, after: str) -> None:
    text, changed = f"x{quote}y", f"{before}{quote}{after}"
    row = pair("e", ("ab", [("a", "L")]), (text, [quote]), lang="es")
    if not quote.strip() or any("\ud800" <= c <= "\udfff" for c in text + changed):
        return
    lines = _decided(row, Edit("accept", "s0", quote=quote))
    target = replace(row.target, texts={"text": changed}, spans=())
    bare = replace(row, target=target, projections=(Projection("s0", None, 0.0, "none", "x"),))
    done = review_row(bare, fold(lines))
    if done.stale:
        assert (changed != text and changed.count(quote) != 1) or changed.find(quote, changed.find(quote) + 1) >= 0
    else:
        span = done.pair.target.spans[0]
        assert changed[span.start : span.end] == quote
