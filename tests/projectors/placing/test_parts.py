"""Long texts in parts: nothing of them is lost, no span is cut, and every method gains from it."""

import random

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Span
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import Gold, gold_in_parts
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.parts import parts_of_text, project_in_parts

PEOPLE = ("Anna", "Tomás", "María", "Pedro", "Laura", "Iván")
TOWNS = ("Sevilla", "Lugo", "Málaga", "Oviedo", "Cádiz", "Toledo")


def document(sentences: int, seed: int = 0) -> tuple[ProjectionInput, dict[str, str]]:
    """A text with its translation, and what each span's target says."""
    draw = random.Random(seed)
    source, target, spans, wanted = "", "", [], {}
    for k in range(sentences):
        who, town = draw.choice(PEOPLE), draw.choice(TOWNS)
        forms = (
            (f"{who} has lived in {town} for {k + 2} years. ", f"{who} vive en {town} desde hace {k + 2} años. "),
            (f"Yesterday {who} bought a house near {town}! ", f"¡Ayer {who} compró una casa cerca de {town}! "),
        )
        english, spanish = forms[k % 2]
        for name, label in ((who, "PER"), (town, "LOC")):
            start = len(source) + english.index(name)
            spans.append(Span(start, start + len(name), label, f"s{len(spans)}"))
            wanted[spans[-1].id] = name
        source, target = source + english, target + spanish
    return ProjectionInput("d", source, target, tuple(spans), "en", "es"), wanted


@pytest.mark.parametrize("sentences", [1, 2, 9])
def test_parts_hold_all_texts_and_spans(sentences: int) -> None:
    item, _ = document(sentences)
    parts = parts_of_text(item)
    assert len(parts) == sentences
    assert "".join(part.item.source_text for part in parts) == item.source_text
    assert "".join(part.item.target_text for part in parts) == item.target_text
    assert [number for part in parts for number in part.numbers] == list(range(len(item.spans)))
    for part in parts:
        assert item.target_text[part.start :].startswith(part.item.target_text)
        for number, span in zip(part.numbers, part.item.spans, strict=True):
            assert span.quote(part.item.source_text) == item.spans[number].quote(item.source_text)


def test_no_part_ends_inside_a_span() -> None:
    item, _ = document(4)
    across = Span(item.source_text.index("years") - 3, item.source_text.index("Yesterday") + 9, "X", "long")
    fragments = Span(0, len(item.source_text), "Y", "apart", fragments=((0, 3), (len(item.source_text) - 4, 4)))
    assert len(parts_of_text(replaced(item, (across,)))) == 3
    assert len(parts_of_text(replaced(item, (across, fragments)))) == 1


def replaced(item: ProjectionInput, spans: tuple[Span, ...]) -> ProjectionInput:
    return ProjectionInput("d", item.source_text, item.target_text, spans, "en", "es")


def test_words_that_are_given_go_with_their_part() -> None:
    source, target = "He sang . She ran .", "Cantó . Corrió ."
    words = [tuple((m, m + len(w)) for m, w in _tokens(text)) for text in (source, target)]
    item = ProjectionInput("t", source, target, (Span(10, 13, "W", "s"),), "en", "es", words[0], words[1])
    parts = parts_of_text(item)
    assert [part.item.target_text for part in parts] == ["Cantó . ", "Corrió ."]
    assert [[p.item.target_text[a:b] for a, b in p.item.target_words] for p in parts] == [
        ["Cantó", "."],
        ["Corrió", "."],
    ]
    assert parts[1].item.spans[0].quote(parts[1].item.source_text) == "She"


def _tokens(text: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


def test_a_document_that_no_aligner_takes_as_a_whole_is_projected() -> None:
    item, wanted = document(120)
    short = LexicalAligner(prior=None, max_words=400)
    projector = DefaultProjector(None, "en", "es", aligner=short).fit([item])
    assert "too_long" in {p.reason for p in projector.project([item])[0]}
    empty = ProjectionInput("e", "Nothing.", "Nada.", (), "en", "es")
    before, found, after = project_in_parts(projector.project, [empty, item, empty])
    assert (before, after) == ([], [])
    assert [p.source_span_id for p in found] == [s.id for s in item.spans]
    quotes = {p.source_span_id: p.span and p.span.quote(item.target_text) for p in found}
    assert quotes == wanted
    # Each in its own sentence, in the order of the source, although the same names come again and again.
    places = [p.span.start for p in found if p.span]
    assert places == sorted(places)


def test_fragments_move_with_their_part() -> None:
    item, _ = document(3)
    last = parts_of_text(item)[2]
    span = Span(5, 20, "X", "s4", fragments=((5, 9), (15, 20)))

    def project(inputs: object) -> list[list[Projection]]:
        return [[Projection("s4", span, 0.5, "m"), Projection("s5", None, 0.0, "m", "unaligned")]]

    wanted = replaced(item, item.spans[4:])
    first, second = project_in_parts(project, [wanted])[0]
    assert first.span is not None and first.span.start == last.start + 5
    assert first.span.fragments == ((last.start + 5, last.start + 9), (last.start + 15, last.start + 20))
    assert (second.span, second.reason) == (None, "unaligned")


def test_gold_in_parts_has_the_same_spans() -> None:
    item, wanted = document(5)
    spans, at = [], 0
    for span in item.spans:
        at = item.target_text.index(wanted[span.id], at)
        spans.append(Span(at, at + len(wanted[span.id]), span.label, span.id))
    gold = gold_in_parts(Gold("g", "en", "es", (item,), (tuple(spans),)))
    assert len(gold.inputs) == 5 and [len(own) for own in gold.spans] == [2] * 5
    for part, own in zip(gold.inputs, gold.spans, strict=True):
        assert part.id == item.id  # which half it belongs to hangs on it
        assert [s.quote(part.target_text) for s in own] == [wanted[s.id] for s in part.spans]


@pytest.mark.parametrize("given", [[], [[]], [[], []]])
def test_a_projector_that_forgets_a_span_is_an_error(given: list[list[Projection]]) -> None:
    with pytest.raises(
        ConfigError, match=r"the projector gives . (lists of )?projections for [12] .*\nHint: one for each"
    ):
        project_in_parts(lambda _: given, [document(1)[0]])
