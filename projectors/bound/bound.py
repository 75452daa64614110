"""How many wrong spans a set of rows may hold, from calibration rows of which every span was judged.

Rows are kept whose least probability is at least a threshold. If calibration rows and new rows are exchangeable, the
wrong spans among those above one threshold are spread over both as if drawn: given their total, the calibration rows'
share of them is hypergeometric. That "more than a share ``error`` of the new spans is wrong" is refuted where so few
wrong calibration spans would then have been drawn with a chance of at most ``1 - confidence``. The promise is on the
very set that is kept, not on an endless one; for endlessly many new spans it is that of Clopper and Pearson (1934).

Thresholds are tried in an order that depends on no judgement, and the first that fails ends the search, so that trying
several costs no confidence (fixed sequence testing: Learn then Test, Angelopoulos et al., 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

CONFIDENCE = 0.95
_BEGIN = 0.5  # chosen on Europarl es and de among 0, 0.25, 0.5 and 0.8, by how many spans are kept
GRID = tuple(round(float(p), 4) for p in 1.0 / (1.0 + np.exp(-np.linspace(5.0, -2.0, 57))))
"""The thresholds that are tried, descending: every eighth of a nat of log-odds."""


@dataclass(frozen=True)
class JudgedRows:
    """Rows of which every placed span was judged right or wrong; those without spans do not count.

    Attributes:
        least: Least probability among a row's spans, (n_rows,).
        spans: Spans, (n_rows,).
        wrong: Wrong ones among them, (n_rows,).
    """

    least: Floats
    spans: Counts
    wrong: Counts

    def above(self, threshold: float) -> tuple[int, int]:
        """Spans and wrong spans of the rows that a threshold keeps."""
        kept = self.least >= threshold
        return int(self.spans[kept].sum()), int(self.wrong[kept].sum())

    def part(self, keep: NDArray[np.bool_]) -> "JudgedRows":
        """Some of the rows."""
        return JudgedRows(self.least[keep], self.spans[keep], self.wrong[keep])


def refutes(spans: int, wrong: int, new: int, error: float, confidence: float) -> bool:
    """Whether the calibration refutes that more than a share ``error`` of the new spans is wrong.

    Args:
        spans: Calibration spans above a threshold.
        wrong: Wrong ones among them.
        new: New spans above it.
        error: Share of wrong spans that is asked for.
        confidence: With which the promise holds.
    """
    if not spans or not new:
        return False
    total = wrong + floor(error * new + 1e-9) + 1
    if total > spans + new:
        return True
    # P(at most `wrong` of `total` wrong spans are among the calibration's), drawn from all without replacement.
    terms = [
        _log_choose(total, k) + _log_choose(spans + new - total, spans - k) - _log_choose(spans + new, spans)
        for k in range(max(0, total - new), min(wrong, spans) + 1)
    ]
    return float(np.exp(terms).sum()) <= 1.0 - confidence if terms else True


def threshold_for(
    judged: JudgedRows, least: Floats, spans: Counts, error: float, confidence: float = CONFIDENCE
) -> float | None:
    """The lowest threshold that keeps the promise.

    Args:
        judged: Rows like the new ones.
        least: Least probability of each new row, (n_new,).
        spans: Spans of each new row, (n_new,).
        error: Share of wrong spans that is asked for, in (0, 1).
        confidence: With which the promise holds.

    Returns:
        None: no threshold keeps it.
    """
    scores, sizes = np.concatenate([judged.least, least]), np.concatenate([judged.spans, spans])
    found = None
    for threshold in GRID:
        own, wrong = judged.above(threshold)
        new = int(spans[least >= threshold].sum())
        if found is None and not _worth_trying(scores, sizes, threshold, own, new, error, confidence):
            continue
        if not refutes(own, wrong, new, error, confidence):
            return found
        found = threshold
    return found


def _worth_trying(
    scores: Floats, sizes: Counts, threshold: float, own: int, new: int, error: float, confidence: float
) -> bool:
    """Whether the search may begin at a threshold, by what is known before any span is judged.

    There must be spans enough for a proof, and the probabilities must expect half of the error that is asked for: a
    search that began with fewer spans would often end at one wrong span among them.
    """
    kept = scores >= threshold
    expected = float((sizes[kept] * (1.0 - scores[kept])).sum()) / max(int(sizes[kept].sum()), 1)
    return expected >= _BEGIN * error and refutes(own, 0, new, error, confidence)


def upper_bound(spans: int, wrong: int, confidence: float = CONFIDENCE) -> float:
    """The share of wrong spans that lies above with ``confidence``, of endlessly many (Clopper and Pearson)."""
    if not spans:
        return 1.0
    low, high = wrong / spans, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _binomial_cdf(wrong, spans, middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def _binomial_cdf(most: int, count: int, share: float) -> float:
    if share >= 1.0:
        return float(most >= count)
    terms = [_log_choose(count, k) + k * np.log(share) + (count - k) * np.log1p(-share) for k in range(most + 1)]
    return float(np.exp(terms).sum())


def _log_choose(total: int, chosen: int) -> float:
    if not 0 <= chosen <= total:
        return -np.inf
    return lgamma(total + 1) - lgamma(chosen + 1) - lgamma(total - chosen + 1)


def rows_of(numbers: Sequence[int] | Counts, probability: Floats, right: Sequence[bool] | NDArray[np.bool_]) -> Any:
    """Spans put together to rows.

    Args:
        numbers: Of the row of each span, (n_spans,).
        probability: (n_spans,).
        right: (n_spans,).
    """
    names, inverse = np.unique(np.asarray(numbers), return_inverse=True)
    least = np.ones(len(names))
    np.minimum.at(least, inverse, probability)
    spans = np.bincount(inverse, minlength=len(names))
    wrong = np.bincount(inverse, weights=~np.asarray(right, dtype=bool), minlength=len(names)).astype(np.int64)
    return JudgedRows(least, spans, wrong)
