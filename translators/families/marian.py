"""Marian: OPUS-MT, its multi-target models with ``>>xxx<<``, and the bundled models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ModelError
from spanferry.translators.families.base import Frame, Limits, ModelFiles, auto_tokenizer, model_type
from spanferry.translators.languages.tags import ANY, choose, tag_of, tags_of
from spanferry.translators.pieces import PieceModel, open_pieces

_TOKEN = re.compile(r">>(.+)<<")
# OPUS-MT names end in source-target; a part such as "ROMANCE", "mul" or "gmw" is a group of languages.
_NAME = re.compile(r"opus-mt-(?:tc-(?:base|big)-)?([A-Za-z_]+)-([A-Za-z_]+)$")
# What names of converted models add.
_CONVERTED = re.compile(r"[-_.](?:ct2|ctranslate2?|b?float(?:16|32)|int(?:8|16)|fp16)(?:[-_.].*)?$", re.IGNORECASE)
_SIDES = {"source": "source.spm", "target": "target.spm"}
# How every vocabulary of Marian's begins.
_OPENING = ("</s>", "<unk>")
_GROUPS = frozenset(
    "mul roa gem gmw gmq sla zle zls zlw ine itc cel sem cpp bat trk fiu urj alv bnt afa dra inc iir".split(" ")  # noqa: SIM905
)


class MarianFamily:
    """A Marian directory: ``source.spm`` and ``target.spm``; the language token, if any, opens the source.

    Args:
        directory: The converted model.
        facts: Its ``spanferry.json``.
        vocabulary: Source vocabulary, in the order of the ids.
    """

    name = "marian"
    tokenizer_files = ("source.spm", "target.spm")

    def __init__(self, directory: Path, facts: Mapping[str, Any], vocabulary: Sequence[str]) -> None:
        self._tokens: dict[str, str] = dict(facts["language_tokens"])
        self._sources: tuple[str, ...] = tuple(sorted(facts["source_languages"]))
        self._targets: tuple[str, ...] = tuple(sorted(facts["target_languages"]))
        self._directions = {(source, target) for source, target in facts.get("directions", ())}
        self._model: str = facts["name"]
        self._suffix = tuple(facts.get("source_suffix", ("</s>",)))
        # Some conversions have one file for both sides, under any name.
        self._sides = {side: open_pieces(directory, (name,)) for side, name in _SIDES.items()}
        length = int(facts["max_tokens"])
        self.limits = Limits(length, length)
        self.specials = frozenset({"<s>", "</s>", "<pad>", "<unk>", *filter(_TOKEN.fullmatch, vocabulary)})

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        if (kind := model_type(files)) is not None:
            return kind == "marian"
        return set(_SIDES.values()) <= files.files or tuple(files.vocabulary[:2]) == _OPENING

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        named = _NAME.search(_CONVERTED.sub("", files.name))
        tokens = {m[1]: token for token in files.vocabulary if (m := _TOKEN.fullmatch(token))}
        by_tag = {tag: tokens[code] for tag, code in tags_of(tokens).items()}
        source = _languages(files.tokenizer.get("source_lang") or (named[1] if named else None))
        target = _languages(files.tokenizer.get("target_lang") or (named[2] if named else None))
        return {
            "language_tokens": by_tag,
            "source_languages": source,
            "target_languages": list(by_tag) or target,
            "source_suffix": ["</s>"],
            "max_tokens": int(files.config.get("max_position_embeddings", 512)),
        }

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        return auto_tokenizer(directory)

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """Makes the decoder start as it does in transformers.

        transformers starts from the embedding of ``decoder_start_token_id`` (``<pad>``), scaled, plus the first
        position; the converted model drops ``<pad>`` and starts from the first position alone. The two agree where that
        embedding is zero, as Marian's own conversion leaves it, but training in transformers moves it: the output layer
        shares it. Nothing else ever stands at the first position of the decoder, so the embedding is added there.

        Raises:
            ModelError: The vocabulary goes on behind ``<pad>``: the conversion drops the last token, whatever it is. Or
                there are two vocabularies.
        """
        if not getattr(model.config, "share_encoder_decoder_embeddings", True):
            raise ModelError(
                "source and target have separate vocabularies, which the converter would treat as one",
                valid="a Marian model with share_encoder_decoder_embeddings",
                hint="convert it from Marian's own files with ct2-marian-converter",
            )
        last, pad = model.config.vocab_size - 1, model.config.pad_token_id
        if pad != last or tokenizer.convert_ids_to_tokens(last) != "<pad>":
            raise ModelError(
                f"the last of the {last + 1} tokens is {tokenizer.convert_ids_to_tokens(last)!r}, not '<pad>'",
                valid="a vocabulary that ends in <pad>, without tokens that were added later",
                hint="put added tokens before <pad> in vocab.json and in the embeddings",
            )
        for side in (model.model.encoder, model.model.decoder):
            # Of a checkpoint in float16 transformers makes the sines in float16 too; the origin has them exactly.
            positions = side.embed_positions.float()
            exact = positions.create_weight()
            if (positions.weight - exact).abs().max() < 2e-3:
                positions.weight.copy_(exact)
        decoder = model.model.decoder
        start = decoder.embed_tokens.weight[model.config.decoder_start_token_id].float()
        scale = model.config.d_model**0.5 if model.config.scale_embedding else 1.0
        decoder.embed_positions.weight[0] += start * scale

    @classmethod
    def finish(cls, spec: Any, model: Any, tokenizer: Any) -> dict[str, str]:
        """Nothing to add."""
        return {}

    def languages(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._sources, self._targets

    def frame(self, source: str, target: str) -> Frame:
        own = choose(source, self._sources, self._model), choose(target, self._targets, self._model)
        if self._directions and own not in self._directions:
            raise ModelError(
                f"{self._model} was not trained to translate {own[0]} to {own[1]}",
                valid=sorted(f"{s} to {t}" for s, t in self._directions),
                hint="translate into English first, or name another model: --translator nllb-600m",
            )
        token = self._tokens.get(own[1])
        return Frame((token,) if token else (), self._suffix, ())

    def pieces(self, side: str) -> PieceModel:
        return self._sides[side]


def _languages(code: str | None) -> list[str]:
    """The tags of one side as its name gives it; a group or no name means that any language may be tried."""
    found = [tag for part in (code or "").split("+") if part not in _GROUPS and (tag := tag_of(part))]
    return found or [ANY]
