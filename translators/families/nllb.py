"""NLLB-200: the source opens with its language (``eng_Latn``), the target is forced to start with its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from spanferry.translators.families.base import Frame, Limits, ModelFiles, auto_tokenizer, model_type
from spanferry.translators.languages.tags import choose, tags_of
from spanferry.translators.pieces import PieceModel, open_pieces


class NllbFamily:
    """A many-to-many model with language tokens on both sides.

    Args:
        directory: The converted model.
        facts: Its ``spanferry.json``.
        vocabulary: Its vocabulary, in the order of the ids.
    """

    name: ClassVar[str] = "nllb"
    tokenizer_files: ClassVar[tuple[str, ...]] = ("sentencepiece.bpe.model", "tokenizer.json")
    token: ClassVar[re.Pattern[str]] = re.compile(r"([a-z]{3}_[A-Z][a-z]{3})")

    def __init__(self, directory: Path, facts: Mapping[str, Any], vocabulary: Sequence[str]) -> None:
        self._tokens: dict[str, str] = dict(facts["language_tokens"])
        self._sources = tuple(sorted(facts["source_languages"]))
        self._targets = tuple(sorted(facts["target_languages"]))
        self._model: str = facts["name"]
        # SMaLL-100 (Mohammadshahi et al. 2022, section 3.1) names the target language on the encoder side only.
        self._target_on_source = bool(facts.get("target_on_source", False))
        self._suffix = tuple(facts.get("source_suffix", ("</s>",)))
        self._pieces = open_pieces(directory, self.tokenizer_files)
        length = int(facts["max_tokens"])
        self.limits = Limits(length, length)
        special = {"<s>", "</s>", "<pad>", "<unk>", "<mask>", *self._tokens.values()}
        self.specials = frozenset(special.union(filter(self.token.fullmatch, vocabulary)))

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        if model_type(files) not in (None, "m2m_100"):
            return False
        if files.vocabulary:
            return sum(bool(cls.token.fullmatch(token)) for token in files.vocabulary) >= 2
        return "nllb" in str(files.tokenizer.get("tokenizer_class", "")).lower() or "nllb" in files.name.lower()

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        tokens = {m[1]: token for token in files.vocabulary if (m := cls.token.fullmatch(token))}
        by_tag = {tag: tokens[code] for tag, code in tags_of(tokens).items()}
        return {
            "language_tokens": by_tag,
            "source_languages": list(by_tag),
            "target_languages": list(by_tag),
            "max_tokens": int(files.config.get("max_position_embeddings", 1024)),
        }

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        return auto_tokenizer(directory)

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """Makes the sines of the positions in float32, which transformers has in float16 for such a checkpoint."""
        for side in (model.model.encoder, model.model.decoder):
            positions = side.embed_positions.float()
            positions.make_weights(len(positions.weights), positions.embedding_dim, positions.padding_idx)

    @classmethod
    def finish(cls, spec: Any, model: Any, tokenizer: Any) -> dict[str, str]:
        """Nothing to add."""
        return {}

    def languages(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._sources, self._targets

    def frame(self, source: str, target: str) -> Frame:
        opening = self._tokens[choose(source, self._sources, self._model)]
        forced = self._tokens[choose(target, self._targets, self._model)]
        if self._target_on_source:
            return Frame((forced,), self._suffix, ())
        return Frame((opening,), self._suffix, (forced,))

    def pieces(self, side: str) -> PieceModel:
        return self._pieces
