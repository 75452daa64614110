"""Strings as one array of code points, and ranges of it as strings again."""

import numpy as np
import pyarrow as pa

from spanferry.corpora.switching.batches.arrays import Ints, expand, offsets_of, whole


def code_points(array: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, Ints]:
    """All strings one after the other, uint32 (n_code_points,), and their offsets in it, (n_strings + 1,).

    A missing string is an empty one.
    """
    if isinstance(array, pa.ChunkedArray):
        array = whole(array)
    array = array.cast(pa.large_string()).fill_null("")
    _, starts, data = array.buffers()
    at = np.frombuffer(starts, np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.frombuffer(data, np.uint8)[at[0] : at[-1]] if data is not None and len(at) else np.zeros(0, np.uint8)
    points = np.frombuffer(raw.tobytes().decode("utf-8").encode("utf-32-le"), np.uint32)
    if len(points) == len(raw):
        return points, at - (at[0] if len(at) else 0)
    # A byte that starts with the bits 10 goes on with a code point.
    firsts = np.zeros(len(raw) + 1, np.int64)
    np.cumsum((raw & 0xC0) != 0x80, out=firsts[1:])
    return points, firsts[at - at[0]]


def strings(pool: np.ndarray, starts: Ints, ends: Ints) -> pa.Array:
    """The ranges of ``pool`` as strings, (n,)."""
    lengths = ends - starts
    return strings_of(pool[expand(starts, lengths)], offsets_of(lengths))


def strings_of(points: np.ndarray, offsets: Ints) -> pa.Array:
    """Code points cut at ``offsets`` as strings, (len(offsets) - 1,)."""
    data = points.astype("<u4", copy=False).tobytes().decode("utf-32-le").encode("utf-8")
    if len(data) != len(points):
        width = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
        offsets = offsets_of(width)[offsets]
    kind = pa.large_string()
    built = pa.Array.from_buffers(
        kind, len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data)]
    )
    return built.cast(pa.string())
