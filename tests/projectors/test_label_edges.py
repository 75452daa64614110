"""Labels that touch inside one word."""

import pytest

from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput, words_of_both
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.label_edges import cut_at_labels


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
