"""Arithmetic on flat arrays with ragged rows."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Ints = np.ndarray


def expand(starts: Ints, lengths: Ints) -> Ints:
    """The numbers of all ranges one after the other: starts (3, 7), lengths (2, 1) give 3 4 7."""
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, np.int64)
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(total)


def offsets_of(lengths: Ints) -> Ints:
    """Running ends with a 0 in front, (n + 1,)."""
    out = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def lists(array: pa.Array | pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Lengths and flat values of a list array; a missing list is an empty one."""
    if isinstance(array, pa.ChunkedArray):
        array = whole(array)
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths, array.flatten()


def whole(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def fields(array: pa.StructArray) -> dict[str, pa.Array]:
    """The children of a struct array by name, cut as the array is."""
    return dict(zip([f.name for f in array.type], array.flatten(), strict=True))


def integers(array: pa.Array) -> Ints:
    """An integer array without gaps as int64."""
    result: Ints = array.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return result


def codes_in(array: pa.Array, names: Sequence[str]) -> Ints:
    """The place of each string in ``names``; -1 where it is not there."""
    found = pc.index_in(array, value_set=pa.array(names, pa.string()))
    result: Ints = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return result


def cumulative_in_groups(values: np.ndarray, groups: Ints) -> np.ndarray:
    """Running sums that start anew where ``groups`` (ascending) changes, each with its own value."""
    if not len(values):
        return values
    sums = np.cumsum(values, axis=0)
    first = np.r_[True, groups[1:] != groups[:-1]]
    base = np.where(_column(first, values), sums - values, 0)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(groups)), 0))
    return sums - base[starts]


def _column(mask: np.ndarray, like: np.ndarray) -> np.ndarray:
    return mask if like.ndim == 1 else mask[:, None]


class RangeExtremes:
    """Least or greatest value of any range of an array, by a table of powers of two.

    Args:
        values: The array.
        longest: The longest range that is asked for.
        greatest: Whether the greatest is wanted rather than the least.
    """

    def __init__(self, values: Ints, longest: int, *, greatest: bool) -> None:
        self._pick = np.maximum if greatest else np.minimum
        self._empty = np.iinfo(np.int64).min if greatest else np.iinfo(np.int64).max
        self._levels = [values.astype(np.int64)]
        width = 1
        while 2 * width <= longest and len(values) >= 2 * width:
            last = self._levels[-1]
            self._levels.append(self._pick(last[:-width], last[width:]))
            width *= 2

    def __call__(self, first: Ints, last: Ints) -> Ints:
        """The extreme of each range [first, last); of an empty one the greatest (or least) integer there is."""
        out = np.full(len(first), self._empty, np.int64)
        lengths = last - first
        level = np.zeros(len(first), np.int64)
        some = lengths > 0
        level[some] = np.frexp(lengths[some].astype(np.float64))[1] - 1
        for k, table in enumerate(self._levels):
            at = np.flatnonzero(some & (level == k))
            if len(at):
                out[at] = self._pick(table[first[at]], table[last[at] - (1 << k)])
        return out
