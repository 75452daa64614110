"""Labels that touch inside one word."""

import pytest

from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.base import ProjectionInput, single_words_of_both, words_of_both
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.markers.projector import MarkersProjector, _Marked, _onto_given
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.methods.copying import CopyProjector
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.label_edges import cut_at_labels
from spanferry.translators.engine.ct2 import CT2Translator


def pair(source: str, target: str, *quotes: str) -> ProjectionInput:
    spans, end = [], 0
    for k, quote in enumerate(quotes):
        start = source.index(quote, end)
        end = start + len(quote)
        spans.append(Span(start, end, "key", f"s{k}"))
    return ProjectionInput("e", source, target, tuple(spans), "en", "de")


@pytest.mark.parametrize(
    ("source", "target", "quotes", "cut"),
    [
        ("press AltF2", "drücken Sie AltF2", ("Alt", "F2"), ["drücken", "Sie", "Alt", "F2"]),
        ("press CtrlAltTab", "StrgAltTabulator 😀", ("Ctrl", "Alt", "Tab"), ["Strg", "Alt", "Tabulator", "😀"]),
        ("run 10km now", "laufe jetzt 12km", ("10", "km"), ["laufe", "jetzt", "12", "km"]),
        ("press Ctrl+C", "Strg-C drücken", ("Ctrl", "C"), ["Strg", "-", "C", "drücken"]),
        ("in US-China talks", "USA-China-Gespräche", ("US", "China"), ["USA", "-", "China", "-", "Gespräche"]),
        ("press FNK", "FNK drücken", ("FN", "K"), ["FN", "K", "drücken"]),
    ],
)
def test_both_sides_are_cut(source: str, target: str, quotes: tuple[str, ...], cut: list[str]) -> None:
    item = cut_at_labels(pair(source, target, *quotes))
    assert [target[a:b] for a, b in words_of_both(item)[1]] == cut
    for projector in (DefaultProjector(), AlignmentProjector()):
        (found,) = projector.fit([item]).project([pair(source, target, *quotes)])
        assert all(p.reason != "overlap" for p in found)
        assert any(p.span for p in found)
        placed = [(p.span.start, p.span.end) for p in found if p.span]
        assert all(b <= c or d <= a for k, (a, b) in enumerate(placed) for c, d in placed[:k])


def test_texts_whose_labels_do_not_touch_stay_as_they_are() -> None:
    for item in (
        pair("press Alt and F2", "AltF2", "Alt", "F2"),
        pair("AltF2", "AltF2", "AltF2"),
        pair("", "AltF2"),
    ):
        assert cut_at_labels(item) is item


TOUCHING = [
    ("Press AltF2 now.", "Pulsa AltF2 ahora.", ("Alt", "F2")),
    ("Run 10km today.", "Corre 10km hoy.", ("10", "km")),
    ("Press Ctrl+C now.", "Pulsa Ctrl+C ahora.", ("Ctrl", "C")),
]


@pytest.mark.parametrize(("source", "target", "quotes"), TOUCHING)
def test_copies_part_a_word_between_its_labels(source: str, target: str, quotes: tuple[str, ...]) -> None:
    (found,) = CopyProjector().project([pair(source, target, *quotes)])
    assert [p.span and p.span.quote(target) for p in found] == list(quotes)


@pytest.mark.parametrize(("source", "target", "quotes"), TOUCHING)
def test_constrained_decoding_parts_a_word_between_its_labels(
    model: CT2Translator, source: str, target: str, quotes: tuple[str, ...]
) -> None:
    (found,) = ConstrainedProjector(model).project([pair(source, target, *quotes)])
    assert [p.span and p.span.quote(target) for p in found] == list(quotes)


@pytest.mark.parametrize(("source", "target", "quotes"), TOUCHING)
def test_markers_part_a_word_between_its_labels(
    model: CT2Translator, source: str, target: str, quotes: tuple[str, ...]
) -> None:
    given = pair(source, target, *quotes)
    (found,) = MarkersProjector(model).project([given])
    assert {p.reason for p in found} <= {None, "marker_count", "marker_unmatched"}
    held = target.index(quotes[0]), target.index(quotes[1])
    marked = _Marked(
        Translation(target, 0.0, "m"), tuple(((k, k + len(q)), 1.0) for k, q in zip(held, quotes, strict=True))
    )
    assert [p.span and p.span.quote(target) for p in _onto_given(given, marked)] == list(quotes)


def test_labels_that_touch_in_chinese_leave_its_characters_apart() -> None:
    item = cut_at_labels(pair("在北京大学", "在北京大学", "北京", "大学"), single_words_of_both)
    assert [b - a for a, b in single_words_of_both(item)[1]] == [1] * 5
