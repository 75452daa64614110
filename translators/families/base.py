"""What a model family knows: its pieces, its language tokens, its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from translators.pieces import PieceModel


@dataclass(frozen=True, slots=True)
class Frame:
    """Special tokens around the pieces of one direction.

    Attributes:
        source_prefix: Tokens before the source pieces.
        source_suffix: Tokens after them, ``</s>`` where the converted model does not add its own.
        target_prefix: Tokens the target is forced to start with; they come back in the hypothesis.
    """

    source_prefix: tuple[str, ...] = ()
    source_suffix: tuple[str, ...] = ()
    target_prefix: tuple[str, ...] = ()

    @property
    def source_length(self) -> int:
        """How many tokens stand around the source pieces."""
        return len(self.source_prefix) + len(self.source_suffix)


@dataclass(frozen=True, slots=True)
class Limits:
    """Longest input and output in tokens, specials included."""

    source: int
    target: int


class Family(Protocol):
    """One model directory as its family reads it.

    Attributes:
        name: Name of the family, a key of ``translators.families.FAMILIES``.
        limits: Of this model.
        marker_aware: Whether it was trained with ``[ ]`` around phrases.
        shifted_attention: Whether row t+1 of the cross-attention aligns target piece t best.
        specials: Tokens that steer the model and so may never come from a text.
    """

    name: str
    limits: Limits
    marker_aware: bool
    shifted_attention: bool
    specials: frozenset[str]

    def languages(self) -> tuple[Sequence[str], Sequence[str]]:
        """Source and target languages as BCP-47 tags, each sorted."""
        ...

    def frame(self, source: str, target: str) -> Frame:
        """The special tokens of a direction.

        Raises:
            ModelError: The model lacks one of the languages.
        """
        ...

    def pieces(self, side: str) -> PieceModel:
        """The piece model of ``side``, ``source`` or ``target``."""
        ...
