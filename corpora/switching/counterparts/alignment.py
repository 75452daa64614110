"""Counterparts from the row's own text in the other language, through its word links and projected spans."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from spanferry.corpora.switching.articles import articles_of, fused_of
from spanferry.corpora.switching.batches.arrays import Ints
from spanferry.corpora.switching.batches.base import REASON, Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch, View
from spanferry.corpora.switching.batches.order import Order, orders

_OPENING = np.array([ord("¿"), ord("¡")], np.uint32)
_CLOSING = np.array([ord("?"), ord("!")], np.uint32)


@dataclass(frozen=True)
class AlignmentCounterparts:
    """The words that a unit is linked to, in the translation of its row; a span's counterpart is its projected span.

    They must be one stretch, linked to no word outside the unit. Large units (clauses, sentences, chunks) take along
    the words without links before them, and phrases do at the beginning of a text; a whole text stands for a whole one.
    A leading article, also one in a preposition such as German "zur", is left out where the word before the unit is
    one; a unit whose counterpart would end with an article right before another one is not switched.

    Attributes:
        max_words: A counterpart has at most this many words more than twice those of its unit.
        articles: Whether to leave out a second article.
    """

    name: ClassVar[str] = "alignment"

    max_words: Annotated[int, Field(ge=0)] = 2
    articles: bool = True

    def languages(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """See ``CounterpartFinder.languages``."""
        return given

    def find(self, batch: SwitchBatch, units: Units, *, grows: bool, keys: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """See ``CounterpartFinder.find``."""
        parts, reasons = [], np.full(len(units), REASON["no_counterpart"], np.int64)
        for code, lang in enumerate(batch.languages, 1):
            view = batch.views.get(lang)
            if view is None:
                continue
            first, last, why = self._stretches(batch, view, orders(batch).get(lang), units, grows)
            good = np.flatnonzero(why == 0)
            first, last = _trimmed(batch, units.take(good), first[good], last[good], grows)
            if self.articles:
                first = _without_article(batch, units.take(good), lang, first, last)
                last = np.where(_article_twice(batch, units.take(good), lang, first, last), first, last)
            some = first < last
            parts.append(Candidates.of_words(batch, good[some], code, first[some], last[some]))
            why[good[~some]] = REASON["no_counterpart"]
            reasons = np.where((reasons == 0) | (why == 0), 0, np.maximum(reasons, why))
        return Candidates.join(parts), reasons

    def _stretches(
        self, batch: SwitchBatch, view: View, order: Order | None, units: Units, grows: bool
    ) -> tuple[Ints, Ints, Ints]:
        """First and last word of each unit's counterpart, and why there is none."""
        n = len(units)
        first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
        why = np.full(n, REASON["no_counterpart"], np.int64)
        spans = np.flatnonzero(units.span >= 0)
        if len(spans):
            first[spans], last[spans], why[spans] = _span_words(batch, view, units.span[spans])
        item_first, item_last = batch.item_words[units.item], batch.item_words[units.item + 1]
        whole = (units.first == item_first) & (units.last == item_last) & (units.span < 0) & grows
        here = np.flatnonzero(whole)
        first[here], last[here] = view.words[units.item[here]], view.words[units.item[here] + 1]
        why[here] = np.where(first[here] < last[here], 0, REASON["no_counterpart"])
        rest = np.flatnonzero((units.span < 0) & ~whole)
        if order is None or not len(rest):
            return first, last, why
        low, high = order.images(units.first[rest], units.last[rest])
        some = low < high
        rest, low, high = rest[some], low[some], high[some]
        back, ahead = order.preimages(low, high)
        alone = (back >= units.first[rest]) & (ahead <= units.last[rest])
        longer_low, longer_high = _grown(batch, view, units.item[rest], low, high)
        if grows:
            low, high = longer_low, longer_high
        else:
            opening = (units.first[rest] == item_first[rest]) & (units.last[rest] - units.first[rest] > 1)
            low = np.where(opening, longer_low, low)
        sizes = units.last[rest] - units.first[rest]
        fits = high - low <= 2 * sizes + self.max_words
        first[rest], last[rest] = low, high
        why[rest] = np.where(alone, np.where(fits, 0, REASON["too_long"]), REASON["not_one_piece"])
        return first, last, why


