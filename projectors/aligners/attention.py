"""Word alignment by the cross-attention of the translation model, forced over the given target.

Attention of a trained translation model aligns words if the right head is read (Garg et al., EMNLP 2019, section 3);
which layer and head, and whether the step before or after a token, was measured when the model was converted and is
stored in it. No second model is needed, and the target may be anybody's translation.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, RowError
from spanferry.corpora.schema import Range
from spanferry.corpora.signature import Signature, number_text
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Alignment, ProjectionInput, words_of_both


class AttentionAligner:
    """Forced cross-attention, from pieces to words.

    Attention is summed over the pieces of a source word, averaged over the pieces of a target word, and scaled so that
    each target word's probabilities over the source words sum to one; what goes to special tokens is left out. A piece
    that reaches into several words is shared among them by code points. Reasons: ``empty_source``, ``empty_target``,
    ``too_long`` (for the model), ``bad_unicode``, ``model_error``.

    Args:
        translator: A `spanferry.translators.base.ScoringTranslator`.
        threshold: A target word is linked to its most attended source word, if that has at least this probability.

    Raises:
        ConfigError: The threshold is not a probability.
    """

    def __init__(self, translator: Any, threshold: float = 0.2) -> None:
        if not 0 <= threshold <= 1:
            raise ConfigError(f"threshold={threshold!r}", valid="0 to 1", hint="leave threshold out for 0.2")
        self.translator, self.threshold = translator, threshold

    @property
    def signature(self) -> Signature:
        """``attention.<threshold>``, the model and the dictionaries."""
        made = f"attention.{number_text(self.threshold)}({self.translator.signature})"
        return Signature.of(made, dictionaries(), APOSTROPHES)

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order.

        Raises:
            ModelError: The model lacks a language.
        """
        results: list[Alignment | None] = [None] * len(inputs)
        directions = sorted({(given.source_lang, given.target_lang) for given in inputs})
        for source, target in directions:
            rows = [i for i, given in enumerate(inputs) if (given.source_lang, given.target_lang) == (source, target)]
            attended = self.translator.attention(
                [inputs[i].source_text for i in rows], [inputs[i].target_text for i in rows], source, target
            )
            for i, weights in zip(rows, attended, strict=True):
                results[i] = self._alignment(inputs[i], weights)
        return [result for result in results if result is not None]

    def _alignment(self, given: ProjectionInput, weights: np.ndarray | None) -> Alignment:
        left, right = words_of_both(given)
        nothing = np.zeros((len(left), len(right)), np.float32)
        if not left or not right:
            return Alignment(left, right, nothing, reason="empty_target" if left else "empty_source")
        try:
            sources = self.translator.pieces(given.source_text, given.source_lang, side="source")[1]
            targets = self.translator.pieces(given.target_text, given.target_lang, side="target")[1]
        except RowError as error:
            return Alignment(left, right, nothing, reason=error.reason)
        if weights is None or weights.shape != (len(targets), len(sources)):
            limits = self.translator.limits
            # The language tokens and the end marker take places as well; a model has at most four of them.
            long = len(sources) + 4 > limits.source or len(targets) + 4 > limits.target
            return Alignment(left, right, nothing, reason="too_long" if long else "model_error")
        to_left, to_right = shares(sources, left), shares(targets, right)
        # (n_source_words, n_target_words); target words that no piece covers keep zeros
        mass = to_left.T @ weights.T @ (to_right / np.maximum(to_right.sum(axis=0), 1e-9))
        mass /= np.maximum(mass.sum(axis=0), 1e-9)
        best = mass.argmax(axis=0)
        links = sorted((int(i), j) for j, i in enumerate(best) if mass[i, j] >= max(self.threshold, 1e-9))
        return Alignment(left, right, mass.astype(np.float32), tuple(links))


def shares(pieces: Sequence[Range], ranges: Sequence[Range]) -> np.ndarray:
    """How much of each piece lies in each word: (n_pieces, n_words), rows sum to one, or to zero outside all words.

    Both are in code points of one text; words are disjoint.
    """
    if not pieces or not ranges:
        return np.zeros((len(pieces), len(ranges)))
    piece, word = np.asarray(pieces), np.asarray(ranges)
    low = np.maximum(piece[:, :1], word[None, :, 0])
    high = np.minimum(piece[:, 1:], word[None, :, 1])
    overlap = np.maximum(0, high - low).astype(np.float64)
    total = overlap.sum(axis=1, keepdims=True)
    result: np.ndarray = np.divide(overlap, total, out=np.zeros_like(overlap), where=total > 0)
    return result
