"""The ensemble: what votes do, and a run with real members."""

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.schema import Projection, Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.fit_weights import fit_fusion
from spanferry.projectors.evaluation.gold import Gold, fit_half
from spanferry.projectors.methods.ensemble import EnsembleProjector, Fusion, decide, voice
from tests.projectors.parallel_texts import expected, spanish

SOURCE = (Span(0, 4, "PER", "s0"), Span(14, 19, "LOC", "s1"))
ITEM = ProjectionInput("1", "Anna lives in Paris.", "Anna vive en París.", SOURCE, "en", "es")
PLAIN = Fusion(0.0, {})


def _vote(span: Span, place: tuple[int, int] | None, score: float = 0.8) -> Projection:
    if place is None:
        return Projection(span.id, None, 0.0, "toy", "not_found")
    return Projection(span.id, Span(*place, span.label, span.id), score, "toy")


def _decide(*ballots: tuple[tuple[int, int] | None, tuple[int, int] | None]) -> list[Projection]:
    votes = {f"m{k}": [_vote(s, p) for s, p in zip(SOURCE, ballot, strict=True)] for k, ballot in enumerate(ballots)}
    return decide(ITEM, votes, PLAIN)


def test_the_majority_wins_and_agreement_makes_sure() -> None:
    three = _decide(((0, 4), (13, 18)), ((0, 4), (13, 18)), ((0, 4), (10, 18)))
    assert [(p.span.start, p.span.end) for p in three if p.span] == [(0, 4), (13, 18)]
    assert [p.method for p in three] == ["m0+m1+m2", "m0+m1"]
    assert three[0].score > three[1].score > 0.5


def test_silence_outvotes_a_lonely_doubt_and_reasons_are_given() -> None:
    fusion = Fusion(0.0, {f"m{k}": (0.0, 1.0, 0.0, 1.0) for k in range(3)})
    votes = {
        "m0": [_vote(s, (0, 4), 0.3) for s in SOURCE[:1]],
        "m1": [_vote(SOURCE[0], None)],
        "m2": [_vote(SOURCE[0], None)],
    }
    item = ProjectionInput("1", ITEM.source_text, ITEM.target_text, SOURCE[:1], "en", "es")
    (found,) = decide(item, votes, fusion)
    assert (found.span, found.reason) == (None, "outvoted")
    (nobody,) = decide(item, {name: [_vote(SOURCE[0], None)] for name in votes}, fusion)
    assert nobody.reason == "not_found"


def test_disjoint_spans_do_not_share_a_place() -> None:
    found = _decide(((0, 4), (0, 4)), ((0, 4), (13, 18)))
    assert [p.span and (p.span.start, p.span.end) for p in found] == [(0, 4), (13, 18)]
    clash = _decide(((0, 4), (0, 4)), ((0, 4), (0, 4)))
    assert sorted(str(p.reason) for p in clash) == ["None", "overlap"]


@pytest.mark.parametrize(
    ("place", "own", "expected_voice"),
    [
        (((0, 4),), (0, 4), (1, 0.8, 1, 0)),
        (((0, 4),), (2, 6), (0, 0, 0.5, 0)),
        (((0, 4),), None, (0, 0, 0, 0)),
        (None, None, (0, 0, 0, 1)),
        (None, (0, 4), (0, 0, 0, 0)),
    ],
)
def test_voices(place: tuple, own: tuple[int, int] | None, expected_voice: tuple) -> None:
    assert voice(place, _vote(SOURCE[0], own)) == pytest.approx(expected_voice)


def test_fitting_finds_who_is_to_be_trusted() -> None:
    draw = np.random.default_rng(1)
    inputs, spans, votes = [], [], []
    for k in range(400):
        inputs.append(ProjectionInput(f"i{k}", ITEM.source_text, ITEM.target_text, SOURCE[:1], "en", "es"))
        spans.append((Span(0, 4, "PER", "s0"),))
        good, bad = draw.random() < 0.9, draw.random() < 0.5
        votes.append(
            {
                "good": [_vote(SOURCE[0], (0, 4) if good else (5, 9))],
                "bad": [_vote(SOURCE[0], (0, 4) if bad else (10, 12))],
            }
        )
    gold = Gold("toy-es", "en", "es", tuple(inputs), tuple(spans))
    fusion = fit_fusion([(gold, votes)])
    assert fusion.voices["good"][0] > fusion.voices["bad"][0] + 0.5
    right = 0
    for item, own, fitted in zip(gold.inputs, votes, fit_half(gold), strict=True):
        (found,) = decide(item, own, fusion)
        right += (not fitted) and found.span is not None and found.span.end == 4
    assert right / (400 - sum(fit_half(gold))) > 0.85


def test_real_members_vote() -> None:
    corpus = spanish()
    ensemble = EnsembleProjector(None, "en", "es").fit(corpus)
    sample = corpus[::40]
    found = ensemble.project(sample)
    hits = [
        p.span is not None and p.span.quote(item.target_text) == quote
        for item, row in zip(sample, found, strict=True)
        for p, quote in zip(row, expected(item), strict=True)
    ]
    assert sum(hits) / len(hits) > 0.9
    again = EnsembleProjector(None, "en", "es").with_state(ensemble.state())
    assert again.project(sample) == found
    with pytest.raises(InputError, match="cut off"):
        EnsembleProjector(None, "en", "es").with_state(ensemble.state()[:-5])


def test_members_are_chosen_by_name() -> None:
    assert list(EnsembleProjector(None, "en", "es").members) == ["default", "minmax", "copy"]
    two = EnsembleProjector(None, "en", "es", members=["copy", "minmax"])
    assert two.calibration is None and two.signature != EnsembleProjector(None, "en", "es").signature
    with pytest.raises(ConfigError, match="did you mean 'minmax'"):
        EnsembleProjector(None, "en", "es", members=["copy", "minmx"])
    with pytest.raises(ConfigError, match="an ensemble of copy"):
        EnsembleProjector(None, "en", "es", members=["copy", "attention"])
