"""The equivalence constraint: switches only where the word orders of both languages agree."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.order import orders


@dataclass(frozen=True)
class EquivalenceConstraint:
    """Switches only where both word orders agree (Poplack, Linguistics 1980), decided by links, without a parser.

    A switch right before matrix word i is allowed iff there is a place j in the other text with (a < i <=> b < j) for
    every link (a, b). Both edges of a unit must be such places, and its counterpart must lie between them. The
    beginning and the end of a text are not switches.
    """

    name: ClassVar[str] = "equivalence"

    def allowed(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """See ``Constraint.allowed``. A language whose links are not known has no candidate."""
        found = np.zeros(len(candidates), bool)
        n = batch.n_words
        first, last = units.first[candidates.unit], units.last[candidates.unit]
        item = units.item[candidates.unit]
        for lang, order in orders(batch).items():
            here = np.flatnonzero(candidates.lang == batch.languages.index(lang) + 1)
            at_end = last[here] == batch.item_words[item[here] + 1]
            agrees = order.agrees[first[here]] & (at_end | order.agrees[np.minimum(last[here], n - 1)])
            view = batch.views[lang]
            low = order.start_after[first[here]]
            ends = view.words[item[here] + 1]
            high = np.where(at_end, ends, _next_linked(order.least, last[here], ends))
            inside = (candidates.first[here] >= low) & (candidates.last[here] <= high)
            found[here] = agrees & (inside | ~candidates.aligned[here])
        return found


def _next_linked(least: np.ndarray, last: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The least word of the other text that is linked from ``last`` on, at most the text's end."""
    after = np.minimum.accumulate(least[::-1])[::-1]
    result: np.ndarray = np.minimum(after[np.minimum(last, len(after) - 1)], ends)
    return result
