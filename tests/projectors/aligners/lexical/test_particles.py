"""Particles: found in a corpus without a list, kept in its state, swallowed by no span."""

from dataclasses import replace

import numpy as np
import pytest

from spanferry.corpora.schema import Span
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.em import Cells
from spanferry.projectors.aligners.lexical.particles import Particles, learn_particles
from spanferry.projectors.aligners.mixture import MixtureAligner
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.segments.features import EDGE, Evidence, Kinds, local_features

NAMES = {"Anna": "アンナ", "Ben": "ベン", "Clara": "クララ", "David": "ダビデ", "Emma": "エマ"}
DAYS = {"Monday": "月曜", "Tuesday": "火曜", "Friday": "金曜", "Sunday": "日曜"}
DEEDS = {"Call": "電話", "Visit": "訪問", "Invite": "招待"}
PAIRS = [
    (f"{deed} {name} {day}", f"{when} に {who} {what}")
    for deed, what in DEEDS.items()
    for name, who in NAMES.items()
    for day, when in DAYS.items()
]


def item(source: str, target: str, quote: str = "") -> ProjectionInput:
    start = source.index(quote)
    spans = (Span(start, start + len(quote), "datetime", id="s"),) if quote else ()
    words, at = [], 0
    for word in target.split(" "):
        words.append((at, at + len(word)))
        at += len(word) + 1
    return ProjectionInput(source, source, target, spans, "en", "ja", (), tuple(words))


@pytest.fixture(scope="module")
def japanese() -> LexicalAligner:
    return LexicalAligner(prior="none").fit([item(*pair) for pair in PAIRS])


def test_a_word_that_is_everywhere_and_no_ones_is_a_particle(japanese: LexicalAligner) -> None:
    text = item("Call Emma Friday", "金曜 に エマ 電話")
    (alignment,) = japanese.align([text])
    assert alignment.particles is not None and alignment.particles.dtype == np.float32
    found = dict(zip(text.target_text.split(" "), alignment.particles.tolist(), strict=True))
    assert found["に"] > 0.9
    assert found["金曜"] == found["エマ"] == found["電話"] == 0.0


def test_no_span_swallows_it(japanese: LexicalAligner) -> None:
    text = item("Call Emma Friday", "金曜 に エマ 電話", "Friday")
    (alignment,) = japanese.align([text])
    assert alignment.forward is not None and alignment.backward is not None
    ways = np.stack([alignment.forward, alignment.backward])
    ways[:, :2, 1], ways[:, 2, 1] = 0.0, (0.8, 0.5)  # in this sentence it seems to be Friday's
    near = replace(alignment, probabilities=np.sqrt(ways[0] * ways[1]), forward=ways[0], backward=ways[1])
    projector = AlignmentProjector(japanese)
    found = [projector.project_one(text, one)[0].span for one in (replace(near, particles=None), near)]
    taken = [span.quote(text.target_text) for span in found if span is not None]
    assert taken == ["金曜 に", "金曜"]


@pytest.mark.parametrize(("link", "counts"), [(1.0, False), (0.6, False), (0.4, True), (0.0, True)])
@pytest.mark.parametrize("word", ["wa", "·"])
def test_only_words_of_letters_that_nothing_accounts_for(link: float, counts: bool, word: str) -> None:
    vocabulary = ["x", "y", word]
    cells = Cells.of([(np.array([0, 1]), np.array([2, other])) for other in (0, 1) * 20])
    way = np.tile([link, 0.0, 0.0, 1.0], 40)
    words = cells.target.astype(np.int64)
    nobody = np.zeros(0, dtype=np.int64)
    found = learn_particles(cells, words, vocabulary, way, way, nobody)
    assert found.words.tolist() == ([2] if counts and word == "wa" else [])
    assert not len(learn_particles(cells, words, vocabulary, way, way, np.array([2])).words)  # it goes with numbers


def test_a_rare_word_is_none() -> None:
    cells = Cells.of([(np.array([0]), np.array([k, 0])) for k in [1] + [0] * 2000])
    nothing = np.zeros(cells.offsets[-1])
    words = cells.target.astype(np.int64)
    found = learn_particles(cells, words, ["often", "once"], nothing, nothing, np.zeros(0, dtype=np.int64))
    assert found.words.tolist() == [0]


def test_words_that_the_corpus_lacks_are_none() -> None:
    assert Particles(np.array([3, 5]), np.array([0.5, 1.0])).among(np.array([5, -1, 4, 3])).tolist() == [1, 0, 0, 0.5]
    nobody = Particles(np.zeros(0, dtype=np.int64), np.zeros(0))
    assert nobody.among(np.array([0, -1])).tolist() == [0.0, 0.0]


def test_they_come_back_with_the_state(japanese: LexicalAligner) -> None:
    again = LexicalAligner(prior="none").with_state(japanese.state())
    text = item("Call Emma Friday", "金曜 に エマ 電話")
    first, second = japanese.align([text])[0].particles, again.align([text])[0].particles
    assert first is not None and second is not None and first.tolist() == second.tolist()
    assert again.state() == japanese.state()


def test_a_mixture_knows_what_its_parts_know(japanese: LexicalAligner) -> None:
    text = item("Call Emma Friday", "金曜 に エマ 電話")
    (mixed,), (own,) = MixtureAligner([(japanese, 1.0), (japanese, 1.0)]).align([text]), japanese.align([text])
    assert mixed.particles is not None and own.particles is not None
    assert mixed.particles.tolist() == own.particles.tolist()


@pytest.mark.parametrize(("source", "kept", "alone"), [("Sunday", 0.0, 1.0), ("at", 0.5, 0.0)])
def test_that_a_word_of_weight_made_a_particle_says_nothing(source: str, kept: float, alone: float) -> None:
    made = np.array([[1.0, 1.0]], dtype=np.float32)
    ours, theirs, target = ((0, len(source)),), ((0, 2), (3, 4)), "日曜 に"
    kinds = Kinds.of(source, ours), Kinds.of(target, theirs)
    plain = Alignment(ours, theirs, made, forward=made, backward=made)
    marked = replace(plain, particles=np.array([0.0, 1.0], np.float32))
    before, after = (local_features(Evidence.of(found, *kinds), np.array([0])).edges[1] for found in (plain, marked))
    made_in, short_alone = EDGE.index("made_in"), EDGE.index("short_alone")
    assert before[:, made_in].tolist() == [1.0, 1.0] and after[:, made_in].tolist() == [1.0, kept]
    assert before[:, short_alone].tolist() == [0.0, 0.0] and after[:, short_alone].tolist() == [0.0, alone]
