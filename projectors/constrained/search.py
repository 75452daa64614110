"""The search of constrained decoding: from forced passes over whole batches to scored pairs of marker positions.

CODEC (Le et al., ICLR 2024, section 3.2) walks the target token by token with branch and bound, one span at a time.
Here the pairs are listed and the listing is narrowed by passes that serve all spans of a call at once:

1. The bare target is scored with the marked source. What its tokens have where no marker is expected is what they
   have at most with the source of any span of the text, or, where it has but one, with the bare source. Another pass
   shows how likely ``[`` is before each token (`Scoring.expected`). Where the scorer can't make one, openings are those
   of the paper's rule on how much the marked source changes each token, and how far a token's probability falls gives
   that of ``[`` before it (`spanferry.translators.engine.forced.marker_logprob`).
2. The target is scored with the likeliest ``[`` in place: the fall of each token after it gives the probability of
   ``]`` before that token, so that one pass gives every closing. Only where no pair of markers is likely do openings
   further behind get such a pass too.
3. Where another pair is close to the best, the best is scored whole. What the tokens behind its markers then have is
   nearly what they have behind those of other pairs: it shows which could still win, and the likeliest of these are
   scored whole in turn, until none could. Where the best is alone, and for the rest, the estimate stands (what is exact
   up to ``]``, then what the unmarked target has).
4. Where the passes were over the usual pieces alone, the whole model decides between pairs that are close.

The less likely the markers of the best pair, the further behind others are looked at. ``full`` scores every pair there
is whole and is the reference for the others.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from spanferry.projectors.constrained.candidates import OPEN
from spanferry.projectors.constrained.job import Effort, Job, MarkerPair, Scored, Tokens
from spanferry.translators.engine import forced

# The paper's thresholds on the change of log-probability, and the distance an opening may have from a clear change.
CHANGE, SLIGHT_CHANGE, DISTANCE = 0.5, 0.1, 5
# Target tokens that the openings, and that the finalists, of one span may take together: long targets get fewer of
# them, and so do the spans of an example that has more than ten (`Job.max_rows`).
OPEN_TOKENS, FINAL_TOKENS = 1600, 2400
# What the estimated log-probability of a marker counts against the sums of the tokens' own, which differ by chance all
# over the target. `CLOSE_WEIGHT`, `MARKED_SHARE` and `Effort` were chosen by the full list of the bundled model, on 587
# spans of Europarl and 705 of xSID in its own translations and on 606 in those of people.
OPEN_WEIGHT, CLOSE_WEIGHT = 4.0, 1.0
# What the tokens after ``]`` are taken to have: so much of what they have with the marked source, the rest of what they
# have with the bare one.
MARKED_SHARE = 0.85
# Of how many pairs, the best by estimate, it is asked whether they could still win, and how many are scored at a time:
# one by one would be the least to score, but in small batches.
CONTENDERS, AT_ONCE = 40, 3
# How many nats, of how many pairs, an approximate scorer leaves to its judge.
JUDGED, MOST_JUDGED = 0.75, 3


class Scorer(Protocol):
    """What scores (source, target) rows of tokens: `Forcer`, or `spanferry.translators.engine.scoring.Scoring`."""

    def score(self, rows: Sequence[tuple[Tokens, Sequence[str]]], prefix: int) -> list[np.ndarray]:
        """`spanferry.translators.engine.forced.score`."""
        ...

    def expected(self, rows: Sequence[tuple[Tokens, Tokens]], token: str, prefix: int) -> list[np.ndarray] | None:
        """`spanferry.translators.engine.scoring.Scoring.expected`; None where that is not to be had."""
        ...


class Forcer:
    """Forced passes of the whole model.

    Args:
        raw: A ``ctranslate2.Translator``.
        vocabulary_size: Pieces of its target side.
    """

    def __init__(self, raw: Any, vocabulary_size: int) -> None:
        self.raw, self.vocabulary_size = raw, vocabulary_size

    def score(self, rows: Sequence[tuple[Tokens, Sequence[str]]], prefix: int) -> list[np.ndarray]:
        """`forced.score` of (source, target) rows."""
        sources, targets = [s for s, _ in rows], [t for _, t in rows]
        limit = forced.batch_tokens(self.vocabulary_size, self.raw.device)
        alike = self.raw.device == "cpu"  # elsewhere the last bits depend on the batch anyway
        return forced.score(self.raw, sources, targets, prefix=prefix, max_target_tokens=limit, alike=alike)

    def expected(self, rows: Sequence[tuple[Tokens, Tokens]], token: str, prefix: int) -> None:
        """The model scores nothing but what it reads."""


def search(
    scorer: Scorer, jobs: Sequence[Job], effort: Effort, *, judge: Scorer | None = None
) -> list[list[Scored] | None]:
    """Scored pairs of every job, best first; an empty list where there is no pair, None where the model failed.

    Args:
        scorer: Makes the passes.
        jobs: All have the same number of language tokens.
        effort: How much to look at.
        judge: Where the scorer is an approximation, what decides between its best when they are close.
    """
    if not jobs:
        return []
    prefix = jobs[0].prefix
    rows = dict.fromkeys((source, job.target) for job in jobs for source in job.contrast_sources)
    bare = dict(zip(rows, scorer.score(list(rows), prefix), strict=True))
    states = [_State(job, [bare[source, job.target] for source in job.contrast_sources], effort) for job in jobs]
    live = [s for s in states if len(s.marked)]
    _open(scorer, live, prefix)
    if effort.full:
        _score_whole(scorer, live, prefix)
        return [s.result() if len(s.marked) else None for s in states]
    _close(scorer, live, prefix)
    for state in live:
        state.select_more_openings()
    _close(scorer, live, prefix)
    running = live
    while running:
        for state in running:
            state.select_finalists()
        running = [s for s in running if s.finalists]
        _score_whole(scorer, running, prefix)
    if judge is not None:
        _judge(judge, live, prefix)
    return [s.result() if len(s.marked) else None for s in states]


class _State:
    """What is known of one job.

    Args:
        job: What is asked.
        bare: For each of ``job.contrast_sources`` the log-probabilities of the bare target; (0,) where that failed.
        effort: How much to look at.

    Attributes:
        marked: (n_pieces + 1,) log-probabilities of the bare target with the span's own source.
        plain: (n_pieces + 1,) what they are where no marker of this span is expected.
        rest: (n_pieces + 2,) the target's log-probability from each position to the end, when the markers are closed.
        openings: Openings that are to have a pass.
        remaining: Openings that have had no pass, best first, with how many nats they are behind the best.
        estimates: (opening, closing) to estimated log-probability: exact up to ``]``, which counts by its weight.
        markers: The same pairs to the log-probability of their two markers.
        finalists: Pairs to be scored whole.
        tried: All that were, also those that the model failed on.
        exact: Log-probabilities of the pairs scored whole.
        tails: For each of them what its pass says in place of ``rest``.
        judged: Those of the judge.
    """

    def __init__(self, job: Job, bare: Sequence[np.ndarray], effort: Effort) -> None:
        self.job, self.effort = job, effort
        self.marked = bare[0]
        # A marker of another span makes tokens less likely as well, but not those that this one's does.
        references = [logprobs for logprobs in (bare if job.others else bare[1:]) if len(logprobs)]
        self.plain = np.max(references, axis=0) if references else self.marked
        self.rest = _sums_to_end(self.plain)
        self.openings: list[int] = []
        self.remaining: list[tuple[int, float]] = []
        self.estimates: dict[MarkerPair, float] = {}
        self.markers: dict[MarkerPair, float] = {}
        self.finalists: list[MarkerPair] = []
        self.tried: set[MarkerPair] = set()
        self.exact: dict[MarkerPair, float] = {}
        self.tails: dict[MarkerPair, np.ndarray] = {}
        self.judged: dict[MarkerPair, float] = {}

    def open(self, expected: np.ndarray | None) -> None:
        """Chooses openings by how likely ``[`` is before each token; with full effort every pair becomes a finalist."""
        usable = [t for t in self.job.places.opens if self.job.pairs(t)]
        if self.effort.full:
            self.finalists = [(b, e) for b in usable for e in self.job.pairs(b)]
            return
        later = _sums_to_end(self.marked)
        if expected is None:
            marker, after = OPEN_WEIGHT * forced.marker_logprob(self.plain, self.marked), self.rest
            usable = self.changed(self.marked, usable)
            self.rest = (self.rest + later) / 2
        else:
            self.rest = (1 - MARKED_SHARE) * self.rest + MARKED_SHARE * later
            marker, after = expected.astype(np.float64), self.rest
        if usable:
            values = (later[0] - later)[usable] + marker[usable] + after[usable]
            most = min(self.effort.openings, self.job.max_rows(OPEN_TOKENS))
            ranked = [int(k) for k in np.argsort(-np.round(values, 4), kind="stable")[:most]]
            self.remaining = [(usable[k], float(values[ranked[0]] - values[k])) for k in ranked]
            self.openings = [b for b, gap in self.remaining if gap <= self.effort.first]
            self.remaining = self.remaining[len(self.openings) :]

    def close(self, opening: int, end: int, opened: np.ndarray) -> None:
        """Estimates every closing of an opening by the pass with ``[`` in place, cut off before ``end``."""
        closings = self.job.pairs(opening)
        # The marker takes a place of its own; the last score is that of the end, which is real only at the end.
        marker = forced.marker_logprob(self.plain[: end + 1], np.delete(opened, opening))[closings]
        values = np.cumsum(opened, dtype=np.float64)[closings] + CLOSE_WEIGHT * marker + self.rest[closings]
        pairs = [(opening, e) for e in closings]
        self.estimates.update(zip(pairs, values.tolist(), strict=True))
        self.markers.update(zip(pairs, (float(opened[opening]) + marker).tolist(), strict=True))

    def ranked(self) -> list[MarkerPair]:
        """Pairs, best first by estimate."""
        return sorted(self.estimates, key=lambda pair: (-round(self.estimates[pair], 4), pair))

    def doubt(self, best: MarkerPair) -> float:
        """Nats by which the markers of a pair are less likely than they are where the model is sure."""
        return max(0.0, -self.markers[best] - self.effort.doubtful)

    def select_more_openings(self) -> None:
        """Selects further openings where the best pair so far is doubtful."""
        doubt = self.doubt(self.ranked()[0]) if self.estimates else 0.0
        margin = self.effort.more + self.effort.more_growth * doubt
        self.openings = [b for b, gap in self.remaining if doubt and gap <= margin]

    def select_finalists(self) -> None:
        """Makes finalists of the pairs that are likeliest to be the best, if they could be: first of one, by the
        estimates, then of some, by the most that the exact scores leave them."""
        effort, self.finalists = self.effort, []
        ranked = self.ranked()
        left = min(effort.finalists, self.job.max_rows(FINAL_TOKENS)) - len(self.tried)
        if len(ranked) < 2 or left <= 0:
            return
        doubt = self.doubt(ranked[0])
        if self.exact:
            least = self.estimates[ranked[0]] - effort.close - effort.close_growth * doubt
            best = max(self.exact.values())
            bounds = (
                (round(self.upper_bound(pair) - best, 4), pair)
                for pair in ranked[:CONTENDERS]
                if pair not in self.tried and self.estimates[pair] >= least
            )
            chosen = sorted(bounds, reverse=True)[: min(AT_ONCE, left)]
            self.finalists = [pair for margin, pair in chosen if margin >= 0]
        elif not self.tried:
            ahead = self.estimates[ranked[0]] - self.estimates[ranked[1]]
            self.finalists = [ranked[0]] if doubt or ahead <= effort.alone else []
        self.tried.update(self.finalists)

    def upper_bound(self, pair: MarkerPair) -> float:
        """The highest log-probability that the pairs scored so far leave to another pair."""
        # What ``]`` does to the tokens after it is much the same for pairs that close in one place.
        same = [known for known in self.exact if known[1] == pair[1]]
        error = self.effort.error_same_closing if same else self.effort.error_other_closing
        return max(self.estimate_via(known, pair) for known in same or self.exact) + error

    def add_exact(self, pair: MarkerPair, logprobs: np.ndarray) -> None:
        """Adds the exact score of a pair: the pass over its whole target."""
        self.exact[pair] = float(logprobs.sum(dtype=np.float64))
        if self.estimates:
            self.tails[pair] = _sums_to_end(np.delete(logprobs, [pair[0], pair[1] + 1]))

    def estimate_via(self, known: MarkerPair, pair: MarkerPair) -> float:
        """The estimate of a pair by one that was scored whole: the tokens after both have what they have there."""
        later = max(pair[1], known[1])
        off = self.exact[known] - self.estimates[known]
        seen = self.tails[known][[later, known[1]]] - self.rest[[later, known[1]]]
        return float(self.estimates[pair] + off + seen[0] - seen[1])

    def near_best(self) -> list[MarkerPair]:
        """Pairs scored whole that another scorer could find the best, likeliest first; none where the best is alone."""
        ranked = sorted(self.exact, key=lambda pair: (-round(self.exact[pair], 4), pair))
        near = [pair for pair in ranked if self.exact[pair] >= self.exact[ranked[0]] - JUDGED][:MOST_JUDGED]
        return near if len(near) > 1 else []

    def apply_judgement(self) -> None:
        """Replaces what was judged, on the scale of the others."""
        if self.judged:
            shift = max(self.exact[pair] for pair in self.judged) - max(self.judged.values())
            self.exact.update({pair: value + shift for pair, value in self.judged.items()})

    def changed(self, marked: np.ndarray, usable: list[int]) -> list[int]:
        """The paper's openings: near a token that the marked source makes clearly less or more likely."""
        change = np.abs(self.plain - marked)
        clear = np.flatnonzero(change[:-1] >= CHANGE)
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


def _open(scorer: Scorer, states: list[_State], prefix: int) -> None:
    """Step 1."""
    rows = [(s.job.source, s.job.target) for s in states]
    expected = None if states and states[0].effort.full else scorer.expected(rows, OPEN, prefix)
    for k, state in enumerate(states):
        state.open(expected[k] if expected and len(expected[k]) else None)


def _close(scorer: Scorer, states: list[_State], prefix: int) -> None:
    """Step 2, for the openings that are to have a pass."""
    # One token beyond the last closing, since a closing shows in the token after it.
    tasks = [(s, b, min(b + s.job.bound + 1, s.job.n_pieces)) for s in states for b in s.openings]
    scored = scorer.score([(s.job.source, s.job.opened(b, end)) for s, b, end in tasks], prefix)
    for (state, opening, end), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.close(opening, end, logprobs)


def _score_whole(scorer: Scorer, states: list[_State], prefix: int) -> None:
    """Step 3: the whole of each finalist."""
    tasks = [(s, pair) for s in states for pair in s.finalists]
    scored = scorer.score([(s.job.source, s.job.closed(*pair)) for s, pair in tasks], prefix)
    for (state, pair), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.add_exact(pair, logprobs)


def _judge(judge: Scorer, states: list[_State], prefix: int) -> None:
    """Scores with the judge what is close to the best."""
    tasks = [(s, pair) for s in states for pair in s.near_best()]
    scored = judge.score([(s.job.source, s.job.closed(*pair)) for s, pair in tasks], prefix)
    for (state, pair), logprobs in zip(tasks, scored, strict=True):
        if len(logprobs):
            state.judged[pair] = float(logprobs.sum(dtype=np.float64))
    for state in states:
        state.apply_judgement()


def _sums_to_end(logprobs: np.ndarray) -> np.ndarray:
    """(n + 1,) the sum of ``logprobs`` (n,) from each position to the end."""
    return np.concatenate([np.cumsum(logprobs[::-1], dtype=np.float64)[::-1], [0.0]])
