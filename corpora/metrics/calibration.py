"""Whether a confidence means something: reliability, expected calibration error, and quality at partial coverage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions whose confidence lies in [low, high), the last bin closed.

    Attributes:
        low: Lower edge.
        high: Upper edge.
        count: How many there are.
        confidence: Their mean confidence; 0 where there are none.
        accuracy: The share of them that is right; 0 where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(scores: Sequence[float], right: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Bins of equal width over [0, 1].

    Args:
        scores: Confidence of each prediction, (n,).
        right: Whether it is right, (n,).
        bins: How many bins.

    Raises:
        ValueError: The two have different lengths, or a score lies outside [0, 1].
    """
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if values.shape != hits.shape:
        raise ValueError(f"{len(values)} scores, {len(hits)} judgements")
    if len(values) and not (values.min() >= 0.0 and values.max() <= 1.0):
        raise ValueError(f"scores from {values.min():g} to {values.max():g}, not in [0, 1]")
    place = np.minimum((values * bins).astype(int), bins - 1)
    found = []
    for k in range(bins):
        inside = place == k
        n = int(inside.sum())
        means = (float(values[inside].mean()), float(hits[inside].mean())) if n else (0.0, 0.0)
        found.append(Bin(k / bins, (k + 1) / bins, n, *means))
    return found


def expected_calibration_error(scores: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """How far confidence and accuracy are apart, on average over the predictions (Naeini et al., AAAI 2015).

    0 where there are no predictions.

    >>> round(expected_calibration_error([0.95, 0.95, 0.35, 0.35], [True, True, False, True]), 3)
    0.1
    """
    found = reliability(scores, right, bins)
    total = sum(b.count for b in found)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in found) / total if total else 0.0


def selective_f1(
    scores: Sequence[float], right: Sequence[bool], groups: Sequence[object], gold: dict[object, int], coverage: float
) -> float:
    """F1 over the most confident predictions alone, were nothing else asked for.

    What gold belongs to them: the one that a right prediction hits, and for a wrong one a gold span of the same group
    that none of them hits, if there is one. Where confidences are equal, the order given decides.

    Args:
        scores: Confidence of each prediction, (n,).
        right: Whether it is right, (n,).
        groups: Text and label of each prediction, (n,).
        gold: Number of gold spans of each group.
        coverage: Share of the predictions that is kept, 0 to 1.
    """
    kept = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[: round(coverage * len(scores))]
    hits: dict[object, int] = {}
    misses: dict[object, int] = {}
    for k in kept:
        tally = hits if right[k] else misses
        tally[groups[k]] = tally.get(groups[k], 0) + 1
    correct = sum(hits.values())
    missed = sum(min(n, max(gold.get(group, 0) - hits.get(group, 0), 0)) for group, n in misses.items())
    total = len(kept) + correct + missed
    return 2.0 * correct / total if total else 0.0
