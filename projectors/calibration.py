"""From a method's own score to a confidence: of the spans that are given .9, nine in ten should be right.

An isotonic regression (Zadrozny and Elkan, KDD 2002) on the log-odds of the score: the order of the spans stays as it
is. It is fitted on gold by ``projectors.fit_weights``; the numbers, and on which data they were fitted, are in
``projectors/weights``. More features (spelling that agrees, length, script, which methods agree) were tried beside the
score and helped neither the calibration nor the order consistently on gold that they were not fitted on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from corpora.schema import Projection

WEIGHTS = Path(__file__).with_name("weights")
_EDGE = 1e-6  # scores nearer to 0 or 1 tell no more
_BEYOND = 4.0
_LEAST = 25


@dataclass(frozen=True)
class Calibration:
    """A fitted map from scores to confidences.

    Attributes:
        knots: (log-odds of the score, confidence), both ascending; between them a straight line.
    """

    knots: tuple[tuple[float, float], ...]

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "Calibration":
        """From the numbers of a weights file."""
        return Calibration(tuple((float(x), float(y)) for x, y in numbers["knots"]))

    def numbers(self) -> dict[str, Any]:
        """What ``of`` reads."""
        return {"knots": [list(knot) for knot in self.knots]}

    @property
    def digest(self) -> str:
        """Eight characters that change with any number."""
        return blake2b(json.dumps(self.numbers()).encode(), digest_size=4).hexdigest()

    def confidence(self, scores: Sequence[float] | np.ndarray) -> np.ndarray:
        """The confidence for each score, (n,)."""
        return np.interp(_log_odds(scores), [x for x, _ in self.knots], [y for _, y in self.knots])

    def apply(self, projections: Sequence[Projection]) -> list[Projection]:
        """The projections with calibrated scores; what was not placed stays as it is."""
        sure = self.confidence([p.score for p in projections])
        return [
            p if p.span is None else replace(p, score=round(float(confidence), 6))
            for p, confidence in zip(projections, sure, strict=True)
        ]


@lru_cache(maxsize=8)
def load_calibration(method: str, model: bool) -> Calibration:
    """The calibration that comes with the project.

    Args:
        method: Name of the weights file, ``default`` or ``ensemble``.
        model: Whether the method had a translation model to ask.
    """
    tables = json.loads((WEIGHTS / f"{method}.json").read_text(encoding="utf-8"))
    return Calibration.of(tables["calibration"]["model" if model else "alone"])


def fit_calibration(scores: Sequence[float], right: Sequence[bool], *, least: int = _LEAST) -> Calibration:
    """The ascending function that fits best, by pooling neighbours that are out of order.

    A pool of n scores of which k are right stands at their mean log-odds with the share (k + 1/2) / (n + 1), so that no
    finite sample makes anything certain; beyond the outermost pools the line goes on to 0 and 1, in four nats.

    Args:
        scores: The method's own scores of placed spans, (n,).
        right: Whether each is right, (n,).
        least: Scores in a pool, at least: fewer say nothing about a share.

    Raises:
        ValueError: There are no scores.
    """
    values = _log_odds(scores)
    order = np.argsort(values, kind="stable")
    values, hits = values[order], np.asarray(right, dtype=np.float64)[order]
    if not len(values):
        raise ValueError("no scores to calibrate")
    edges = [*range(0, max(len(values) - least, 0) + 1, least), len(values)]
    pools: list[tuple[float, float, float]] = []  # summed value, right, count
    for start, end in pairwise(edges):
        pools.append((float(values[start:end].sum()), float(hits[start:end].sum()), float(end - start)))
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            (a, b, c), (d, e, f) = pools.pop(-2), pools.pop()
            pools.append((a + d, b + e, c + f))
    knots = [(round(total / n, 4), round(_share((total, hit, n)), 4)) for total, hit, n in pools]
    outer = (round(knots[0][0] - _BEYOND, 4), 0.0), (round(knots[-1][0] + _BEYOND, 4), 1.0)
    return Calibration((outer[0], *knots, outer[1]))


def _share(pool: tuple[float, float, float]) -> float:
    return (pool[1] + 0.5) / (pool[2] + 1.0)


def _log_odds(scores: Sequence[float] | np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(scores, dtype=np.float64), _EDGE, 1.0 - _EDGE)
    return np.log(inside / (1.0 - inside))
