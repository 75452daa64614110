"""Fits what the ensemble's votes count and every confidence, on one half of the shared gold, and measures the rest.

    python -m spanferry.projectors.evaluation.fit_weights --folds F  # writes the weights
    python -m spanferry.projectors.evaluation.fit_weights --check  # measures, writes nothing

Which half is for fitting follows from a digest of the English row (``gold.fit_half``); of the languages in
``gold.UNSEEN`` nothing is used. Aligners learn from all the texts, never from their spans; texts of several
sentences are projected in parts, as they are in a run. The weights of the segments were fitted on the same half and
score its spans too well: each quarter of it is scored by weights that were fitted without it, which
``python tests/bench/fit_segments.py --folds F`` makes.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.corpora.files import atomic_path
from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.corpora.schema import Projection
from spanferry.projectors.base import FittableProjector
from spanferry.projectors.confidence.calibration import (
    WEIGHTS,
    Calibration,
    fit_calibration,
    lengths_of,
    load_calibration,
)
from spanferry.projectors.evaluation.gold import Gold, fit_folds, fit_half, gold_in_parts, load_gold
from spanferry.projectors.evaluation.judge import Judgement, inputs_to_fit, judge
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.methods.ensemble import (
    VOICES,
    EnsembleProjector,
    Fusion,
    decide,
    load_fusion,
    places_named,
    voice,
)
from spanferry.projectors.placing.parts import project_in_parts
from spanferry.projectors.segments.posterior import SegmentWeights, learned_weights
from spanferry.translators.loading.load import load_translator

# Gold that the bundled model can be asked about, and gold for which there is no model.
WITH_MODEL = ("europarl-es", "europarl-de", "xsid-de", "xquad-de", "xquad-es")
ALONE = (*WITH_MODEL, "abstrct-es", "xsid-it", "xsid-zh", "xquad-zh")
UNSEEN_WITH_MODEL = ("xsid-nl",)
UNSEEN_GOLD = ("xsid-da", "xsid-id", "xsid-ja", "xsid-nl", "xquad-ar")

# For each input, by member, one projection for each span.
Votes = Sequence[Mapping[str, Sequence[Projection]]]


def collect(gold: Gold, folds: Sequence[SegmentWeights] = (), *, model: bool) -> Votes:
    """What the members of the ensemble say of a gold, none of it calibrated.

    Args:
        gold: The gold.
        folds: Weights of the segments for the inputs of each fold (``gold.fit_folds``); the learned ones for
            all others, and for all where there are none.
        model: Whether the bundled model is asked.
    """
    translator = load_translator("bundled", source=gold.source_lang, target=gold.target_lang) if model else None
    ensemble = EnsembleProjector(translator, gold.source_lang, gold.target_lang, calibrate=False)
    texts = inputs_to_fit(gold)
    wanted = [k for k, item in enumerate(gold.inputs) if item.spans]
    votes: list[dict[str, Sequence[Projection]]] = [dict.fromkeys(ensemble.members, ()) for _ in gold.inputs]
    groups: dict[int | None, list[int]] = {}
    for k in wanted:
        groups.setdefault(fit_folds(gold)[k] if folds else None, []).append(k)
    for name, member in ensemble.members.items():
        fitted = member.fit(texts) if isinstance(member, FittableProjector) else member
        for fold, members in groups.items():
            if isinstance(fitted, (AlignmentProjector, DefaultProjector)):
                fitted.segments = learned_weights() if fold is None else folds[fold]
            for k, found in zip(members, fitted.project([gold.inputs[k] for k in members]), strict=True):
                votes[k][name] = found
    return votes


def fit_fusion(golds: Sequence[tuple[Gold, Votes]], *, ridge: float = 1.0) -> Fusion:
    """The weights under which the right places of the fit halves are likeliest, with a penalty on their squares.

    A span of which no member names the right place counts for leaving it out where the gold has no span of its label
    left, and not at all where it has.
    """
    names = list(next(iter(golds))[1][0])
    tables: list[np.ndarray] = []
    labels: list[int] = []
    for gold, votes in golds:
        for k, wanted in enumerate(fit_half(gold)):
            if wanted:
                for table, label in _choices(gold, k, votes[k], names):
                    tables.append(table)
                    labels.append(label)
    found = _conditional_logit(tables, labels, ridge)
    voices = found[1:].reshape(len(names), len(VOICES))
    rounded = {name: tuple(round(float(x), 3) for x in row) for name, row in zip(names, voices, strict=True)}
    return Fusion(round(float(found[0]), 3), rounded)


def fit_confidence(golds: Sequence[tuple[Gold, Sequence[Sequence[Projection]]]]) -> Calibration:
    """The calibration of a method's answers, on the fit halves."""
    placed = [
        (verdict, gold.inputs[verdict.input].target_text)
        for gold, answers in golds
        for half in [fit_half(gold)]
        for verdict in judge(gold, answers).verdicts
        if half[verdict.input] and verdict.projection.span is not None
    ]
    return fit_calibration(
        [v.projection.score for v, _ in placed],
        [v.right for v, _ in placed],
        [lengths_of(v.projection, text) for v, text in placed],
    )


