"""Words that go with a number: ``時``, ``klokken``, ``Uhr``. They hardly occur without one beside them.

English has none ("5 am" is ``午前 5 時``, "for 3pm" ``til klokken 3``), so that they are linked to whatever is near,
"for" or "alarm", a little to each. Where a word mostly stands beside a number and mostly nothing else in the source
accounts for it, it goes where its number goes. ``um`` of ``um 5 Uhr`` stands there as often, but it is the "at" of
"at 5".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanferry.projectors.aligners.lexical.em import Cells
from spanferry.projectors.aligners.lexical.orthography import SHAPES, shape

_NUMBER = SHAPES.index("number")
_LEAST = 2  # occurrences beside a number, at least
_DOUBT = 4.0  # occurrences by which a word falls short: rare words prove little
# Each from nothing to fully: which share of its occurrences stand beside a number; how far nothing accounts for it
# there, in the corpus; and that, half in the corpus and half in the sentence.
_SHARE, _FREE, _FREE_HERE = (0.4, 0.8), (0.45, 0.55), (0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Counters:
    """The words that stand beside numbers.

    Attributes:
        words: Vocabulary indices, ascending, (n_words,).
        shares: Of the occurrences of each, those right after and those right before a number, (n_words, 2).
        free: How far no source word of its own accounts for it there, mean of those occurrences, (n_words, 2).
    """

    words: np.ndarray
    shares: np.ndarray
    free: np.ndarray

    def strengths(
        self, words: np.ndarray, sentence: Sequence[str], forward: np.ndarray, backward: np.ndarray
    ) -> np.ndarray:
        """How far each word of a target text goes where the number before and after it goes, float64 (n_words, 2).

        Args:
            words: Indices into the vocabulary, -1 for unknown words, (n_words,).
            sentence: The words.
            forward: Posteriors that a source word made a target word, (n_source_words, n_words).
            backward: That the target word made the source word, likewise.
        """
        out = np.zeros((len(words), 2))
        if not len(self.words) or not len(words):
            return out
        at = np.minimum(np.searchsorted(self.words, words), len(self.words) - 1)
        known = self.words[at] == words
        number = np.array([shape(word) == _NUMBER for word in sentence])
        agreed, belongs = forward * backward, np.maximum(forward, backward)
        for side, step in ((0, 1), (1, -1)):
            beside = np.zeros(len(words), dtype=bool)
            theirs = np.zeros_like(belongs)
            here, there = (slice(1, None), slice(None, -1))[::step]
            beside[here], theirs[:, here] = number[there], belongs[:, there]
            free = 0.5 * self.free[at, side] + 0.5 * (1.0 - (agreed * (1.0 - theirs)).sum(axis=0)).clip(0.0)
            strength = ramp(self.shares[at, side], _SHARE) * ramp(self.free[at, side], _FREE)
            out[:, side] = np.where(known & beside, strength * ramp(free, _FREE_HERE), 0.0)
        result: np.ndarray = out / np.maximum(out.sum(axis=1, keepdims=True), 1.0)
        return result


def learn_counters(
    cells: Cells, words: np.ndarray, vocabulary: Sequence[str], forward: np.ndarray, backward: np.ndarray
) -> Counters:
    """The words of a corpus that go with numbers, from its alignment.

    Args:
        cells: The sentence pairs.
        words: Vocabulary index of each target word of the corpus, (n_target_words,).
        vocabulary: The words.
        forward: Posterior of each cell that its source word made its target word, (n_cells,).
        backward: That its target word made its source word, (n_cells,).
    """
    n, size = len(words), len(vocabulary)
    number = np.array([shape(word) == _NUMBER for word in vocabulary])
    able = ~number & np.array([any(c.isalpha() for c in word) for word in vocabulary])
    # Cells of one source word and two neighbouring target words.
    near = np.flatnonzero(cells.source_position[1:] == cells.source_position[:-1])
    at = cells.target_position[near]
    agreed, belongs = forward * backward, np.maximum(forward, backward)
    own_left = np.bincount(at, agreed[near] * (1.0 - belongs[near + 1]), n)
    own_right = np.bincount(at, agreed[near + 1] * (1.0 - belongs[near]), n)
    followed = np.ones(n, dtype=bool)
    followed[cells.target_offsets[1:] - 1] = False
    left = np.flatnonzero(followed)
    frequency = np.bincount(words, minlength=size) + _DOUBT
    shares, free = np.zeros((2, size, 2))
    for side, (mine, theirs, own) in enumerate(((left + 1, left, own_right), (left, left + 1, own_left))):
        beside = able[words[mine]] & number[words[theirs]]
        found = words[mine[beside]]
        count = np.bincount(found, minlength=size)
        unclaimed = np.bincount(found, (1.0 - own[left[beside]]).clip(0.0), size)
        often = count >= _LEAST
        shares[often, side] = (count / frequency)[often]
        free[often, side] = unclaimed[often] / count[often]
    # Whatever can't have a strength is not kept.
    kept = np.flatnonzero(((shares > _SHARE[0]) & (free > _FREE[0])).any(axis=1))
    return Counters(kept, shares[kept], free[kept])


def carried(ways: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """The links of each target word, moved to those of the number beside it as far as it goes with that.

    Args:
        ways: (…, n_source_words, n_target_words).
        strengths: (n_target_words, 2).
    """
    moved: np.ndarray = ways * (1.0 - strengths.sum(axis=1))
    moved[..., 1:] += ways[..., :-1] * strengths[1:, 0]
    moved[..., :-1] += ways[..., 1:] * strengths[:-1, 1]
    return moved


def ramp(values: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """Values as a share of the way from the first to the second of two bounds, from 0 to 1."""
    low, high = between
    return ((values - low) / (high - low)).clip(0.0, 1.0)
