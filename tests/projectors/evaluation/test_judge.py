"""Judging projections: by hand, and against seqeval."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from spanferry.corpora.metrics.spans import Labelled, exact_by_label, exact_score
from spanferry.corpora.schema import Projection, Span
from spanferry.corpora.text.tags import TokenSpan, read_tags, write_tags
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import Gold, load_gold
from spanferry.projectors.evaluation.judge import inputs_to_fit, judge
from spanferry.projectors.methods.copying import CopyProjector

LABELS = ("LOC", "PER", "ORG")


def _gold(*rows: tuple[str, str, Sequence[Labelled], Sequence[Labelled]], answers: bool = False) -> Gold:
    inputs, spans = [], []
    for k, (source, target, left, right) in enumerate(rows):
        own = tuple(Span(a, b, label, f"q{n}/s0") for n, (a, b, label) in enumerate(left))
        inputs.append(ProjectionInput(f"r{k}", source, target, own, "en", "es"))
        spans.append(tuple(Span(a, b, label, f"q{n}/s0") for n, (a, b, label) in enumerate(right)))
    return Gold("toy-es", "en", "es", tuple(inputs), tuple(spans), answers=answers)


def _placed(span: Span, start: int, end: int, score: float = 0.5) -> Projection:
    return Projection(span.id, Span(start, end, span.label, span.id), score, "toy")


TOY = _gold(
    ("Ana in Rome", "Ana en Roma", [(0, 3, "PER"), (7, 11, "LOC")], [(0, 3, "PER"), (7, 11, "LOC")]),
    ("Rome and Oslo", "Roma y Oslo", [(0, 4, "LOC"), (9, 13, "LOC")], [(0, 4, "LOC"), (7, 11, "LOC")]),
)


def test_counts_by_hand() -> None:
    (ana, rome), (roma, oslo) = (item.spans for item in TOY.inputs)
    found = judge(
        TOY,
        [
            [_placed(ana, 0, 3, 0.9), _placed(rome, 4, 11, 0.3)],
            [_placed(roma, 0, 4, 0.8), Projection(oslo.id, None, 0.0, "toy", "unaligned")],
        ],
    )
    assert (found.exact.correct, found.exact.predicted, found.exact.gold) == (2, 3, 4)
    assert [v.right for v in found.verdicts] == [True, False, True, False]
    assert found.overlap.correct == 3 + 4 + 4
    assert found.coverage == 0.75
    assert found.reasons() == {"unaligned": 1}
    assert found.f1_at(0.5) == 1.0
    assert found.f1_at(1.0) == pytest.approx(found.exact.f1, abs=0.08)
    assert {label: s.f1 for label, s in found.by_label().items()} == {"LOC": pytest.approx(0.4), "PER": 1.0}
    assert found.by_length()["2"].predicted == 1
    assert sum((s.correct for s in found.by_length().values()), 0.0) == found.exact.correct
    assert found.counts().tolist() == [[1, 2, 2], [1, 1, 2]]
    assert found.answer_f1 is None


def test_answers_are_compared_with_their_own_question() -> None:
    gold = _gold(
        (
            "In 1732 or 1745",
            "En 1732 o 1745",
            [(3, 7, "answer"), (11, 15, "answer")],
            [(3, 7, "answer"), (10, 14, "answer")],
        ),
        answers=True,
    )
    first, second = gold.inputs[0].spans
    crossed = judge(gold, [[_placed(first, 10, 14), _placed(second, 8, 14)]])
    assert (crossed.answer_exact, crossed.exact.correct) == (0.0, 0.0)
    assert crossed.answer_f1 == pytest.approx((0 + 2 * 4 / (6 + 4)) / 2)
    right = judge(gold, [[_placed(first, 3, 7), _placed(second, 10, 14)]])
    assert (right.answer_f1, right.answer_exact, right.exact.f1) == (1.0, 1.0, 1.0)


def test_the_nearest_of_several_gold_answers_counts() -> None:
    gold = _gold(("In 1732", "En 1732", [(3, 7, "answer")], []), answers=True)
    more = (Span(0, 7, "answer", "q0/s0"), Span(3, 7, "answer", "q0/s1"))
    gold = Gold("toy-es", "en", "es", gold.inputs, (more,), answers=True)
    found = judge(gold, [[_placed(gold.inputs[0].spans[0], 3, 7)]])
    assert (found.answer_exact, found.exact.gold) == (1.0, 1.0)


def test_texts_to_fit_on_come_once() -> None:
    doubled = Gold("toy-es", "en", "es", TOY.inputs, TOY.spans, more=TOY.inputs)
    assert [item.id for item in inputs_to_fit(doubled)] == ["r0", "r1"]


tags = st.lists(st.sampled_from(["O", *(f"{p}-{label}" for p in "BI" for label in LABELS)]), min_size=1, max_size=12)


@st.composite
def two_taggings(draw: st.DrawFn) -> list[tuple[list[str], list[str]]]:
    """Sentences with two valid IOB2 taggings each; gold has at least one span, as seqeval wants."""
    pairs = []
    for _ in range(draw(st.integers(1, 5))):
        left = draw(tags)
        right = draw(st.lists(st.sampled_from(tags_of(left)), min_size=len(left), max_size=len(left)))
        pairs.append((_valid(left), _valid(right)))
    pairs[0][0][0] = "B-LOC"
    pairs[0] = (_valid(pairs[0][0]), pairs[0][1])
    return pairs


def tags_of(row: list[str]) -> list[str]:
    return sorted({*row, "O", "B-LOC"})


def _valid(row: list[str]) -> list[str]:
    spans, _ = read_tags(row, repair=True)
    return write_tags(len(row), spans)


@given(two_taggings())
def test_our_scores_are_those_of_seqeval(pairs: list[tuple[list[str], list[str]]]) -> None:
    gold, found = [g for g, _ in pairs], [f for _, f in pairs]
    _agrees(gold, found)


@pytest.mark.gold
def test_our_scores_are_those_of_seqeval_on_europarl(gold: Path) -> None:
    data = load_gold("europarl-es", gold)
    judgement = judge(data, CopyProjector().project(data.inputs))
    assert judgement.exact.correct > 300
    rows = [
        tuple(_tagged(item.target_words, spans) for spans in (wanted, found))
        for item, wanted, found in zip(data.inputs, judgement.wanted, judgement.found, strict=True)
    ]
    score = _agrees([r[0] for r in rows], [r[1] for r in rows])
    assert judgement.exact.f1 == pytest.approx(score)


def _tagged(words: Sequence[tuple[int, int]], spans: Sequence[Labelled]) -> list[str]:
    starts, ends = {a: k for k, (a, _) in enumerate(words)}, {b: k + 1 for k, (_, b) in enumerate(words)}
    return write_tags(len(words), [TokenSpan(starts[a], ends[b], label) for a, b, label in spans])


def _agrees(gold: list[list[str]], found: list[list[str]]) -> float:
    """Asserts that seqeval finds what we find in the spans of these tags; returns its F1."""
    ours = [[tuple(span) for span in read_tags(row)[0]] for row in found]
    wanted = [[tuple(span) for span in read_tags(row)[0]] for row in gold]
    score = exact_score(ours, wanted)
    strict = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    theirs = [measure(gold, found, average="micro", **strict) for measure in (precision_score, recall_score, f1_score)]
    assert (score.precision, score.recall, score.f1) == pytest.approx(tuple(theirs))
    report = classification_report(gold, found, output_dict=True, **strict)
    for label, own in exact_by_label(ours, wanted).items():
        row = report[label]
        assert (own.precision, own.recall, own.f1) == pytest.approx((row["precision"], row["recall"], row["f1-score"]))
    return float(theirs[2])
