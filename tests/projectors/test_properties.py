"""What holds for every projector, whatever it is given.

One projection per source span; the span it places lies in the target and keeps id and label; what is disjoint stays
disjoint; labels, the order of spans, and how inputs are batched and ordered change nothing.
"""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import MissingExtraError, ModelError
from spanferry.corpora.schema import Projection, Span
from spanferry.projectors import PROJECTORS
from spanferry.projectors.base import FittableProjector, ProjectionInput, Projector
from spanferry.projectors.methods.build import build_projector
from spanferry.translators.loading.load import load_translator
from tests.projectors.parallel_texts import spanish

# Kind, options, whether the bundled model is given.
CASES = [
    *((kind, {}, True) for kind in PROJECTORS),
    ("default", {}, False),
    ("alignment", {"aligner": "attention"}, True),
    *(("alignment", {"rule": rule}, False) for rule in ("minmax", "gap=1", "contiguous", "longest")),
    ("alignment", {"filters": ["all_aligned", "contiguous"]}, False),
]
CORPUS = spanish()
_NAMES = [
    f"{kind}{'.' if options else ''}{'.'.join(map(str, options.values()))}{'' if model else '.alone'}"
    for kind, options, model in CASES
]


@cache
def _projector(case: int) -> Projector:
    kind, options, with_model = CASES[case]
    model = load_translator("bundled", source="en", target="es") if with_model else None
    try:
        projector = build_projector(kind, options, model, "en", "es")
    except (ModelError, MissingExtraError) as error:
        pytest.skip(str(error))
    return projector.fit(CORPUS) if isinstance(projector, FittableProjector) else projector


_TOKENS = [
    "Anna",
    "16:30",
    "el",
    "«",
    "»",
    ".",
    "Москва",
    "שלום",
    "مرحبا",
    "東京",
    "カメラ",
    "ไทย",
    "😀",
    "ñandú",
    "l'eau",
    "ε\u0301",
]


@st.composite
def items(draw: st.DrawFn) -> ProjectionInput:
    """A pair of the little grammar or of odd tokens, with up to four spans, which may overlap or start inside words.

    Some of them are discontinuous.
    """
    base = draw(st.sampled_from(CORPUS))
    source, target = base.source_text, base.target_text
    if draw(st.booleans()):
        source, target = (" ".join(draw(st.lists(st.sampled_from(_TOKENS), min_size=1, max_size=8))) for _ in "st")
    if draw(st.integers(0, 5)) == 0:
        target = draw(st.sampled_from(["", " \n", ".", source]))
    spans = []
    for k in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(source) - 1))
        end = draw(st.integers(start + 1, min(len(source), start + 20)))
        fragments: tuple[tuple[int, int], ...] = ()
        if end - start > 4 and draw(st.integers(0, 2)) == 0:
            first = draw(st.integers(start + 1, end - 2))
            second = draw(st.integers(first + 1, end - 1))
            fragments = ((start, first), (second, end))
        if all(source[a:b].strip() for a, b in fragments or ((start, end),)):
            spans.append(Span(start, end, draw(st.sampled_from(["PER", "THING"])), f"s{k}", fragments=fragments))
    if not spans:
        spans = list(base.spans) if source == base.source_text else []
    return ProjectionInput(base.id, source, target, tuple(spans), "en", "es")


def _examples(count: int) -> settings:
    # The fixtures' projectors are built once and never change.
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def _count(case: int) -> int:
    return 6 if CASES[case][2] and CASES[case][0] not in ("copy", "alignment") else 20


@pytest.mark.parametrize("case", range(len(CASES)), ids=_NAMES)
def test_one_projection_per_span_where_it_says(case: int) -> None:
    projector = _projector(case)

    @_examples(_count(case))
    @given(st.lists(items(), max_size=3))
    def holds(inputs: list[ProjectionInput]) -> None:
        found = projector.project(inputs)
        assert len(found) == len(inputs)
        for item, projections in zip(inputs, found, strict=True):
            assert [p.source_span_id for p in projections] == [span.id for span in item.spans]
            for span, projection in zip(item.spans, projections, strict=True):
                _well_formed(item, span, projection)
            _still_disjoint(item, projections)

    holds()


@pytest.mark.parametrize("case", range(len(CASES)), ids=_NAMES)
def test_labels_order_and_batches_change_nothing(case: int) -> None:
    projector = _projector(case)

    @_examples(_count(case))
    @given(st.lists(items(), min_size=1, max_size=3), st.randoms(use_true_random=False))
    def holds(inputs: list[ProjectionInput], shuffle: "st.Random") -> None:
        expected = [_by_id(projections) for projections in projector.project(inputs)]
        changed = []
        for item in inputs:
            spans = [replace(span, label=f"other-{span.label}") for span in item.spans]
            shuffle.shuffle(spans)
            changed.append(replace(item, spans=tuple(spans)))
        order = list(range(len(inputs)))
        shuffle.shuffle(order)
        together = projector.project([changed[k] for k in order])
        alone = [projector.project([changed[k]])[0] for k in order]
        assert [_by_id(row) for row in together] == [expected[k] for k in order]
        assert [_by_id(row) for row in alone] == [expected[k] for k in order]

    holds()


def _well_formed(item: ProjectionInput, span: Span, projection: Projection) -> None:
    placed = projection.span
    assert 0.0 <= projection.score <= 1.0
    if placed is None:
        assert projection.reason and projection.score == 0.0
        return
    assert projection.reason is None
    assert (placed.id, placed.label, placed.field) == (span.id, span.label, span.field)
    assert 0 <= placed.start < placed.end <= len(item.target_text)
    assert len(placed.fragments) != 1
    assert len(placed.fragments) <= len(span.fragments)
    edges = [edge for part in _parts(placed) for edge in part]
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (placed.start, placed.end)
    for start, end in _parts(placed):
        quote = item.target_text[start:end]
        assert quote and quote == quote.strip()


def _still_disjoint(item: ProjectionInput, projections: list[Projection]) -> None:
    pairs = list(zip(item.spans, projections, strict=True))
    for k, (one, to_one) in enumerate(pairs):
        for other, to_other in pairs[k + 1 :]:
            if to_one.span and to_other.span and not _overlap(one, other):
                assert not _overlap(to_one.span, to_other.span)


def _parts(span: Span) -> tuple[tuple[int, int], ...]:
    return span.fragments or ((span.start, span.end),)


def _overlap(one: Span, other: Span) -> bool:
    return any(a < d and c < b for a, b in _parts(one) for c, d in _parts(other))


def _by_id(projections: list[Projection]) -> dict[str, tuple[object, ...]]:
    return {
        p.source_span_id: (
            p.span and (p.span.start, p.span.end, p.span.fragments),
            round(p.score, 3),
            p.method,
            p.reason,
        )
        for p in projections
    }
