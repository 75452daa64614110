"""The second look of constrained decoding, with the bundled model reading the other way."""

import pytest

from spanferry.corpora.errors import ModelError
from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.constrained.rerank import Rescored, reordered, rerank

# The bundled model goes from English to Spanish, so here Spanish is what was annotated.
SOURCE, TARGET = "Compró un libro viejo.", "She bought an old book."


def spans(*quotes: str) -> tuple[Span, ...]:
    return tuple(Span(SOURCE.index(q), SOURCE.index(q) + len(q), "X", f"s{k}") for k, q in enumerate(quotes))


def place(quote: str, logprob: float) -> tuple[int, int, float]:
    return TARGET.index(quote), TARGET.index(quote) + len(quote), logprob


def test_the_other_direction_finds_the_place(model) -> None:
    item = ProjectionInput("e", SOURCE, TARGET, spans("libro viejo", "libro"), "es", "en")
    first = [place("an old book", -0.4), place("old book", -1.1), place("She", -3.0)]
    second = [place("book", -0.1), place("bought", -2.5)]
    phrase, word = rerank(model, [item], [[first, second]])[0]
    assert phrase[0] == place("old book", -1.1)
    assert place("She", -3.0) not in phrase
    assert word == [place("book", -0.1)]
    assert rerank(model, [item], [[[], []]]) == [[[], []]]


@pytest.mark.parametrize(
    ("rescored", "expected"),
    [
        # Spelled alike: wins outright.
        ([Rescored((0, 3, -0.1), 1.0, 0.2), Rescored((4, 7, -2.0), 9.0, 0.95)], [(4, 7), (0, 3)]),
        # Inside the best and cheaper in reverse: takes its place. Outside of it: does not.
        ([Rescored((0, 9, -0.1), 3.0, 0.2), Rescored((4, 9, -2.0), 2.0, 0.3)], [(4, 9), (0, 9)]),
        ([Rescored((0, 3, -0.1), 3.0, 0.2), Rescored((4, 9, -2.0), 2.0, 0.3)], [(0, 3), (4, 9)]),
        # Neither alike nor likely: dropped.
        ([Rescored((0, 3, -0.1), 8.0, 0.2), Rescored((4, 9, -2.0), 8.0, 0.6)], [(4, 9)]),
        ([Rescored((0, 3, -0.1), 8.0, 0.2)], []),
        ([], []),
    ],
)
def test_the_rules(rescored: list[Rescored], expected: list[tuple[int, int]]) -> None:
    assert [c[:2] for c in reordered(rescored, TARGET)] == expected


def test_a_model_that_does_not_read_the_other_way_is_refused(model) -> None:
    source, target = "Anna has a red house.", "Anna heeft een rood huis."
    item = ProjectionInput("e", source, target, (Span(0, 4, "X", "s"),), "en", "nl")
    looking = ConstrainedProjector(model, reverse=model)
    assert looking.signature != ConstrainedProjector(model).signature
    with pytest.raises(ModelError):
        looking.project([item])


def test_a_model_of_the_other_direction_is_looked_for_before_any_work(model) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        ConstrainedProjector(model, "en", "es", reverse="nowhere")
    named = ConstrainedProjector(model, "en", "es", reverse="bundled")
    assert named.signature == ConstrainedProjector(model, reverse=model).signature
