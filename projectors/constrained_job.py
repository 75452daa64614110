"""What constrained decoding is asked, and how hard it may look: jobs, scored pairs, effort."""

from dataclasses import dataclass, replace
from typing import Self

from projectors.constrained_candidates import CLOSE, OPEN, Places

# Opening and closing position.
Pair = tuple[int, int]
Tokens = tuple[str, ...]
# From how many spans of an example on each may take fewer rows.
MANY_SPANS = 10


@dataclass(frozen=True, slots=True)
class Job:
    """One span to be found.

    Attributes:
        source: Source tokens with the span marked.
        plain: Source tokens without markers.
        target: Target tokens, language tokens first.
        prefix: How many language tokens.
        places: Where markers may go.
        bound: The most pieces between them.
        company: How many spans the example has.
    """

    source: Tokens
    plain: Tokens
    target: Tokens
    prefix: int
    places: Places
    bound: int
    company: int = 1

    def affords(self, tokens: int) -> int:
        """How many rows of ``tokens`` target tokens there may be; at least three."""
        return max(3, tokens // (max(1, self.n_pieces) * max(1, self.company // MANY_SPANS)))

    @property
    def n_pieces(self) -> int:
        """Target pieces, language tokens not counted."""
        return len(self.target) - self.prefix

    def pairs(self, opening: int) -> list[int]:
        """Closing positions for an opening."""
        return [e for e in self.places.closes if opening < e <= opening + self.bound]

    def opened(self, opening: int, end: int) -> list[str]:
        """The target with ``[`` in place, cut off before position ``end`` of the bare target."""
        target, p = self.target, self.prefix
        return [*target[: p + opening], OPEN, *target[p + opening : p + end]]

    def closed(self, opening: int, closing: int) -> list[str]:
        """The target with both markers in place."""
        return [*self.opened(opening, closing), CLOSE, *self.target[self.prefix + closing :]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair of marker positions with its log-probability, in nats; not exact where it was estimated."""

    opening: int
    closing: int
    logprob: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Margins:
    """How far behind the best, in nats, others are looked at.

    Attributes:
        first: Openings that get a pass at once.
        more: Openings that get one where the best pair is doubtful.
        close: Pairs that are scored whole.
        doubtful: The best pair is, if its two markers together have a lower log-probability than minus this.
        more_growth: By how much ``more`` grows for each nat below that.
        close_growth: Likewise ``close``.
    """

    first: float
    more: float
    close: float
    doubtful: float
    more_growth: float
    close_growth: float


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to look at. ``full`` scores every pair.

    Attributes:
        openings: Openings whose closings are looked at, at most.
        finalists: Pairs scored whole, at most; fewer, but at least three, where a target is long.
        margins: How far behind the best.
        wide: The same where the model finds the target unlikely.
        known: Mean log-probability of the target's pieces, in nats, from which on it is likely.
        doubt: How many nats the estimate of a pair may be wrong, once another was scored whole.
        alike: The same where that other one closes in the same place.
    """

    full: bool = False
    openings: int = 12
    finalists: int = 12
    margins: Margins = Margins(2.0, 2.0, 3.0, 0.8, 0.5, 0.5)
    wide: Margins = Margins(2.0, 8.0, 5.0, 0.8, 2.0, 2.0)
    known: float = -1.5
    doubt: float = 1.0
    alike: float = 1.0

    def thorough(self) -> Self:
        """The same with the margins for the passes of `translators.scoring`, cheap ones that tell where ``[`` is."""
        margins = Margins(1.5, 2.0, 5.0, 0.3, 2.0, 2.0)
        return replace(self, margins=margins, wide=margins, doubt=4.0, alike=1.5)
