"""The search of constrained decoding: from forced passes over whole batches to scored pairs of marker positions.

CODEC (Le et al., ICLR 2024, section 3.2) walks the target token by token with branch and bound, one span at a time.
Here the pairs are listed and the listing is narrowed by passes that serve all spans of a call at once:

1. The bare target is scored with the bare source (once for all spans of a text) and with the marked one. Openings are
   chosen by the paper's rule on how much the marked source changes each token; how far a token's probability falls also
   tells that of ``[`` before it (`translators.forced.marker_logprob`).
2. The target is scored with the likeliest ``[`` in place, which gives its own probability: the fall of each token after
   it tells the probability of ``]`` before that token, so that one pass gives every closing. Only where no pair of
   markers is likely do openings further behind get such a pass too.
3. Where another pair is close to the best, the two likeliest are scored whole, then those that could still win; where
   the best is alone, and for the rest, the estimate stands (what is exact up to ``]``, then the unmarked target).

The less likely the markers of the best pair, the further behind others are looked at, and further still where the model
finds the target itself unlikely. ``full`` scores every pair of step 1 whole and is the reference for the others.
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
# What the estimated log-probability of a marker counts against the sums of the tokens' own, which differ by chance all
# over the target; and how many nats an estimate may be wrong against those that were scored whole. Fitted to the full
# list on a small model's translations of Europarl sentences, 250 spans; the margins below were chosen on 500 with it
# and on 500 with another model.
OPEN_WEIGHT, CLOSE_WEIGHT, DOUBT = 4.0, 2.0, 1.0

# Opening and closing position.
Pair = tuple[int, int]


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
class Margins:
    """How far behind the best, in nats, others are looked at.

    Attributes:
        first: Openings that get a pass at once.
        more: Openings that get one where the best pair is doubtful.
        close: Pairs that are scored whole.
        doubtful: The best pair is, if its two markers together have a lower log-probability than minus this.
        growth: By how much ``more`` and ``close`` grow for each nat below that.
    """

    first: float
    more: float
    close: float
    doubtful: float
    growth: float


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to look at. ``full`` scores every pair.

    Attributes:
        openings: Openings whose closings are looked at, at most.
        finalists: Pairs scored whole, at most; fewer, but at least three, where a target is long.
        margins: How far behind the best.
        wide: The same where the model finds the target unlikely.
        known: Mean log-probability of the target's pieces, in nats, from which on it is likely.
    """

    full: bool = False
    openings: int = 12
    finalists: int = 12
    margins: Margins = Margins(2.0, 2.0, 3.0, 0.8, 0.5)
    wide: Margins = Margins(2.0, 8.0, 5.0, 0.8, 2.0)
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
    if effort.full:
        _score_whole(forcer, live, prefix)
    else:
        _close(forcer, live, prefix)
        for state in live:
            state.look_further()
        _close(forcer, live, prefix)
        for state in live:
            state.rank(effort)
        _score_whole(forcer, live, prefix)
        for state in live:
            state.contend()
        _score_whole(forcer, live, prefix)
    return [s.result() if len(s.plain) else None for s in states]


