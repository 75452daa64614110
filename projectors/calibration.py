"""From a method's own score to a confidence: of the spans that are given .9, nine in ten should be right.

A logistic regression brings together what is known of a projection, and an isotonic regression (Zadrozny and Elkan,
KDD 2002) makes its value a share. Both are fitted on gold by ``projectors.fit_weights``; the numbers, and on which data
they were fitted, are in ``projectors/weights``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from corpora.detokenise import UNSPACED_LANGUAGES
from corpora.schema import Projection, Span
from projectors.base import ProjectionInput

WEIGHTS = Path(__file__).with_name("weights")
FEATURES = ("score", "copy", "same_text", "words", "unspaced")
_BEYOND = 4.0
_EDGE = 1e-4  # scores nearer to 0 or 1 tell no more


@dataclass(frozen=True)
class Calibration:
    """A fitted map from features to a confidence.

    Attributes:
        intercept: Of the logistic regression.
        weights: Of ``FEATURES``.
        knots: (value of the regression, confidence), both ascending; between them a straight line.
    """

    intercept: float
    weights: tuple[float, ...]
    knots: tuple[tuple[float, float], ...]

    @staticmethod
    def of(numbers: Mapping[str, Any]) -> "Calibration":
        """From the numbers of a weights file."""
        return Calibration(
            float(numbers["intercept"]),
            tuple(float(numbers["weights"][name]) for name in FEATURES),
            tuple((float(x), float(y)) for x, y in numbers["knots"]),
        )

    def numbers(self) -> dict[str, Any]:
        """What ``of`` reads."""
        weights = dict(zip(FEATURES, self.weights, strict=True))
        return {"intercept": self.intercept, "weights": weights, "knots": [list(knot) for knot in self.knots]}

    @property
    def digest(self) -> str:
        """Eight characters that change with any number."""
        return blake2b(json.dumps(self.numbers()).encode(), digest_size=4).hexdigest()

    def confidence(self, values: np.ndarray) -> np.ndarray:
        """Confidence of each row of features, (n, len(FEATURES)) to (n,)."""
        raw = values @ np.array(self.weights) + self.intercept
        return np.interp(raw, [x for x, _ in self.knots], [y for _, y in self.knots])

    def apply(self, item: ProjectionInput, projections: Sequence[Projection]) -> list[Projection]:
        """The projections of one input with calibrated scores; what was not placed stays as it is."""
        out = []
        for span, projection in zip(item.spans, projections, strict=True):
            if projection.span is None:
                out.append(projection)
                continue
            sure = float(self.confidence(features(item, span, projection)[None])[0])
            out.append(replace(projection, score=round(sure, 6)))
        return out


@lru_cache(maxsize=8)
def load_calibration(method: str, model: bool) -> Calibration:
    """The calibration that comes with the project.

    Args:
        method: Name of the weights file, ``default`` or ``ensemble``.
        model: Whether the method had a translation model to ask.
    """
    tables = json.loads((WEIGHTS / f"{method}.json").read_text(encoding="utf-8"))
    return Calibration.of(tables["calibration"]["model" if model else "alone"])


def features(item: ProjectionInput, span: Span, projection: Projection) -> np.ndarray:
    """What is known of a placed span, float64 (len(FEATURES),).

    ``score`` is the log-odds of the method's own score; ``copy`` tells that the spelling speaks for the place,
    ``same_text`` that the text did not change; ``words`` is the logarithm of the number of words of the source span;
    ``unspaced`` tells that the target language is written without spaces.
    """
    placed = projection.span
    if placed is None:
        return np.zeros(len(FEATURES))
    score = min(max(projection.score, _EDGE), 1.0 - _EDGE)
    quote, target = span.quote(item.source_text), placed.quote(item.target_text)
    inside = sum(a < span.end and span.start < b for a, b in item.source_words) or len(quote.split())
    return np.array(
        [
            math.log(score / (1.0 - score)),
            "copy" in projection.method.split("+"),
            quote.casefold() == target.casefold(),
            math.log(max(inside, 1)),
            item.target_lang.partition("-")[0] in UNSPACED_LANGUAGES,
        ],
        dtype=np.float64,
    )


def fit_calibration(values: np.ndarray, right: Sequence[bool], *, ridge: float = 1.0) -> Calibration:
    """Fits both regressions.

    Args:
        values: Features of placed spans, (n, len(FEATURES)).
        right: Whether each is right, (n,).
        ridge: Penalty on the squared weights, the intercept apart.
    """
    hits = np.asarray(right, dtype=np.float64)
    fitted = _logistic(values, hits, ridge)
    intercept, weights = round(float(fitted[0]), 4), tuple(round(float(w), 4) for w in fitted[1:])
    raw = values @ np.array(weights) + intercept
    return Calibration(intercept, weights, isotonic(raw, hits))


def isotonic(
    values: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray, *, least: int = 25
) -> tuple[tuple[float, float], ...]:
    """Knots of the ascending function that fits best, by pooling neighbours that are out of order.

    A pool of n values of which k are right stands at its mean value with the share (k + 1/2) / (n + 1), so that no
    finite sample makes anything certain; beyond the outermost pools the line goes on to 0 and 1, in four nats.

    Args:
        values: Any numbers, (n,).
        right: 1 for right, 0 for wrong, (n,).
        least: Values in a pool, at least: fewer say nothing about a share.
    """
    order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")
    sorted_values, hits = np.asarray(values, dtype=np.float64)[order], np.asarray(right, dtype=np.float64)[order]
    edges = [*range(0, max(len(order) - least, 0) + 1, least), len(order)]
    pools: list[list[float]] = []  # summed value, right, count
    for start, end in pairwise(edges):
        if start == end:
            continue
        pools.append([float(sorted_values[start:end].sum()), float(hits[start:end].sum()), float(end - start)])
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    knots = [(round(total / n, 4), round(_share([total, hit, n]), 4)) for total, hit, n in pools]
    if knots:
        (bottom, _), (top, _) = knots[0], knots[-1]
        knots = [(round(bottom - _BEYOND, 4), 0.0), *knots, (round(top + _BEYOND, 4), 1.0)]
    return tuple(knots)


def _share(pool: Sequence[float]) -> float:
    return (pool[1] + 0.5) / (pool[2] + 1.0)


def _logistic(values: np.ndarray, right: np.ndarray, ridge: float) -> np.ndarray:
    """Intercept and weights by Newton's method, (1 + n_features,)."""
    x = np.column_stack([np.ones(len(values)), values])
    penalty = np.diag([1e-6, *[ridge] * values.shape[1]])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30.0, 30.0)))
        gradient = x.T @ (right - p) - penalty @ weights
        step = np.linalg.solve((x * (p * (1.0 - p))[:, None]).T @ x + penalty, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights
