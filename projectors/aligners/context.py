"""What an encoder that reads both sentences says of their words, beside the statistics of the corpus.

The bundled encoder (``projectors.bundled``) knows words in context and none of the corpus at hand; the lexical model
the other way round. Every probability of the lexical model is multiplied by a power of the encoder's: of the two words'
link, or of the word's having no counterpart. In languages that the encoder was not trained on the power falls as the
corpus grows, which comes to know its own words better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from projectors.base import ProjectionInput, Range

if TYPE_CHECKING:
    from projectors.aligners.encoder import EncoderAligner

_LEAST = 0.02
_FLOOR = 0.02  # what the encoder's certain no counts

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
    from projectors.aligners.encoder import EncoderAligner
    from projectors.aligners.encoder_convert import BUNDLED

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
    """The factors for ``pairs``, none of them with an empty side.

    Args:
        pairs: The words of both sides.
        power: Above 0: what the encoder counts.
    """
    found = bundled_encoder().align([_input(*pair) for pair in pairs])
    factors: tuple[list[np.ndarray], ...] = ([], [], [], [])
    for alignment, (source, target) in zip(found, pairs, strict=True):
        if alignment.reason or alignment.forward is None or alignment.backward is None:
            own = [np.ones(size) for size in (len(source) * len(target),) * 2 + (len(target), len(source))]
        else:
            forward, backward = (way.astype(np.float64) for way in (alignment.forward, alignment.backward))
            nothing = [1.0 - forward.sum(axis=0), 1.0 - backward.sum(axis=1)]
            own = [(_FLOOR + way.clip(0.0, 1.0).ravel()) ** power for way in (forward, backward, *nothing)]
        for kept, one in zip(factors, own, strict=True):
            kept.append(one)
    return Views(*(np.concatenate(kept) for kept in factors))


def _input(source: Sequence[str], target: Sequence[str]) -> ProjectionInput:
    (left, left_words), (right, right_words) = _spaced(source), _spaced(target)
    return ProjectionInput("", left, right, (), "", "", left_words, right_words)


def _spaced(words: Sequence[str]) -> tuple[str, tuple[Range, ...]]:
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return " ".join(words), tuple((end - 1 - len(word), end - 1) for end, word in zip(ends, words, strict=True))
