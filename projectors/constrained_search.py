"""The search of constrained decoding: from forced passes over whole batches to scored pairs of marker positions.

CODEC (Le et al., ICLR 2024, section 3.2) walks the target token by token with branch and bound, one span at a time.
Here the pairs are listed and the listing is narrowed by passes that serve all spans of a call at once:

1. The bare target is scored with the bare source (once for all spans of a text) and with the marked one. Openings are
   chosen by the paper's rule on how much the marked source changes each token; how far a token's probability falls also
   tells that of ``[`` before it (`translators.forced.marker_drop`), and those far behind the best go.
2. The target is scored with each ``[`` left in place: the fall of each token tells the probability of ``]`` before it,
   so that one pass gives every closing.
3. Pairs close to the best are scored whole; where the best is alone, and for the rest, the estimate stands (what is
   exact up to ``]``, then the unmarked target).

Where the model finds the target unlikely its falls tell less, and more is looked at. ``full`` scores every pair of step
1 whole and is the reference for the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projectors.constrained_candidates import CLOSE, OPEN, Places
from translators import forced

# The paper's thresholds on the change of log-probability, and the distance an opening may have from a clear change.
CHANGE, SLIGHT_CHANGE, DISTANCE = 0.5, 0.1, 5
# Target tokens that the openings, and that the finalists, of one span may take together: long targets get fewer of
# them, and so do the spans of an example that has more than ten.
OPEN_TOKENS, FINAL_TOKENS, MANY_SPANS = 1600, 2400, 10


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

    source: tuple[str, ...]
    plain: tuple[str, ...]
    target: tuple[str, ...]
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
class Effort:
    """How much to look at. ``full`` scores every pair.

    Attributes:
        openings: Openings whose closings are looked at.
        finalists: Pairs scored whole; fewer, but at least three, where a target is long.
        margins: An opening, and a pair estimated to be this many nats below the best of the span are left out as well.
        wide: The same where the model finds the target unlikely.
        known: Mean log-probability of the target's pieces, in nats, from which on it is likely.
    """

    full: bool = False
    openings: int = 8
    finalists: int = 16
    margins: tuple[float, float] = (8.0, 2.5)
    wide: tuple[float, float] = (12.0, 9.0)
    known: float = -1.5


class Forcer:
    """Forced passes of one model.

    Args:
        raw: A ``ctranslate2.Translator``.
        vocabulary_size: Pieces of its target side.
    """

    def __init__(self, raw: Any, vocabulary_size: int) -> None:
        self.raw, self.vocabulary_size = raw, vocabulary_size

    def score(self, rows: Sequence[tuple[Sequence[str], Sequence[str]]], prefix: int) -> list[np.ndarray]:
        """`forced.score` of (source, target) rows."""
        sources, targets = [s for s, _ in rows], [t for _, t in rows]
        limit = forced.batch_tokens(self.vocabulary_size, self.raw.device)
        return forced.score(self.raw, sources, targets, prefix=prefix, max_target_tokens=limit)


def search(forcer: Forcer, jobs: Sequence[Job], effort: Effort) -> list[list[Scored] | None]:
    """Scored pairs of every job, best first; an empty list where there is no pair, None where the model failed.

    All jobs have the same number of language tokens.
    """
    if not jobs:
        return []
    prefix = jobs[0].prefix
    plain_of = {(job.plain, job.target): None for job in jobs}
    plain = dict(zip(plain_of, forcer.score(list(plain_of), prefix), strict=True))
    states = [_State(job, plain[job.plain, job.target], effort) for job in jobs]
    live = [s for s in states if len(s.plain)]
    _open(forcer, live, prefix, effort)
    if not effort.full:
        _close(forcer, [s for s in live if s.openings], prefix, effort)
    _score_whole(forcer, live, prefix)
    return [s.result() if len(s.plain) else None for s in states]


class _State:
    """What is known of one job.

    Attributes:
        plain: (n_pieces + 1,) log-probabilities of the target without markers on either side.
        rest: (n_pieces + 2,) their sums from each position to the end.
        openings: Openings still in the running.
        margins: Of `Effort`, by how likely the model finds the target.
        estimates: (opening, closing) to estimated log-probability: exact up to ``]``.
        finalists: Pairs to be scored whole.
        exact: Their log-probabilities.
    """

    def __init__(self, job: Job, plain: np.ndarray, effort: Effort) -> None:
        self.job, self.plain = job, plain
        likely = len(plain) > 0 and float(plain.mean()) >= effort.known
        self.margins = effort.margins if likely else effort.wide
        self.rest = np.concatenate([np.cumsum(plain[::-1], dtype=np.float64)[::-1], [0.0]])
        self.openings: list[int] = []
        self.estimates: dict[tuple[int, int], float] = {}
        self.finalists: list[tuple[int, int]] = []
        self.exact: dict[tuple[int, int], float] = {}

    def changed(self, marked: np.ndarray) -> list[int]:
        """The paper's openings: near a token that the marked source makes clearly less or more likely."""
        change = np.abs(self.plain - marked)
        clear = np.flatnonzero(change[:-1] >= CHANGE)
        usable = [t for t in self.job.places.opens if self.job.pairs(t)]
        near = [t for t in usable if change[t] >= SLIGHT_CHANGE and np.any(np.abs(clear - t) <= DISTANCE)]
        return near or usable

    def result(self) -> list[Scored]:
        if not self.exact:
            found = [Scored(b, e, v, False) for (b, e), v in self.estimates.items()]
            return sorted(found, key=lambda s: (-s.logprob, s.opening, s.closing))
        found = [Scored(b, e, v, True) for (b, e), v in self.exact.items()]
        top = max(self.exact.values())
        both = [self.exact[p] - self.estimates[p] for p in self.exact if p in self.estimates]
        # Estimates miss what ``]`` does to the tokens after it, which is much the same for all pairs of a span.
        shift = float(np.median(both)) if both else 0.0
        rest = ((p, v) for p, v in self.estimates.items() if p not in self.exact)
        found += [Scored(b, e, min(v + shift, top), False) for (b, e), v in rest]
        return sorted(found, key=lambda s: (-s.logprob, not s.exact, s.opening, s.closing))


