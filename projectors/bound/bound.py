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
from functools import lru_cache
from math import floor

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

CONFIDENCE = 0.95
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
    everything = spans + new
    k = np.arange(max(0, total - new), min(wrong, spans) + 1)
    logs = _log_factorials(everything)
    terms = (
        (logs[total] - logs[k] - logs[total - k])
        + (logs[everything - total] - logs[spans - k] - logs[new - total + k])
        - (logs[everything] - logs[spans] - logs[new])
    )
    return float(np.exp(terms).sum()) <= 1.0 - confidence


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
    found = None
    for threshold in GRID[_start(judged, least, spans, error, confidence) :]:
        own, wrong = judged.above(threshold)
        if not refutes(own, wrong, int(spans[least >= threshold].sum()), error, confidence):
            return found
        found = threshold
    return found


def _start(judged: JudgedRows, least: Floats, spans: Counts, error: float, confidence: float) -> int:
    """Where in the grid the search begins: where the probabilities expect it to succeed most.

    No judgement is looked at. A search that began with the surest spans would often end at one wrong span among few.
    """
    scores, sizes = np.concatenate([judged.least, least]), np.concatenate([judged.spans, spans])
    chances = []
    for threshold in GRID:
        kept = scores >= threshold
        own, new = judged.above(threshold)[0], int(spans[least >= threshold].sum())
        if not refutes(own, 0, new, error, confidence):
            chances.append(0.0)
            continue
        most, above = 0, own + 1  # the most wrong spans with which the search would go on, by bisection
        while above - most > 1:
            middle = (most + above) // 2
            if refutes(own, middle, new, error, confidence):
                most = middle
            else:
                above = middle
        expected = float((sizes[kept] * (1.0 - scores[kept])).sum() / sizes[kept].sum())
        chances.append(_binomial_cdf(most, own, min(max(expected, 1e-6), 1.0 - 1e-6)))
    return int(np.argmax(chances))


def upper_bound(spans: int, wrong: int, confidence: float = CONFIDENCE) -> float:
    """The share of wrong spans that lies above with ``confidence``, of endlessly many (Clopper and Pearson)."""
    if not spans:
        return 1.0
    low, high = max(wrong / spans, 1e-9), 1.0
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
    k, logs = np.arange(most + 1), _log_factorials(count)
    terms = logs[count] - logs[k] - logs[count - k] + k * np.log(share) + (count - k) * np.log1p(-share)
    return float(np.exp(terms).sum())


def _log_factorials(most: int) -> Floats:
    """log 0!, log 1!, … at least up to ``most``."""
    return _table(1 << max(int(most), 1).bit_length())


@lru_cache(maxsize=24)
def _table(most: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])


def rows_of(
    numbers: Sequence[int] | Counts, probability: Floats, right: Sequence[bool] | NDArray[np.bool_]
) -> JudgedRows:
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
