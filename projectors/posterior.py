"""The posterior segment: the stretch of target words that best holds a source span's alignment mass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anyascii import anyascii
from rapidfuzz import fuzz

from projectors.base import Alignment, ProjectionInput, Range
from projectors.rules import is_punctuation, is_short

_MAX_WORDS = 40  # longest segment looked at beyond three times the source span's words
_LEAST_RATIO = 75.0


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """How segments are weighed; all but the last in alignment mass, in which one sure link is 1.

    Fitted on the Europarl NER gold (es, de) and the xSID test sets (seven languages), one set of values for all.

    Attributes:
        outside: Weight of mass that links a target word to source words outside the span. Below 1, so that a compound
            that holds both can still be had.
        bias: What every target word costs.
        case: Cost of a lower-case word at an edge where the source span begins and ends with capitals.
        punctuation: Cost of punctuation at an edge where the source span has none.
        function: Cost of a short lower-case word at an edge where the source span has none.
        copy: What a segment gains that is spelled like the span, times the similarity.
        sharpness: Inverse temperature that turns scores into nats and probabilities.
    """

    outside: float = 0.65
    bias: float = 0.04
    case: float = 0.3
    punctuation: float = 0.3
    function: float = 0.2
    copy: float = 0.2
    sharpness: float = 5.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against the words of a target as part of one source span.

    Attributes:
        gain: What each word adds to a segment, (n_target_words,).
        first: What it costs to begin with a word, (n_target_words,).
        last: What it costs to end with a word, (n_target_words,).
        quote: The source span, romanised and lower-cased.
        source_words: Words of the source span.
    """

    gain: np.ndarray
    first: np.ndarray
    last: np.ndarray
    quote: str
    source_words: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Target words [start, end), their score in alignment mass, and its probability."""

    start: int
    end: int
    score: float
    probability: float


def covered(words: Sequence[Range], span: Range) -> np.ndarray:
    """Which words share a code point with ``span``; bool (n_words,)."""
    return np.array([a < span[1] and span[0] < b for a, b in words], dtype=bool)


def evidence(item: ProjectionInput, alignment: Alignment, span: Range, settings: SegmentSettings) -> Evidence | None:
    """The evidence for one source span (or fragment), or None where it covers no word.

    Args:
        item: The texts.
        alignment: Its ``probabilities`` are the mass.
        span: Half-open code points.
        settings: Weights.
    """
    inside = covered(alignment.source_words, span)
    if not inside.any():
        return None
    mass = alignment.probabilities.astype(np.float64)
    gain = mass[inside].sum(axis=0) - settings.outside * mass[~inside].sum(axis=0) - settings.bias
    places = np.nonzero(inside)[0]
    own = [item.source_text[a:b] for a, b in (alignment.source_words[k] for k in (places[0], places[-1]))]
    targets = [item.target_text[a:b] for a, b in alignment.target_words]
    kinds = {
        "punctuation": np.array([is_punctuation(word) for word in targets], dtype=float),
        "function": np.array([is_short(word) for word in targets], dtype=float),
        "case": np.array([word[0].islower() for word in targets], dtype=float),
    }
    # The first word of a sentence is capitalised whatever it is.
    capital = all(word[0].isupper() for word in own) and places[0] > 0
    costs = []
    for word in own:
        cost = settings.punctuation * kinds["punctuation"] * (not is_punctuation(word))
        cost += settings.function * kinds["function"] * (not is_short(word))
        costs.append(cost + settings.case * kinds["case"] * capital)
    return Evidence(gain, costs[0], costs[1], _form(item.source_text[span[0] : span[1]]), int(inside.sum()))


def best_segments(
    item: ProjectionInput, alignment: Alignment, found: Evidence, count: int, settings: SegmentSettings
) -> list[Segment]:
    """The ``count`` best segments by score, best first; the shorter, then the earlier first where scores are equal.

    Score = mass inside - outside * mass that leads elsewhere - bias, summed over the words, less the costs of the
    edges. A segment's probability is its share in the sum of exp(sharpness * score) over all segments and over "no
    segment", whose score is 0.
    """
    start, end = _all_segments(len(found.gain), 3 * found.source_words + _MAX_WORDS)
    if not len(start):
        return []
    score = _summed(found, start, end)
    words = alignment.target_words
    # Spelling is compared only where it can matter: near the best by mass, and of about the span's length.
    near = np.nonzero((score > score.max() - 2.0) & (end - start <= found.source_words + 2))[0]
    for k in near[np.argsort(-score[near], kind="stable")][: 8 * count]:
        score[k] += settings.copy * _alike(found.quote, item.target_text[words[start[k]][0] : words[end[k] - 1][1]])
    weights = settings.sharpness * score
    top = max(float(weights.max()), 0.0)
    total = float(np.exp(weights - top).sum() + np.exp(-top))
    order = np.lexsort((start, end - start, -np.round(score, 6)))[:count]
    return [
        Segment(int(start[k]), int(end[k]), float(score[k]), float(np.exp(weights[k] - top) / total)) for k in order
    ]


def segment_scores(
    item: ProjectionInput,
    alignment: Alignment,
    span: Range,
    candidates: Sequence[Range],
    settings: SegmentSettings | None = None,
) -> np.ndarray:
    """How well the alignment likes given target ranges, to be added to other evidence.

    Args:
        item: The texts.
        alignment: Words and probabilities of the pair.
        span: Half-open code points of the source span.
        candidates: Half-open code points of target ranges; a word that is covered in part counts in part.
        settings: Weights.

    Returns:
        Scores in nats, float64 (n_candidates,): sharpness times the score of ``best_segments``; 0 for every candidate
        where there is no alignment.
    """
    settings = settings or SegmentSettings()
    found = None if alignment.reason or not candidates else evidence(item, alignment, span, settings)
    if found is None:
        return np.zeros(len(candidates))
    words = np.array(alignment.target_words, dtype=np.float64)
    wanted = np.array(candidates, dtype=np.float64)
    shared = np.minimum(words[None, :, 1], wanted[:, 1, None]) - np.maximum(words[None, :, 0], wanted[:, 0, None])
    part = np.clip(shared, 0.0, None) / (words[:, 1] - words[:, 0])[None, :]
    score = part @ found.gain
    for k, (a, b) in enumerate(candidates):
        touched = np.nonzero(part[k])[0]
        if len(touched):
            score[k] -= found.first[touched[0]] + found.last[touched[-1]]
            score[k] += settings.copy * _alike(found.quote, item.target_text[a:b])
    return settings.sharpness * score


def _all_segments(n: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    longest = min(n, longest)
    start = np.repeat(np.arange(n), longest)
    end = start + np.tile(np.arange(1, longest + 1), n)
    fits = end <= n
    return start[fits], end[fits]


def _summed(found: Evidence, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    prefix = np.concatenate([[0.0], np.cumsum(found.gain)])
    return prefix[end] - prefix[start] - found.first[start] - found.last[end - 1]


def _form(text: str) -> str:
    return " ".join(anyascii(text).lower().split())


def _alike(quote: str, text: str) -> float:
    return fuzz.ratio(quote, _form(text), score_cutoff=_LEAST_RATIO) / 100.0
