"""Units of a fixed number of words, and whole texts."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from spanferry.corpora.switching.batches.base import Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.order import common_places, ranges_between


@dataclass(frozen=True)
class ChunkUnits:
    """Stretches of about n words: each is cut at the first place from there on where all word orders agree.

    Attributes:
        size: Words in a chunk.
    """

    name: ClassVar[str] = "chunk"
    grows: ClassVar[bool] = True

    size: Annotated[int, Field(ge=1)] = 8

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        n = batch.n_words
        if not n:
            return Units.of(batch, np.zeros(0, np.int64), np.zeros(0, np.int64))
        item = batch.word_item
        place = (np.arange(n) - batch.item_words[item]) // self.size
        # A mark goes with the word before it.
        here = np.flatnonzero(common_places(batch) & (batch.bearing[:n] | batch.words.first_of_text[:n]))
        cuts = batch.words.first_of_text[:n].copy()
        later = np.r_[True, (item[here][1:] != item[here][:-1]) | (place[here][1:] != place[here][:-1])]
        cuts[here[later]] = True
        first, last = ranges_between(cuts)
        keep = batch.open[item[first]]
        return Units.of(batch, first[keep], last[keep])


@dataclass(frozen=True)
class DocumentUnits:
    """Every text as a whole."""

    name: ClassVar[str] = "document"
    grows: ClassVar[bool] = True

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        here = np.flatnonzero(batch.open & (np.diff(batch.item_words) > 0))
        return Units.of(batch, batch.item_words[here], batch.item_words[here + 1])
