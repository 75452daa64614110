"""Which neighbours belong together: ``i dag`` is one word of English, and ``dag`` never comes without its ``i``.

A word that has no counterpart of its own is hardly linked, whatever it belongs to. How often it stands beside another
word, and how seldom anything else in the source accounts for it there, says more than the links of one sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import regex

from spanferry.projectors.aligners.lexical.em import Cells

_LEAST = 2.0  # occurrences of a pair of neighbours, at least
_POINTS = frozenset("·・‧•")
_NAME_PARTS = regex.compile(r"[\p{Han}\p{Katakana}ー][·・‧•][\p{Han}\p{Katakana}]")
# Chinese and Japanese units of date and time, which English mostly leaves unsaid: ``5 時``, ``2008年``, ``水曜 日``.
# A bare 分 is as often a point as a minute.
_NUMBER = regex.compile(r"[\d〇零一二两兩三四五六七八九十百]+(?:[.,:]\d+)*|\p{Han}?曜")
_UNIT = regex.compile(r"年間?|月|日間?|号|號|[時时点點秒週周]|時間|时间|小時|小时|分間|分鐘|分钟|週間|[かヶ個个]月")
_DOUBT = 4.0  # occurrences by which a word falls short: rare words prove little


@dataclass(frozen=True, slots=True)
class Bonds:
    """How far neighbouring target words belong together, by pairs of words.

    Attributes:
        keys: left word * number of words + right word, ascending, (n_pairs,).
        to_left: For the right word: the share of its occurrences that have the left one before them, no source word of
            its own accounting for it there, (n_pairs,).
        to_right: For the left word, likewise with the right one after it, (n_pairs,).
    """

    keys: np.ndarray
    to_left: np.ndarray
    to_right: np.ndarray

    def between(self, words: np.ndarray, vocabulary: int) -> np.ndarray:
        """What ties each word of a text to its left and to its right neighbour, float64 (n_words, 2).

        Args:
            words: Indices into the vocabulary, -1 for unknown words, (n_words,).
            vocabulary: Its size.
        """
        out = np.zeros((len(words), 2))
        if len(words) > 1 and len(self.keys):
            left, right = words[:-1].astype(np.int64), words[1:].astype(np.int64)
            wanted = np.where((left >= 0) & (right >= 0), left * vocabulary + right, -1)
            at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            known = self.keys[at] == wanted
            out[1:, 0] = np.where(known, self.to_left[at], 0.0)
            out[:-1, 1] = np.where(known, self.to_right[at], 0.0)
        return out


def learn_bonds(cells: Cells, words: np.ndarray, vocabulary: int, forward: np.ndarray, backward: np.ndarray) -> Bonds:
    """The bonds of a corpus from its alignment.

    Args:
        cells: The sentence pairs.
        words: Vocabulary index of each target word of the corpus, (n_target_words,).
        vocabulary: Size of the vocabulary.
        forward: Posterior of each cell that its source word made its target word, (n_cells,).
        backward: That its target word made its source word, (n_cells,).
    """
    n = len(words)
    # Cells of one source word and two neighbouring target words.
    near = np.flatnonzero(cells.source_position[1:] == cells.source_position[:-1])
    at = cells.target_position[near]
    belongs = np.maximum(forward, backward)
    # How likely each of two neighbours has a source word that is not the other's; from one half on nothing binds them.
    own_left = np.bincount(at, forward[near] * (1.0 - belongs[near + 1]), n)
    own_right = np.bincount(at, forward[near + 1] * (1.0 - belongs[near]), n)
    followed = np.ones(n, dtype=bool)
    followed[cells.target_offsets[1:] - 1] = False
    left = np.flatnonzero(followed)
    keys, pair = np.unique(words[left].astype(np.int64) * vocabulary + words[left + 1], return_inverse=True)
    often = np.bincount(pair, minlength=len(keys)) >= _LEAST
    frequency = np.bincount(words, minlength=vocabulary) + _DOUBT
    first, second = np.divmod(keys, vocabulary)
    to_left = np.bincount(pair, (1.0 - 2.0 * own_left[left]).clip(0.0), len(keys)) / frequency[second]
    to_right = np.bincount(pair, (1.0 - 2.0 * own_right[left]).clip(0.0), len(keys)) / frequency[first]
    return Bonds(keys[often], to_left[often], to_right[often])


def of_words(
    bonds: np.ndarray, unit_of: Sequence[int] | np.ndarray, text: str, words: Sequence[tuple[int, int]]
) -> np.ndarray:
    """The bonds of words from those of the units they form, (n_words, 2).

    Inside a unit nothing comes apart, nor does a name of several words with points between them, ``米尔顿·弗里德曼``,
    nor a number and the unit of date or time behind it.

    Args:
        bonds: Of the units, (n_units, 2).
        unit_of: Unit of each word, (n_words,).
        text: The text.
        words: Half-open code-point ranges of its words.
    """
    units = np.asarray(unit_of)
    out: np.ndarray = bonds[units].copy()
    inside = units[1:] == units[:-1]
    for k, (start, end) in enumerate(words):
        if text[start:end] in _POINTS and _NAME_PARTS.match(text, max(0, start - 1)):
            inside[k - 1 : k + 1] = True
    for k, ((a, b), (c, d)) in enumerate(pairwise(words)):
        if c - b <= 1 and _UNIT.fullmatch(text, c, d) and _NUMBER.fullmatch(text, a, b):
            inside[k] = True
    out[1:, 0][inside] = 1.0
    out[:-1, 1][inside] = 1.0
    return out
