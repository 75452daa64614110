"""What an encoder that reads both sentences says of their words, beside the statistics of the corpus.

The bundled encoder (``projectors.bundled``) knows words in context and none of the corpus at hand; the lexical model
the other way round. Every probability of the lexical model is multiplied by a power of the encoder's: of the two words'
link, or of the word's having no counterpart. In languages that the encoder was not trained on the power falls as the
corpus grows, which comes to know its own words better.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from spanferry.corpora.schema import Range
from spanferry.projectors.base import ProjectionInput

if TYPE_CHECKING:
    from spanferry.projectors.aligners.encoder.aligner import EncoderAligner

_LEAST = 0.02  # a smaller power is not worth asking
_CHUNK = 512  # pairs whose matrices are made at a time
# Pairs whose matrices are kept, so that those an aligner was fitted on are not encoded again, and the most word pairs
# of one: 80 MB at most, 25 MB where sentences have 27 words.
_MOST_KNOWN, _LARGEST_KNOWN = 4096, 2500
_KNOWN: OrderedDict[bytes, tuple[np.ndarray, np.ndarray] | None] = OrderedDict()
_LOCK = threading.Lock()
_FLOOR = 0.02  # what the encoder's certain no counts
# At full weight it is a thousandth better on gold, and swallows verbs that begin a sentence in a small Arabic corpus.
_ONCE_MORE = 0.75

Strings = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Views:
    """Factors for the emissions of a batch of sentence pairs, in the order of their cells and words.

    Attributes:
        forward: Of p(target word | source word), (n_cells,).
        backward: Of p(source word | target word), (n_cells,).
        null_target: Of p(target word | nothing), (n_target_words,).
        null_source: Of p(source word | nothing), (n_source_words,).
    """

    forward: np.ndarray
    backward: np.ndarray
    null_target: np.ndarray
    null_source: np.ndarray


@lru_cache(maxsize=1)
def bundled_encoder() -> "EncoderAligner":
    """The bundled encoder; on the CPU everywhere, so that every machine gives the same links."""
    from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
    from spanferry.projectors.aligners.encoder.convert import BUNDLED

    return EncoderAligner(BUNDLED, "softmax", device="cpu", compute_type="int8")


def power_for(source: str, target: str, words: int, power: float, half: float) -> float:
    """The power of the encoder's probabilities in a corpus.

    Args:
        source: BCP-47.
        target: BCP-47.
        words: Target words of the corpus.
        power: In English with a language that the encoder was trained on, whatever the corpus.
        half: Words with which a corpus in other languages has half of it; where little is left it is 0.
    """
    pair = {code.replace("_", "-").partition("-")[0].lower() for code in (source, target)}
    if pair <= set(bundled_encoder().languages) and "en" in pair:
        return power
    left = power / (1.0 + words / half)
    return round(left, 4) if left >= _LEAST else 0.0


def views(pairs: Sequence[Strings], power: float) -> Views:
    """The factors for ``pairs``, none of them with an empty side; float32.

    Args:
        pairs: The words of both sides.
        power: Above 0: what the encoder counts.
    """
    factors: tuple[list[np.ndarray], ...] = ([], [], [], [])
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        for ways, (source, target) in zip(_ways(chunk), chunk, strict=True):
            if ways is None:
                own = [np.ones(size) for size in (len(source) * len(target),) * 2 + (len(target), len(source))]
            else:
                nothing = 1.0 - ways[0].sum(axis=0), 1.0 - ways[1].sum(axis=1)
                own = [(_FLOOR + way.clip(0.0, 1.0).ravel()) ** power for way in (*ways, *nothing)]
            for kept, one in zip(factors, own, strict=True):
                kept.append(one.astype(np.float32))
    return Views(*(np.concatenate(kept) for kept in factors))


def averaged(forward: np.ndarray, backward: np.ndarray, seen: Views, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of the links and what the encoder says of them, as weighted geometric means.

    They are not made to sum up to one again: a word of which the two think otherwise has less of any link.

    Args:
        forward: That a target word was made by a source word, (n_cells,).
        backward: The other way round, (n_cells,).
        seen: Of the same cells.
        power: With which ``seen`` was made. `_ONCE_MORE` of it is the encoder's weight.
    """
    forward, backward = (
        np.minimum(own ** (1.0 - _ONCE_MORE * power) * factor**_ONCE_MORE, 1.0)
        for own, factor in ((forward, seen.forward), (backward, seen.backward))
    )
    return forward, backward


def _ways(pairs: Sequence[Strings]) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """What the encoder says of each pair in either direction; None where it says nothing."""
    keys = [_key(*pair) for pair in pairs]
    with _LOCK:
        found = {key: _KNOWN[key] for key in keys if key in _KNOWN}
    asked = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in found}
    alignments = bundled_encoder().align([_input(*pair) for pair in asked.values()])
    for key, alignment in zip(asked, alignments, strict=True):
        known = alignment.forward is not None and alignment.backward is not None and not alignment.reason
        found[key] = (alignment.forward, alignment.backward) if known else None  # type: ignore[assignment]
    with _LOCK:
        _KNOWN.update((key, found[key]) for key, pair in asked.items() if len(pair[0]) * len(pair[1]) <= _LARGEST_KNOWN)
        while len(_KNOWN) > _MOST_KNOWN:
            _KNOWN.popitem(last=False)
    return [found[key] for key in keys]


def _key(source: Sequence[str], target: Sequence[str]) -> bytes:
    return blake2b("\n".join((*source, "\t", *target)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _input(source: Sequence[str], target: Sequence[str]) -> ProjectionInput:
    (left, left_words), (right, right_words) = _spaced(source), _spaced(target)
    return ProjectionInput("", left, right, (), "", "", left_words, right_words)


def _spaced(words: Sequence[str]) -> tuple[str, tuple[Range, ...]]:
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return " ".join(words), tuple((end - 1 - len(word), end - 1) for end, word in zip(ends, words, strict=True))
