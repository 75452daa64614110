"""Units that are aligned phrases."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from spanferry.corpora.switching.batches.arrays import Ints, expand
from spanferry.corpora.switching.batches.base import Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.order import common_places, groups, ranges_between


@dataclass(frozen=True)
class PhraseUnits:
    """Stretches between places where all word orders agree, joined with their neighbours to a few words.

    They are phrases as those of phrase-based translation (Koehn et al., NAACL 2003): no word inside is linked to one
    outside. Here a text is cut into them once, from the left, where they took all overlapping ones.

    Attributes:
        max_words: Phrases are joined up to about so many words. Where no stretch of at most twice as many belongs
            together, as around German verbs, words are phrases of their own.
    """

    name: ClassVar[str] = "phrase"
    grows: ClassVar[bool] = False

    max_words: Annotated[int, Field(ge=1)] = 4

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        n = batch.n_words
        if not n:
            return Units.of(batch, np.zeros(0, np.int64), np.zeros(0, np.int64))
        first, last = ranges_between(common_places(batch) | batch.words.first_of_text[:n])
        first, last, alone = _without_long(first, last, 2 * self.max_words)
        item = batch.word_item[first]
        marks = (~batch.bearing[first] & (last - first == 1)) | alone
        new = np.r_[True, (item[1:] != item[:-1]) | marks[1:] | marks[:-1]]
        # A phrase does not run over the edge of a span.
        spans, starts = batch.spans, batch.words.start[first]
        n_parts = int(spans.parts[spans.n_matrix])
        for edges in (spans.part_start[:n_parts], spans.part_end[:n_parts]):
            new[np.minimum(np.searchsorted(starts, edges, "left"), len(new) - 1)] = True
        first, last = groups(first, last, new, self.max_words)
        first, last = _without_marks(batch, first, last)
        keep = (first < last) & batch.open[batch.word_item[np.minimum(first, n - 1)]]
        return Units.of(batch, first[keep], last[keep])


def _without_marks(batch: SwitchBatch, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """The stretches without marks at their edges."""
    marks = ~batch.bearing & ~batch.protected
    for _ in range(3):
        first = first + ((first < last) & marks[np.minimum(first, len(marks) - 1)])
        last = last - ((first < last) & marks[last - 1])
    return first, last


def _without_long(first: Ints, last: Ints, most: int) -> tuple[Ints, Ints, np.ndarray]:
    """The stretches, the longer ones cut into words, and which are such words."""
    sizes = last - first
    cut = sizes > most
    counts = np.where(cut, sizes, 1)
    starts, alone = expand(first, counts), np.repeat(cut, counts)
    return starts, np.where(alone, starts + 1, np.repeat(last, counts)), alone
