"""What every translator offers, and what scoring translators offer on top."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from corpora.schema import Translation


@runtime_checkable
class Translator(Protocol):
    """Text to text. Loaded once per process and device; safe to call from several threads."""

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
