"""Filters over the whole corpus, and confidence: exact reasons in row order."""

from dataclasses import replace

import pytest

from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.schema import Relation
from tests.corpora.filter_pairs import pair, reasons

DUPLICATE, CONFLICT = ["duplicates:row"], ["conflicts:labels"]


def test_duplicates_keep_the_first_of_the_same_texts_and_labels() -> None:
    rows = [
        pair("I see [Ann|per].", "Veo a [Ana|per]."),
        pair("I can see [Ann|per].", "Veo a [Ana|per]."),
        pair("I see Ann.", "Veo a Ana."),
        pair("I see [Ann|per].", "Veo a [Ana|per]."),
        pair("I see [Ann|loc].", "Veo a [Ana|loc]."),
        pair("I see [Ann|per].", "Veo a [Ana|per].", split="test"),
        pair("I see [Ann|per].", "Veo a [Ana|per].", label="greet"),
    ]
    assert reasons("duplicates", *rows) == [[], DUPLICATE, [], DUPLICATE, [], [], []]
    assert reasons("duplicates", *rows, side="both") == [[], [], [], DUPLICATE, [], [], []]
    assert reasons("duplicates", *rows, side="source") == [[], [], [], DUPLICATE, [], [], []]


def test_test_data_is_left_alone_unless_asked() -> None:
    same = pair("I see [Ann|per].", "Veo a [Ana|per].", split="test")
    other = pair("I see [Ann|per].", "Veo a [Ana|loc].", split="test")
    assert reasons("duplicates", same, same) == [[], []]
    assert reasons("duplicates", same, same, splits=("train", "test")) == [[], DUPLICATE]
    assert reasons("conflicts", same, other) == [[], []]
    assert reasons("conflicts", same, other, splits=("test",)) == [[], CONFLICT]


def test_duplicates_do_not_mind_span_ids_or_order() -> None:
    one = pair("[a|x] [b|y]", "[a|x] [b|y]")
    assert one.target is not None
    turned = replace(one, target=replace(one.target, spans=one.target.spans[::-1]))
    assert reasons("duplicates", one, turned) == [[], DUPLICATE]
    related = replace(one, target=replace(one.target, relations=(Relation("s0", "s1", "of"),)))
    assert reasons("duplicates", one, related) == [[], []]


def test_conflicts() -> None:
    rows = [
        pair("[Ann|per] sings", "[Ana|per] canta"),
        pair("Ann sings", "Ana canta"),
        pair("[Ann|per] sings", "[Ana|per] canta"),
        pair("[Ann|loc] sings", "[Ana|loc] canta"),
        pair("[Ann|per] runs", "[Ana|per] corre"),
        pair("Ann sings", "Ana canta", split="test"),
    ]
    assert reasons("conflicts", *rows) == [[], CONFLICT, [], CONFLICT, [], []]
    assert reasons("conflicts", *rows, keep="none") == [CONFLICT, CONFLICT, CONFLICT, CONFLICT, [], []]


def test_a_rejected_row_is_no_first_row() -> None:
    lost = pair("[Ann|per] sings", "Ana canta")
    whole = pair("[Ann|per] sings", "[Ana|per] canta")
    failed = whole.rejected("translate:too_long")
    filters = build([{"kind": "duplicates"}, {"kind": "span_count"}, {"kind": "conflicts"}])
    rows = [lost, failed, whole, whole]
    assert decide(filters, score(filters, rows)) == [["span_count:per"], ["translate:too_long"], [], DUPLICATE]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.9, 0.8), []),
        ((0.9, 0.05), ["confidence:low"]),
        ((0.5, 0.5), []),
        ((0.49, 0.9), ["confidence:low"]),
        ((float("nan"), 0.9), ["confidence:low"]),
    ],
)
def test_confidence(scores: tuple[float, float], expected: list[str]) -> None:
    row = pair("[Ann|per] in [Bonn|loc]", "[Ana|per] en [Bonn|loc]", scores=scores)
    assert reasons("confidence", row) == [expected]


def test_confidence_looks_only_at_what_was_placed() -> None:
    row = pair("[Ann|per] in [Bonn|loc]", "[Ana|per] en Bonn", scores=(0.5, 0.0))
    assert reasons("confidence", row) == [[]]
    assert reasons("confidence", row, min_score=0.51) == [["confidence:low"]]
    assert reasons("confidence", pair("nothing", "nada"), min_score=1.0) == [[]]
