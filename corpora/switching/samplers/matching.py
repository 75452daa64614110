"""Rows to bins of a histogram: as many rows as possible, and the shares exactly as asked for."""

from collections import deque

import numpy as np


def match(reachable: np.ndarray, keys: np.ndarray, shares: np.ndarray, leave_out: float = 0.0) -> np.ndarray:
    """The bin of each row, (n,); -1: there is no place for it.

    A bin that few rows reach keeps the whole corpus small. Such bins are left out, the scarcest first, as long as each
    at least doubles the corpus and together they have at most ``leave_out`` of the shares.

    Args:
        reachable: Bits of the bins that a row can be in, uint64 (n,).
        keys: Random numbers; rows are taken in their order, so the order they are given in plays no part, (n,).
        shares: Of the bins, (n_bins,), at least 0.
        leave_out: Share of all bins that may be left out.
    """
    shares = shares / shares.sum()
    used = np.flatnonzero(shares > 0)
    places = _places(reachable, shares, used)
    reach = np.array([((reachable >> np.uint64(b)) & np.uint64(1)).sum() for b in range(len(shares))])
    left = shares.copy()
    for b in sorted(used.tolist(), key=lambda b: reach[b] / shares[b])[:-1]:
        left[b] = 0.0
        if 1.0 - left.sum() > leave_out + 1e-12:
            break
        fewer = np.flatnonzero(left > 0)
        others = _places(reachable, left / left.sum(), fewer)
        if others.sum() >= max(2 * places.sum(), 1):
            used, places = fewer, others
        else:
            left[b] = shares[b]
    out = np.full(len(reachable), -1, np.int64)
    masks = reachable.tolist()
    bits = [int(b) for b in used]
    held = _Held(out, masks, bits)
    for row in np.lexsort((reachable, keys)).tolist():
        able = [b for b in bits if masks[row] >> b & 1]
        path = _path(able, places, held)
        if path is None:
            continue
        # From the end on, each bin of the path takes a row from the bin before it.
        for here, onward in zip(path[-2::-1], path[:0:-1], strict=True):
            held.put(held.one(here, onward), onward)
        held.put(row, path[0])
        places[path[-1]] -= 1
    return out


class _Held:
    """Rows in each bin, by the other bins that they could be in; rows that have left are dropped when they come up."""

    def __init__(self, out: np.ndarray, masks: list[int], bits: list[int]) -> None:
        self.out, self.masks, self.bits = out, masks, bits
        self._rows: dict[tuple[int, int], list[int]] = {}

    def put(self, row: int, here: int) -> None:
        self.out[row] = here
        for b in self.bits:
            if b != here and self.masks[row] >> b & 1:
                self._rows.setdefault((here, b), []).append(row)

    def one(self, here: int, onward: int) -> int:
        """A row of ``here`` that could be in ``onward``; -1: there is none."""
        rows = self._rows.get((here, onward), [])
        while rows and self.out[rows[-1]] != here:
            rows.pop()
        return rows[-1] if rows else -1


def _places(reachable: np.ndarray, shares: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Places per bin for the largest corpus that has these shares.

    By Hall's theorem it has E rows iff for every set S of bins at least E times the share of S can reach S.
    """
    masks, counts = np.unique(reachable, return_counts=True)
    local = np.zeros(len(masks), np.int64)
    for k, b in enumerate(used):
        local |= ((masks >> np.uint64(b)) & np.uint64(1)).astype(np.int64) << k
    within = np.zeros(1 << len(used))  # rows that reach no bin outside the set
    np.add.at(within, local, counts)
    weight = np.zeros(1 << len(used))
    for k, b in enumerate(used):
        pairs = within.reshape(-1, 2, 1 << k)
        pairs[:, 1] += pairs[:, 0]
        weight.reshape(-1, 2, 1 << k)[:, 1] += shares[b]
    reach = len(reachable) - within[::-1]
    rows = int(np.floor((reach[1:] / weight[1:] + 1e-9).min())) if len(reachable) else 0
    exact = shares * rows
    places = np.floor(exact + 1e-9).astype(np.int64)
    for b in np.argsort(places - exact, kind="stable")[: rows - int(places.sum())]:
        places[b] += 1
    return places


def _path(able: list[int], places: np.ndarray, held: _Held) -> list[int] | None:
    """Bins from one that the row can be in to one with a free place; each can hand a row to the next."""
    come: dict[int, int] = dict.fromkeys(able, -1)
    queue = deque(able)
    while queue:
        here = queue.popleft()
        if places[here] > 0:
            path = [here]
            while come[path[-1]] >= 0:
                path.append(come[path[-1]])
            return path[::-1]
        for onward in held.bits:
            if onward not in come and held.one(here, onward) >= 0:
                come[onward] = here
                queue.append(onward)
    return None
