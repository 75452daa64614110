"""The alignment projector: one projection per span, whatever the rule, with reasons where there is none."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import Alignment, ProjectionInput, Projector
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.segments.posterior import SegmentWeights
from tests.projectors.parallel_texts import expected, spanish

TEXTS = spanish()


class Given:
    """An aligner with given links: word i goes with the words listed."""

    signature = "given.1"

    def __init__(self, links: dict[int, Sequence[int]], reason: str | None = None) -> None:
        self.links, self.reason = links, reason

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        out = []
        for item in inputs:
            source, target = words(item.source_text), words(item.target_text)
            probabilities = np.zeros((len(source), len(target)), np.float32)
            links = [(i, j) for i, row in self.links.items() for j in row]
            for i, j in links:
                probabilities[i, j] = 0.9 / len(self.links[i])
            out.append(Alignment(source, target, probabilities, tuple(sorted(links)), self.reason))
        return out


@pytest.fixture(scope="module")
def fitted() -> AlignmentProjector:
    return AlignmentProjector(aligner_options={"prior": "none"}).fit(TEXTS)


def placed(projector: Projector, item: ProjectionInput) -> list[str | None]:
    (found,) = projector.project([item])
    assert [p.source_span_id for p in found] == [s.id for s in item.spans]
    return [item.target_text[p.span.start : p.span.end] if p.span else p.reason for p in found]


def item(source: str, target: str, *ranges: tuple[int, int]) -> ProjectionInput:
    spans = tuple(Span(a, b, f"L{k}", f"s{k}") for k, (a, b) in enumerate(ranges))
    return ProjectionInput("e", source, target, spans, "en", "es")


def test_places_nearly_everything_it_was_fitted_on(fitted: AlignmentProjector) -> None:
    assert isinstance(fitted, Projector)
    right = [got == want for text in TEXTS for got, want in zip(placed(fitted, text), expected(text), strict=True)]
    assert len(right) == 3 * len(TEXTS)
    assert np.mean(right) > 0.95


def test_labels_ids_and_fields_are_kept(fitted: AlignmentProjector) -> None:
    (found,) = fitted.project([replace(TEXTS[0], spans=tuple(replace(s, field="question") for s in TEXTS[0].spans))])
    assert [(p.span.label, p.span.id, p.span.field) for p in found if p.span] == [
        ("PER", "s0", "question"),
        ("THING", "s1", "question"),
        ("TIME", "s2", "question"),
    ]
    assert {p.method for p in found} == {"align.lexical.posterior"}
    assert all(0.0 < p.score <= 1.0 for p in found)


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("posterior", "x y z"),
        ("minmax", "x y z"),
        ("gap=1", "x y z"),
        ("gap=0", "z"),
        ("longest", "z"),
        ("contiguous", "not_contiguous"),
    ],
)
def test_rules(rule: str, outcome: str) -> None:
    projector = AlignmentProjector(Given({0: [0], 1: [2], 2: [2], 3: [3]}), rule)
    text = item("Aa Bb Cc Dd", "x y z w", (0, 8))
    assert placed(projector, text) == [outcome]


@pytest.mark.parametrize("rule", ["posterior", "minmax"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (item("Aa Bb", "x y", (2, 3)), "no_source_words"),
        (item("Aa Bb Cc", "x y", (6, 8)), "unaligned"),
    ],
)
def test_reasons(rule: str, text: ProjectionInput, reason: str) -> None:
    projector = AlignmentProjector(Given({0: [0], 1: [1]}), rule)
    (found,) = projector.project([text])
    assert [(p.span, p.score, p.reason) for p in found] == [(None, 0.0, reason)]


@pytest.mark.parametrize("rule", ["posterior", "longest"])
def test_the_aligner_s_reason_is_passed_on(rule: str) -> None:
    projector = AlignmentProjector(Given({}, "too_long"), rule)
    assert placed(projector, item("Aa Bb", "x y", (0, 2), (3, 5))) == ["too_long", "too_long"]


def test_empty_target(fitted: AlignmentProjector) -> None:
    assert placed(fitted, item("Anna", "", (0, 4))) == ["empty_target"]


def test_filters_reject_one_span_and_not_the_other() -> None:
    projector = AlignmentProjector(Given({0: [0], 2: [1], 3: [3]}), filters=["all_aligned", "contiguous"])
    text = item("Aa Bb Cc Dd", "Xx Yy Zz Ww", (0, 5), (6, 8), (6, 11))
    assert placed(projector, text) == ["source_word_unaligned", "Yy", "not_contiguous"]


def test_a_type_that_loses_a_span_loses_all_and_others_stay() -> None:
    aligner = Given({0: [0], 2: [1], 3: [1]})
    spans = [Span(0, 2, "A", "a"), Span(3, 5, "A", "b"), Span(6, 8, "B", "c"), Span(6, 8, "C", "d")]
    text = replace(item("Aa Bb Cc Dd", "Xx Yy Zz"), spans=tuple(spans))
    assert placed(AlignmentProjector(aligner), text) == ["Xx", "unaligned", "Yy", "Yy"]
    strict = AlignmentProjector(aligner, filters=["type_counts"])
    assert placed(strict, text) == ["type_count", "unaligned", "Yy", "Yy"]
    # Two places of one type that would be one in the target: disjoint spans stay so.
    merged = replace(text, spans=(Span(6, 8, "B", "a"), Span(9, 11, "B", "b"), spans[0]))
    assert placed(AlignmentProjector(aligner, "minmax"), merged) == ["Yy", "overlap", "Xx"]
    assert placed(AlignmentProjector(aligner, "minmax", filters=["type_counts"]), merged) == [
        "type_count",
        "overlap",
        "Xx",
    ]


def test_the_boundary_policy_is_an_option() -> None:
    text = item("Commission papers", "die Kommissionspapiere", (0, 10))
    aligner = Given({0: [1], 1: [1]})
    assert placed(AlignmentProjector(aligner, "minmax"), text) == ["Kommissionspapiere"]
    assert placed(AlignmentProjector(aligner, "minmax", boundary="subword"), text) == ["Kommission"]


def test_two_spans_do_not_share_a_word() -> None:
    projector = AlignmentProjector(Given({0: [0], 1: [0], 2: [1]}))
    outcome = placed(projector, item("Aa Bb Cc", "Xx Yy", (0, 2), (3, 5), (6, 8)))
    assert outcome[2] == "Yy"
    assert sorted(map(str, outcome[:2])) == ["Xx", "overlap"]


def test_fragments_are_placed_one_by_one() -> None:
    span = Span(0, 8, "X", "s", fragments=((0, 2), (6, 8)))
    projector = AlignmentProjector(Given({0: [0], 1: [1], 2: [2]}))
    apart = ProjectionInput("e", "Aa Bb Cc", "Xx Yy Zz", (span,), "en", "es")
    (found,) = projector.project([apart])
    assert found[0].span == Span(0, 8, "X", "s", fragments=((0, 2), (6, 8)))
    together = AlignmentProjector(Given({0: [0], 1: [2], 2: [1]}))
    (found,) = together.project([apart])
    assert found[0].span == Span(0, 5, "X", "s")


@pytest.mark.parametrize(
    ("source", "target", "quote", "outcome"),
    [
        ("Юлия в Риме", "Yulia en Roma", "Риме", "Roma"),
        ("أنا في القاهرة", "estoy en El", "القاهرة", "El"),
        ("הוא בחיפה היום", "está en 🏙️", "היום", "🏙️"),
        ("cafe\u0301 en Paris\u0301", "un cafe\u0301 𝒳", "Paris\u0301", "𝒳"),
    ],
)
def test_offsets_are_code_points(source: str, target: str, quote: str, outcome: str) -> None:
    start = source.index(quote)
    text = item(source, target, (start, start + len(quote)))
    last = len(words(source)) - 1
    assert placed(AlignmentProjector(Given({last: [len(words(target)) - 1]})), text) == [outcome]


texts = st.text(st.sampled_from("aBc,. é東한👍🏽\u0301"), min_size=1, max_size=25)


@settings(max_examples=120, deadline=None)
@given(st.data(), texts, texts, st.sampled_from(["posterior", "minmax", "longest", "gap=1"]))
def test_one_good_projection_per_span(
    fitted: AlignmentProjector, data: st.DataObject, source: str, target: str, rule: str
) -> None:
    ends = st.tuples(st.integers(0, len(source) - 1), st.integers(1, len(source))).filter(lambda e: e[0] < e[1])
    text = item(source, target, *data.draw(st.lists(ends, max_size=5)))
    projector = AlignmentProjector(fitted.aligner, rule)
    (found,) = projector.project([text])
    assert [p.source_span_id for p in found] == [s.id for s in text.spans]
    for source_span, projection in zip(text.spans, found, strict=True):
        if projection.span is None:
            assert projection.reason and projection.score == 0.0
            continue
        quote = projection.span.quote(target)
        assert quote and quote == quote.strip()
        assert projection.span.label == source_span.label
        assert 0.0 <= projection.score <= 1.0 and projection.reason is None
    if rule == "posterior":
        _relations_hold(text, [p.span for p in found])


def _relations_hold(text: ProjectionInput, targets: Sequence[Span | None]) -> None:
    for a, target_a in zip(text.spans, targets, strict=True):
        for b, target_b in zip(text.spans, targets, strict=True):
            if target_a is None or target_b is None:
                continue
            if not a.overlaps(b):
                assert not target_a.overlaps(target_b)
            if a.contains(b):
                assert target_a.contains(target_b)


def test_order_of_spans_and_labels_change_nothing(fitted: AlignmentProjector) -> None:
    for text in TEXTS[:30]:
        shuffled = list(text.spans)
        random.Random(text.id).shuffle(shuffled)
        other = replace(text, spans=tuple(replace(s, label="Z") for s in shuffled))
        (first,), (second,) = fitted.project([text]), fitted.project([other])
        assert {(p.source_span_id, p.span.start, p.span.end, p.score) for p in first if p.span} == {
            (p.source_span_id, p.span.start, p.span.end, p.score) for p in second if p.span
        }


def test_batches_change_nothing(fitted: AlignmentProjector) -> None:
    assert fitted.project(TEXTS[:20]) == [row for text in TEXTS[:20] for row in fitted.project([text])]


def test_a_hundred_spans(fitted: AlignmentProjector) -> None:
    source, target = (" ".join(getattr(t, side) for t in TEXTS[:34]) for side in ("source_text", "target_text"))
    spans, at = [], 0
    for k, text in enumerate(TEXTS[:34]):
        spans += [replace(s, start=s.start + at, end=s.end + at, id=f"{k}{s.id}") for s in text.spans]
        at += len(text.source_text) + 1
    (found,) = fitted.project([ProjectionInput("e", source, target, tuple(spans), "en", "es")])
    assert len(found) == 102
    assert sum(p.span is not None for p in found) > 80


def test_state_passes_through(fitted: AlignmentProjector) -> None:
    again = AlignmentProjector(aligner_options={"prior": "none"}).with_state(fitted.state())
    assert again.project(TEXTS[:5]) == fitted.project(TEXTS[:5])
    reported = AlignmentProjector(Given({}))
    assert reported.fit(TEXTS) is reported
    assert reported.state() == b""
    assert reported.with_state(b"") is reported


def test_every_option_shows_in_the_signature() -> None:
    aligner = Given({})
    variants = [
        AlignmentProjector(aligner),
        AlignmentProjector(aligner, "minmax"),
        AlignmentProjector(aligner, filters=["contiguous"]),
        AlignmentProjector(aligner, filters=["type_counts"]),
        AlignmentProjector(aligner, options=3),
        AlignmentProjector(aligner, boundary="subword"),
        AlignmentProjector(aligner, segments=SegmentWeights.of({"links_in": 5.0})),
        AlignmentProjector(aligner_options={"prior": "none"}),
        AlignmentProjector(aligner_options={"prior": "none", "symmetrisation": "union"}),
    ]
    assert len({v.signature for v in variants}) == len(variants)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aligner": "lexica"}, "unknown aligner 'lexica'"),
        ({"rule": "widest"}, "unknown span rule 'widest'"),
        ({"filters": ["all"]}, "unknown alignment filter 'all'"),
        ({"aligner_options": {"max_pair": 3}}, "unknown option of the aligner 'lexical' 'max_pair'"),
    ],
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        AlignmentProjector(**options)
    assert "Hint:" in str(error.value)
