"""Candidates scored as translations: the formula by hand, the joint choice, and a model that knows both languages."""

import math
import random
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import ProjectionInput, Projector
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.methods.candidates import CandidatesProjector, candidates
from spanferry.translators.conversion.convert import convert
from spanferry.translators.engine.ct2 import CT2Translator
from tests.translators import checkpoints


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> CT2Translator:
    """A many-to-many model that also translates a language into itself."""
    folder = tmp_path_factory.mktemp("candidates")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPANFERRY_CACHE", str(folder / "cache"))
        return CT2Translator(convert(checkpoints.nllb(folder / "nllb"), quantization="float32"), device="cpu")


def item(source: str, target: str, *ranges: tuple[int, int]) -> ProjectionInput:
    spans = tuple(Span(a, b, f"L{k}", f"s{k}") for k, (a, b) in enumerate(ranges))
    return ProjectionInput("e", source, target, spans, "en", "es")


TEXT = item("I have two cats and one dog.", "Tengo dos gatos y un perro.", (7, 15), (20, 27))


def likelihood(model: CT2Translator, given_text: str, scored: str, source: str, target: str) -> float:
    return math.exp(model.score_pairs([given_text], [scored], source, target)[0].mean)


def test_the_similarity_is_that_of_the_paper(many: CT2Translator) -> None:
    one = replace(TEXT, spans=TEXT.spans[:1])
    (found,) = CandidatesProjector(many, keep=1000).project([one])
    quote = "two cats"
    by_hand = {}
    for a, b in candidates(one, (7, 15)):
        text = one.target_text[a:b]
        by_hand[a, b] = (
            likelihood(many, quote, text, "en", "es") / likelihood(many, text, text, "es", "es")
            + likelihood(many, text, quote, "es", "en") / likelihood(many, quote, quote, "en", "en")
        ) / 2
    best = max(by_hand, key=lambda place: by_hand[place])
    assert found[0].span == Span(*best, "L0", "s0")
    assert found[0].score == pytest.approx(min(1.0, by_hand[best]), abs=1e-3)
    assert found[0].method == "candidates"


def test_spans_are_chosen_together(many: CT2Translator) -> None:
    for spans in (((7, 10), (11, 15)), ((7, 15), (11, 15)), ((0, 1), (7, 10), (20, 27))):
        text = item(TEXT.source_text, TEXT.target_text, *spans)
        (found,) = CandidatesProjector(many).project([text])
        for a, p in zip(text.spans, found, strict=True):
            assert p.span is not None
            for b, q in zip(text.spans, found, strict=True):
                assert q.span is not None
                assert a.overlaps(b) or not p.span.overlaps(q.span)
                assert not a.contains(b) or p.span.contains(q.span)


@pytest.mark.parametrize(
    ("target", "part", "expected"),
    [
        ("Tengo gatos.", (7, 15), {"Tengo", "gatos", "Tengo gatos"}),
        ("uno, dos", (2, 6), {"uno", "dos", "uno, dos"}),
        ("uno, dos", (27, 28), {"uno", ",", "dos", "uno,", ", dos", "uno, dos"}),
        ("", (2, 6), set()),
        ("uno", (1, 2), set()),
    ],
)
def test_candidates(target: str, part: tuple[int, int], expected: set[str]) -> None:
    text = item("I have two cats and one dog.", target)
    assert {target[a:b] for a, b in candidates(text, part)} == expected


def test_candidates_are_bounded_by_length() -> None:
    long = item("a b c d e f g h", " ".join("x" * 200))
    found = candidates(long, (0, 7))
    lengths = {len(words(long.target_text[a:b])) for a, b in found}
    assert 400 <= len(found) < 600 and min(lengths) < 100 < max(lengths)
    assert len(candidates(item("a b c d e f", "x y z u v w"), (0, 1))) == 6 + 5 + 4 + 3


def test_reasons(many: CT2Translator) -> None:
    projector = CandidatesProjector(many)
    rows = [
        item("two cats", "", (0, 3)),
        item("two cats", "dos", (3, 4)),
        item("two cats", "dos", (0, 3), (4, 8)),
        item("two " * 90, "dos gatos " * 40, (0, 359)),
        TEXT,
    ]
    reasons = [[p.reason for p in row] for row in projector.project(rows)]
    assert reasons[0] == ["empty_target"] and reasons[1] == ["empty_span"]
    assert sorted(map(str, reasons[2])) == ["None", "overlap"]
    assert reasons[3] == ["source_too_long"]
    assert reasons[4] == [None, None]


def test_fragments(many: CT2Translator) -> None:
    span = Span(7, 27, "X", "s", fragments=((7, 15), (20, 27)))
    (found,) = CandidatesProjector(many).project([replace(TEXT, spans=(span,))])
    (apart,) = CandidatesProjector(many).project([TEXT])
    assert found[0].span is not None and len(found[0].span.fragments) == 2
    assert set(found[0].span.fragments) == {(p.span.start, p.span.end) for p in apart if p.span}


