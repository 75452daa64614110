"""The posterior segment: the contiguous stretch of target words that a source span most likely went to.

With the probability of every link, a span is the stretch of target words with the most mass from the span's own words
and the least from the others. Which evidence counts how much (mass in either direction, unlinked words at the edges,
articles, punctuation, length, spelling, numbers) is learned: a log-linear model over all stretches and the choice to
leave the span out, so that scores are nats and a stretch's share is its probability.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Range
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.segments.features import (
    ABSENT,
    EDGE,
    INNER,
    LENGTH,
    NAMES,
    WHOLE,
    Evidence,
    Kinds,
    Local,
    length_features,
    local_features,
    whole_features,
)
from spanferry.projectors.segments.quotes import Quotes

# Longest stretch looked at beyond three times the span's words.
_MORE_WORDS = 15
# What the words of a stretch must share with the span, in either direction, in links.
_LEAST_MASS = 0.05
# Stretches whose spelling and coverage are looked at: the best by all that can be summed.
_NEAR = 40
_MADE, _MAKES = INNER.index("made_in"), INNER.index("makes_in")
_WEIGHTS = Path(__file__).with_name("segment_weights.json")


@dataclass(frozen=True)
class SegmentWeights:
    """Weights of the features of ``spanferry.projectors.segments.features``, in nats.

    Attributes:
        directed: For alignments that have both directions, (len(NAMES),).
        links: For alignments that have links alone, (len(NAMES),).
    """

    directed: np.ndarray
    links: np.ndarray

    @staticmethod
    def of(directed: Mapping[str, float], links: Mapping[str, float] | None = None) -> "SegmentWeights":
        """Weights by name, 0 where there is none; ``directed`` for both where ``links`` is left out.

        Raises:
            ConfigError: A name that is not a feature.
        """
        tables = []
        for given in (directed, directed if links is None else links):
            unknown = sorted(set(given) - set(NAMES))
            if unknown:
                raise ConfigError(f"unknown segment feature {unknown[0]!r}", valid=NAMES, hint="leave it out for 0")
            tables.append(np.array([float(given.get(name, 0.0)) for name in NAMES]))
        return SegmentWeights(*tables)

    @cached_property
    def split(self) -> tuple["_Split", "_Split"]:
        """``directed`` and ``links`` by where they apply."""
        return _Split.of(self.directed), _Split.of(self.links)

    @property
    def digest(self) -> str:
        """Eight characters that change with any weight."""
        return blake2b(self.directed.tobytes() + self.links.tobytes(), digest_size=4).hexdigest()


@lru_cache(maxsize=1)
def learned_weights() -> SegmentWeights:
    """The weights that come with the project; the file says on which data they were fitted."""
    tables = json.loads(_WEIGHTS.read_text(encoding="utf-8"))
    return SegmentWeights.of(tables["directed"], tables["links"])


@dataclass(frozen=True, slots=True)
class Segment:
    """Target words [start, end), their score in nats against leaving the span out, and their probability."""

    start: int
    end: int
    score: float
    probability: float


def covered(words: Sequence[Range], span: Range) -> np.ndarray:
    """Which words share a code point with ``span``; bool (n_words,)."""
    return np.array([a < span[1] and span[0] < b for a, b in words], dtype=bool)


class SegmentScorer:
    """Scores the stretches of one target text for the spans of its source.

    Args:
        item: The texts.
        alignment: Their words and probabilities. One that failed has an opinion on nothing.
        weights: What the features count; None: ``learned_weights``.
    """

    def __init__(self, item: ProjectionInput, alignment: Alignment, weights: SegmentWeights | None = None) -> None:
        weights = weights or learned_weights()
        self.item, self.alignment = item, alignment
        one_way = alignment.forward is None or alignment.backward is None
        self.weights = weights.split[one_way]
        self._starts = np.array([a for a, _ in alignment.target_words], dtype=np.int64)
        self._ends = np.array([b for _, b in alignment.target_words], dtype=np.int64)
        kinds = (
            Kinds.of(item.source_text, alignment.source_words),
            Kinds.of(item.target_text, alignment.target_words),
        )
        self._seen = None if alignment.reason else Evidence.of(alignment, *kinds)
        self._known: dict[Range, _Weighed | None] = {}
        self._quotes = Quotes(item.source_text), Quotes(item.target_text)

    def best(self, span: Range, count: int) -> list[Segment]:
        """The ``count`` best segments by score, best first; the shorter, then the earlier first where scores are equal.

        Args:
            span: Half-open code points of the source span (or fragment).
            count: At most 40 are distinguished.

        Returns:
            Nothing where the span covers no word or none of its words has a link. A segment's probability is its share
            in the sum of exp(score) over all segments that were looked at and over leaving the span out, which scores
            0.
        """
        found = self._evidence(span)
        if found is None or not len(self._starts):
            return []
        start, end = _all_segments(len(self._starts), 3 * len(found.inside) + _MORE_WORDS)
        linked = found.mass[end] - found.mass[start] >= _LEAST_MASS
        start, end = start[linked], end[linked]
        if not len(start):
            return []
        score = found.sums[end] - found.sums[start] + found.first[start] + found.last[end - 1]
        score += self._length(span, self._starts[start], self._ends[end - 1])
        score += self.weights.one_word * (end - start == 1)
        near = np.argsort(-np.round(score, 6), kind="stable")[:_NEAR]
        start, end = start[near], end[near]
        places = list(zip(self._starts[start].tolist(), self._ends[end - 1].tolist(), strict=True))
        score = score[near] + self._whole(span, found, places, start, end) - found.absent
        top = max(float(score.max()), 0.0)
        total = float(np.exp(score - top).sum() + np.exp(-top))
        order = np.lexsort((start, end - start, -np.round(score, 6)))[:count]
        return [
            Segment(int(start[k]), int(end[k]), float(score[k]), float(np.exp(score[k] - top) / total)) for k in order
        ]

    def scores(self, span: Range, candidates: Sequence[Range]) -> np.ndarray:
        """How well the alignment likes given target ranges; of whole words as much as ``best`` says.

        Args:
            span: Half-open code points of the source span.
            candidates: Half-open code points of target ranges; a word that is covered in part counts in part.

        Returns:
            Scores in nats against leaving the span out, float64 (n_candidates,); 0 for every candidate where there is
            no alignment, and for one that covers no word.
        """
        found = self._evidence(span) if candidates else None
        if found is None or not len(self._starts):
            return np.zeros(len(candidates))
        wanted = np.array(candidates, dtype=np.int64)
        first = np.searchsorted(self._ends, wanted[:, 0], side="right")
        after = np.searchsorted(self._starts, wanted[:, 1], side="left")
        out = np.zeros(len(candidates))
        some = np.flatnonzero(first < after)
        if len(some):
            s, e, (a, b) = first[some], after[some], wanted[some].T
            # Of a word that is covered in part, only that part counts.
            gains = np.diff(found.sums) / (self._ends - self._starts)
            cut = np.maximum(a - self._starts[s], 0), np.maximum(self._ends[e - 1] - b, 0)
            out[some] = found.sums[e] - found.sums[s] - gains[s] * cut[0] - gains[e - 1] * cut[1]
            out[some] += found.first[s] + found.last[e - 1] + self.weights.one_word * (e - s == 1) - found.absent
            out[some] += self._length(span, a, b) + self._whole(span, found, [candidates[int(k)] for k in some], s, e)
        return out

    def _evidence(self, span: Range) -> "_Weighed | None":
        if span not in self._known:
            inside = np.flatnonzero(covered(self.alignment.source_words, span))
            self._known[span] = None
            if len(inside) and self._seen is not None:
                local = local_features(self._seen, inside)
                self._known[span] = _Weighed.of(local, self._seen.makes[inside], self.weights)
        return self._known[span]

    def _length(self, span: Range, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        weighed: np.ndarray = length_features(self.item, span, start, end) @ self.weights.length
        return weighed

    def _whole(
        self, span: Range, found: "_Weighed", places: Sequence[Range], start: np.ndarray, end: np.ndarray
    ) -> np.ndarray:
        source, target = self._quotes
        makes = found.makes[:, end] - found.makes[:, start]
        features = whole_features(source.of(span), [target.of(place) for place in places], makes)
        # Not a matrix product, whose last bits depend on how many rows there are.
        weighed: np.ndarray = (features * self.weights.whole).sum(axis=1)
        return weighed


@dataclass(frozen=True, slots=True)
class _Split:
    """The weights by where they apply."""

    inner: np.ndarray
    first: np.ndarray
    last: np.ndarray
    length: np.ndarray
    one_word: float
    whole: np.ndarray
    absent: np.ndarray

    @staticmethod
    def of(weights: np.ndarray) -> "_Split":
        sizes = (len(INNER), len(EDGE), len(EDGE), len(LENGTH) - 1, 1, len(WHOLE), len(ABSENT))
        inner, first, last, length, one_word, whole, absent = np.split(weights, np.cumsum(sizes)[:-1])
        return _Split(inner, first, last, length, float(one_word[0]), whole, absent)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The weighed features of one span.

    Attributes:
        sums: What the words before each position add to a segment, (n_target_words + 1,).
        mass: How much the words before each position are linked to the span, in either direction, likewise.
        first: What it counts to begin with a word, (n_target_words,).
        last: What it counts to end with a word, (n_target_words,).
        absent: What it counts to leave the span out.
        inside: Numbers of the span's source words.
        makes: Of each of them how much the words before each position have made, (n_inside, n_target_words + 1).
    """

    sums: np.ndarray
    mass: np.ndarray
    first: np.ndarray
    last: np.ndarray
    absent: float
    inside: np.ndarray
    makes: np.ndarray

    @staticmethod
    def of(local: Local, makes: np.ndarray, weights: _Split) -> "_Weighed":
        return _Weighed(
            _summed(local.inner @ weights.inner),
            _summed(np.maximum(local.inner[:, _MADE], local.inner[:, _MAKES])),
            local.edges[0] @ weights.first,
            local.edges[1] @ weights.last,
            float(local.absent @ weights.absent),
            local.inside,
            _summed(makes),
        )


def _summed(values: np.ndarray) -> np.ndarray:
    """What the values before each place of the last axis add up to; one place more."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


@lru_cache(maxsize=256)
def _all_segments(n: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    longest = min(n, longest)
    start = np.repeat(np.arange(n), longest)
    end = start + np.tile(np.arange(1, longest + 1), n)
    fits = end <= n
    return start[fits], end[fits]
