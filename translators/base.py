"""What every translator offers, what scoring translators offer on top, and what a language model offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from spanferry.corpora.schema import Translation


@runtime_checkable
class Translator(Protocol):
    """Text to text. Loaded once per process and device; safe to call from several threads.

    >>> from spanferry.translators.loading.load import load_translator
    >>> isinstance(load_translator("bundled", source="en", target="es"), Translator)
    True
    """

    @property
    def signature(self) -> str:
        """Every choice that changes the output, ``mt:<name>@<hash>|ct2:<type>|beam:<n>``."""
        ...

    def supports(self, source: str, target: str) -> bool:
        """Whether the model knows this direction (BCP-47 tags)."""
        ...

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """One translation per text, in order. A row that fails has a reason and no text; it never raises."""
        ...


@runtime_checkable
class ScoringTranslator(Translator, Protocol):
    """A translator whose model can be forced over a given target."""

    marker_aware: bool

    def pieces(self, text: str, language: str, *, side: str) -> tuple[list[str], list[tuple[int, int]]]:
        """Subword pieces of ``text`` (no specials) and the half-open code-point range each covers."""
        ...

    def score_pairs(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list["ForcedScore"]:
        """Teacher-forced scores of given pairs, in order."""
        ...

    def attention(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[np.ndarray | None]:
        """Forced cross-attention per pair: (n_target_pieces, n_source_pieces), rows sum to <= 1; None on failure."""
        ...


class ForcedScore:
    """Log-probabilities of a given target under the model.

    Attributes:
        pieces: The target's pieces, without language token; the last entry of ``logprobs`` is ``</s>``.
        logprobs: float32 (n_pieces + 1,), in nats.
        reason: Why there is no score, or None.
    """

    __slots__ = ("logprobs", "pieces", "reason")

    def __init__(self, pieces: Sequence[str], logprobs: np.ndarray, reason: str | None = None) -> None:
        self.pieces, self.logprobs, self.reason = tuple(pieces), logprobs, reason

    @property
    def mean(self) -> float:
        """Mean log-probability per piece, end marker included; -inf where there is none."""
        return float(self.logprobs.mean()) if len(self.logprobs) else float("-inf")


@dataclass(frozen=True, slots=True)
class Generation:
    """What a language model wrote for one prompt.

    Attributes:
        text: Its answer, stripped, without special tokens and cut before the first stop string.
        tokens: How many tokens it took, the end marker not counted.
        score: Mean log-probability per token, that of the end too, in nats; None where the model gives none.
        truncated: Whether the prompt did not fit or the answer hit the limit before it ended.
        reason: Why there is no usable answer (``source_too_long``, ``output_truncated``, ``empty_output`` …), or None.
            ``text`` is then "".
    """

    text: str
    tokens: int = 0
    score: float | None = None
    truncated: bool = False
    reason: str | None = None


@runtime_checkable
class TextGenerator(Protocol):
    """A language model that answers prompts: a local CTranslate2 ``Generator`` or an OpenAI-compatible endpoint.

    A prompt is what a user would say: the generator puts it into the model's own chat format. Loaded once per process
    and device; safe to call from several threads; greedy, so the same prompt gives the same answer.
    """

    @property
    def signature(self) -> str:
        """Every choice that changes the output, ``llm:<name>@<hash>|ct2:<type>``; never a key."""
        ...

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        ...

    def length(self, prompt: str) -> int:
        """Tokens of ``prompt`` in the model's chat format (an upper estimate where the tokeniser is not at hand)."""
        ...

    def generate(
        self, prompts: Sequence[str], *, max_tokens: int | None = None, stop: Sequence[str] = ()
    ) -> list[Generation]:
        """One answer per prompt, in order. A prompt that fails has a reason and no text.

        Args:
            prompts: What the user says, one conversation each.
            max_tokens: Longest answer, in tokens; None is the generator's own limit.
            stop: Strings that end an answer; they are not part of it.

        Raises:
            ModelError: No prompt can be answered: the endpoint does not take the key, or knows no such model.
        """
        ...