chars = st.text(st.sampled_from("aBcI ,.é北京Москв😀"), min_size=1, max_size=18)


@settings(max_examples=20, deadline=None)
@given(st.data(), chars, chars)
def test_one_good_projection_per_span(many: CT2Translator, data: st.DataObject, source: str, target: str) -> None:
    ends = st.tuples(st.integers(0, len(source) - 1), st.integers(1, len(source))).filter(lambda e: e[0] < e[1])
    text = item(source, target, *data.draw(st.lists(ends, max_size=3)))
    (found,) = CandidatesProjector(many, keep=4).project([text])
    assert [p.source_span_id for p in found] == [s.id for s in text.spans]
    for p in found:
        quote = p.span.quote(target) if p.span else ""
        assert (p.reason is None and quote == quote.strip() and quote) if p.span else (p.reason and p.score == 0.0)
        assert 0.0 <= p.score <= 1.0


def test_order_labels_and_batches_change_nothing(many: CT2Translator) -> None:
    rows = [TEXT, item("Where is the dog?", "¿Dónde está el perro?", (9, 16)), item("He lives.", "他住。", (3, 8))]
    projector = CandidatesProjector(many)
    together = projector.project(rows)
    assert [row for text in rows[::-1] for row in projector.project([text])][::-1] == together
    spans = list(TEXT.spans)
    random.Random(1).shuffle(spans)
    (other,) = projector.project([replace(TEXT, spans=tuple(replace(s, label="Z") for s in spans[::-1]))])
    places = [
        {(p.source_span_id, p.span.start, p.span.end, p.score) for p in r if p.span} for r in (together[0], other)
    ]
    assert places[0] == places[1]


def test_a_second_model_for_the_way_back(many: CT2Translator, model: CT2Translator) -> None:
    """The bundled model knows no way from Dutch, nor into itself: no normalisation there."""
    assert not model.supports("nl", "en") and not model.supports("nl", "nl")
    projector = CandidatesProjector(model, "en", "nl", reverse=ReverseOnly(many), keep=1000)
    one = replace(TEXT, target_text="Ik heb twee katten.", target_lang="nl", spans=TEXT.spans[:1])
    (found,) = projector.project([one])
    assert isinstance(projector, Projector)
    place = found[0].span
    assert place is not None
    text = place.quote(one.target_text)
    forward, backward = likelihood(model, "two cats", text, "en", "nl"), likelihood(many, text, "two cats", "es", "en")
    assert found[0].score == pytest.approx(min(1.0, (forward + backward) / 2), abs=2e-3)
    assert many.signature in projector.signature and model.signature in projector.signature


class ReverseOnly:
    """A model that is asked for Dutch and reads it as Spanish; it does not repeat."""

    def __init__(self, model: CT2Translator) -> None:
        self.model, self.signature = model, model.signature

    def supports(self, source: str, target: str) -> bool:
        return (source, target) == ("nl", "en")

    def score_pairs(self, sources: list[str], targets: list[str], source: str, target: str) -> list:
        return self.model.score_pairs(sources, targets, "es", "en")


def test_no_model_for_a_direction(many: CT2Translator) -> None:
    with pytest.raises(ModelError, match="needs a model for en -> fr") as error:
        CandidatesProjector(many, "en", "fr")
    assert "projector.options.reverse" in str(error.value)
    with pytest.raises(ModelError, match="needs a model for fr -> en"):
        CandidatesProjector(many).project([replace(TEXT, source_lang="fr", target_lang="en")])
    with pytest.raises(ConfigError, match="keep = 0"):
        build_projector("candidates", {"keep": 0}, many, "en", "es")


def test_options_show_in_the_signature(many: CT2Translator) -> None:
    signatures = {CandidatesProjector(many, keep=k).signature for k in (3, 4)}
    assert len(signatures) == 2


@pytest.mark.parametrize(
    ("source", "target", "quotes"),
    [("Press AltF2 now.", "Pulsa AltF2 ahora.", ("Alt", "F2")), ("Run 10km.", "Corre 10km.", ("10", "km"))],
)
def test_labels_that_touch_inside_a_word_are_not_crowded_out(
    many: CT2Translator, source: str, target: str, quotes: tuple[str, str]
) -> None:
    ranges = [(source.index(q), source.index(q) + len(q)) for q in quotes]
    (found,) = CandidatesProjector(many).project([item(source, target, *ranges)])
    placed = [p.span for p in found if p.span]
    assert len(placed) == 2, [p.reason for p in found]
    assert placed[0].end <= placed[1].start or placed[1].end <= placed[0].start
