"""T5: MADLAD-400 with ``<2xx>`` before the source, and the first T5 with its task written out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanferry.translators.families.base import Frame, Limits, ModelFiles, auto_tokenizer, model_type
from spanferry.translators.languages.tags import ANY, choose, tags_of
from spanferry.translators.pieces import PieceModel, open_pieces

_TOKEN = re.compile(r"<2([A-Za-z_]+)>")
_STEERING = re.compile(r"<extra_id_\d+>|<2[^>]+>")
# The translation tasks of Raffel et al. 2020, appendix D.
_TASKS = {"de": "German", "fr": "French", "ro": "Romanian"}


class T5Family:
    """The source says which language to translate into; the target has no prefix.

    Args:
        directory: The converted model.
        facts: Its ``spanferry.json``.
        vocabulary: Its vocabulary, in the order of the ids.
    """

    name = "t5"
    tokenizer_files = ("spiece.model", "tokenizer.json")

    def __init__(self, directory: Path, facts: Mapping[str, Any], vocabulary: Sequence[str]) -> None:
        self._tokens: dict[str, str] = dict(facts["language_tokens"])
        self._sources: tuple[str, ...] = tuple(sorted(facts["source_languages"]))
        self._targets: tuple[str, ...] = tuple(sorted(facts["target_languages"]))
        self._model: str = facts["name"]
        self._suffix = tuple(facts.get("source_suffix", ("</s>",)))
        self._pieces = open_pieces(directory, self.tokenizer_files)
        length = int(facts["max_tokens"])
        self.limits = Limits(length, length)
        special = {"<s>", "</s>", "<pad>", "<unk>"}
        self.specials = frozenset(special.union(filter(_STEERING.fullmatch, vocabulary)))

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        if (kind := model_type(files)) is not None:
            return kind == "t5"
        return any(_STEERING.fullmatch(token) for token in files.vocabulary)

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        tokens = {m[1]: token for token in files.vocabulary if (m := _TOKEN.fullmatch(token))}
        by_tag = {tag: tokens[code] for tag, code in tags_of(tokens).items()}
        return {
            "language_tokens": by_tag,
            "source_languages": [ANY] if by_tag else ["en"],
            "target_languages": list(by_tag or _TASKS),
            # Positions are relative, so nothing fails beyond: this is the length the models were trained on.
            "max_tokens": int(files.config.get("n_positions", 512)),
        }

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        return auto_tokenizer(directory)

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """transformers 5 calls every T5 tied and keeps what decides the scale of the outputs under another name; the
        converter still reads the old one, which would flatten MADLAD's distributions."""
        config = model.config
        config.tie_word_embeddings = getattr(config, "scale_decoder_outputs", config.tie_word_embeddings)

    @classmethod
    def finish(cls, spec: Any, model: Any, tokenizer: Any) -> dict[str, str]:
        """Nothing to add."""
        return {}

    def languages(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._sources, self._targets

    def frame(self, source: str, target: str) -> Frame:
        choose(source, self._sources, self._model)
        found = choose(target, self._targets, self._model)
        if token := self._tokens.get(found):
            # As the model's own tokeniser has it, which may put a bare "▁" before the token.
            spelled = self._pieces.encode([f"{token} a"])[0]
            opening = spelled[: spelled.index(token) + 1] if token in spelled else [token]
            return Frame(tuple(opening), self._suffix, ())
        task = self._pieces.encode([f"translate English to {_TASKS[found]}:"])[0]
        return Frame(tuple(task), self._suffix, ())

    def pieces(self, side: str) -> PieceModel:
        return self._pieces
