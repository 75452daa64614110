"""Units that are clauses or sentences."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from spanferry.corpora.switching.batches.base import Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.order import ranges_between

_BREAKS = np.array([ord(c) for c in '.!?…。！？｡؟۔।,;:()[]{}«»“”„"—–、，；：「」『』（）،؛'], np.uint32)


@dataclass(frozen=True)
class ClauseUnits:
    """Stretches between punctuation marks, without the marks.

    Attributes:
        min_words: Shorter ones are not units.
    """

    name: ClassVar[str] = "clause"
    grows: ClassVar[bool] = True

    min_words: Annotated[int, Field(ge=1)] = 2

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        n = batch.n_words
        start, end = batch.words.start[:n], batch.words.end[:n]
        mark = (end - start == 1) & np.isin(batch.pool[start], _BREAKS)
        item = batch.word_item
        cuts = np.r_[True, mark[1:] | mark[:-1] | (item[1:] != item[:-1])] if n else mark
        first, last = ranges_between(cuts)
        keep = ~mark[first] & (last - first >= self.min_words) & batch.open[item[first]]
        return Units.of(batch, first[keep], last[keep])


@dataclass(frozen=True)
class SentenceUnits:
    """Sentences with their marks, found by full stops, question marks and the like."""

    name: ClassVar[str] = "sentence"
    grows: ClassVar[bool] = True

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        opens = batch.opens_sentence[: batch.n_words]
        if not len(opens):
            return Units.of(batch, np.zeros(0, np.int64), np.zeros(0, np.int64))
        # Within a sentence that a quotation mark opens the next word is marked too.
        cuts = opens & ~(np.r_[False, opens[:-1]] & ~batch.words.first_of_text[: batch.n_words])
        first, last = ranges_between(cuts)
        keep = batch.open[batch.word_item[first]]
        return Units.of(batch, first[keep], last[keep])
