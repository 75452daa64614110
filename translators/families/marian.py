"""Marian: OPUS-MT, its multi-target models with ``>>xxx<<``, and the bundled models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from translators.families.base import Frame, Limits
from translators.languages import choose
from translators.pieces import SentencePieces


class MarianFamily:
    """A Marian directory: ``source.spm`` and ``target.spm``; the language token, if any, opens the source.

    Args:
        directory: The converted model.
        facts: Its ``spanferry.json``.
        vocabulary: Source vocabulary, in the order of the ids.
        adds_eos: Whether the converted model adds ``</s>`` to its source by itself (models converted from Marian's
            own format do, those from Hugging Face layout do not).
    """

    name = "marian"

    def __init__(
        self, directory: Path, facts: Mapping[str, Any], vocabulary: Sequence[str], *, adds_eos: bool = False
    ) -> None:
        self._tokens: dict[str, str] = dict(facts["language_tokens"])
        self._sources: tuple[str, ...] = tuple(sorted(facts["source_languages"]))
        self._targets: tuple[str, ...] = tuple(sorted(facts["target_languages"]))
        self._model = facts["name"]
        self._suffix = () if adds_eos else ("</s>",)
        self._sides = {side: SentencePieces(directory / f"{side}.spm") for side in ("source", "target")}
        length = int(facts.get("max_tokens", 512))
        self.limits = Limits(length, length)
        self.marker_aware = bool(facts.get("marker_aware", False))
        self.shifted_attention = bool(facts.get("alignment", {}).get("shifted", False))
        steering = {piece for piece in vocabulary if piece.startswith(">>") and piece.endswith("<<") and len(piece) > 4}
        self.specials = frozenset({"<s>", "</s>", "<pad>", "<unk>", *self._tokens.values(), *steering})

    def languages(self) -> tuple[Sequence[str], Sequence[str]]:
        return self._sources, self._targets

    def frame(self, source: str, target: str) -> Frame:
        choose(source, self._sources, self._model)
        found = choose(target, self._targets, self._model)
        token = self._tokens.get(found)
        return Frame((token,) if token else (), self._suffix, ())

    def pieces(self, side: str) -> SentencePieces:
        return self._sides[side]
