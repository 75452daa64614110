"""Units are switched until a row has the Code-Mixing Index that was asked for."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from spanferry.corpora.switching.batches import chance
from spanferry.corpora.switching.batches.arrays import cumulative_in_groups
from spanferry.corpora.switching.batches.measure import Choice, cmi_of


@dataclass(frozen=True)
class CmiSampler:
    """Switches units in random order up to the target CMI.

    A row's CMI goes up in steps. Of the two steps around the target one is drawn so that their mean is the target:
    the mean over the corpus then is the target as far as rows can reach it.

    Attributes:
        target: CMI, 0 to 100.
        tolerance: Rows that end up further from the target are rejected; by default they are kept.
    """

    name: ClassVar[str] = "cmi"

    target: Annotated[float, Field(ge=0, le=100)] = 25.0
    tolerance: Annotated[float, Field(ge=0, le=100)] | None = None

    def choose(self, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
        """See ``Sampler.choose``."""
        item, n_items = choice.units.item, len(choice.words)
        order = np.lexsort((chance.uniform(choice.keys, chance.ORDER), item))
        owner = item[order]
        added = np.zeros((len(order), len(choice.batch.languages) + 1), np.int64)
        added[np.arange(len(order)), choice.lang[order]] = choice.added[order]
        added[:, 0] -= choice.removed[order]
        counts = cumulative_in_groups(added, owner)
        counts[:, 0] += choice.words[owner]
        value = cmi_of(counts)
        before = np.where(np.r_[True, owner[1:] != owner[:-1]], 0.0, np.r_[0.0, value[:-1]]) if len(order) else value
        # The first step that reaches the target; if none does, the highest one.
        place = np.arange(len(order))
        stop = np.full(n_items, len(order), np.int64)
        hits = np.flatnonzero(value >= self.target)
        np.minimum.at(stop, owner[hits], place[hits])
        best = np.zeros(n_items)
        np.maximum.at(best, owner, value)
        top = np.full(n_items, len(order), np.int64)
        highest = np.flatnonzero(value == best[owner])
        np.minimum.at(top, owner[highest], place[highest])
        reached = stop < len(order)
        low, high = np.zeros(n_items), np.ones(n_items)
        low[reached], high[reached] = before[stop[reached]], value[stop[reached]]
        go = chance.uniform(choice.item_keys, chance.ROUND) * (high - low) < self.target - low
        upto = np.where(reached, np.where(go, stop, stop - 1), top)
        upto = np.where((best > 0) | reached, upto, -1)
        chosen = np.zeros(len(order), bool)
        chosen[order] = place <= upto[owner]
        kept = np.ones(n_items, bool)
        if self.tolerance is not None:
            kept = np.abs(choice.cmi(chosen) - self.target) <= self.tolerance + 1e-9
        return chosen, kept
