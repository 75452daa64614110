"""What a model family is: how one kind of model directory is recognised, described and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from spanferry.translators.pieces import PieceModel


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


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What is known of a model before a family has taken it.

    Attributes:
        name: Last part of its hub id, or the directory's name.
        config: ``config.json`` in Hugging Face layout; of a directory converted elsewhere at most a part of it.
        tokenizer: ``tokenizer_config.json``, likewise.
        vocabulary: Tokens of the converted model, in the order of the ids; empty before conversion.
        files: Names of the files that are there.
        layers: Of encoder and decoder, where the weights are converted.
        decoder_only: Whether the converted weights have no encoder.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    tokenizer: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Sequence[str] = ()
    files: frozenset[str] = frozenset()
    layers: tuple[int, int] = (0, 0)
    decoder_only: bool = False


class ModelKind(Protocol):
    """How one kind of model is recognised and converted.

    Attributes:
        name: Name of the family, a key of ``spanferry.translators.families.FAMILIES``.
        tokenizer_files: Files that are copied beside the converted weights where the model has them.
    """

    name: ClassVar[str]
    tokenizer_files: ClassVar[tuple[str, ...]]

    @classmethod
    def recognises(cls, files: ModelFiles) -> bool:
        """Whether the model is of this family."""
        ...

    @classmethod
    def describe(cls, files: ModelFiles) -> dict[str, Any]:
        """The family's part of ``spanferry.json``: ``language_tokens``, ``source_languages``,
        ``target_languages`` (BCP-47), ``max_tokens`` and what else the family wants to find there."""
        ...

    @classmethod
    def load_tokenizer(cls, directory: Path, files: ModelFiles) -> Any:
        """The tokeniser as transformers has it, of a directory in Hugging Face layout."""
        ...

    @classmethod
    def prepare(cls, model: Any, tokenizer: Any) -> None:
        """Sets right what transformers loaded, in place, before the weights are converted.

        Raises:
            ModelError: A model that the conversion would not leave as it is.
        """
        ...

    @classmethod
    def finish(cls, spec: Any, model: Any, tokenizer: Any) -> dict[str, str]:
        """Adds to the converted weights, in place, what the converter left out.

        Returns:
            Further files to be written beside them, name to text.
        """
        ...


class Family(ModelKind, Protocol):
    """One converted encoder-decoder as its family reads it.

    Attributes:
        limits: Of this model.
        specials: Tokens that steer the model and so may never come from a text.
    """

    limits: Limits
    specials: frozenset[str]

    def __init__(self, directory: Path, facts: Mapping[str, Any], vocabulary: Sequence[str]) -> None: ...

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


def model_type(files: ModelFiles) -> str | None:
    """The architecture that ``config.json`` names; None for a directory that another tool converted."""
    kind = files.config.get("model_type")
    return None if kind is None else str(kind)


def auto_tokenizer(directory: Path) -> Any:
    """The tokeniser that transformers itself chooses for ``directory``."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(directory)
