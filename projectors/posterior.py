"""The posterior segment: the stretch of target words that best holds a source span's alignment mass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from projectors.base import Alignment, Range

_MAX_WORDS = 64  # longest segment looked at beyond three times the source span's words


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """How segments are weighed.

    Attributes:
        bias: What every target word costs, in alignment mass.
        sharpness: Inverse temperature that turns segment scores into a probability.
    """

    bias: float = 0.05
    sharpness: float = 4.0


@dataclass(frozen=True, slots=True)
class Segment:
    """Target words [start, end), their score (mass inside less mass outside less bias) and its probability."""

    start: int
    end: int
    score: float
    probability: float


def covered(words: Sequence[Range], span: Range) -> np.ndarray:
    """Which words share a code point with ``span``; bool (n_words,)."""
    return np.array([a < span[1] and span[0] < b for a, b in words], dtype=bool)


def gains(alignment: Alignment, inside: np.ndarray, settings: SegmentSettings) -> np.ndarray:
    """What each target word adds to a segment; float64 (n_target_words,).

    Args:
        alignment: Its ``probabilities`` are the mass.
        inside: Which source words belong to the span, bool (n_source_words,).
        settings: The bias.

    >>> a = Alignment(((0, 1), (2, 3)), ((0, 1), (2, 3)), np.array([[0.9, 0.1], [0.0, 0.8]], np.float32))
    >>> gains(a, np.array([True, False]), SegmentSettings(bias=0.1)).round(2).tolist()
    [0.8, -0.8]
    """
    mass = alignment.probabilities.astype(np.float64)
    return mass[inside].sum(axis=0) - mass[~inside].sum(axis=0) - settings.bias


def best_segments(gain: np.ndarray, count: int, source_words: int, settings: SegmentSettings) -> list[Segment]:
    """The ``count`` best segments by score, best first; the shorter, then the earlier first where scores are equal.

    A segment's probability is its share in the sum of exp(sharpness * score) over all segments and over "no segment",
    whose score is 0.
    """
    start, end, score = _all_segments(gain, source_words)
    if not len(score):
        return []
    weights = settings.sharpness * score
    top = max(float(weights.max()), 0.0)
    total = float(np.exp(weights - top).sum() + np.exp(-top))
    rounded = np.round(score, 6)
    order = np.lexsort((start, end - start, -rounded))[:count]
    return [
        Segment(int(start[k]), int(end[k]), float(score[k]), float(np.exp(weights[k] - top) / total)) for k in order
    ]


def _all_segments(gain: np.ndarray, source_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(gain)
    longest = min(n, 3 * source_words + _MAX_WORDS)
    prefix = np.concatenate([[0.0], np.cumsum(gain)])
    start = np.repeat(np.arange(n), longest)
    end = start + np.tile(np.arange(1, longest + 1), n)
    fits = end <= n
    start, end = start[fits], end[fits]
    return start, end, prefix[end] - prefix[start]


def segment_scores(
    alignment: Alignment, span: Range, candidates: Sequence[Range], settings: SegmentSettings | None = None
) -> np.ndarray:
    """How well the alignment likes given target ranges, to be added to other evidence.

    Args:
        alignment: Words and probabilities of the pair.
        span: Half-open code points of the source span.
        candidates: Half-open code points of target ranges; a word that is covered in part counts in part.
        settings: Bias and sharpness.

    Returns:
        Scores in nats, float64 (n_candidates,): sharpness * (mass inside - mass outside - bias), 0 for every candidate
        where there is no alignment.
    """
    settings = settings or SegmentSettings()
    inside = covered(alignment.source_words, span)
    if alignment.reason or not inside.any() or not len(candidates):
        return np.zeros(len(candidates))
    gain = gains(alignment, inside, settings)
    words = np.array(alignment.target_words, dtype=np.float64)
    wanted = np.array(candidates, dtype=np.float64)
    shared = np.minimum(words[None, :, 1], wanted[:, 1, None]) - np.maximum(words[None, :, 0], wanted[:, 0, None])
    part = np.clip(shared, 0.0, None) / (words[:, 1] - words[:, 0])[None, :]
    return settings.sharpness * (part @ gain)
