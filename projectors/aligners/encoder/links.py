"""From the vectors of an encoder to word links, many pairs at a time.

SimAlign (Jalili Sabet et al., Findings of EMNLP 2020, section 2: Argmax, Itermax, Match) and AWESOME (Dou and Neubig,
EACL 2021, section 2.1: softmax), both on subword pieces: two words are linked where a piece of one is linked to a
piece of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanferry.projectors.aligners.links.assignment import best_assignment

METHODS = ("argmax", "itermax", "match", "softmax")

_HALF_FREE = 0.9  # what a similarity counts in the second round of Itermax where one of the two pieces has its link
_DIGITS = 5  # probabilities are rounded so that sums in another order can't show

Links = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a batch of pairs.

    Attributes:
        vectors: float32 (n_pairs, n_pieces, width); whatever stands in the padding is not looked at.
        words: Word that each piece belongs to, -1 in the padding, int (n_pairs, n_pieces).
        counts: Words of each pair, (n_pairs,).
    """

    vectors: np.ndarray
    words: np.ndarray
    counts: Sequence[int]

    def membership(self) -> np.ndarray:
        """Which word each piece belongs to, float32 (n_pairs, n_pieces, most words)."""
        most = max(self.counts, default=0)
        result: np.ndarray = (self.words[:, :, None] == np.arange(most)[None, None]).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one pair; the arrays are float32 (n_source_words, n_target_words), see ``Alignment``."""

    links: Links
    probabilities: np.ndarray
    forward: np.ndarray
    backward: np.ndarray


def extract(source: Side, target: Side, method: str, threshold: float, *, empty_word: bool = False) -> list[Found]:
    """Links and probabilities of the words of every pair.

    Whatever the method of the links, probabilities are those of AWESOME's softmax, summed over the pieces of the word
    that is reached and averaged over those of the word it comes from, and then the geometric mean of both directions.

    Args:
        source: Left side.
        target: Right side, of the same pairs.
        method: One of ``METHODS``.
        threshold: What both directions' softmax must exceed for a link, for ``softmax``.
        empty_word: Whether there is an empty word beside the pieces, of product 0, as ``projectors.bundled`` learns it.

    Returns:
        One for each pair, its links sorted.
    """
    real = (source.words >= 0)[:, :, None] & (target.words >= 0)[:, None, :]
    products = source.vectors @ target.vectors.transpose(0, 2, 1)  # (n_pairs, n_source_pieces, n_target_pieces)
    by_target, by_source = _softmax(products, real, 2, empty_word), _softmax(products, real, 1, empty_word)
    if method == "softmax":
        linked = (by_target > threshold) & (by_source > threshold)
    elif not products.size:
        linked = np.zeros(products.shape, dtype=bool)
    else:
        norms = [np.maximum(np.linalg.norm(side.vectors, axis=2), 1e-12) for side in (source, target)]
        cosine = products / norms[0][:, :, None] / norms[1][:, None, :]
        similarity = np.where(real, (cosine + 1.0) / 2.0, -1.0)
        linked = {"argmax": mutual, "itermax": itermax, "match": _match}[method](similarity, real)
    left, right = source.membership(), target.membership()
    words = left.transpose(0, 2, 1) @ linked.astype(np.float32) @ right > 0
    left_share, right_share = (side / np.maximum(side.sum(axis=1, keepdims=True), 1.0) for side in (left, right))
    backward = np.round(left_share.transpose(0, 2, 1) @ by_target @ right, _DIGITS).clip(0.0, 1.0)
    forward = np.round(left.transpose(0, 2, 1) @ by_source @ right_share, _DIGITS).clip(0.0, 1.0)
    both = np.round(np.sqrt(forward * backward), _DIGITS)
    where = np.argwhere(words)
    ends = np.searchsorted(where[:, 0], np.arange(1, len(words) + 1))
    out, begin = [], 0
    for k, (end, n, m) in enumerate(zip(ends, source.counts, target.counts, strict=True)):
        links = tuple((i, j) for _, i, j in where[begin:end].tolist())
        out.append(Found(links, *(matrix[k, :n, :m].copy() for matrix in (both, forward, backward))))
        begin = end
    return out


def mutual(similarity: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Argmax: links that are the best of their row and of their column; bool, in the shape of ``similarity``.

    Args:
        similarity: (n_pairs, n_source_pieces, n_target_pieces), lower in the padding than anywhere else.
        real: Which cells are not padding, likewise.
    """
    rows = similarity.argmax(axis=2)[:, :, None] == np.arange(similarity.shape[2])[None, None]
    columns = similarity.argmax(axis=1)[:, None, :] == np.arange(similarity.shape[1])[None, :, None]
    result: np.ndarray = rows & columns & real
    return result


def itermax(similarity: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Itermax in two rounds: after Argmax a second one for what has no link yet, in which links to pieces that have
    one count nine tenths. No second round where a side has at most two pieces or all of a side is linked."""
    links = mutual(similarity, real)
    free_row, free_column = ~links.any(axis=2, keepdims=True), ~links.any(axis=1, keepdims=True)
    either, both = (free_row | free_column) & real, free_row & free_column & real
    second = np.where(either, np.where(both, 1.0, _HALF_FREE) * similarity.astype(np.float64), 0.0)
    more = mutual(np.where(real, second, -1.0), either)
    lengths = np.minimum(real.any(axis=2).sum(axis=1), real.any(axis=1).sum(axis=1))
    left = (free_row & real).any(axis=(1, 2)) & (free_column & real).any(axis=(1, 2)) & (lengths > 2)
    result: np.ndarray = links | (more & left[:, None, None])
    return result


def _match(similarity: np.ndarray, real: np.ndarray) -> np.ndarray:
    linked = np.zeros(similarity.shape, dtype=bool)
    for k in range(len(similarity)):
        rows, columns = (np.flatnonzero(real[k].any(axis=axis)) for axis in (1, 0))
        for i, j in best_assignment(similarity[k][np.ix_(rows, columns)]):
            linked[k, rows[i], columns[j]] = True
    return linked


def _softmax(products: np.ndarray, real: np.ndarray, axis: int, empty_word: bool) -> np.ndarray:
    masked = np.where(real, products, np.float32(-np.inf))
    top = masked.max(axis=axis, keepdims=True, initial=np.float32(0.0 if empty_word else -1e30))
    shares: np.ndarray = np.exp(masked - top)
    rest = np.exp(-top) if empty_word else np.float32(0.0)
    shares /= np.maximum(shares.sum(axis=axis, keepdims=True) + rest, np.float32(1e-30))
    return shares
