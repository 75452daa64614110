"""From chosen units to edits of the matrix text: replacements, and blanks put in or taken out at their edges."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.switching.articles import never_a_noun
from spanferry.corpora.switching.batches.arrays import Ints, expand, offsets_of
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.characters import (
    LETTER,
    LOWER,
    UNSPACED,
    UPPER,
    WORD,
    classes_of,
    lower_of,
    upper_of,
)


@dataclass(frozen=True)
class Edits:
    """Changes of the matrix texts, ascending, disjoint.

    Attributes:
        item: (n_edits,).
        start: First code point in the pool that is replaced, (n_edits,).
        end: One past the last; the same as ``start`` where something is put in, (n_edits,).
        new_start: What takes its place, in the pool, (n_edits,).
        new_end: (n_edits,).
        unit: The chosen unit, (n_edits,); -1: a blank.
        out: New texts of all items, code points.
        out_start: Where each item's text begins in ``out``, (n_items + 1,).
        shift: How much longer the texts are after the first k edits of the batch, (n_edits + 1,).
        first: Edits before each item, (n_items + 1,).
    """

    item: Ints
    start: Ints
    end: Ints
    new_start: Ints
    new_end: Ints
    unit: Ints
    out: np.ndarray
    out_start: Ints
    shift: Ints
    first: Ints
    _item_start: Ints

    def begins(self, item: Ints, position: Ints) -> Ints:
        """Where a stretch that begins at ``position`` of the pool begins in its item's new text."""
        done = np.searchsorted(self.end, position, "right")
        result: Ints = position - self._item_start[item] + self.shift[done] - self.shift[self.first[item]]
        return result

    def ends(self, item: Ints, position: Ints) -> Ints:
        """Where a stretch that ends at ``position`` ends in its item's new text."""
        done = np.searchsorted(self.start, position, "left")
        result: Ints = position - self._item_start[item] + self.shift[done] - self.shift[self.first[item]]
        return result

    def places(self) -> Ints:
        """Where each edit's new text begins in its item's new text, (n_edits,)."""
        number = np.arange(len(self.item))
        result: Ints = self.start - self._item_start[self.item] + self.shift[number] - self.shift[self.first[self.item]]
        return result


def edits_of(batch: SwitchBatch, units: Units, candidates: Candidates) -> Edits:
    """The edits that put ``candidates`` (one per unit) into the places of ``units``."""
    blank = batch.blank()
    start = batch.words.start[units.first] if len(units) else units.first
    end = batch.words.end[units.last - 1] if len(units) else units.last
    spaces = _seams(batch, units, candidates, start, end, blank)
    item = np.concatenate([units.item, *(s[0] for s in spaces)])
    starts = np.concatenate([start, *(s[1] for s in spaces)])
    ends = np.concatenate([end, *(s[2] for s in spaces)])
    new_starts = np.concatenate([candidates.start, *(s[3] for s in spaces)])
    new_ends = np.concatenate([candidates.end, *(s[4] for s in spaces)])
    unit = np.concatenate([np.arange(len(units)), np.full(len(item) - len(units), -1)])
    order = np.lexsort((ends, starts))
    columns = [a[order] for a in (item, starts, ends, new_starts, new_ends, unit)]
    return _applied(batch, columns, units, candidates)


Space = tuple[Ints, Ints, Ints, Ints, Ints]


def _seams(batch: SwitchBatch, units: Units, candidates: Candidates, start: Ints, end: Ints, blank: int) -> list[Space]:
    """Blanks to put in or take out: scripts without spaces join without one, words of others are kept apart."""
    n = len(units)
    if not n:
        return []
    kinds = batch.classes
    next_to_last = np.r_[(units.item[1:] == units.item[:-1]) & (units.first[1:] == units.last[:-1]), False]
    after_unit = np.r_[False, next_to_last[:-1]]
    found = []
    # Before each unit.
    inner = units.first > batch.item_words[units.item]
    before = batch.words.end[np.maximum(units.first - 1, 0)]
    last_of_previous = np.r_[0, candidates.end[:-1]] - 1
    left = np.where(after_unit, last_of_previous, before - 1)
    found += _seam(batch, kinds, units.item, inner, left, candidates.start, before, start, blank)
    # After each unit that no other follows at once.
    more = (units.last < batch.item_words[units.item + 1]) & ~next_to_last
    following = batch.words.start[np.minimum(units.last, batch.n_words - 1)]
    found += _seam(batch, kinds, units.item, more, candidates.end - 1, following, end, following, blank)
    return found


