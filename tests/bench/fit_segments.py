"""Fits the weights of the posterior segment on the half of the shared gold that may be fitted on, and writes them.

    python tests/bench/fit_segments.py [--data ../shared/data] [--out projectors/segments/segment_weights.json]
    python tests/bench/fit_segments.py --folds F  # writes the weights without each quarter of that half to F
    python tests/bench/fit_segments.py --cross    # writes nothing: fits on either half and measures on the other one

The aligner is the lexical one, fitted on the texts of each gold; texts are projected in parts, as in a run. Maximises
the log-probability of the gold segment among the likely ones and the choice to leave the span out, every gold set
counting the same, with an L2 penalty; the gold spans of a label are first shared out among the source spans by the
weights of the round before. Needs scipy.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize

from spanferry.corpora.schema import Range
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.evaluation.gold import FOLDS, Gold, fit_folds, fit_half, gold_in_parts, load_gold
from spanferry.projectors.evaluation.gold_names import GOLD_SETS, UNSEEN
from spanferry.projectors.evaluation.judge import inputs_to_fit, judge
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.parts import project_in_parts
from spanferry.projectors.segments.features import (
    ABSENT,
    NAMES,
    Evidence,
    Kinds,
    length_features,
    local_features,
    whole_features,
)
from spanferry.projectors.segments.posterior import SegmentScorer, SegmentWeights, covered
from spanferry.projectors.segments.quotes import Quotes

ROOT = Path(__file__).resolve().parents[2]
# Enough to find the likely segments in the first round.
START = {"links_in": 5.5, "links_out": -3.6, "words": -0.2, "first.short_alone": -1.1, "last.short_alone": -1.1}
# Held, not fitted: a span has no punctuation at an edge where its source has none. The gold hardly ever shows it.
HELD = {"first.punctuation_alone": -2.0, "last.punctuation_alone": -2.0}
PENALTY = 0.5
_ROUNDS = 3
_PER_GOLD = 300.0  # what the spans of one gold weigh together
_FARTHEST = 12.0  # a gold span this many nats below leaving the source span out belongs to none


@dataclass
class Case:
    """One source span: its candidate segments with their features, and which of them is right.

    Attributes:
        words: (start, end) of each candidate in target words.
        features: (n_candidates, len(NAMES)), the features of leaving it out subtracted.
        gold: Candidates that are gold spans of the same label.
        right: The one among them that is this span's; None: it has none.
    """

    words: list[Range]
    features: np.ndarray
    gold: list[int]
    right: int | None
    group: tuple[int, str]


def cases(gold: Gold, alignments: list[Alignment], half: list[bool], weights: SegmentWeights) -> list[Case]:
    """The spans of the inputs in ``half``."""
    found = []
    for number, (item, spans, alignment, use) in enumerate(zip(gold.inputs, gold.spans, alignments, half, strict=True)):
        if not use or alignment.reason:
            continue
        scorer = SegmentScorer(item, alignment, weights)
        kinds = Kinds.of(item.source_text, alignment.source_words), Kinds.of(item.target_text, alignment.target_words)
        for span in item.spans:
            inside = np.flatnonzero(covered(alignment.source_words, (span.start, span.end)))
            if span.fragments or not len(inside):
                continue
            same = [g for g in spans if g.label == span.label and (not gold.answers or g.id == span.id)]
            wanted = [segment for g in same for segment in [_words(alignment, (g.start, g.end))] if segment]
            words = [(s.start, s.end) for s in scorer.best((span.start, span.end), 40)]
            words += [w for w in dict.fromkeys(wanted) if w not in words]
            if not words:
                continue
            features = _features(item, alignment, kinds, inside, (span.start, span.end), words)
            found.append(Case(words, features, [words.index(w) for w in wanted], None, (number, span.label)))
    return found


def _words(alignment: Alignment, span: Range) -> Range | None:
    inside = np.flatnonzero(covered(alignment.target_words, span))
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else None


def _features(
    item: ProjectionInput,
    alignment: Alignment,
    kinds: tuple[Kinds, Kinds],
    inside: np.ndarray,
    span: Range,
    words: list[Range],
) -> np.ndarray:
    local = local_features(Evidence.of(alignment, *kinds), inside)
    start, end = np.array(words).T
    sums = np.pad(np.cumsum(local.inner, axis=0), ((1, 0), (0, 0)))
    ranges = [(alignment.target_words[a][0], alignment.target_words[b - 1][1]) for a, b in words]
    target = Quotes(item.target_text)
    back = alignment.probabilities if alignment.backward is None else alignment.backward
    makes = np.pad(np.cumsum(back[inside].astype(np.float64), axis=1), ((0, 0), (1, 0)))
    quotes = [target.of(place) for place in ranges]
    whole = whole_features(Quotes(item.source_text).of(span), quotes, makes[:, end] - makes[:, start])
    parts = [
        sums[end] - sums[start],
        local.edges[0][start],
        local.edges[1][end - 1],
        length_features(item, span, *np.array(ranges).T),
        (end - start == 1)[:, None],
        whole,
        np.tile(-local.absent, (len(words), 1)),
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)


def share_out(found: list[Case], weights: np.ndarray) -> None:
    """Gives each gold span to the source span of its label that it fits best, each to one."""
    groups = defaultdict(list)
    for case in found:
        case.right = None
        groups[case.group].append(case)
    for members in groups.values():
        wanted = sorted({case.words[k] for case in members for k in case.gold})
        if not wanted:
            continue
        table = np.array([[_score(case, word, weights) for word in wanted] for case in members])
        for row, column in zip(*linear_sum_assignment(-table), strict=True):
            if table[row, column] > -_FARTHEST:
                members[row].right = members[row].words.index(wanted[column])


def _score(case: Case, word: Range, weights: np.ndarray) -> float:
    return float(case.features[case.words.index(word)] @ weights) if word in case.words else -1e3


def learn(golds: list[list[Case]], penalty: float) -> np.ndarray:
    """The weights, (len(NAMES),)."""
    every = [case for found in golds for case in found]
    weight = np.concatenate([np.full(len(found), _PER_GOLD / max(len(found), 1)) for found in golds])
    features = np.concatenate([case.features for case in every])
    sizes = np.array([len(case.words) for case in every])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    owner = np.repeat(np.arange(len(every)), sizes)
    right = np.array([first[k] + case.right if case.right is not None else -1 for k, case in enumerate(every)])
    spread = features.std(axis=0)
    spread[NAMES.index(ABSENT[0])] = 1.0  # the same everywhere
    scaled = features / np.maximum(spread, 1e-6)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = scaled @ w
        top = np.maximum(np.maximum.reduceat(score, first), 0.0)
        mass = np.exp(score - top[owner])
        total = np.add.reduceat(mass, first) + np.exp(-top)
        chosen = np.where(right >= 0, score[right], 0.0)
        slope = (weight / total)[owner] * mass
        np.subtract.at(slope, right[right >= 0], weight[right >= 0])
        value = (weight * (np.log(total) + top - chosen)).sum() + penalty * (w @ w)
        return float(value), scaled.T @ slope + 2 * penalty * w

    found = minimize(loss, np.zeros(len(NAMES)), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    learned: np.ndarray = found.x / np.maximum(spread, 1e-6)
    return learned


def fit(
    golds: list[Gold], aligned: list[list[Alignment]], penalty: float, use: Callable[[Gold], list[bool]] = fit_half
) -> dict[str, float]:
    """Weights by name, fitted on the inputs that ``use`` names."""
    halves = [use(gold) for gold in golds]
    weights = np.array([START.get(name, 0.0) for name in NAMES])
    for _ in range(_ROUNDS):
        scored = SegmentWeights(weights, weights)
        every = [cases(*its, scored) for its in zip(golds, aligned, halves, strict=True)]
        for found in every:
            share_out(found, weights)
        weights = learn(every, penalty)
    return {name: round(float(w), 3) for name, w in zip(NAMES, weights, strict=True)} | HELD


def cross(golds: list[Gold], aligners: list[LexicalAligner], tables: list[SegmentWeights]) -> None:
    """Prints what `default` reaches without a model, each half of a gold with weights fitted on the other halves."""
    for gold, aligner in zip(golds, aligners, strict=True):
        found = [
            project_in_parts(DefaultProjector(segments=table, aligner=aligner).project, gold.inputs) for table in tables
        ]
        judged = judge(gold, [found[use][k] for k, use in enumerate(fit_half(gold))])
        numbers = [judged.answer_f1 or 0.0, judged.answer_exact or 0.0] if gold.answers else [judged.exact.f1]
        shown = " / ".join(f"{number:.3f}" for number in numbers)
        print(f"{gold.name:<12} {len(judged.verdicts):>5} spans  {shown}", flush=True)


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "projectors" / "segments" / "segment_weights.json")
    parser.add_argument("--penalty", type=float, default=PENALTY)
    parser.add_argument("--folds", type=Path, help="write the weights without each fold to this file, nothing else")
    parser.add_argument("--cross", action="store_true", help="fit on either half, measure on the other")
    options = parser.parse_args()
    names = [name for name in GOLD_SETS if name.rpartition("-")[2] not in UNSEEN]
    golds = [load_gold(name, options.data) for name in names]
    aligners = [LexicalAligner().fit(inputs_to_fit(gold)) for gold in golds]
    whole, golds = golds, [gold_in_parts(gold) for gold in golds]
    aligned = [aligner.align(gold.inputs) for gold, aligner in zip(golds, aligners, strict=True)]
    if options.cross:
        halves = (fit_half, lambda gold: [not use for use in fit_half(gold)])
        cross(whole, aligners, [SegmentWeights.of(fit(golds, aligned, options.penalty, use)) for use in halves])
        return
    one_way = [
        [replace(a, forward=None, backward=None, bonds=None, particles=None) for a in found] for found in aligned
    ]

    def both(use: Callable[[Gold], list[bool]]) -> dict[str, Any]:
        return {
            "directed": fit(golds, aligned, options.penalty, use),
            "links": fit(golds, one_way, options.penalty, use),
        }

    if options.folds:
        without = (lambda gold, fold=fold: [f not in (None, fold) for f in fit_folds(gold)] for fold in range(FOLDS))
        options.folds.write_text(json.dumps([both(use) for use in without], indent=1) + "\n", encoding="utf-8")
        return
    tables = {
        "fitted_on": f"one half of {', '.join(names)} (spanferry.projectors.evaluation.gold.fit_half)",
        **both(fit_half),
    }
    options.out.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
