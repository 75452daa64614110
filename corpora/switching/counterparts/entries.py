"""From strings to entries: lookups of whole arrays, and a choice among several entries."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from spanferry.corpora.switching.batches import chance
from spanferry.corpora.switching.batches.arrays import Ints, offsets_of
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.pool import strings

Weighted = Sequence[tuple[str, float]]


def unit_strings(batch: SwitchBatch, units: Units) -> pa.DictionaryArray:
    """The units' texts, each distinct one once."""
    starts, ends = batch.words.start[units.first], batch.words.end[units.last - 1]
    return strings(batch.pool, starts, ends).dictionary_encode()


def chosen_entries(
    batch: SwitchBatch,
    which: Ints,
    code: int,
    names: Sequence[str],
    numbers: Ints,
    lookup: Callable[[str], Weighted],
    keys: np.ndarray,
) -> Candidates:
    """One entry per unit that has any, drawn by weight.

    Args:
        batch: Entries are added to its pool.
        which: The units that are looked up, (n,).
        code: Place of the language.
        names: Distinct strings.
        numbers: For each of ``which`` its string, (n,).
        lookup: Entries of a string with weights; empty: none.
        keys: A random key per unit of ``which``, (n,).
    """
    found = [lookup(name) for name in names]
    counts = np.array([len(entries) for entries in found], np.int64)
    offsets = offsets_of(counts)
    flat = [entry for entries in found for entry, _ in entries]
    heights = np.zeros(len(flat))
    for at, entries in zip(offsets[:-1], found, strict=True):
        total = sum(weight for _, weight in entries)
        running = 0.0
        for k, (_, weight) in enumerate(entries):
            running += weight
            heights[at + k] = running / total
    there = np.flatnonzero(counts[numbers] > 0)
    drawn = chance.uniform(keys[there], chance.ENTRY, code)
    # Heights within a string rise from 0 to 1; shifted by its number they rise over all of them.
    owner = np.repeat(np.arange(len(names)), counts)
    pick = np.searchsorted(heights + owner, drawn + numbers[there], "right")
    pick = np.minimum(pick, offsets[numbers[there] + 1] - 1)
    starts, ends, words = batch.add_entries(flat, batch.languages[code - 1])
    return Candidates(
        which[there],
        np.full(len(there), code, np.int64),
        starts[pick],
        ends[pick],
        words[pick],
        words[pick + 1],
        np.zeros(len(there), bool),
    )


def weights(entries: Mapping[str, float]) -> Weighted:
    """Entries in a fixed order."""
    return sorted(entries.items())
