"""Several aligners averaged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError, InputError, ModelError
from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.mixture import MixtureAligner
from spanferry.projectors.base import Aligner, Alignment, FittableAligner, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector
from tests.projectors.parallel_texts import expected, spanish

TEXTS = spanish()
PAIR = ProjectionInput("p", "Aa Bb", "x y", (), "en", "es")


class Scripted:
    """An aligner with given probabilities."""

    def __init__(self, name: str, rows: Sequence[Sequence[float]], reason: str | None = None) -> None:
        self.signature, self.rows, self.reason = f"reported.{name}", rows, reason

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        return [
            Alignment(i.source_words, i.target_words, np.array(self.rows, np.float32), (), self.reason) for i in inputs
        ]


ONE, OTHER = Scripted("one", [[0.8, 0.0], [0.0, 0.4]]), Scripted("other", [[0.4, 0.0], [0.2, 0.8]])
BROKEN = Scripted("broken", [[0.0, 0.0], [0.0, 0.0]], "too_long")


def test_the_weighted_average_of_the_probabilities() -> None:
    mixture = MixtureAligner([(ONE, 3), (OTHER, 1)])
    assert isinstance(mixture, Aligner)
    (found,) = mixture.align([PAIR])
    np.testing.assert_allclose(found.probabilities, [[0.7, 0.0], [0.05, 0.5]], atol=1e-6)
    assert found.links == ((0, 0), (1, 1))
    assert (found.source_words, found.target_words) == (words("Aa Bb"), words("x y"))
    assert found.probabilities.dtype == np.float32


def test_the_geometric_mean() -> None:
    (found,) = MixtureAligner([(ONE, 3), (OTHER, 1)], "geometric").align([PAIR])
    corner = 0.2**0.25 * 1e-6**0.75
    np.testing.assert_allclose(
        found.probabilities, [[0.4**0.25 * 0.8**0.75, 0.0], [corner, 0.8**0.25 * 0.4**0.75]], atol=1e-5
    )
    assert found.links == ((0, 0),)


def test_one_without_directions_says_the_same_of_both() -> None:
    class Directed(Scripted):
        def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
            ways = np.array([[1.0, 0.2], [0.0, 0.8]], np.float32), np.array([[0.6, 0.4], [0.0, 1.0]], np.float32)
            return [replace(found, forward=ways[0], backward=ways[1]) for found in super().align(inputs)]

    (found,) = MixtureAligner([(Directed("d", ONE.rows), 1), (OTHER, 1)]).align([PAIR])
    np.testing.assert_allclose(found.forward, [[0.7, 0.1], [0.1, 0.8]], atol=1e-5)
    np.testing.assert_allclose(found.backward, [[0.5, 0.2], [0.1, 0.9]], atol=1e-5)
    (plain,) = MixtureAligner([(ONE, 1), (OTHER, 1)]).align([PAIR])
    assert plain.forward is None and plain.backward is None


def test_one_that_fails_leaves_it_to_the_others() -> None:
    (found,) = MixtureAligner([(BROKEN, 1), (ONE, 2)]).align([PAIR])
    np.testing.assert_allclose(found.probabilities, ONE.rows, atol=1e-6)
    assert found.reason is None
    (lost,) = MixtureAligner([(BROKEN, 1), (BROKEN, 2)]).align([PAIR])
    assert lost.reason == "too_long" and lost.links == ()


@pytest.fixture(scope="module")
def fitted() -> MixtureAligner:
    lexical = MixtureAligner(
        [
            {"kind": "lexical", "prior": "none"},
            {"kind": "lexical", "prior": "none", "weight": 2, "symmetrisation": "union"},
        ]
    )
    return lexical.fit(TEXTS)


def test_parts_are_fitted_and_their_tables_travel(fitted: MixtureAligner) -> None:
    assert isinstance(fitted, FittableAligner)
    assert fitted.state() == fitted.fit(TEXTS[::-1]).state()
    parts = [{"kind": "lexical", "prior": "none"}, {"kind": "lexical", "prior": "none", "weight": 2}]
    again = MixtureAligner(parts).with_state(fitted.state())
    for one, other in zip(again.align(TEXTS[:9]), fitted.align(TEXTS[:9]), strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        assert one.links == other.links
        assert one.forward is not None and (one.forward.sum(axis=0) <= 1.0001).all()
    with pytest.raises(InputError, match="cut off"):
        fitted.with_state(fitted.state()[:-1])


def test_posterior_segments_of_a_mixture(fitted: MixtureAligner) -> None:
    right = [
        p.span is not None and p.span.quote(text.target_text) == want
        for text, row in zip(TEXTS, AlignmentProjector(fitted).project(TEXTS), strict=True)
        for p, want in zip(row, expected(text), strict=True)
    ]
    assert np.mean(right) > 0.95


def test_a_mixture_with_the_model(model) -> None:
    options = {"parts": [{"kind": "lexical"}, {"kind": "attention", "weight": 0.5, "threshold": 0.3}]}
    projector = AlignmentProjector("mixture", aligner_options=options, translator=model).fit(TEXTS)
    assert model.signature in projector.signature and "0.5*(attention.0.3" in projector.signature
    (row,) = projector.project(TEXTS[:1])
    assert {p.method for p in row} == {"align.mixture.posterior"}
    assert [p.span and p.span.quote(TEXTS[0].target_text) for p in row] == expected(TEXTS[0])


def test_weights_and_parts_show_in_the_signature() -> None:
    mixtures = [[(ONE, 1), (OTHER, 1)], [(ONE, 1), (OTHER, 2)], [(ONE, 1), (BROKEN, 1)]]
    signatures = {MixtureAligner(parts).signature for parts in mixtures}
    assert len(signatures | {MixtureAligner(mixtures[0], "geometric").signature}) == 4


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"kind": "lexical"}], "a mixture of 1 aligners"),
        ([{"kind": "lexical"}, {"weight": 1}], "names no aligner"),
        ([{"kind": "lexical"}, {"kind": "lexical", "weight": 0}], "weight = 0"),
        ([{"kind": "lexical"}, {"kind": "lexical", "weight": "1"}], "weight = '1'"),
        ([{"kind": "lexical"}, {"kind": "lexicl"}], "unknown aligner 'lexicl'"),
        (
            [{"kind": "lexical"}, {"kind": "lexical", "piror": "none"}],
            "unknown option of the aligner 'lexical' 'piror'",
        ),
    ],
)
def test_bad_parts_are_refused(parts: list, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        MixtureAligner(parts)
    assert "Hint:" in str(error.value)


def test_an_unknown_mean() -> None:
    with pytest.raises(ConfigError, match="unknown mean 'harmonic'"):
        MixtureAligner([(ONE, 1), (OTHER, 1)], "harmonic")


def test_a_part_without_its_model() -> None:
    with pytest.raises(ModelError, match="aligner 'attention' needs a model"):
        MixtureAligner([{"kind": "lexical"}, {"kind": "attention"}])
