"""Neighbours that belong together: learned from a corpus, kept in its state, heeded at the edges of spans."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.bonds import Bonds, of_words
from spanferry.projectors.aligners.mixture import MixtureAligner
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector

PAIRS = [
    ("It rains today.", "Det regner i dag."),
    ("It snows today.", "Det sner i dag."),
    ("Today we eat fish.", "I dag spiser vi fisk."),
    ("We eat bread today.", "Vi spiser brød i dag."),
    ("We sing today.", "Vi synger i dag."),
    ("Today it is cold.", "I dag er det koldt."),
    ("She sings today.", "Hun synger i dag."),
    ("We eat fish in Odense.", "Vi spiser fisk i Odense."),
    ("She sings in Aarhus.", "Hun synger i Aarhus."),
    ("It rains in Odense.", "Det regner i Odense."),
    ("It snows in Aarhus.", "Det sner i Aarhus."),
    ("We sing in Skagen.", "Vi synger i Skagen."),
    ("She eats bread in Odense.", "Hun spiser brød i Odense."),
]


def item(source: str, target: str) -> ProjectionInput:
    return ProjectionInput(source, source, target, (), "en", "da")


@pytest.fixture(scope="module")
def fitted() -> LexicalAligner:
    return LexicalAligner(prior="none").fit([item(*pair) for pair in PAIRS])


class Alike:
    """An aligner that links every word with every other and has seen no corpus."""

    signature = "alike.1"

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        sides = [(words(text.source_text), words(text.target_text)) for text in inputs]
        return [Alignment(s, t, np.full((len(s), len(t)), 1.0 / len(t), np.float32)) for s, t in sides]


def bond(alignment: Alignment, text: str, word: str) -> float:
    """How far ``word`` belongs to its left neighbour."""
    assert alignment.bonds is not None
    places = [text[a:b] for a, b in alignment.target_words]
    return float(alignment.bonds[places.index(word), 0])


def test_a_word_is_bound_to_a_neighbour_that_nothing_else_accounts_for(fitted: LexicalAligner) -> None:
    texts = ("Det regner i dag.", "Det regner i Odense.")
    dag, odense = fitted.align([item("It rains today.", texts[0]), item("It rains in Odense.", texts[1])])
    assert bond(dag, texts[0], "dag") > 0.2  # always "i dag", and "today" alone stands for it
    assert bond(odense, texts[1], "Odense") < 0.05  # always "i Odense", but "in" is there
    assert bond(dag, texts[0], "Det") == 0.0


def test_bonds_come_back_with_the_state(fitted: LexicalAligner) -> None:
    again = LexicalAligner(prior="none").with_state(fitted.state())
    text = item("We sing today.", "Vi synger i dag.")
    first, second = fitted.align([text])[0], again.align([text])[0]
    assert first.bonds is not None and second.bonds is not None
    assert first.bonds.shape == (5, 2)
    assert np.array_equal(first.bonds, second.bonds)


def test_a_mixture_has_the_bonds_of_the_part_that_knows_them(fitted: LexicalAligner) -> None:
    text = item("We sing today.", "Vi synger i dag.")
    (mixed,) = MixtureAligner([(Alike(), 1.0), (fitted, 1.0)]).align([text])
    (own,) = fitted.align([text])
    assert mixed.bonds is not None and own.bonds is not None
    assert np.array_equal(mixed.bonds, own.bonds)


def test_an_unlinked_word_goes_with_the_neighbour_that_needs_it(fitted: LexicalAligner) -> None:
    source, target = "Anna swims today.", "Anna svømmer i dag."
    text = replace(item(source, target), spans=(Span(11, 16, "datetime", "s0"),))
    alignment = fitted.align([text])[0]
    projector = AlignmentProjector(fitted)
    found, alone = (projector.project_one(text, one)[0] for one in (alignment, replace(alignment, bonds=None)))
    assert found.span is not None and found.span.quote(target) == "i dag"
    assert alone.span is not None and alone.span.quote(target) == "dag"


def test_unknown_words_and_pairs_are_bound_to_nothing() -> None:
    bonds = Bonds(np.array([1 * 3 + 2]), np.array([0.8]), np.array([0.4]))
    assert bonds.between(np.array([0, 1, 2, -1]), 3).tolist() == [[0, 0], [0, 0.4], [0.8, 0], [0, 0]]
    assert bonds.between(np.array([2, 1]), 3).tolist() == [[0, 0], [0, 0]]
    assert bonds.between(np.array([], dtype=np.int64), 3).shape == (0, 2)
    empty = Bonds(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    assert not empty.between(np.array([0, 1]), 3).any()


def test_words_of_one_unit_do_not_come_apart() -> None:
    units = np.array([[0.0, 0.3], [0.2, 0.0]])
    assert of_words(units, [0, 1, 1], "ab c", [(0, 1), (1, 2), (3, 4)]).tolist() == [[0.0, 0.3], [0.2, 1.0], [1.0, 0.0]]


def test_a_name_with_points_does_not_come_apart() -> None:
    loose = np.zeros((4, 2))
    text = "见安娜·李"
    assert of_words(loose, range(4), text, [(0, 1), (1, 3), (3, 4), (4, 5)]).tolist() == [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 0],
    ]
    for other in ("·见安娜李", "a b · c"):  # no name on both sides of it
        ranges = [(k, k + 1) for k, letter in enumerate(other) if letter.strip()]
        assert not of_words(np.zeros((len(ranges), 2)), range(len(ranges)), other, ranges).any()


@pytest.mark.parametrize(
    ("text", "tied"),
    [
        ("在 2008 年", [False, True]),
        ("午前 5 時 に", [False, True, False]),
        ("水曜 日 の", [True, False]),
        ("三 点", [True]),
        ("3 小时", [True]),
        ("12.5 %", [False]),
        ("6 分", [False]),
        ("日 5", [False]),
        ("今 日", [False]),
        ("2008   年", [False]),
    ],
)
def test_a_number_and_its_unit_of_time_do_not_come_apart(text: str, tied: list[bool]) -> None:
    ranges = [match.span() for match in re.finditer(r"\S+", text)]
    found = of_words(np.zeros((len(ranges), 2)), range(len(ranges)), text, ranges)
    assert (found[1:, 0] == 1.0).tolist() == (found[:-1, 1] == 1.0).tolist() == tied
