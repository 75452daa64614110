"""Markers that are a pair of tags of its own for every span."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.markers.projector import MarkersProjector
from spanferry.projectors.markers.tags import tag, tag_names, untag
from spanferry.translators.engine.ct2 import CT2Translator


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("Tom met Ann.", [(0, 3), (8, 11)], "<a>Tom</a> met <b>Ann</b>."),
        ("New York City", [(0, 13), (0, 8)], "<a><b>New York</b> City</a>"),
        ("a b c", [(0, 3), (2, 5)], "<a>a <b>b</a> c</b>"),
        ("ab", [(0, 1), (1, 2)], "<a>a</a><b>b</b>"),
        ("<b>Tom</b> met <A>", [(3, 6)], "<b><c>Tom</c></b> met <A>"),
    ],
)
def test_tag(text: str, spans: list[tuple[int, int]], expected: str) -> None:
    assert tag(text, spans) == expected
    assert untag(expected, tag_names(text, len(spans))) == (text, spans)


@pytest.mark.parametrize(
    ("text", "clean", "held"),
    [
        ("A <b>Ann</b> la vio <a>Tom</a>.", "A Ann la vio Tom.", ["Tom", "Ann"]),
        ("< A > Tom </ a > vio a <B>Ann</B>", "Tom vio a Ann", ["Tom", "Ann"]),
        ("<a>Tom</a> vio a <b>Ann", "Tom vio a Ann", ["Tom", None]),
        ("<a>Tom</a> y <a>Tim</a> <b></b>", "Tom y Tim", [None, None]),
        ("</a>Tom<a> vio a <b>Ann</b>", "Tom vio a Ann", [None, "Ann"]),
        ("汤姆<a>见</a>了<b>安</b>", "汤姆见了安", ["见", "安"]),
        ("las <a>EU</a>s <i>z</i> <b>1</b>", "las EUs <i>z</i> 1", ["EU", "1"]),
        ("", "", [None, None]),
    ],
)
def test_untag(text: str, clean: str, held: list[str | None]) -> None:
    found, ranges = untag(text, ["a", "b"])
    assert found == clean
    assert [r and found[r[0] : r[1]] for r in ranges] == held


def test_names_go_on_after_z() -> None:
    names = tag_names("<c> x </z>", 30)
    assert names[:3] == ["a", "b", "d"] and names[24:26] == ["aa", "ab"] and len(set(names)) == 30


@given(st.text("ab <>/éш安", max_size=30), st.data())
def test_tagging_and_untagging_give_the_text_back(text: str, data: st.DataObject) -> None:
    text = text.strip()
    solid = [k for k, char in enumerate(text) if not char.isspace()]
    if not solid:
        return
    edge = st.sampled_from(solid)
    spans = sorted(set(data.draw(st.lists(st.tuples(edge, edge).map(lambda e: (min(e), max(e) + 1)), max_size=4))))
    clean, ranges = untag(tag(text, spans), tag_names(text, len(spans)))
    assert (clean, ranges) == (text, spans)


@given(st.text("<>/ab 安\u0000\ud800", max_size=30))
def test_untag_takes_anything(text: str) -> None:
    clean, ranges = untag(text, ["a", "b"])
    assert all(r is None or clean[r[0] : r[1]].strip() for r in ranges)


class Scripted:
    """A translator that gives scripted answers: no small model was tuned for tags."""

    signature, marker_aware = "reported", False

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def translate(self, texts: list[str], source: str, target: str) -> list[Translation]:
        return [Translation(self.answers[text]) for text in texts]


def item(target: str, *spans: tuple[int, int]) -> ProjectionInput:
    made = tuple(Span(start, end, "PER", f"s{k}") for k, (start, end) in enumerate(spans))
    return ProjectionInput("e", "Tom met Ann.", target, made, "en", "es")


def test_each_span_is_found_or_lost_by_itself() -> None:
    asked = item("", (0, 3), (0, 7), (4, 11))
    answers = {"<a><b>Tom</b> <c>met</a> Ann</c>.": "<c>A Ann la vio <a><b>Tom</b></c> ayer."}
    projector = MarkersProjector(Scripted(answers), markers="tags")
    assert projector.signature == "markers.2.edges.2.tags(reported)"
    translation, placed = projector.translate_marked([asked])[0]
    assert translation.text == "A Ann la vio Tom ayer."
    assert [p.span and p.span.quote(translation.text) for p in placed] == ["Tom", None, "A Ann la vio Tom"]
    assert [p.reason for p in placed] == [None, "marker_count", None]


def test_onto_a_given_target() -> None:
    asked = item("Ann la vio Tom.", (0, 3), (8, 11))
    projector = MarkersProjector(
        Scripted({"<a>Tom</a> met <b>Ann</b>.": "<b>Ann</b> la vio <a>Tom</a>."}), markers="tags"
    )
    (placed,) = projector.project([asked])
    assert [p.span and p.span.quote(asked.target_text) for p in placed] == ["Tom", "Ann"]


def test_a_model_that_never_saw_tags_loses_spans_and_not_rows(model: CT2Translator) -> None:
    asked = [item("Tom conoció a Ann.", (0, 3), (8, 11)), item("", (0, 3))]
    found = MarkersProjector(model, markers="tags").project(asked)
    assert [len(row) for row in found] == [2, 1]
    assert all((p.span is None) == (p.reason is not None) for row in found for p in row)
    assert found[1][0].reason == "empty_target"


def test_other_markers_are_refused() -> None:
    with pytest.raises(ConfigError, match="markers='xml'\nValid: brackets, tags"):
        MarkersProjector(Scripted({}), markers="xml")
