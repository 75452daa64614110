"""Words that mark and have no counterpart: ``に``, ``的``, ``الذي``. They are everywhere, and no source word is theirs.

Each is given to whatever is near, a little to one word and a little to another, so that a span swallows those beside
it. Which words they are needs no list: they are frequent, and hardly ever is there a source word that makes one and is
made by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanferry.projectors.aligners.lexical.counters import ramp
from spanferry.projectors.aligners.lexical.em import Cells

_DOUBT = 4.0  # occurrences by which a word falls short: rare words prove little
# Each from nothing to fully: which share of its occurrences has no counterpart; its share of all words, in logarithms.
_LOOSE, _FREQUENT = (0.7, 0.8), (np.log(0.002), np.log(0.004))


@dataclass(frozen=True, slots=True)
class Particles:
    """The particles of a language, as its translation shows them.

    Attributes:
        words: Vocabulary indices, ascending, (n_words,).
        strengths: How far each is one, in (0, 1], (n_words,).
    """

    words: np.ndarray
    strengths: np.ndarray

    def among(self, words: np.ndarray) -> np.ndarray:
        """How far each word of a text is a particle, float64 (n_words,).

        Args:
            words: Indices into the vocabulary, -1 for unknown words, (n_words,).
        """
        if not len(self.words):
            return np.zeros(len(words))
        at = np.minimum(np.searchsorted(self.words, words), len(self.words) - 1)
        return np.where(self.words[at] == words, self.strengths[at], 0.0)


def learn_particles(
    cells: Cells,
    words: np.ndarray,
    vocabulary: Sequence[str],
    forward: np.ndarray,
    backward: np.ndarray,
    others: np.ndarray,
) -> Particles:
    """The particles of a corpus, from its alignment.

    Args:
        cells: The sentence pairs.
        words: Vocabulary index of each target word of the corpus, (n_target_words,).
        vocabulary: The words.
        forward: Posterior of each cell that its source word made its target word, (n_cells,).
        backward: That its target word made its source word, (n_cells,).
        others: Vocabulary indices of words that are none: those that go with numbers.
    """
    n, size = len(words), len(vocabulary)
    count = np.bincount(words, minlength=size)
    frequent = ramp(np.log(np.maximum(count, 1) / n), _FREQUENT)
    able = np.array([any(c.isalpha() for c in word) for word in vocabulary]) & (frequent > 0)
    able[others] = False
    # What a word shares with all occurrences of one source word: which of them is its own may well be open.
    near = np.flatnonzero(able[words[cells.target_position]])
    at, source = cells.target_position[near].astype(np.int64), cells.source[cells.source_position[near]]
    width = int(cells.source.max()) + 1
    together, pair = np.unique(at * width + source, return_inverse=True)
    shared = np.bincount(pair, forward[near]).clip(max=1.0) * np.bincount(pair, backward[near]).clip(max=1.0)
    agreed = np.bincount(together // width, shared, n)
    loose = np.bincount(words, (1.0 - agreed).clip(0.0), size) / (count + _DOUBT)
    strengths = np.where(able, ramp(loose, _LOOSE) * frequent, 0.0)
    kept = np.flatnonzero(strengths)
    return Particles(kept, strengths[kept])
