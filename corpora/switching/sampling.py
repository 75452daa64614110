"""What a sampler is."""

from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from spanferry.corpora.switching.batches.measure import Choice


class Sampler(Protocol):
    """Chooses the units that are switched."""

    name: ClassVar[str]

    def choose(self, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
        """Whether each unit is switched, (n_units,), and whether each item is emitted at all, (n_items,)."""
        ...


@runtime_checkable
class CorpusSampler(Sampler, Protocol):
    """A sampler that must know what all rows of the corpus can become before it chooses for any."""

    def reachable(self, choice: Choice) -> np.ndarray:
        """Bits of the bins that each item can be brought into, uint64 (n_items,)."""
        ...

    def assign(self, reachable: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """The bin of each row of the whole corpus, (n,); -1: it is not emitted."""
        ...

    def choose_for(self, choice: Choice, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Like ``choose``, with the bin of each item, (n_items,)."""
        ...
