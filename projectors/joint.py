"""Choosing the targets of several spans together, so that what is apart stays apart and what is nested stays nested."""

from collections.abc import Sequence

from projectors.base import Range

Option = tuple[Range, float]

_BEAM = 64


def choose(sources: Sequence[Range], options: Sequence[Sequence[Option]]) -> list[Option | None]:
    """For every source range one of its options, or None, with the highest sum of scores.

    Ranges that are disjoint in the source get disjoint targets, a range within another gets a target within that
    other's; equal ranges get equal targets. Nothing is asked of ranges that cross. Going without a target scores 0.
    The outcome depends on ranges and scores only, not on the order of the spans. Exact where the best options of all
    spans agree with each other, else a beam search over the ranges in conflict.

    Args:
        sources: Source ranges.
        options: For each its options (target range, score), the same ones for equal ranges.

    >>> choose([(0, 2), (3, 5)], [[((0, 4), 2.0), ((0, 1), 1.5)], [((2, 4), 1.0)]])
    [((0, 1), 1.5), ((2, 4), 1.0)]
    """
    by_range: dict[Range, Sequence[Option]] = {}
    for source, its in zip(sources, options, strict=True):
        by_range.setdefault(source, its)
    # Long ranges first, so that what is nested is placed within what was placed before it.
    ranges = sorted(by_range, key=lambda r: (r[0], -r[1]))
    best: dict[Range, Option | None] = {r: _best(by_range[r]) for r in ranges}
    for group in _conflicts(ranges, best):
        best.update(_search(group, by_range))
    return [best[source] for source in sources]


def _best(options: Sequence[Option]) -> Option | None:
    top = max(options, key=lambda o: (o[1], -(o[0][1] - o[0][0]), -o[0][0]), default=None)
    return top if top and top[1] > 0 else None


def allowed(source_a: Range, target_a: Range, source_b: Range, target_b: Range) -> bool:
    """Whether two targets stand to each other as their sources do."""
    if source_a[1] <= source_b[0] or source_b[1] <= source_a[0]:
        return target_a[1] <= target_b[0] or target_b[1] <= target_a[0]
    if source_a[0] <= source_b[0] and source_b[1] <= source_a[1]:
        return target_a[0] <= target_b[0] and target_b[1] <= target_a[1]
    if source_b[0] <= source_a[0] and source_a[1] <= source_b[1]:
        return target_b[0] <= target_a[0] and target_a[1] <= target_b[1]
    return True


def _conflicts(ranges: Sequence[Range], best: dict[Range, Option | None]) -> list[list[Range]]:
    # Groups of ranges in which some best options clash. Solving a group moves targets, so it takes in every range that
    # touches one of its members in the source or lies next to it; in practice all of a sentence's spans.
    for i, a in enumerate(ranges):
        for b in ranges[i + 1 :]:
            x, y = best[a], best[b]
            if x and y and not allowed(a, x[0], b, y[0]):
                return [list(ranges)]
    return []


def _search(ranges: Sequence[Range], options: dict[Range, Sequence[Option]]) -> dict[Range, Option | None]:
    beam: list[tuple[float, tuple[Option | None, ...]]] = [(0.0, ())]
    for k, source in enumerate(ranges):
        grown: list[tuple[float, tuple[Option | None, ...]]] = []
        for score, chosen in beam:
            grown.append((score, (*chosen, None)))
            for option in options[source]:
                fits = option[1] > 0 and all(
                    other is None or allowed(ranges[n], other[0], source, option[0])
                    for n, other in enumerate(chosen[:k])
                )
                if fits:
                    grown.append((score + option[1], (*chosen, option)))
        grown.sort(key=lambda entry: (-entry[0], [o[0] if o else (0, 0) for o in entry[1]]))
        beam = grown[:_BEAM]
    return dict(zip(ranges, beam[0][1], strict=True))