class _State:
    """What is known of one job.

    Attributes:
        plain: (n_pieces + 1,) log-probabilities of the target without markers on either side.
        rest: (n_pieces + 2,) the target's log-probability from each position to the end, when the markers are closed.
        margins: Of `Effort`, by how likely the model finds the target.
        openings: Openings that are to have a pass.
        behind: Others, best first, with how many nats they are behind the best.
        estimates: (opening, closing) to estimated log-probability: exact up to ``]``, which counts by its weight.
        markers: The same pairs to the log-probability of their two markers.
        finalists: Pairs to be scored whole.
        contenders: Pairs that are not far behind those.
        exact: Log-probabilities of the pairs scored whole.
    """

    def __init__(self, job: Job, plain: np.ndarray, effort: Effort) -> None:
        self.job, self.plain = job, plain
        likely = len(plain) > 0 and float(plain.mean()) >= effort.known
        self.margins = effort.margins if likely else effort.wide
        self.rest = _sums_to_end(plain)
        self.openings: list[int] = []
        self.behind: list[tuple[int, float]] = []
        self.estimates: dict[Pair, float] = {}
        self.markers: dict[Pair, float] = {}
        self.finalists: list[Pair] = []
        self.contenders: list[Pair] = []
        self.exact: dict[Pair, float] = {}

    def open(self, marked: np.ndarray, effort: Effort) -> None:
        """Chooses openings by the pass with the marked source; with full effort every pair becomes a finalist."""
        openings = self.changed(marked)
        if effort.full:
            self.finalists = [(b, e) for b in openings for e in self.job.pairs(b)]
            return
        before = np.concatenate([[0.0], np.cumsum(marked, dtype=np.float64)])[openings]
        values = before + OPEN_WEIGHT * forced.marker_logprob(self.plain, marked)[openings] + self.rest[openings]
        self.rest = (self.rest + _sums_to_end(marked)) / 2
        most = min(effort.openings, self.job.affords(OPEN_TOKENS))
        ranked = [int(k) for k in np.argsort(-np.round(values, 4), kind="stable")[:most]]
        behind = [(openings[k], float(values[ranked[0]] - values[k])) for k in ranked]
        self.openings = [b for b, gap in behind if gap <= self.margins.first]
        self.behind = behind[len(self.openings) :]

    def close(self, opening: int, end: int, opened: np.ndarray) -> None:
        """Estimates every closing of an opening by the pass with ``[`` in place, cut off before ``end``."""
        closings = self.job.pairs(opening)
        # The marker takes a place of its own; the last score is that of the end, which is real only at the end.
        marker = forced.marker_logprob(self.plain[: end + 1], np.delete(opened, opening))[closings]
        values = np.cumsum(opened, dtype=np.float64)[closings] + CLOSE_WEIGHT * marker + self.rest[closings]
        pairs = [(opening, e) for e in closings]
        self.estimates.update(zip(pairs, values.tolist(), strict=True))
        self.markers.update(zip(pairs, (float(opened[opening]) + marker).tolist(), strict=True))

    def ranked(self) -> list[Pair]:
        """Pairs, best first by estimate."""
        return sorted(self.estimates, key=lambda pair: (-round(self.estimates[pair], 4), pair))

    def doubt(self, best: Pair) -> float:
        """Nats by which the markers of a pair are less likely than they are where the model is sure."""
        return max(0.0, -self.markers[best] - self.margins.doubtful)

    def look_further(self) -> None:
        """Has further openings looked at where the best pair so far is doubtful."""
        self.openings = []
        doubt = self.doubt(self.ranked()[0]) if self.estimates else 0.0
        if doubt:
            margin = self.margins.more + self.margins.growth * doubt
            self.openings = [b for b, gap in self.behind if gap <= margin]

    def rank(self, effort: Effort) -> None:
        """Chooses the finalists and those that may become some."""
        ranked = self.ranked()[: min(effort.finalists, self.job.affords(FINAL_TOKENS))]
        if ranked:
            least = self.estimates[ranked[0]] - self.margins.close - self.margins.growth * self.doubt(ranked[0])
            near = [pair for pair in ranked if self.estimates[pair] >= least]
            self.finalists, self.contenders = (near[:2], near[2:]) if len(near) > 1 else ([], [])

    def contend(self) -> None:
        """Makes finalists of those contenders that could still win."""
        self.finalists = []
        if self.exact:
            shift = max(value - self.estimates[pair] for pair, value in self.exact.items())
            least = max(self.exact.values()) - shift - DOUBT
            self.finalists = [pair for pair in self.contenders if self.estimates[pair] >= least]

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
    """Step 1."""
    rows = [(s.job.source, s.job.target) for s in states]
    for state, marked in zip(states, forcer.score(rows, prefix), strict=True):
        if len(marked):
            state.open(marked, effort)


def _close(forcer: Forcer, states: list[_State], prefix: int) -> None:
    """Step 2, for the openings that are to have a pass."""
    # One token beyond the last closing, since a closing shows in the token after it.
    tasks = [(s, b, min(b + s.job.bound + 1, s.job.n_pieces)) for s in states for b in s.openings]
    scored = forcer.score([(s.job.source, s.job.opened(b, end)) for s, b, end in tasks], prefix)
    for (state, opening, end), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.close(opening, end, logprobs)


def _score_whole(forcer: Forcer, states: list[_State], prefix: int) -> None:
    """Step 3: the whole of each finalist."""
    tasks = [(s, pair) for s in states for pair in s.finalists]
    scored = forcer.score([(s.job.source, s.job.closed(*pair)) for s, pair in tasks], prefix)
    for (state, pair), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.exact[pair] = float(logprobs.sum(dtype=np.float64))


def _sums_to_end(logprobs: np.ndarray) -> np.ndarray:
    """(n + 1,) the sum of ``logprobs`` (n,) from each position to the end."""
    return np.concatenate([np.cumsum(logprobs[::-1], dtype=np.float64)[::-1], [0.0]])
