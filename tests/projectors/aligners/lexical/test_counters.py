"""Words that go with a number: learned from a corpus, kept in its state, carried to where the number goes."""

import numpy as np
import pytest

from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.counters import Counters, carried, learn_counters
from spanferry.projectors.aligners.lexical.em import Cells
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.segments.features import EDGE, Evidence, Kinds, local_features

PAIRS = [
    ("Dinner for 7", "Middag til klokken 7"),
    ("Tea for 4", "Te til klokken 4"),
    ("The bus for 9", "Bussen til klokken 9"),
    ("Anna comes before 8", "Anna kommer før klokken 8"),
    ("Bo sleeps until 6", "Bo sover indtil klokken 6"),
    ("Anna reads until 9", "Anna læser indtil klokken 9"),
    ("Bo comes after 5", "Bo kommer efter klokken 5"),
    ("The soup for 12", "Suppen til klokken 12"),
    ("Anna sleeps until 10", "Anna sover indtil klokken 10"),
    ("The bus comes before 11", "Bussen kommer før klokken 11"),
    ("Bo reads after 8", "Bo læser efter klokken 8"),
    ("The tea for 2", "Teen til klokken 2"),
    ("Anna sings until 13", "Anna synger indtil klokken 13"),
    ("Bread for Bo", "Brød til Bo"),
    ("Anna sleeps", "Anna sover"),
    ("Bo sings for Anna", "Bo synger til Anna"),
]


def item(source: str, target: str) -> ProjectionInput:
    return ProjectionInput(source, source, target, (), "en", "da")


@pytest.fixture(scope="module")
def danish() -> LexicalAligner:
    return LexicalAligner(prior="none").fit([item(*pair) for pair in PAIRS])


def goes_with(alignment: Alignment, text: ProjectionInput, source: str, target: str) -> float:
    """Probability that ``source`` made ``target``."""
    rows = [text.source_text[a:b] for a, b in alignment.source_words]
    columns = [text.target_text[a:b] for a, b in alignment.target_words]
    assert alignment.forward is not None
    return float(alignment.forward[rows.index(source), columns.index(target)])


def test_a_word_that_nothing_accounts_for_goes_where_its_number_goes(danish: LexicalAligner) -> None:
    text = item("Coffee for 3", "Kaffe til klokken 3")  # a number that the corpus does not have
    (alignment,) = danish.align([text])
    assert goes_with(alignment, text, "3", "klokken") > 0.7
    assert goes_with(alignment, text, "for", "til") > 0.9
    for way in (alignment.probabilities, alignment.backward):
        assert way is not None
        assert np.allclose(way[:, 2], way[:, 3], atol=0.3)


@pytest.mark.parametrize(("link", "counts"), [(1.0, False), (0.8, False), (0.4, True), (0.0, True)])
def test_a_word_that_a_source_word_accounts_for_is_none(link: float, counts: bool) -> None:
    vocabulary = ["3", "4", "um"]
    cells = Cells.of([(np.array([0, 1]), np.array([2, number])) for number in (0, 1) * 6])  # "at 3", "um 3"
    way = np.tile([link, 0.0, 0.0, 1.0], 12)  # "at" made "um", "3" made "3"
    counters = learn_counters(cells, cells.target.astype(np.int64), vocabulary, way, way)
    assert counters.words.tolist() == [2] * counts
    if counts:
        assert np.allclose(counters.shares, [[0.0, 12 / 16]])
        assert np.allclose(counters.free, [[0.0, 1.0 - link**2]])


def test_without_a_number_beside_it_a_word_keeps_its_links(danish: LexicalAligner) -> None:
    text = item("Tea for Bo", "Te til klokken Bo")
    (alignment,) = danish.align([text])
    assert goes_with(alignment, text, "Bo", "klokken") < 0.5


def test_they_come_back_with_the_state(danish: LexicalAligner) -> None:
    again = LexicalAligner(prior="none").with_state(danish.state())
    text = item("Coffee for 3", "Kaffe til klokken 3")
    first, second = danish.align([text])[0], again.align([text])[0]
    assert np.array_equal(first.probabilities, second.probabilities)
    assert again.state() == danish.state()


def test_strengths_fall_with_what_accounts_for_the_word_here() -> None:
    counters = Counters(np.array([2]), np.array([[0.0, 0.9]]), np.array([[0.0, 0.7]]))
    nothing, something = np.zeros((1, 3)), np.array([[0.0, 1.0, 0.0]])
    words, sentence = np.array([1, 2, -1]), ["til", "klokken", "3"]
    free = counters.strengths(words, sentence, nothing, nothing)
    assert free.tolist() == [[0, 0], [0, 1], [0, 0]]
    assert not counters.strengths(words, sentence, something, something).any()
    assert not counters.strengths(words, ["til", "klokken", "tre"], nothing, nothing).any()
    assert not Counters(np.zeros(0, np.int64), *np.zeros((2, 0, 2))).strengths(words, sentence, nothing, nothing).any()
    assert counters.strengths(words[:0], [], nothing[:, :0], nothing[:, :0]).shape == (0, 2)


def test_links_are_moved_as_far_as_the_word_goes() -> None:
    ways = np.array([[1.0, 0.0, 0.2], [0.0, 0.8, 0.4]])
    strengths = np.array([[0.0, 0.0], [0.25, 0.5], [0.0, 0.0]])
    assert np.allclose(carried(ways, strengths), [[1.0, 0.35, 0.2], [0.0, 0.4, 0.4]])
    assert np.array_equal(carried(ways, np.zeros((3, 2))), ways)


@pytest.mark.parametrize(
    ("source", "capital"),
    [("Call at 8am", False), ("Call in May", True), ("Call for Article 8", True), ("Call for 8 Pm", True)],
)
def test_what_has_no_letters_has_no_capital(source: str, capital: bool) -> None:
    words = tuple((m, m + len(w)) for w in source.split() for m in [source.index(w)])
    target = "ring den første"
    places = ((0, 4), (5, 8), (9, 15))
    links = np.full((len(words), 3), 0.2, np.float32)
    span = np.arange(2, len(words))
    seen = Evidence.of(Alignment(words, places, links), Kinds.of(source, words), Kinds.of(target, places))
    local = local_features(seen, span)
    assert local.edges[0][:, EDGE.index("case")].any() == capital
