"""A corpus whose histogram of CMI or switch-point fraction is the one that was asked for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.metrics.switching_corpus import TOP
from spanferry.corpora.signature import Signature, number_text
from spanferry.corpora.switching.batches import chance
from spanferry.corpora.switching.batches.measure import Choice
from spanferry.corpora.switching.samplers.matching import match

_MOST_BINS = 20


@dataclass(frozen=True)
class HistogramSampler:
    """Brings rows into bins so that the corpus has the target histogram; rows for which no place is left are rejected.

    Every row is switched in many ways: units in random order, and from left to right from a random place. The bins that
    it reaches so are matched with the histogram over the whole corpus, so that as many rows as possible are emitted
    (by Hall's theorem), and each is switched in one of the ways that reach its bin. Nothing is left to chance: the
    histogram is met to the row. The "SPF" sampler of GCM (Rizvi et al., EACL 2021) seeks the mode of a distribution.

    Attributes:
        measure: ``cmi`` (0 to 100) or ``spf`` (0 to 1).
        shares: Shares of the bins, the lowest first; all are equally wide.
        file: Instead: a JSON file with the counts by measure, as ``evaluate switching`` writes it.
        tries: How many orders of the units are tried.
        leave_out: Bins that hardly any row reaches may be left out, up to this share of all: the corpus would else be
            as small as they are. The distance from the target grows by as much.
    """

    name: ClassVar[str] = "histogram"

    measure: Literal["cmi", "spf"] = "cmi"
    shares: tuple[float, ...] = ()
    file: str = ""
    tries: Annotated[int, Field(ge=1, le=64)] = 8
    leave_out: Annotated[float, Field(ge=0, lt=1)] = 0.02

    def __post_init__(self) -> None:
        target = self.target
        if not 2 <= len(target) <= _MOST_BINS or min(target) < 0 or sum(target) <= 0:
            raise ConfigError(
                "no histogram to meet",
                valid=f"2 to {_MOST_BINS} shares, none negative, not all 0",
                hint="--set sampler.file=histograms.json from spanferry evaluate switching --out",
            )

    @property
    def target(self) -> tuple[float, ...]:
        """The shares of the bins, as given."""
        if not self.file:
            return self.shares
        try:
            found = json.loads(Path(self.file).read_text(encoding="utf-8"))[self.measure]["counts"]
            return tuple(float(count) for count in found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"no histogram of {self.measure!r}", where=self.file, hint="spanferry evaluate switching --out"
            ) from error

    @property
    def signature(self) -> Signature:
        """The target."""
        return Signature("-".join(number_text(share) for share in self.target))

    def choose(self, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
        """See ``Sampler.choose``: the rows at hand are the whole corpus."""
        return self.choose_for(choice, self.assign(self.reachable(choice), choice.item_keys))

    def reachable(self, choice: Choice) -> np.ndarray:
        """See ``CorpusSampler.reachable``."""
        found = np.zeros(len(choice.words), np.uint64)
        for _, bins, _ in self._states(choice):
            there = bins >= 0
            found[there] |= np.uint64(1) << bins[there].astype(np.uint64)
        return found

    def assign(self, reachable: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """See ``CorpusSampler.assign``.

        Raises:
            ConfigError: No corpus of these rows has this histogram, for want of rows in some bin.
        """
        target = np.asarray(self.target)
        found = match(reachable, keys, target, self.leave_out)
        if len(found) and (found < 0).all():
            top, n = TOP[self.measure], len(target)
            empty = [
                f"{top * b / n:g} to {top * (b + 1) / n:g}"
                for b in np.flatnonzero(target > 0).tolist()
                if not ((reachable >> np.uint64(b)) & np.uint64(1)).any()
            ]
            raise ConfigError(
                f"no row can be brought to a {self.measure.upper()} of {', '.join(empty)}, as the histogram asks for",
                hint="other units or more languages; with two languages the CMI is at most 50",
            )
        return found

    def choose_for(self, choice: Choice, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See ``CorpusSampler.choose_for``: of the ways that reach its bin each item takes a random one."""
        chosen = np.zeros(len(choice.units), bool)
        best = np.full(len(choice.words), -1.0)
        for number, reached, state in self._states(choice):
            score = chance.uniform(choice.item_keys, chance.BIN, number)
            better = (reached == bins) & (bins >= 0) & (score > best)
            best[better] = score[better]
            here = better[choice.units.item]
            chosen[here] = state[here]
        return chosen, (bins >= 0) & (best >= 0)

    def _states(self, choice: Choice) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Ways to switch the items: a number, the bin of each item (-1: none), and the units."""
        item = choice.units.item
        per_item = np.bincount(item, minlength=len(choice.words))
        first = np.cumsum(per_item) - per_item
        longest = int(per_item.max(initial=0))
        within = np.arange(len(item)) - first[item]
        for number in range(self.tries):
            if number % 2:
                turn = (chance.uniform(choice.item_keys, chance.ORDER, number) * per_item).astype(np.int64)
                rank = (within - turn[item]) % np.maximum(per_item, 1)[item]
            else:
                order = np.lexsort((chance.uniform(choice.keys, chance.ORDER, number), item))
                rank = np.empty(len(item), np.int64)
                rank[order] = within
            for count in range(longest + 1):
                if number and not count:
                    continue
                state = rank < count
                # An item whose units are all switched already has been seen so.
                seen = count > per_item
                bins = self._bins(choice.cmi(state) if self.measure == "cmi" else choice.spf(state))
                yield number * (longest + 1) + count, np.where(seen, -1, bins), state

    def _bins(self, values: np.ndarray) -> np.ndarray:
        count = len(self.target)
        scaled = np.nan_to_num(values, nan=-1.0) / TOP[self.measure] * count + 1e-9
        return np.where(np.isnan(values), -1, np.clip(scaled, 0, count - 1).astype(np.int64))
