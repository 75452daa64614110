"""From a method's own score to a confidence: of the spans that are given .9, nine in ten should be right.

An isotonic regression (Zadrozny and Elkan, KDD 2002) on the log-odds of the score, less what the length of the text and
of the span take from it: the same score proves less where there are hundreds of other stretches, which are not all
independent and not all listed. What the lengths take comes from a logistic regression. Both are fitted on gold by
``evaluation.fit_weights``; the numbers, and on which data they were fitted, are in ``confidence/weights``. Spelling
that agrees, script, how many spans a text has and how good its links are were tried as well and helped no gold
consistently that they were not fitted on.
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

from spanferry.corpora.schema import Projection

WEIGHTS = Path(__file__).with_name("weights")
_EDGE = 1e-6  # scores nearer to 0 or 1 say no more
_BEYOND = 4.0
_LEAST = 25
_RIDGE = 1.0

Scores = Sequence[float] | np.ndarray
Lengths = Sequence[tuple[int, int]] | np.ndarray


@dataclass(frozen=True)
class Calibration:
    """A fitted map from scores to confidences.

    Attributes:
        knots: (value, confidence), both ascending; between them a straight line. The value is the log-odds of the
            score, plus ``text`` and ``span`` for each nat of length.
        text: What a nat of the target text's length in code points adds, in nats.
        span: What a nat of the placed span's length in code points adds, in nats.
    """

    knots: tuple[tuple[float, float], ...]
    text: float = 0.0
    span: float = 0.0

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "Calibration":
        """From the numbers of a weights file."""
        knots = tuple((float(x), float(y)) for x, y in numbers["knots"])
        return Calibration(knots, float(numbers["text"]), float(numbers["span"]))

    def numbers(self) -> dict[str, Any]:
        """What ``of`` reads."""
        return {"text": self.text, "span": self.span, "knots": [list(knot) for knot in self.knots]}

    @property
    def digest(self) -> str:
        """Eight characters that change with any number."""
        return blake2b(json.dumps(self.numbers()).encode(), digest_size=4).hexdigest()

    def confidence(self, scores: Scores, lengths: Lengths) -> np.ndarray:
        """The confidence for each score, (n,).

        Args:
            scores: The method's own, (n,).
            lengths: Of the target text and of the placed span, in code points, (n, 2).
        """
        values = _log_odds(scores) + _log_lengths(lengths) @ (self.text, self.span)
        return np.interp(values, [x for x, _ in self.knots], [y for _, y in self.knots])

    def apply(self, projections: Sequence[Projection], text: str) -> list[Projection]:
        """The projections into ``text`` with calibrated scores; what was not placed stays as it is."""
        lengths = [lengths_of(p, text) for p in projections]
        sure = self.confidence([p.score for p in projections], lengths)
        return [
            p if p.span is None else replace(p, score=round(float(confidence), 6))
            for p, confidence in zip(projections, sure, strict=True)
        ]


def lengths_of(projection: Projection, text: str) -> tuple[int, int]:
    """Code points of ``text`` and of what was placed there, from its first fragment to its last."""
    span = projection.span
    return len(text), span.end - span.start if span else 0


@lru_cache(maxsize=8)
def load_calibration(method: str, model: bool) -> Calibration:
    """The calibration that comes with the project.

    Args:
        method: Name of the weights file, ``default`` or ``ensemble``.
        model: Whether the method had a translation model to ask.
    """
    tables = json.loads((WEIGHTS / f"{method}.json").read_text(encoding="utf-8"))
    return Calibration.of(tables["calibration"]["model" if model else "alone"])


def fit_calibration(scores: Scores, right: Sequence[bool], lengths: Lengths, *, least: int = _LEAST) -> Calibration:
    """What the lengths count, by a logistic regression, and then the ascending function that fits best.

    That function pools neighbours that are out of order. A pool of n scores of which k are right stands at their mean
    value with the share (k + 1/2) / (n + 1), so that no finite sample makes anything certain; beyond the outermost
    pools the line goes on to 0 and 1, in four nats.

    Args:
        scores: The method's own scores of placed spans, (n,).
        right: Whether each is right, (n,).
        lengths: Of the target text and of the placed span, in code points, (n, 2). Where they are the same for all
            spans they count nothing.
        least: Scores in a pool, at least: fewer say nothing about a share.

    Raises:
        ValueError: There are no scores.
    """
    odds, hits = _log_odds(scores), np.asarray(right, dtype=np.float64)
    if not len(odds):
        raise ValueError("no scores to calibrate")
    logs = _log_lengths(lengths)
    own, *counted = _logistic(np.column_stack([odds, logs]), hits)
    # A score without information, or with the wrong sign, has no length that could be measured by it.
    text, span = (round(float(slope / own), 4) if own > 0 else 0.0 for slope in counted)
    values = odds + logs @ (text, span)
    order = np.argsort(values, kind="stable")
    values, hits = values[order], hits[order]
    edges = [*range(0, max(len(values) - least, 0) + 1, least), len(values)]
    pools: list[tuple[float, float, float]] = []  # summed value, right, count
    for start, end in pairwise(edges):
        pools.append((float(values[start:end].sum()), float(hits[start:end].sum()), float(end - start)))
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            (a, b, c), (d, e, f) = pools.pop(-2), pools.pop()
            pools.append((a + d, b + e, c + f))
    knots = [(round(total / n, 4), round(_share((total, hit, n)), 4)) for total, hit, n in pools]
    outer = (round(knots[0][0] - _BEYOND, 4), 0.0), (round(knots[-1][0] + _BEYOND, 4), 1.0)
    return Calibration((outer[0], *knots, outer[1]), text, span)


def _logistic(features: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Slopes of a logistic regression with a ridge on the scaled features, by Newton's method, (n_features,)."""
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    table = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = _RIDGE * np.diag([0.0, *np.ones(scaled.shape[1])]) + 1e-9 * np.eye(table.shape[1])
    found = np.zeros(table.shape[1])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(table @ found, -30.0, 30.0)))
        step = np.linalg.solve(
            (table * (p * (1.0 - p))[:, None]).T @ table + penalty, table.T @ (hits - p) - penalty @ found
        )
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return found[1:] / np.where(spread > 0, spread, 1.0)


def _share(pool: tuple[float, float, float]) -> float:
    return (pool[1] + 0.5) / (pool[2] + 1.0)


def _log_odds(scores: Scores) -> np.ndarray:
    inside = np.clip(np.asarray(scores, dtype=np.float64), _EDGE, 1.0 - _EDGE)
    return np.log(inside / (1.0 - inside))


def _log_lengths(lengths: Lengths) -> np.ndarray:
    return np.log(np.maximum(np.asarray(lengths, dtype=np.float64).reshape(-1, 2), 1.0))