def apply(calibration: Calibration, gold: Gold, answers: Sequence[Sequence[Projection]]) -> list[Sequence[Projection]]:
    """The answers with calibrated scores."""
    return [calibration.apply(own, item.target_text) for item, own in zip(gold.inputs, answers, strict=True)]


def measure(gold: Gold, parted: Gold, answers: Sequence[Sequence[Projection]], calibration: Calibration) -> Judgement:
    """The judgement of the part of a gold that nothing was fitted on.

    Args:
        gold: The gold.
        parted: The same in parts.
        answers: For each input of ``parted``, not calibrated.
        calibration: What makes confidences of their scores.
    """
    sure = [
        calibration.apply(own, item.target_text) for item, own in zip(parted.inputs, answers, strict=True) if item.spans
    ]
    whole = project_in_parts(lambda parts: sure, gold.inputs)
    keep = [not fitted for fitted in fit_half(gold)]
    return judge(gold.part(keep), [own for own, wanted in zip(whole, keep, strict=True) if wanted])


def main() -> None:
    """Fits, measures, and writes the weights files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="where the shared gold lies; default: SPANFERRY_DATA or beside")
    parser.add_argument("--check", action="store_true", help="measure the numbers that are there, write nothing")
    parser.add_argument("--folds", type=Path, help="what fit_segments.py --folds wrote")
    options = parser.parse_args()
    if not options.check and not options.folds:
        parser.error("--folds FILE, from tests/bench/fit_segments.py --folds FILE; or --check")
    tables = [] if options.check else json.loads(options.folds.read_text(encoding="utf-8"))
    folds = [SegmentWeights.of(table["directed"], table["links"]) for table in tables]

    written: dict[str, dict[str, Any]] = {name: {} for name in ("default", "ensemble")}
    for key, names, more in (("model", WITH_MODEL, UNSEEN_WITH_MODEL), ("alone", ALONE, UNSEEN_GOLD)):
        golds, whole = [], []
        for name in (*names, *more):
            print(f"{name}, {key}", file=sys.stderr, flush=True)
            whole.append(load_gold(name, options.data))
            gold = gold_in_parts(whole[-1])
            golds.append((gold, collect(gold, folds, model=key == "model")))
        seen = golds[: len(names)]
        fusion = load_fusion(key == "model") if options.check else fit_fusion(seen)
        answers: dict[str, list[list[Sequence[Projection]]]] = {
            "default": [[own["default"] for own in votes] for _, votes in golds],
            "ensemble": [
                [decide(item, own, fusion) for item, own in zip(gold.inputs, votes, strict=True)]
                for gold, votes in golds
            ],
        }
        for method, rows in answers.items():
            both = [(gold, found) for (gold, _), found in zip(golds, rows, strict=True)]
            stored = options.check
            calibration = load_calibration(method, key == "model") if stored else fit_confidence(both[: len(names)])
            table = written[method]
            table.setdefault("calibration", {})[key] = calibration.numbers()
            table.setdefault("fitted_on", {})[key] = (
                f"one half of {', '.join(names)} (spanferry.projectors.evaluation.gold.fit_half)"
            )
            if method == "ensemble":
                voices = {name: dict(zip(VOICES, its, strict=True)) for name, its in fusion.voices.items()}
                table.setdefault("fusion", {})[key] = {"absent": fusion.absent, "voices": voices}
            judged = [measure(gold, *its, calibration) for gold, its in zip(whole, both, strict=True)]
            for judgement in judged:
                _print_scores(method, key, judgement)
            _print_total(method, key, judged)
    if not options.check:
        for method, table in written.items():
            with atomic_path(WEIGHTS / f"{method}.json") as path:
                path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _choices(
    gold: Gold, number: int, votes: Mapping[str, Sequence[Projection]], names: Sequence[str]
) -> list[tuple[np.ndarray, int]]:
    """For each span of an input what its places look like, (n_places + 1, 1 + 4 * n_members), and which is right."""
    found = []
    item, wanted = gold.inputs[number], gold.spans[number]
    for k, span in enumerate(item.spans):
        ballot = {name: votes[name][k] for name in names}
        own = [s for s in wanted if s.label == span.label and (not gold.answers or _row(s.id) == _row(span.id))]
        targets = {(s.start, s.end) for s in own}
        named = places_named(ballot)
        right = [c for c, place in enumerate(named) if (place[0][0], place[-1][1]) in targets]
        if own and not right:
            continue
        places = [*named, None]
        table = [[float(p is None), *(x for name in names for x in voice(p, ballot[name]))] for p in places]
        found.append((np.array(table), right[0] if right else len(named)))
    return found


def _conditional_logit(tables: Sequence[np.ndarray], labels: Sequence[int], ridge: float) -> np.ndarray:
    """Weights of the features of choices, by Newton's method, (n_features,)."""
    weights = np.zeros(tables[0].shape[1])
    for _ in range(50):
        gradient, curvature = -ridge * weights, ridge * np.eye(len(weights))
        for table, label in zip(tables, labels, strict=True):
            scores = table @ weights
            p = np.exp(scores - scores.max())
            p /= p.sum()
            mean = p @ table
            gradient += table[label] - mean
            curvature += (table * p[:, None]).T @ table - np.outer(mean, mean)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _print_scores(method: str, key: str, judgement: Judgement) -> None:
    numbers = {
        "F1": judgement.exact.f1,
        "ECE": judgement.calibration_error,
        "F1 at 90 %": judgement.f1_at(0.9),
        "at 80 %": judgement.f1_at(0.8),
    }
    shown = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
    print(f"{method:<9} {key:<6} {judgement.gold.name:<12} {len(judgement.verdicts):>5} spans  {shown}", flush=True)


def _print_total(method: str, key: str, judged: Sequence[Judgement]) -> None:
    for what, chosen in (("all", judged), ("no answers", [j for j in judged if not j.gold.answers])):
        placed = [v for j in chosen for v in j.verdicts if v.projection.span is not None]
        error = expected_calibration_error([v.projection.score for v in placed], [v.right for v in placed])
        mean = sum(j.calibration_error for j in chosen) / len(chosen)
        print(f"{method:<9} {key:<6} {what:<12} {len(placed):>5} spans  ECE {error:.3f}  mean {mean:.3f}", flush=True)


def _row(span_id: str) -> str:
    return span_id.rpartition("/")[0]


if __name__ == "__main__":
    main()
