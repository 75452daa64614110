"""The joint choice of one target range per span: best summed score, relations between the spans kept.

Spans that are disjoint in the source stay disjoint in the target, a span inside another stays inside it, equal ones
stay equal; spans that cross are free. CODEC (Le et al., ICLR 2024, section 3.3) drops a sentence whose spans come to
overlap; here the n-best lists of its spans are searched for the best choice that does not.
"""

from collections.abc import Sequence

import numpy as np

from spanferry.corpora.schema import Range

Candidate = tuple[int, int, float]

# A component of at most this many spans is searched exactly, within the node bound; a larger one by windows.
_EXACT_SPANS = 24
_WINDOW = 8
_NODES = 3000
# Candidates of all spans together; the square of it bounds the memory of the table of compatible pairs.
_CANDIDATES = 4000
_FREE, _DISJOINT, _CONTAINS, _INSIDE, _EQUAL = range(5)


def choose(
    spans: Sequence[Range], candidates: Sequence[Sequence[Candidate]], *, absent: float = -1e4
) -> list[int | None]:
    """The candidates that together score best without breaking a relation between two spans.

    The result depends only on which spans with which candidates there are, not on their order: ties go to the
    candidate that starts, then ends, first. Up to 24 spans in conflict with one another are searched by branch and
    bound (at most 3,000 nodes, then the best so far); more of them greedily, then window by window until nothing
    improves.

    Args:
        spans: Source range of each span, in code points.
        candidates: For each span its target ranges with scores (log-probabilities or any others that add up); may be
            empty.
        absent: Score of leaving a span out, in the same unit. The default leaves out only what can't be placed; a
            value close to the scores makes a doubtful span give way.

    Returns:
        For each span the index into its candidates, or None.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i], sorted(candidates[i])))
    ranked = [sorted(range(len(candidates[i])), key=lambda c, i=i: _rank(candidates[i][c])) for i in order]  # type: ignore[misc]
    width = max(3, _CANDIDATES // max(1, len(spans)))
    ranked = [[c for c in row if candidates[i][c][2] > absent][:width] for i, row in zip(order, ranked, strict=True)]
    chosen: list[int | None] = [None] * len(spans)
    placed = [k for k, row in enumerate(ranked) if row]
    ranges = [spans[order[k]] for k in placed]
    options = [[candidates[order[k]][c] for c in ranked[k]] for k in placed]
    for k, best in zip(placed, _choose(ranges, options, absent), strict=True):
        chosen[order[k]] = None if best is None else ranked[k][best]
    return chosen


def compatible(source_a: Range, source_b: Range, target_a: Range, target_b: Range) -> bool:
    """Whether two target ranges stand to each other as their source ranges do."""
    relation = _relation(source_a, source_b)
    if relation == _DISJOINT:
        return target_a[1] <= target_b[0] or target_b[1] <= target_a[0]
    if relation == _CONTAINS:
        return target_a[0] <= target_b[0] and target_b[1] <= target_a[1]
    if relation == _INSIDE:
        return target_b[0] <= target_a[0] and target_a[1] <= target_b[1]
    return relation == _FREE or target_a == target_b


def _rank(candidate: Candidate) -> tuple[float, int, int]:
    return (-candidate[2], candidate[0], candidate[1])


def _relation(a: Range, b: Range) -> int:
    if a == b:
        return _EQUAL
    if a[1] <= b[0] or b[1] <= a[0]:
        return _DISJOINT
    if a[0] <= b[0] and b[1] <= a[1]:
        return _CONTAINS
    return _INSIDE if b[0] <= a[0] and a[1] <= b[1] else _FREE


def _relations(spans: Sequence[Range]) -> np.ndarray:
    """``_relation`` of each span to each, (n_spans, n_spans)."""
    start, end = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    a, b, c, d = start[:, None], end[:, None], start[None], end[None]
    kinds = [(a == c) & (b == d), (b <= c) | (d <= a), (a <= c) & (d <= b), (c <= a) & (b <= d)]
    return np.select(kinds, [_EQUAL, _DISJOINT, _CONTAINS, _INSIDE], default=_FREE)


def _choose(spans: Sequence[Range], options: Sequence[Sequence[Candidate]], absent: float) -> list[int | None]:
    # Most sentences need no search: nothing is better than the best of each, if they get along.
    firsts = [row[0][:2] for row in options]
    if all(compatible(spans[i], spans[j], firsts[i], firsts[j]) for i in range(len(spans)) for j in range(i)):
        return [0] * len(spans)
    table = _Table(spans, options, absent)
    chosen = np.full(len(spans), table.width)
    for component in table.components():
        table.solve(component, chosen)
    return [None if c == table.width else int(c) for c in chosen]


class _Table:
    """Scores and compatibility of all candidates; the last column stands for leaving the span out."""

    def __init__(self, spans: Sequence[Range], options: Sequence[Sequence[Candidate]], absent: float) -> None:
        n = len(spans)
        self.width = max(len(row) for row in options)
        starts = np.zeros((n, self.width), dtype=np.int64)
        ends = np.zeros((n, self.width), dtype=np.int64)
        self.scores = np.full((n, self.width + 1), -np.inf)  # (n_spans, width + 1)
        self.scores[:, self.width] = absent
        for i, row in enumerate(options):
            starts[i, : len(row)], ends[i, : len(row)], self.scores[i, : len(row)] = zip(*row, strict=True)
        # fits[i, c] says which candidates of all spans may stand beside candidate c of span i.
        self.fits = np.ones((n, self.width + 1, n, self.width + 1), dtype=bool)
        relations = _relations(spans)
        np.fill_diagonal(relations, _FREE)
        for i in range(n):
            for relation in (_DISJOINT, _CONTAINS, _INSIDE, _EQUAL):
                others = np.flatnonzero(relations[i] == relation)
                if len(others):
                    a, b = starts[i][:, None, None], ends[i][:, None, None]
                    fit = _fit(relation, a, b, starts[others][None], ends[others][None])
                    self.fits[i, : self.width, others, : self.width] = fit.transpose(1, 0, 2)
        self.fits &= np.isfinite(self.scores)[None, None]

    def components(self) -> list[list[int]]:
        """Spans that may come into conflict, directly or through others; each list ascending."""
        real = np.isfinite(self.scores)
        clash = (~self.fits & real[:, :, None, None] & real[None, None]).any(axis=(1, 3))
        rest, found = set(range(len(clash))), []
        while rest:
            group, frontier = set(), [min(rest)]
            while frontier:
                i = frontier.pop()
                if i not in group:
                    group.add(i)
                    frontier.extend(int(j) for j in np.flatnonzero(clash[i]))
            rest -= group
            found.append(sorted(group))
        return found

    def solve(self, component: list[int], chosen: np.ndarray) -> None:
        """Fills ``chosen`` (n_spans,) for the spans of one component."""
        allowed = np.isfinite(self.scores)
        if len(component) <= _EXACT_SPANS:
            chosen[component] = self._search(component, allowed)
            return
        chosen[component] = self._search(component, allowed, nodes=0)
        improved = True
        while improved:
            improved = False
            for first in range(0, len(component) - 1, _WINDOW // 2):
                window = component[first : first + _WINDOW]
                around = allowed.copy()
                for i in component:
                    if i not in window:
                        around &= self.fits[i, chosen[i]]
                best = self._search(window, around)
                # Strictly better by more than rounding, so the sweeps come to an end.
                if self.scores[window, best].sum() > self.scores[window, chosen[window]].sum() + 1e-9:
                    chosen[window] = best
                    improved = True

    def _search(self, spans: list[int], allowed: np.ndarray, nodes: int = _NODES) -> np.ndarray:
        """Branch and bound, the span with the most to lose first. With no nodes to spend, the first dive alone."""
        best_total, best = -np.inf, np.full(len(spans), self.width)
        start = (np.full(len(spans), -1), 0.0, allowed[spans])
        stack = [start]
        spent = 0
        while stack and (spent <= nodes or not np.isfinite(best_total)):
            choice, total, open_ = stack.pop()
            spent += 1
            free = np.flatnonzero(choice < 0)
            scores = np.where(open_[free], self.scores[spans][free], -np.inf)
            if total + scores.max(axis=1, initial=-np.inf).sum() <= best_total + 1e-9:
                continue
            if not len(free):
                best_total, best = total, choice
                continue
            two = np.sort(scores, axis=1)[:, -2:]
            with np.errstate(invalid="ignore"):
                regret = np.where(np.isfinite(two[:, 0]), two[:, 1] - two[:, 0], np.inf)
            row = int(np.argmax(regret))
            at = int(free[row])
            # Pushed worst first, so that the best is looked at next.
            ranked = np.argsort(-scores[row], kind="stable")
            for c in [int(c) for c in ranked if np.isfinite(scores[row][c])][::-1]:
                deeper = choice.copy()
                deeper[at] = c
                stack.append((deeper, total + self.scores[spans[at], c], open_ & self.fits[spans[at], c][spans]))
        return best


def _fit(relation: int, a: np.ndarray, b: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    if relation == _DISJOINT:
        return (b <= start) | (end <= a)
    if relation == _CONTAINS:
        return (a <= start) & (end <= b)
    if relation == _INSIDE:
        return (start <= a) & (b <= end)
    result: np.ndarray = (a == start) & (b == end)
    return result
