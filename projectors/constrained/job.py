"""What constrained decoding is asked, and how hard it may look: jobs, scored pairs, effort."""

from dataclasses import dataclass

from spanferry.projectors.constrained.candidates import CLOSE, OPEN, Places

# Positions of the opening and of the closing marker.
MarkerPair = tuple[int, int]
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
        sibling_sources: The sources of the example's spans, each marked alone, its own among them.
    """

    source: Tokens
    plain: Tokens
    target: Tokens
    prefix: int
    places: Places
    bound: int
    sibling_sources: tuple[Tokens, ...] = ()

    @property
    def others(self) -> list[Tokens]:
        """The sources of the example's other spans."""
        return [source for source in dict.fromkeys(self.sibling_sources) if source != self.source]

    @property
    def contrast_sources(self) -> tuple[Tokens, ...]:
        """The sources with which the bare target is to be scored, its own first.

        The other sources show what the target has without this span's markers; where there are none, the source
        without markers does.
        """
        return (self.source, *(self.others or [self.plain]))

    def max_rows(self, tokens: int) -> int:
        """How many rows of ``tokens`` target tokens there may be; at least three."""
        return max(3, tokens // (max(1, self.n_pieces) * max(1, len(self.sibling_sources) // MANY_SPANS)))

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
class Effort:
    """How much to look at: how far behind the best, in nats, others are.

    Attributes:
        full: Every pair is scored whole.
        openings: Most openings whose closings are scored.
        finalists: Pairs scored whole, at most; fewer, but at least three, where a target is long.
        first: Openings that get a pass at once.
        doubtful: The best pair is, if its two markers together have a lower log-probability than minus this.
        more: Openings that get a pass where the best pair is doubtful.
        more_growth: By how much ``more`` grows for each nat beyond ``doubtful``.
        alone: Where the best pair is so far before all others, and not doubtful, none is scored whole.
        close: Pairs that may be scored whole.
        close_growth: By how much ``close`` grows for each nat beyond ``doubtful``.
        error_other_closing: How many nats the estimate of a pair may be wrong, once another was scored whole.
        error_same_closing: The same where that other one closes in the same place.
    """

    full: bool = False
    openings: int = 12
    finalists: int = 12
    first: float = 1.0
    doubtful: float = 0.5
    more: float = 3.0
    more_growth: float = 1.0
    alone: float = 3.0
    close: float = 6.0
    close_growth: float = 2.0
    error_other_closing: float = 4.0
    error_same_closing: float = 2.0
