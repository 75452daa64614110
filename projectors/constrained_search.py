"""The search of constrained decoding: from forced passes over whole batches to scored pairs of marker positions.

CODEC (Le et al., ICLR 2024, section 3.2) walks the target token by token with branch and bound, one span at a time.
Here the pairs are listed and the listing is narrowed by passes that serve all spans of a call at once:

1. One pass over the bare target gives the openings, by the paper's rule on how much the marked source changes each
   token, and the probability of ``[`` before each; those far behind the best go.
2. The start of each opening, ``[`` and the token after it, is scored: that token tells a wrong opening nearly as well
   as the whole rest would. The best few openings stay.
3. One pass for each of those, ``[`` in place, gives every closing and the probability of ``]`` there.
4. The best pairs are scored whole; the rest keep an estimate (what is exact up to ``]``, then the unmarked target).

``full`` scores every pair of step 1 whole and is the reference for the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projectors.constrained_candidates import CLOSE, OPEN, Places
from translators import forced

# The paper's thresholds on the change of log-probability, and the distance an opening may have from a clear change.
CHANGE, SLIGHT_CHANGE, DISTANCE = 0.5, 0.1, 5
# Target tokens that probes, and that finalists, may take together for one span: long targets get fewer of them, and so
# do the spans of an example that has more than ten.
PROBE_TOKENS, FINAL_TOKENS, MANY_SPANS = 4000, 2400, 10


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

    def opened(self, opening: int, end: int | None = None) -> list[str]:
        """The target with ``[`` in place, cut off before position ``end`` of the bare target."""
        target, p = self.target, self.prefix
        return [*target[: p + opening], OPEN, *target[p + opening : None if end is None else p + end]]

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
        margins: An opening, an opening with its probe, and a pair estimated to be this many nats below the best of
            the span are left out as well. The first is met only where the probability of a marker can be read.
    """

    full: bool = False
    openings: int = 8
    finalists: int = 16
    margins: tuple[float, float, float] = (12.0, 10.0, 9.0)


class Forcer:
    """Forced passes of one model.

    Args:
        raw: A ``ctranslate2.Translator``.
        vocabulary: Target pieces to ids.
    """

    def __init__(self, raw: Any, vocabulary: Mapping[str, int]) -> None:
        self.raw, self.vocabulary = raw, vocabulary
        self.reads_markers = len(vocabulary) <= forced.SMALL_VOCABULARY and OPEN in vocabulary and CLOSE in vocabulary

    def score(self, rows: Sequence[tuple[Sequence[str], Sequence[str]]], prefix: int) -> list[np.ndarray]:
        """`forced.score` of (source, target) rows."""
        sources, targets = [s for s, _ in rows], [t for _, t in rows]
        limit = forced.batch_tokens(len(self.vocabulary), self.raw.device)
        return forced.score(self.raw, sources, targets, prefix=prefix, max_target_tokens=limit)

    def marker(
        self, rows: Sequence[tuple[Sequence[str], Sequence[str]]], plain: Sequence[np.ndarray], marker: str, prefix: int
    ) -> list[tuple[np.ndarray, np.ndarray] | None]:
        """Log-probability of ``marker`` before every token and of the tokens: each (n_tokens + 1,).

        ``plain`` holds what the tokens score where no marker is expected, for models whose vocabulary is too large to
        look at whole.
        """
        if self.reads_markers:
            sources, targets = [s for s, _ in rows], [t for _, t in rows]
            read = forced.marker_logprobs(
                self.raw, sources, targets, [marker], vocabulary=self.vocabulary, prefix=prefix
            )
            return [None if r is None else (r[0][:, 0], r[1]) for r in read]
        scored = self.score(rows, prefix)
        return [(forced.marker_drop(p, s), s) if len(s) else None for p, s in zip(plain, scored, strict=True)]


def search(forcer: Forcer, jobs: Sequence[Job], effort: Effort) -> list[list[Scored] | None]:
    """Scored pairs of every job, best first; an empty list where there is no pair, None where the model failed.

    All jobs have the same number of language tokens.
    """
    if not jobs:
        return []
    prefix = jobs[0].prefix
    plain_of = {(job.plain, job.target): None for job in jobs}
    plain = dict(zip(plain_of, forcer.score(list(plain_of), prefix), strict=True))
    states = [_State(job, plain[job.plain, job.target]) for job in jobs]
    live = [s for s in states if len(s.plain)]
    _open(forcer, live, prefix, effort)
    if not effort.full:
        _probe(forcer, [s for s in live if len(s.openings) > 1], prefix, effort)
        _close(forcer, [s for s in live if s.openings], prefix, effort)
    _score_whole(forcer, live, prefix)
    return [s.result() if len(s.plain) else None for s in states]


class _State:
    """What is known of one job.

    Attributes:
        plain: (n_pieces + 1,) log-probabilities of the target without markers on either side.
        rest: (n_pieces + 2,) their sums from each position to the end.
        openings: Openings still in the running.
        estimates: (opening, closing) to estimated log-probability: exact up to ``]``.
        finalists: Pairs to be scored whole.
        exact: Their log-probabilities.
    """

    def __init__(self, job: Job, plain: np.ndarray) -> None:
        self.job, self.plain = job, plain
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
            return []
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
    if effort.full:
        for state, logprobs in zip(states, forcer.score(rows, prefix), strict=True):
            if len(logprobs):
                state.finalists = [(b, e) for b in state.changed(logprobs) for e in state.job.pairs(b)]
        return
    for state, read in zip(states, forcer.marker(rows, [s.plain for s in states], OPEN, prefix), strict=True):
        if read is None:
            continue
        state.openings = state.changed(read[1])
        if not state.openings:
            continue
        before = np.concatenate([[0.0], np.cumsum(read[1], dtype=np.float64)])
        values = {b: float(before[b] + read[0][b] + state.rest[b]) for b in state.openings}
        least = max(values.values()) - effort.margins[0] if forcer.reads_markers else -np.inf
        ranked = sorted((b for b in values if values[b] >= least), key=lambda b, v=values: (-v[b], b))  # type: ignore[misc]
        state.openings = ranked[: state.job.affords(PROBE_TOKENS)]


def _probe(forcer: Forcer, states: list[_State], prefix: int, effort: Effort) -> None:
    """Step 2."""
    probes = [(s, b) for s in states for b in s.openings]
    scored = forcer.score([(s.job.source, s.job.opened(b, b + 1)) for s, b in probes], prefix)
    values: dict[int, list[tuple[float, int]]] = {}
    for (state, opening), logprobs in zip(probes, scored, strict=True):
        value = float(logprobs[: opening + 2].sum()) + state.rest[opening + 1] if len(logprobs) else -np.inf
        values.setdefault(id(state), []).append((value, opening))
    for state in states:
        ranked = sorted(values[id(state)], key=lambda v: (-v[0], v[1]))[: effort.openings]
        state.openings = sorted(b for value, b in ranked if value >= ranked[0][0] - effort.margins[1])


def _close(forcer: Forcer, states: list[_State], prefix: int, effort: Effort) -> None:
    """Step 3: estimates for all closings of the openings left, and the finalists among them."""
    tasks = [(s, b, min(b + s.job.bound, s.job.n_pieces)) for s in states for b in s.openings]
    rows = [(s.job.source, s.job.opened(b, end)) for s, b, end in tasks]
    # A marker takes a place of its own, so the plain scores move up by one behind the opening.
    plain = [np.insert(s.plain[: end + 1], b, 0.0) for s, b, end in tasks]
    for (state, opening, _), read in zip(tasks, forcer.marker(rows, plain, CLOSE, prefix), strict=True):
        if read is not None:
            sums = np.cumsum(read[1], dtype=np.float64)
            for e in state.job.pairs(opening):
                state.estimates[opening, e] = float(sums[e] + read[0][e + 1] + state.rest[e])
    for state in states:
        ranked = sorted(state.estimates, key=lambda p, s=state: (-s.estimates[p], p))  # type: ignore[misc]
        if ranked:
            least = state.estimates[ranked[0]] - effort.margins[2]
            most = min(effort.finalists, state.job.affords(FINAL_TOKENS))
            state.finalists = [p for p in ranked[:most] if state.estimates[p] >= least]


def _score_whole(forcer: Forcer, states: list[_State], prefix: int) -> None:
    """Step 4: the whole of each finalist."""
    tasks = [(s, pair) for s in states for pair in s.finalists]
    scored = forcer.score([(s.job.source, s.job.closed(*pair)) for s, pair in tasks], prefix)
    for (state, pair), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.exact[pair] = float(logprobs.sum(dtype=np.float64))
