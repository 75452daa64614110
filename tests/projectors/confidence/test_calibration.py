"""Calibration: fitted on numbers whose truth is known; the shipped weights on gold they never saw."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.corpora.schema import Projection, Span
from spanferry.projectors.base import FittableProjector
from spanferry.projectors.confidence.calibration import WEIGHTS, Calibration, fit_calibration, load_calibration
from spanferry.projectors.evaluation.gold import fit_half, load_gold
from spanferry.projectors.evaluation.judge import inputs_to_fit, judge
from spanferry.projectors.methods.build import build_projector


def _same(count: int) -> np.ndarray:
    """Lengths that tell nothing."""
    return np.tile([40, 8], (count, 1))


def _odds(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_isotonic_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    scores = _odds(draw.normal(size=1500))
    right = draw.random(1500) < scores**2
    ours = fit_calibration(scores.tolist(), right.tolist(), _same(1500), least=1)
    theirs = IsotonicRegression().fit_transform(scores, right)
    # Half a right one and half a wrong one are added to each pool, and between pools there is a line and no step.
    assert np.abs(ours.confidence(scores, _same(1500)) - theirs).mean() < 0.03
    assert all(a < c and b <= d for (a, b), (c, d) in pairwise(ours.knots))
    assert (ours.knots[0][1], ours.knots[-1][1]) == (0.0, 1.0)
    assert Calibration.of(json.loads(json.dumps(ours.numbers()))) == ours


def test_overconfident_scores_come_down_and_order_stays() -> None:
    draw = np.random.default_rng(9)
    scores = np.sort(draw.uniform(0.9, 0.999, 2000))
    right = draw.random(2000) < 0.4 + 0.5 * (scores - 0.9) / 0.1
    even = np.arange(2000) % 2 == 0
    sure = fit_calibration(scores[even].tolist(), right[even].tolist(), _same(1000)).confidence(
        scores[~even], _same(1000)
    )
    assert expected_calibration_error(scores[~even].tolist(), right[~even].tolist()) > 0.2
    assert expected_calibration_error(sure.tolist(), right[~even].tolist()) < 0.05
    assert (np.diff(sure) >= 0).all()


def test_long_texts_take_from_a_score_what_they_took_in_the_gold() -> None:
    draw = np.random.default_rng(5)
    lengths = np.column_stack([draw.integers(20, 2000, 24000), draw.integers(2, 60, 24000)])
    odds = draw.normal(2.0, 2.0, 24000)
    truth = _odds(odds - 0.5 * np.log(lengths[:, 0] / 100) + 0.3 * np.log(lengths[:, 1] / 10))
    right, scores = draw.random(24000) < truth, _odds(odds)
    fitted = fit_calibration(scores[:20000], right[:20000].tolist(), lengths[:20000])
    assert (fitted.text, fitted.span) == (pytest.approx(-0.5, abs=0.1), pytest.approx(0.3, abs=0.1))
    sure = fitted.confidence(scores[20000:], lengths[20000:])
    assert np.abs(sure - truth[20000:]).mean() < 0.03
    flat = fit_calibration(scores[:20000], right[:20000].tolist(), _same(20000)).confidence(scores[20000:], _same(4000))
    assert np.abs(flat - truth[20000:]).mean() > 0.05
    assert Calibration.of(json.loads(json.dumps(fitted.numbers()))) == fitted


def test_nothing_is_certain_and_pools_are_not_small() -> None:
    knots = fit_calibration([0.5] * 50, [True] * 50, _same(50)).knots
    assert knots == ((-4.0, 0.0), (0.0, pytest.approx(50.5 / 51, abs=1e-4)), (4.0, 1.0))
    few = fit_calibration([0.1, 0.9], [False, True], _same(2))
    assert len(few.knots) == 3
    halves = fit_calibration(np.linspace(0.1, 0.9, 60).tolist(), [False] * 30 + [True] * 30, _same(60))
    assert len(halves.knots) == 4 and (halves.text, halves.span) == (0.0, 0.0)
    with pytest.raises(ValueError, match="no scores"):
        fit_calibration([], [], [])


def test_only_what_was_placed_is_given_another_score() -> None:
    given = [Projection("s0", Span(0, 1, "X", "s0"), 0.9, "lexical"), Projection("s1", None, 0.0, "default", "overlap")]
    first, second = load_calibration("default", False).apply(given, "x" * 40)
    assert (first.span, first.method, second) == (given[0].span, "lexical", given[1])
    assert 0 < first.score < 1 and first.score != 0.9


@pytest.mark.parametrize("method", ["default", "ensemble"])
def test_the_weights_say_on_which_data_they_were_fitted(method: str) -> None:
    table = json.loads((WEIGHTS / f"{method}.json").read_text(encoding="utf-8"))
    for key in ("model", "alone"):
        assert "europarl-es" in table["fitted_on"][key] and "fit_half" in table["fitted_on"][key]
        knots = table["calibration"][key]["knots"]
        assert knots == sorted(knots) and [y for _, y in knots] == sorted(y for _, y in knots)


@pytest.mark.gold
def test_confidence_of_the_default_on_the_half_it_was_not_fitted_on(gold: Path) -> None:
    scores, right, pooled = [], [], []
    for name in ("europarl-es", "europarl-de"):
        data = load_gold(name, gold)
        projector = build_projector("default", {}, None, data.source_lang, data.target_lang)
        assert isinstance(projector, FittableProjector)
        rest = data.part([not fitted for fitted in fit_half(data)])
        found = judge(rest, projector.fit(inputs_to_fit(data)).project(rest.inputs))
        placed = [v for v in found.verdicts if v.projection.span is not None]
        scores += [v.projection.score for v in placed]
        right += [v.right for v in placed]
        pooled.append(found.f1_at(0.8))
    assert len(scores) > 600
    assert expected_calibration_error(scores, right) <= 0.05
    assert sum(pooled) / 2 >= 0.97
