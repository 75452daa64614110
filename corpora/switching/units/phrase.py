"""Units that are aligned phrases."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from corpora.switching.base import Units
from corpora.switching.batch import SwitchBatch
from corpora.switching.order import blocks, groups, orders


@dataclass(frozen=True)
class PhraseUnits:
    """Words that belong together by their links, joined with their neighbours as long as both orders go on.

    The phrases of phrase-based translation (Koehn et al., NAACL 2003): no word inside is linked to one outside. Here a
    text is cut into them, from the left, where they took all overlapping ones.

    Attributes:
        max_words: Phrases are joined up to about so many words.
    """

    name: ClassVar[str] = "phrase"
    grows: ClassVar[bool] = False

    max_words: Annotated[int, Field(ge=1)] = 4

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        first, last = blocks(batch)
        if not len(first):
            return Units.of(batch, first, last)
        item = batch.word_item[first]
        marks = ~batch.bearing[first] & (last - first == 1)
        new = np.r_[True, (item[1:] != item[:-1]) | marks[1:] | marks[:-1]]
        for order in orders(batch).values():
            low, high = order.images(first, last)
            some = low < high
            follows = some[1:] & some[:-1] & (low[1:] >= high[:-1]) & (low[1:] - high[:-1] <= 1)
            new |= np.r_[True, ~follows]
        # A phrase does not run over the edge of a span.
        spans, starts = batch.spans, batch.words.start[first]
        n_parts = int(spans.parts[spans.n_matrix])
        for edges in (spans.part_start[:n_parts], spans.part_end[:n_parts]):
            new[np.minimum(np.searchsorted(starts, edges, "left"), len(new) - 1)] = True
        first, last = groups(first, last, new, self.max_words)
        keep = batch.open[batch.word_item[first]]
        return Units.of(batch, first[keep], last[keep])
