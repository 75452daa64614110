"""Brackets in, brackets out, and projection by them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.base import ProjectionInput, Projector
from spanferry.projectors.markers.projector import MarkersProjector
from spanferry.projectors.markers.text import mark, match_labels, unmark


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("Tom lives in Boston.", [(0, 3), (13, 19)], "[ Tom ] lives in [ Boston ]."),
        ("Tom lives in Boston.", [(13, 19), (0, 3), (0, 3)], "[ Tom ] lives in [ Boston ]."),
        ("New York City", [(0, 8), (0, 13), (4, 8)], "[ [ New [ York ] ] City ]"),
        ("see [1] 【x】", [(0, 3)], "[ see ] (1) (x)"),
        ("我住在北京", [(3, 5)], "我住在[ 北京 ]"),
        ("a", [], "a"),
    ],
)
def test_mark(text, spans, expected):
    assert mark(text, spans) == expected


def test_spans_that_cross_cannot_be_marked():
    with pytest.raises(ValueError, match="crosses"):
        mark("a b c", [(0, 3), (2, 5)])


@pytest.mark.parametrize(
    ("text", "expected", "clean", "held"),
    [
        ("[ Tom ] vive en [ Boston ].", 2, "Tom vive en Boston.", ["Tom", "Boston"]),
        ("[[ Tom ]] vive", 1, "Tom vive", ["Tom"]),
        ("[ [ Tom ] Smith ] vive", 2, "Tom Smith vive", ["Tom Smith", "Tom"]),
        ("［東京］へ【行く】", 2, "東京へ行く", ["東京", "行く"]),
        ("「東京」へ", 1, "東京へ", ["東京"]),
        ("「東京」へ", 0, "「東京」へ", []),
        ("[ 東京 ]と「京都」", 1, "東京と「京都」", ["東京"]),
        ("我住在[ 北京 ]。", 1, "我住在北京。", ["北京"]),
        ("con[ Tom ]y", 1, "con Tom y", ["Tom"]),
        ("[ Tom y [ Mary ]", 2, "Tom y Mary", ["Mary"]),
        ("a ] b [ c", 0, "a b c", []),
        ("[ ] x", 1, "x", []),
        ("[ e\u0301te\u0301 👩‍👩‍👧 ] [ б ]", 2, "e\u0301te\u0301 👩‍👩‍👧 б", ["e\u0301te\u0301 👩‍👩‍👧", "б"]),
        ("", 0, "", []),
    ],
)
def test_unmark(text, expected, clean, held):
    found, ranges = unmark(text, expected)
    assert found == clean
    assert [found[a:b] for a, b in ranges] == held


word = st.text("abcñéжяעब北京カ😀1,.", min_size=1, max_size=6)


@given(st.lists(word, min_size=1, max_size=8), st.data())
@settings(max_examples=200, deadline=None)
def test_marking_and_unmarking_give_the_text_back(tokens, data):
    text = " ".join(tokens)
    starts = [sum(len(t) + 1 for t in tokens[:i]) for i in range(len(tokens))]
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first, len(tokens) - 1))
    outer = (starts[first], starts[last] + len(tokens[last]))
    inner = (starts[first], starts[first] + len(tokens[first]))
    spans = sorted({outer, inner}, key=lambda r: (r[0], -r[1]))
    assert unmark(mark(text, spans), len(spans)) == (text, spans)


@given(st.text("[]【】「 ]a北\n", max_size=30), st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_unmark_takes_anything(text, expected):
    clean, ranges = unmark(text, expected)
    assert not set(clean) & set("[]【】")
    assert all(clean[a:b] and clean[a:b] == clean[a:b].strip() for a, b in ranges)
    assert len(set(ranges)) == len(ranges)


@pytest.mark.parametrize(
    ("held", "quotes", "labels", "translations", "expected"),
    [
        # One label: by order, nothing is translated.
        (["b", "a"], ["A", "B"], ["x", "x"], None, [0, 1]),
        # Scripted apart by their translations, in another order.
        (["perro", "gato"], ["cat", "dog"], ["x", "y"], ["gato", "perro"], [1, 0]),
        # Scripted apart by themselves.
        (["Boston", "Tom"], ["Tom", "Boston"], ["x", "y"], ["", ""], [1, 0]),
        # One left over takes what is left.
        (["gato", "zzz"], ["dog", "cat"], ["x", "y"], ["perro", "gato"], [1, 0]),
        # Two left over can't be distinguished.
        (["zzz", "qqq"], ["dog", "cat"], ["x", "y"], ["perro", "gato"], [None, None]),
    ],
)
def test_match_labels(held, quotes, labels, translations, expected):
    def translate():
        assert translations is not None, "asked for translations that are not needed"
        return translations

    found = match_labels(held, quotes, labels, translate)
    assert [f and f[0] for f in found] == expected


class Canned:
    """A translator that gives scripted answers: for outputs that a model gives only rarely."""

    signature, marker_aware = "canned", True

    def __init__(self, answers):
        self.answers = answers

    def translate(self, texts, source, target):
        return [Translation(self.answers[t]) if t in self.answers else Translation("", reason="x") for t in texts]


def given_text(source, target, *spans):
    return ProjectionInput(
        "e", source, target, tuple(Span(a, b, label, f"s{i}") for i, (a, b, label) in enumerate(spans)), "en", "es"
    )


TOM = given_text("Tom met Ann in Rome.", "En Roma Tom vio a Ann.", (0, 3, "PER"), (8, 11, "PER"), (15, 19, "LOC"))
MARKED = "[ Tom ] met [ Ann ] in [ Rome ]."


@pytest.mark.parametrize(
    ("answers", "quotes", "reasons"),
    [
        (
            {MARKED: "[ Tom ] vio a [ Ann ] en [ Roma ].", "Rome": "Roma", "Tom": "Tom", "Ann": "Ann"},
            ["Tom", "Ann", "Roma"],
            [None] * 3,
        ),
        ({MARKED: "[ Tom ] vio a [ Ann ] en Roma."}, [None] * 3, ["marker_count"] * 3),
        ({}, [None] * 3, ["x"] * 3),
        (
            {MARKED: "[ Tom ] vio a [ Bob ] en [ Lugo ].", "Rome": "Roma", "Tom": "Tom", "Ann": "Ana"},
            ["Tom", None, None],
            [None, "marker_unmatched", "marker_unmatched"],
        ),
        (
            {MARKED: "[ Tom ] vio a [ Ann ] en [ la Ciudad Eterna ].", "Rome": "Roma", "Tom": "Tom", "Ann": "Ann"},
            ["Tom", "Ann", None],
            [None, None, "not_in_target"],
        ),
    ],
)
def test_onto_a_given_target(answers, quotes, reasons):
    found = MarkersProjector(Canned(answers)).project([TOM])[0]
    assert [p.source_span_id for p in found] == ["s0", "s1", "s2"]
    assert [p.span and p.span.quote(TOM.target_text) for p in found] == quotes
    assert [p.reason for p in found] == reasons
    assert all((p.span is None) == (p.score == 0.0) for p in found)


def test_repeated_words_go_to_where_the_brackets_stood():
    source, target = "Ann saw Ann.", "Ann vio a Ann."
    marked = "[ Ann ] saw [ Ann ]."
    found = MarkersProjector(Canned({marked: "[ Ann ] vio a [ Ann ]."})).project(
        [given_text(source, target, (0, 3, "PER"), (8, 11, "PER"))]
    )[0]
    assert [(p.span.start, p.span.end) for p in found] == [(0, 3), (10, 13)]


def test_two_spans_never_share_one_stretch():
    found = MarkersProjector(Canned({"[ Ann ] saw [ Ann ].": "[ Ann ] vio a [ Ann ]."})).project(
        [given_text("Ann saw Ann.", "Ann la vio.", (0, 3, "PER"), (8, 11, "PER"))]
    )[0]
    assert sorted(p.reason or "" for p in found) == ["", "conflict"]


class Several(Canned):
    """One that also says what it would say next."""

    def translate_nbest(self, texts, source, target, count):
        return [[Translation(t) for t in self.answers[text].split("|")][:count] for text in texts]

    def translate(self, texts, source, target):
        return [row[0] for row in self.translate_nbest(texts, source, target, 1)]


def test_where_the_best_translation_loses_a_bracket_the_next_one_that_has_all_is_taken():
    answers = {"[ Ann ] saw Bob.": "Ann ] vio a Bob.|[ Ann vio a Bob.|[ Ann ] miró a Bob.|[ Ann ] vio a Bob."}
    item = given_text("Ann saw Bob.", "", (0, 3, "PER"))
    translation, placed = MarkersProjector(Several(answers)).translate_marked([item])[0]
    assert translation.text == "Ann miró a Bob."
    assert placed[0].span.quote(translation.text) == "Ann"
    none = {text: "|".join(answer.split("|")[:2]) for text, answer in answers.items()}
    translation, placed = MarkersProjector(Several(none)).translate_marked([item])[0]
    assert (translation.text, placed[0].reason) == ("Ann vio a Bob.", "marker_count")


def test_reasons_of_single_rows():
    projector = MarkersProjector(Canned({}))
    crossing = given_text("a b c", "x y z", (0, 3, "A"), (2, 5, "B"))
    empty = given_text("a b c", " ", (0, 1, "A"))
    assert [p.reason for p in projector.project([crossing])[0]] == ["crossing", "crossing"]
    assert [p.reason for p in projector.project([empty])[0]] == ["empty_target"]
    assert projector.project([]) == []


def test_with_a_model(model):
    projector = MarkersProjector(model)
    assert isinstance(projector, Projector)
    source = "Tom lives in Boston."
    plain = model.translate([source], "en", "es")[0].text
    items = [given_text(source, plain, (0, 3, "PER")), given_text(source, plain, (13, 19, "LOC"))]
    for (translation, own), given_target, quote in zip(
        projector.translate_marked(items), projector.project(items), ("Tom", "Boston"), strict=True
    ):
        assert not set(translation.text) & set("[]")
        assert own[0].span.quote(translation.text) == quote
        assert given_target[0].span.quote(plain) == quote
        assert given_target[0].score > 0.9


def test_a_sentence_too_long_for_the_model(model):
    item = given_text("word " * 3000, "palabra", (0, 4, "X"))
    assert [p.reason for p in MarkersProjector(model).project([item])[0]] == ["source_too_long"]
