"""CMI and switch-point fraction of whole batches, for any choice of units."""

from dataclasses import dataclass

import numpy as np

from spanferry.corpora.switching.batches.arrays import Ints, offsets_of
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class Choice:
    """What a sampler chooses from: units that may be switched, each into one candidate.

    Attributes:
        batch: The rows.
        units: Units with a candidate.
        lang: The candidate's language, (n_units,).
        removed: Words of the matrix language that a switch takes away, (n_units,); marks and numbers not counted.
        added: Words that it brings, (n_units,).
        words: Words of each item before any switch, (n_items,).
        keys: A random key per unit, (n_units,).
        item_keys: A random key per item, (n_items,).
    """

    batch: SwitchBatch
    units: Units
    lang: Ints
    removed: Ints
    added: Ints
    words: Ints
    keys: np.ndarray
    item_keys: np.ndarray

    @classmethod
    def of(
        cls, batch: SwitchBatch, units: Units, candidates: Candidates, keys: np.ndarray, item_keys: np.ndarray
    ) -> "Choice":
        """``candidates`` are one per unit."""
        counts = offsets_of(batch.bearing)
        return cls(
            batch,
            units,
            candidates.lang,
            counts[units.last] - counts[units.first],
            counts[candidates.last] - counts[candidates.first],
            counts[batch.item_words[1:]] - counts[batch.item_words[:-1]],
            keys,
            item_keys,
        )

    def counts(self, chosen: np.ndarray) -> np.ndarray:
        """Words by language after switching the chosen units, (n_items, n_languages + 1), the matrix language first."""
        n = len(self.words)
        here = np.flatnonzero(chosen)
        out = np.zeros((n, len(self.batch.languages) + 1), np.int64)
        out[:, 0] = self.words - np.bincount(self.units.item[here], self.removed[here], n).astype(np.int64)
        np.add.at(out, (self.units.item[here], self.lang[here]), self.added[here])
        return out

    def cmi(self, chosen: np.ndarray) -> np.ndarray:
        """CMI of each item, (n_items,)."""
        return cmi_of(self.counts(chosen))

    def spf(self, chosen: np.ndarray) -> np.ndarray:
        """Switch-point fraction of each item, (n_items,); nan with fewer than two words."""
        batch = self.batch
        code = np.zeros(batch.n_words, np.int64)
        edges = np.zeros(batch.n_words + 1, np.int64)
        here = np.flatnonzero(chosen)
        # Units are disjoint: a running sum of what they put on and take off again is the language of each word.
        np.add.at(edges, self.units.first[here], self.lang[here])
        np.add.at(edges, self.units.last[here], -self.lang[here])
        code = np.cumsum(edges)[:-1]
        bearing = np.flatnonzero(batch.bearing[: batch.n_words])
        item = batch.word_item[bearing]
        changes = (code[bearing][1:] != code[bearing][:-1]) & (item[1:] == item[:-1])
        points = np.bincount(item[1:][changes], minlength=len(self.words))
        total = self.counts(chosen).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 1, points / (total - 1), np.nan)


def cmi_of(counts: np.ndarray) -> np.ndarray:
    """100 (1 - t/N) along the last axis; 0 without any word."""
    total = counts.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 100.0 * (1.0 - counts.max(axis=-1) / total), 0.0)
