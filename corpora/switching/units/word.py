"""Units that are single words."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spanferry.corpora.switching.batches.base import Units
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class WordUnits:
    """Every word by itself; in scripts without spaces a word is a token of the data, or what a dictionary has."""

    name: ClassVar[str] = "word"
    grows: ClassVar[bool] = False

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        first = np.flatnonzero(batch.open[batch.word_item])
        return Units.of(batch, first, first + 1)