def _span_words(batch: SwitchBatch, view: View, spans: Ints) -> tuple[Ints, Ints, Ints]:
    found = view.span_of[spans]
    there = (found >= 0) & (np.diff(batch.spans.parts)[found] == 1)
    start, end = batch.spans.start[found], batch.spans.end[found]
    base, upto = view.words[0], view.words[-1]
    starts, ends = batch.words.start[base:upto], batch.words.end[base:upto]
    first = np.searchsorted(ends, start, "right") + base
    last = np.searchsorted(starts, end, "left") + base
    there &= first < last
    if len(starts):
        at, before = np.minimum(first - base, len(starts) - 1), np.maximum(last - base - 1, 0)
        there &= (starts[at] == start) & (ends[before] == end)
    return first, last, np.where(there, 0, REASON["not_projected"])


def _grown(batch: SwitchBatch, view: View, item: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Stretches with the unlinked words before them up to a mark, and those after them at the end of the text."""
    base, size = view.words[0], int(view.words[-1] - view.words[0])
    linked = np.zeros(size + 1, bool)
    linked[view.link_target - base] = True
    own = slice(base, base + size)
    points = batch.pool[batch.words.start[own]]
    marks = ~batch.bearing[own] & ~batch.protected[own] & ~np.isin(points, _OPENING)
    at = np.where(linked | np.r_[marks, False], np.arange(size + 1), -1)
    before = np.r_[-1, np.maximum.accumulate(at)[:-1]]
    after = np.minimum.accumulate(np.where(linked, np.arange(size + 1), size)[::-1])[::-1]
    low = np.maximum(before[low - base] + 1 + base, view.words[item])
    end = view.words[item + 1]
    return low, np.where(after[high - base] + base >= end, end, high)


def _trimmed(batch: SwitchBatch, units: Units, first: Ints, last: Ints, grows: bool) -> tuple[Ints, Ints]:
    """Without marks at the edges where the unit has none, so that they are neither lost nor doubled."""
    marks = ~batch.bearing & ~batch.protected
    points = batch.pool[batch.words.start]
    asks = np.isin(points[units.last - 1], _CLOSING)
    for _ in range(2):
        some = first < last
        head = np.minimum(first, len(points) - 1)
        opens = np.isin(points[head], _OPENING) & asks
        first = first + (some & marks[head] & ~marks[units.first] & ~opens)
        some = first < last
        tail = np.maximum(last - 1, 0)
        last = last - (some & marks[tail] & ~marks[units.last - 1])
    return first, last


def _without_article(batch: SwitchBatch, units: Units, lang: str, first: Ints, last: Ints) -> Ints:
    own, other = articles_of(batch.matrix), articles_of(lang) | fused_of(lang)
    if not own or not other:
        return first
    able = np.flatnonzero((last - first > 1) & (units.first > batch.item_words[units.item]))
    leading = _is_one_of(batch, first[able], other)
    able = able[leading]
    able = able[_is_one_of(batch, units.first[able] - 1, own)]
    first = first.copy()
    first[able] += 1
    return first


def _article_twice(batch: SwitchBatch, units: Units, lang: str, first: Ints, last: Ints) -> np.ndarray:
    """Whether a counterpart ends with an article, alone or in a preposition, where the next word is one."""
    found = np.zeros(len(first), bool)
    own, other = articles_of(batch.matrix), articles_of(lang) | fused_of(lang)
    if own and other:
        able = np.flatnonzero((first < last) & (units.last < batch.item_words[units.item + 1]))
        able = able[_is_one_of(batch, units.last[able], own)]
        found[able[_is_one_of(batch, last[able] - 1, other)]] = True
    return found


def _is_one_of(batch: SwitchBatch, words: Ints, names: frozenset[str]) -> np.ndarray:
    if not len(words):
        return np.zeros(0, bool)
    lowered = pc.utf8_lower(batch.word_strings(words))
    result: np.ndarray = pc.is_in(lowered, value_set=pa.array(sorted(names))).to_numpy(zero_copy_only=False)
    return result
