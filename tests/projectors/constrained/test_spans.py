"""Constrained decoding of what is more than one plain span: fragments, nesting, many together, the way back."""

import itertools

import pytest

from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.constrained.projector import ConstrainedProjector, NBest
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.search import compatible

SOURCE, TARGET = "The dog and the cat are sleeping.", "El perro y el gato están durmiendo."


def at(text, *quotes):
    """Where each quote first stands."""
    return tuple((text.index(quote), text.index(quote) + len(quote)) for quote in quotes)


def broken(text, *quotes, name="s0"):
    """A discontinuous span of the given parts."""
    fragments = at(text, *quotes)
    return Span(fragments[0][0], fragments[-1][1], "PETS", name, fragments=fragments)


def quotes(projection, text):
    span = projection.span
    return [text[a:b] for a, b in span.fragments or ((span.start, span.end),)]


def test_fragments_are_placed_one_by_one(model):
    projector = ConstrainedProjector(model)
    whole = broken(SOURCE, "The dog", "the cat")
    apart = tuple(Span(a, b, "PET", f"p{k}") for k, (a, b) in enumerate(whole.fragments))
    together, single = projector.project(
        [ProjectionInput(name, SOURCE, TARGET, spans, "en", "es") for name, spans in (("a", (whole,)), ("b", apart))]
    )
    assert quotes(together[0], TARGET) == ["El perro", "el gato"]
    assert together[0].span == Span(0, 18, "PETS", "s0", fragments=((0, 8), (11, 18)))
    assert together[0].span.fragments == tuple((p.span.start, p.span.end) for p in single)
    assert together[0].score == min(p.score for p in single)


def test_fragments_beside_other_spans(model):
    source, target = "He gave the old book to his sister Anna.", "Le dio el libro viejo a su hermana Anna."
    spans = (broken(source, "gave", "to his sister"), *(Span(*place, "X", "x") for place in at(source, "old book")))
    for projector in (ConstrainedProjector(model), DefaultProjector(model, "en", "es", calibrate=False)):
        broken_one, inner = projector.project([ProjectionInput("e", source, target, spans, "en", "es")])[0]
        assert quotes(inner, target) == ["libro viejo"]
        if broken_one.span is not None:
            for part in broken_one.span.fragments or ((broken_one.span.start, broken_one.span.end),):
                assert compatible((0, 1), (2, 3), part, (inner.span.start, inner.span.end))


def test_one_lost_fragment_loses_the_span(model):
    projector = ConstrainedProjector(model)
    given = ProjectionInput("e", SOURCE, TARGET, (broken(SOURCE, "The dog", "the cat"),), "en", "es")
    dog, cat = (NBest(((*place, -0.1),)) for place in at(TARGET, "El perro", "el gato"))
    assert quotes(projector.choose(given, [dog, cat])[0], TARGET) == ["El perro", "el gato"]
    for lists, reason in [
        ([dog, NBest(reason="too_long")], "too_long"),
        ([NBest(reason="no_candidate"), cat], "no_candidate"),
        ([dog, dog], "conflict"),
    ]:
        lost = projector.choose(given, lists)[0]
        assert (lost.span, lost.score, lost.reason) == (None, 0.0, reason)


def test_fragments_that_meet_are_one(model):
    source, target = "He turned the light off.", "Apagó la luz."
    given = ProjectionInput("e", source, target, (broken(source, "turned", "off"),), "en", "es")
    one, other = (NBest(((*place, -0.1),)) for place in at(target, "Apagó", "la"))
    placed = ConstrainedProjector(model).choose(given, [one, other])[0]
    assert placed.span == Span(0, 8, "PETS", "s0")


def test_fragments_are_looked_at_again(model):
    """With a model of the other direction: each fragment on its own."""
    given = ProjectionInput("e", SOURCE, TARGET, (broken(SOURCE, "The dog", "the cat"),), "en", "es")
    placed = ConstrainedProjector(model, reverse=model).project([given])[0][0]
    assert placed.span is None or len(placed.span.fragments) in (0, 2)


NESTED = (
    "Anna saw the red house of my old friend Tom in Madrid on Monday.",
    "Anna vio la casa roja de mi viejo amigo Tom en Madrid el lunes.",
)


def test_nested_spans_stay_nested(model):
    source, target = NESTED
    outer = ("the red house of my old friend Tom", "my old friend Tom", "Tom")
    spans = tuple(Span(*place, "X", f"s{k}") for k, place in enumerate(at(source, *outer)))
    found = ConstrainedProjector(model).project([ProjectionInput("e", source, target, spans, "en", "es")])[0]
    assert all(p.span for p in found)
    assert quotes(found[2], target) == ["Tom"]
    for (a, x), (b, y) in itertools.combinations(zip(spans, [p.span for p in found], strict=True), 2):
        assert compatible((a.start, a.end), (b.start, b.end), (x.start, x.end), (y.start, y.end))
    assert found[0].span.start < found[1].span.start < found[2].span.start


def test_twelve_spans_of_one_example(model):
    source, target = NESTED
    wanted = {
        "Anna": "Anna",
        "the red house": "la casa roja",
        "red": "roja",
        "house": "casa",
        "my old friend Tom": "mi viejo amigo Tom",
        "old friend": "viejo amigo",
        "old": "viejo",
        "friend": "amigo",
        "Tom": "Tom",
        "Madrid": "Madrid",
        "Monday": "lunes",
        "saw": "vio",
    }
    spans = tuple(Span(*place, "X", f"s{k}") for k, place in enumerate(at(source, *wanted)))
    found = ConstrainedProjector(model).project([ProjectionInput("e", source, target, spans, "en", "es")])[0]
    assert [p.source_span_id for p in found] == [s.id for s in spans]
    placed = [(s, p.span) for s, p in zip(spans, found, strict=True) if p.span]
    for (a, x), (b, y) in itertools.combinations(placed, 2):
        assert compatible((a.start, a.end), (b.start, b.end), (x.start, x.end), (y.start, y.end))
    right = [p.span is not None and p.span.quote(target) == w for p, w in zip(found, wanted.values(), strict=True)]
    assert sum(right) >= 9


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [("es", "Anna vive en Madrid con su hermano Tom.", 3), ("de", "Anna wohnt mit ihrem Bruder Tom in Berlin.", 3)],
)
def test_translate_test(model, language, text, names):
    """A text is translated into English, the names found there are carried back onto the text as it was."""
    english = model.translate([text], language, "en")[0].text
    found = [name for name in ("Anna", "Tom", "Madrid", "Berlin") if name in english]
    assert len(found) == names
    spans = tuple(Span(*place, "NAME", f"s{k}") for k, place in enumerate(at(english, *found)))
    back = ProjectionInput("e", english, text, spans, "en", language)
    placed = ConstrainedProjector(model).project([back])[0]
    assert [p.span and p.span.quote(text) for p in placed] == found
    assert [p.span.label for p in placed] == ["NAME"] * names
