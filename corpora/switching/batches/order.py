"""Word order of two languages, from links: stretches that belong together, places where both orders agree."""

from dataclasses import dataclass

import numpy as np

from spanferry.corpora.switching.batches.arrays import Ints, RangeExtremes, offsets_of
from spanferry.corpora.switching.batches.batch import SwitchBatch, View

_NONE = np.int64(1) << 40  # beyond every word


@dataclass(frozen=True)
class Order:
    """Links of one view, looked up for stretches of words.

    Attributes:
        least: Least linked word of the other language by matrix word; a large number without links, (n_words,).
        most: Greatest, -1 without links, (n_words,).
        agrees: Whether a switch is allowed right before each matrix word, (n_words,): for some place j in the other
            text (a < i <=> b < j) for every link (a, b).
        start_after: Where the other text may be entered at such a place: one past the greatest word linked before,
            (n_words,).
    """

    least: Ints
    most: Ints
    agrees: np.ndarray
    start_after: Ints
    _least: RangeExtremes
    _most: RangeExtremes
    _least_source: RangeExtremes
    _most_source: RangeExtremes
    _base: int

    @classmethod
    def of(cls, batch: SwitchBatch, view: View) -> "Order":
        """The order of a view's links."""
        n = batch.n_words
        base, size = int(view.words[0]), int(view.words[-1] - view.words[0])
        least, most = np.full(n, _NONE), np.full(n, -1, np.int64)
        least_source, most_source = np.full(size, _NONE), np.full(size, -1, np.int64)
        np.minimum.at(least, view.link_source, view.link_target)
        np.maximum.at(most, view.link_source, view.link_target)
        np.minimum.at(least_source, view.link_target - base, view.link_source)
        np.maximum.at(most_source, view.link_target - base, view.link_source)
        # Words of later items are greater in both languages, so one running extreme serves all items.
        item = batch.word_item
        before = np.r_[np.int64(-1), np.maximum.accumulate(most)[:-1]] if n else most
        after = np.minimum.accumulate(least[::-1])[::-1]
        starts = view.words[:-1][item] if n else item
        agrees = np.maximum(before, starts - 1) < after
        longest = int(max(np.diff(batch.item_words).max(initial=1), np.diff(view.words).max(initial=1)))
        return cls(
            least,
            most,
            agrees,
            np.maximum(before + 1, starts),
            RangeExtremes(least, longest, greatest=False),
            RangeExtremes(most, longest, greatest=True),
            RangeExtremes(least_source, longest, greatest=False),
            RangeExtremes(most_source, longest, greatest=True),
            base,
        )

    def images(self, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Hulls of the words linked to matrix words [first, last); (a large number, 0) without any."""
        return self._least(first, last), self._most(first, last) + 1

    def preimages(self, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """The same the other way around."""
        return self._least_source(first - self._base, last - self._base), self._most_source(
            first - self._base, last - self._base
        ) + 1


def orders(batch: SwitchBatch) -> dict[str, Order]:
    """The order of every view that has links; made once per batch."""
    found: dict[str, Order] = batch.__dict__.setdefault("_orders", {})
    for lang, view in batch.views.items():
        if lang not in found and len(view.link_source):
            found[lang] = Order.of(batch, view)
    return found


def common_places(batch: SwitchBatch) -> np.ndarray:
    """Whether all views' orders agree right before each matrix word, (n_words,); without links they do."""
    found = np.ones(batch.n_words, bool)
    for order in orders(batch).values():
        found &= order.agrees
    return found


def groups(first: Ints, last: Ints, starts_new: np.ndarray, size: int) -> tuple[Ints, Ints]:
    """Joins neighbouring stretches to at most about ``size`` words.

    Args:
        first: (n,), ascending.
        last: (n,).
        starts_new: Whether a stretch can't be joined with the one before, (n,).
        size: Words.
    """
    if not len(first):
        return first, last
    run = np.cumsum(starts_new) - 1
    run_first = first[starts_new][run]
    place = (first - run_first) // size
    new = starts_new | np.r_[True, place[1:] != place[:-1]]
    ends = np.flatnonzero(np.r_[new[1:], True])
    return first[new], last[ends]


def ranges_between(cuts: np.ndarray) -> tuple[Ints, Ints]:
    """Stretches from one cut to the next; the first word is one.

    Args:
        cuts: Whether a stretch begins at each word, (n_words,).
    """
    first = np.flatnonzero(cuts)
    return first, offsets_of(np.diff(np.r_[first, len(cuts)]))[1:] + (first[0] if len(first) else 0)
