"""Word alignment by the vectors of the translation model's own encoder, as in TransAlign (Findings of EMNLP 2025)."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, ModelError, RowError
from spanferry.corpora.schema import Range
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.projectors.aligners.attention import shares
from spanferry.projectors.aligners.encoder.links import METHODS, Side, extract
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Alignment, ProjectionInput, words_of_both
from spanferry.translators.engine.encoding import TextEncoder

_METHODS = tuple(method for method in METHODS if method != "softmax")


class TranslationEncoderAligner:
    """Similarity of the vectors that the translation model's encoder gives to both texts.

    Each text is encoded as a source: the target as one to be translated back, where the model knows that direction. A
    piece belongs to the word that most of it lies in. Reasons: ``empty_source``, ``empty_target``, ``too_long`` (for
    the model), ``bad_unicode``.

    Args:
        translator: An encoder-decoder that CTranslate2 runs.
        method: How vectors become links: ``argmax``, ``itermax`` or ``match`` of the aligner ``encoder``. Its
            ``softmax`` needs vectors that were trained for it.

    Raises:
        ConfigError: An option that is not valid.
        ModelError: CTranslate2 can't run the model's encoder alone.
    """

    def __init__(self, translator: Any, method: str = "argmax") -> None:
        if method not in _METHODS:
            raise ConfigError(
                f"unknown method {method!r} of aligner 'translation-encoder'", valid=_METHODS, hint="method=argmax"
            )
        if not hasattr(translator, "encode_source"):
            raise ModelError(
                f"{translator.signature} has no encoder that CTranslate2 runs", hint="aligner=lexical needs no model"
            )
        self.translator, self.method = translator, method

    @property
    def signature(self) -> Signature:
        """``translation-encoder.<method>``, the model and the dictionaries."""
        return Signature.of(
            f"translation-encoder.{self.method}({self.translator.signature})", dictionaries(), APOSTROPHES
        )

    @cached_property
    def _encoder(self) -> TextEncoder:
        return TextEncoder(self.translator.directory, self.translator.compute_type)

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order.

        Raises:
            ModelError: The model lacks a language.
        """
        ranges = [words_of_both(item) for item in inputs]
        results: list[Alignment | None] = [None] * len(inputs)
        rows: list[list[str]] = []
        waiting: list[tuple[int, list[tuple[int, np.ndarray]]]] = []
        for k, (item, (left, right)) in enumerate(zip(inputs, ranges, strict=True)):
            try:
                reason = None if left and right else "empty_target" if left else "empty_source"
                sides = [] if reason else [self._tokens(item, side, words) for side, words in enumerate((left, right))]
            except RowError as error:
                reason, sides = error.reason, []
            if any(len(tokens) > self.translator.limits.source for tokens, *_ in sides):
                reason = "too_long"
            if reason:
                nothing = np.zeros((len(left), len(right)), np.float32)
                results[k] = Alignment(left, right, nothing, reason=reason)
            else:
                rows += [tokens for tokens, *_ in sides]
                waiting.append((k, [(first, words) for _, first, words in sides]))
        vectors = iter(self._encoder.encode(rows))
        for k, places in waiting:
            counts = [len(words) for words in ranges[k]]
            source, target = (
                Side(next(vectors)[None, first : first + len(words)], words[None], [count])
                for (first, words), count in zip(places, counts, strict=True)
            )
            (links,) = extract(source, target, self.method, 0.0)
            results[k] = Alignment(*ranges[k], links.probabilities, links.links, None, links.forward, links.backward)
        return [result for result in results if result is not None]

    def _tokens(self, item: ProjectionInput, side: int, words: Sequence[Range]) -> tuple[list[str], int, np.ndarray]:
        """The tokens of one side as the encoder reads them, where its pieces begin, and the word of each piece."""
        text, source, target = item.source_text, item.source_lang, item.target_lang
        direction = (source, target)
        if side:
            text = item.target_text
            direction = (target, source) if self.translator.supports(target, source) else direction
        _, places = self.translator.pieces(text, direction[0], side="source")
        tokens = self.translator.encode_source(text, *direction)
        first = len(self.translator.family.frame(*direction).source_prefix)
        share = shares(places, words)
        return tokens, first, np.where(share.sum(axis=1) > 0, share.argmax(axis=1), -1).astype(np.int32)
