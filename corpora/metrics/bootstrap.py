"""Paired bootstrap: is one method really better than another on this data?

Koehn (EMNLP 2004), with the p-value of Berg-Kirkpatrick et al. (EMNLP 2012, section 3): how often a resampled set
moves the difference away from what was measured by as much as was measured. Texts are resampled, not spans, since the
spans of one text stand or fall together.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two methods on the same texts.

    Attributes:
        delta: F1 of the second less F1 of the first.
        low: Lower end of the 95 % interval of ``delta``.
        high: Upper end.
        p: Two-sided p-value of "there is no difference"; at least 1 / (samples + 1).
    """

    delta: float
    low: float
    high: float
    p: float


def f1_interval(counts: np.ndarray, *, samples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of a method's F1.

    Args:
        counts: Correct, predicted and gold of each text, (n_texts, 3).
        samples: Resampled sets.
        seed: Of the resampling.
    """
    drawn = _f1(_resampled(np.asarray(counts, dtype=np.float64)[None], samples, seed))[0]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def paired_bootstrap(first: np.ndarray, second: np.ndarray, *, samples: int = 1000, seed: int = 0) -> Comparison:
    """Compares the F1 of two methods.

    Args:
        first: Correct, predicted and gold of each text, (n_texts, 3).
        second: The same of the other method, the texts in the same order.
        samples: Resampled sets.
        seed: Of the resampling.

    Raises:
        ValueError: The two have different shapes.
    """
    both = np.stack([np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)])  # (2, n_texts, 3)
    whole = _f1(both.sum(axis=1)[:, None])[:, 0]
    delta = float(whole[1] - whole[0])
    drawn = _f1(_resampled(both, samples, seed))
    deltas = drawn[1] - drawn[0]
    low, high = np.percentile(deltas, [2.5, 97.5])
    extreme = int((np.abs(deltas - delta) >= abs(delta) - 1e-12).sum())
    return Comparison(delta, float(low), float(high), (extreme + 1) / (samples + 1))


def _resampled(counts: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Summed counts of each resampled set, (n_methods, samples, 3); every method gets the same sets."""
    n = counts.shape[1]
    if not n:
        return np.zeros((counts.shape[0], samples, 3))
    draw = np.random.default_rng(seed)
    rows = [np.bincount(draw.integers(0, n, n), minlength=n) for _ in range(samples)]
    result: np.ndarray = np.einsum("sn,mnk->msk", np.array(rows, dtype=np.float64), counts)
    return result


def _f1(sums: np.ndarray) -> np.ndarray:
    total = sums[..., 1] + sums[..., 2]
    result: np.ndarray = np.divide(2.0 * sums[..., 0], total, out=np.zeros_like(total), where=total > 0)
    return result