def _seam(
    batch: SwitchBatch,
    kinds: np.ndarray,
    item: Ints,
    there: np.ndarray,
    left: Ints,
    right: Ints,
    gap_start: Ints,
    gap_end: Ints,
    blank: int,
) -> list[Space]:
    gap = gap_end - gap_start
    before, after = kinds[left], kinds[right]
    unspaced = ((before & UNSPACED) > 0) & ((after & UNSPACED) > 0)
    apart = ((before & WORD) > 0) & ((after & WORD) > 0) & ((before & UNSPACED) == 0) & ((after & UNSPACED) == 0)
    drop = np.flatnonzero(there & unspaced & (gap > 0) & batch.white(gap_start) & batch.white(gap_end - 1))
    put = np.flatnonzero(there & apart & (gap == 0))
    nothing, one = np.zeros(len(drop), np.int64), np.full(len(put), blank, np.int64)
    return [
        (item[drop], gap_start[drop], gap_end[drop], nothing, nothing),
        (item[put], gap_start[put], gap_start[put], one, one + 1),
    ]


def _applied(batch: SwitchBatch, columns: list[Ints], units: Units, candidates: Candidates) -> Edits:
    item, start, end, new_start, new_end, unit = columns
    n_items, n = len(batch.item_row), len(item)
    per_item = np.bincount(item, minlength=n_items) if n else np.zeros(n_items, np.int64)
    first = offsets_of(per_item)
    # Pieces of an item: text, edit, text, edit … text.
    piece_start = np.empty(2 * n + n_items, np.int64)
    piece_end = np.empty_like(piece_start)
    own = 2 * np.arange(n) + item + 1  # places of the edits among the pieces
    piece_start[own], piece_end[own] = new_start, new_end
    heads = 2 * first[:-1] + np.arange(n_items)
    piece_start[heads] = batch.item_start
    piece_start[own + 1] = end
    tails = 2 * first[1:] + np.arange(n_items)
    piece_end[tails] = batch.item_end
    piece_end[own - 1] = start
    lengths = piece_end - piece_start
    out = batch.pool[expand(piece_start, lengths)]
    piece_out = offsets_of(lengths)
    out_start = piece_out[np.r_[heads, len(lengths)]]
    shift = offsets_of((new_end - new_start) - (end - start))
    edits = Edits(item, start, end, new_start, new_end, unit, out, out_start, shift, first, batch.item_start)
    chosen = np.flatnonzero(unit >= 0)
    _set_case(batch, units, candidates, unit[chosen], piece_out[own[chosen]], out)
    return edits


def _set_case(batch: SwitchBatch, units: Units, candidates: Candidates, unit: Ints, at: Ints, out: np.ndarray) -> None:
    """The one rule of casing: a unit that begins a sentence has the capital that the sentence had.

    What began a sentence in the other language and no longer does loses its capital, unless it is a name (it lies in a
    span, or stands for a word with a capital) or, in German, may be a noun.
    """
    if not len(unit):
        return
    own = batch.pool[batch.words.start[units.first[unit]]]
    kinds, new = classes_of(own), classes_of(out[at])
    opens = batch.opens_sentence[units.first[unit]]
    up = np.flatnonzero(opens & ((kinds & UPPER) > 0) & ((new & LOWER) > 0))
    out[at[up]] = upper_of(out[at[up]])
    opened = batch.opens_sentence[candidates.first[unit]] & candidates.aligned[unit]
    plain = ((kinds & UPPER) == 0) & ((kinds & LETTER) > 0)
    if batch.matrix.split("-")[0] == "de":
        plain = np.ones(len(unit), bool)
    spared = _in_spans(batch, units, unit)
    down = np.flatnonzero(~opens & opened & plain & ~spared & ((new & UPPER) > 0))
    if len(down):
        words = pc.utf8_lower(batch.word_strings(candidates.first[unit[down]]))
        keep = np.zeros(len(down), bool)
        for code, lang in enumerate(batch.languages, 1):
            small = never_a_noun(lang)
            if small is not None:
                known = pc.is_in(words, value_set=pa.array(sorted(small))).to_numpy(zero_copy_only=False)
                view = batch.views.get(lang)
                if view is not None:
                    # Nor is a noun what these rows write in lower case elsewhere.
                    seen = batch.word_strings(np.arange(view.words[0], view.words[-1])).unique()
                    known = known | pc.is_in(words, value_set=seen).to_numpy(zero_copy_only=False)
                keep |= (candidates.lang[unit[down]] == code) & ~known
        down = down[~keep]
        # A word all in capitals stays so.
        second = np.minimum(at[down] + 1, len(out) - 1)
        down = down[(classes_of(out[second]) & UPPER) == 0]
        out[at[down]] = lower_of(out[at[down]])


def _in_spans(batch: SwitchBatch, units: Units, unit: Ints) -> np.ndarray:
    """Whether a span begins in each unit or holds it."""
    spans = batch.spans
    order = np.argsort(spans.start[: spans.n_matrix], kind="stable")
    starts = spans.start[: spans.n_matrix][order]
    reach = np.maximum.accumulate(spans.end[: spans.n_matrix][order]) if len(order) else starts
    begin = batch.words.start[units.first[unit]]
    upto = np.searchsorted(starts, begin, "right") - 1
    return (upto >= 0) & (reach[np.maximum(upto, 0)] > begin) if len(order) else np.zeros(len(unit), bool)