def _open(forcer: Forcer, states: list[_State], prefix: int, effort: Effort) -> None:
    """Step 1; with full effort every pair becomes a finalist."""
    rows = [(s.job.source, s.job.target) for s in states]
    for state, marked in zip(states, forcer.score(rows, prefix), strict=True):
        if not len(marked):
            continue
        openings = state.changed(marked)
        if effort.full:
            state.finalists = [(b, e) for b in openings for e in state.job.pairs(b)]
        elif openings:
            before = np.concatenate([[0.0], np.cumsum(marked, dtype=np.float64)])[openings]
            values = before + forced.marker_drop(state.plain, marked)[openings] + state.rest[openings]
            most = min(effort.openings, state.job.affords(OPEN_TOKENS))
            ranked = np.argsort(-np.round(values, 4), kind="stable")[:most]
            state.openings = sorted(openings[k] for k in ranked if values[k] >= values.max() - state.margins[0])


def _close(forcer: Forcer, states: list[_State], prefix: int, effort: Effort) -> None:
    """Step 2: estimates for all closings of the openings left, and the finalists among them."""
    # One token beyond the last closing, since a closing shows in the token after it.
    tasks = [(s, b, min(b + s.job.bound + 1, s.job.n_pieces)) for s in states for b in s.openings]
    scored = forcer.score([(s.job.source, s.job.opened(b, end)) for s, b, end in tasks], prefix)
    for (state, opening, end), logprobs in zip(tasks, scored, strict=True):
        if not len(logprobs):
            continue
        closings = state.job.pairs(opening)
        # The marker takes a place of its own; the last score is that of the end, which is real only at the end.
        fall = forced.marker_drop(state.plain[: end + 1], np.delete(logprobs, opening))
        values = np.cumsum(logprobs, dtype=np.float64)[closings] + fall[closings] + state.rest[closings]
        state.estimates.update(((opening, e), float(v)) for e, v in zip(closings, values, strict=True))
    for state in states:
        ranked = sorted(state.estimates, key=lambda p, s=state: (-round(s.estimates[p], 4), p))  # type: ignore[misc]
        least = state.estimates[ranked[0]] - state.margins[1] if ranked else 0.0
        most = min(effort.finalists, state.job.affords(FINAL_TOKENS))
        close = [p for p in ranked[:most] if state.estimates[p] >= least]
        state.finalists = close if len(close) > 1 else []


def _score_whole(forcer: Forcer, states: list[_State], prefix: int) -> None:
    """Step 4: the whole of each finalist."""
    tasks = [(s, pair) for s in states for pair in s.finalists]
    scored = forcer.score([(s.job.source, s.job.closed(*pair)) for s, pair in tasks], prefix)
    for (state, pair), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.exact[pair] = float(logprobs.sum(dtype=np.float64))
