"""Rows of several languages as flat arrays: what units, counterparts, constraints and samplers work on.

All texts of all languages lie one after the other in one array of code points, the *pool*; words, spans and candidates
are ranges of it. An *item* is one text field of one row in the matrix language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import pyarrow as pa

from spanferry.corpora.switching.batches.arrays import Ints, offsets_of
from spanferry.corpora.switching.batches.chance import keys_of, mixed
from spanferry.corpora.switching.batches.characters import DIGIT, LETTER, SPACE, classes_of
from spanferry.corpora.switching.batches.pool import code_points, strings
from spanferry.corpora.switching.batches.protect import protected_ranges
from spanferry.corpora.text.word_breaks import words_of

_ENDS = np.array([ord(c) for c in ".!?…。！？｡؟۔।"], np.uint32)
_OPENERS = np.array([ord(c) for c in "\"'“‘«„‚(¿¡[「『»"], np.uint32)


@dataclass
class Words:
    """Words of the pool.

    Attributes:
        start: First code point of each, (n_words,).
        end: One past the last, (n_words,).
        first_of_text: Whether no other word of its text lies before it, (n_words,).
    """

    start: Ints
    end: Ints
    first_of_text: np.ndarray


@dataclass
class View:
    """One embedded language beside the matrix language.

    Attributes:
        lang: BCP-47.
        text_start: Where the counterpart of each item begins in the pool, (n_items,); -1: there is none.
        text_end: Where it ends, (n_items,).
        words: Where each item's words begin in ``SwitchBatch.words``, (n_items + 1,).
        link_source: Matrix word of each link, ascending, (n_links,).
        link_target: Word of this language, (n_links,).
        link_probability: (n_links,).
        span_of: For each matrix span the number of the span that it was projected to, (n_spans,); -1: none.
    """

    lang: str
    text_start: Ints
    text_end: Ints
    words: Ints
    link_source: Ints
    link_target: Ints
    link_probability: np.ndarray
    span_of: Ints


@dataclass
class Spans:
    """Labelled spans, first those of the matrix language, then those of the others.

    Attributes:
        n_matrix: How many of them are of the matrix language.
        item: Item of each, (n_spans,); that of the matrix text, also for the others.
        start: First code point in the pool, (n_spans,).
        end: One past the last, (n_spans,).
        parts: Where each span's parts begin, (n_spans + 1,); one part, or the fragments of a discontinuous span.
        part_start: (n_parts,).
        part_end: (n_parts,).
        place: Number of the span among all spans of the table, to find its label and id, (n_spans,).
    """

    n_matrix: int
    item: Ints
    start: Ints
    end: Ints
    parts: Ints
    part_start: Ints
    part_end: Ints
    place: Ints


@dataclass
class SwitchBatch:
    """A batch of rows.

    Attributes:
        table: The rows, ``spanferry.corpora.multiway.MULTIROW_SCHEMA``.
        matrix: BCP-47 tag of the language that others are mixed into.
        languages: The embedded languages; candidates name them by place, from 1.
        field_names: Text fields by code.
        pool: Code points, uint32.
        item_row: Row of each item, ascending, (n_items,).
        item_field: Field code, (n_items,).
        item_start: (n_items,).
        item_end: (n_items,).
        item_words: Where each item's words begin in ``words``, (n_items + 1,).
        open: Whether units may be looked for in the item, (n_items,).
        cell: Place of each row's matrix cell among all cells, (n_rows,); -1: the row has none.
        words: Matrix words by item, then those of every view by item, then those of added entries.
        views: The embedded languages that come with the rows.
        spans: See ``Spans``.
        texts: All texts, and where they begin in the pool.
        text_starts: (n_texts,).
    """

    table: pa.Table
    matrix: str
    languages: tuple[str, ...]
    field_names: tuple[str, ...]
    pool: np.ndarray
    item_row: Ints
    item_field: Ints
    item_start: Ints
    item_end: Ints
    item_words: Ints
    open: np.ndarray
    cell: Ints
    words: Words
    views: dict[str, View]
    spans: Spans
    texts: pa.Array
    text_starts: Ints

    @property
    def n_words(self) -> int:
        """Matrix words."""
        return int(self.item_words[-1])

    @cached_property
    def word_item(self) -> Ints:
        """Item of each matrix word, (n_words,)."""
        return np.repeat(np.arange(len(self.item_row)), np.diff(self.item_words))

    @cached_property
    def classes(self) -> np.ndarray:
        """Classes of the pool's code points, see ``characters``."""
        return classes_of(self.pool)

    @cached_property
    def _copied(self) -> Ints:
        """For each word the number of the address, placeholder … that it overlaps with, (all words,); -1: none."""
        starts, ends = protected_ranges(self.texts, self.text_starts)
        if not len(starts):
            return np.full(len(self.words.start), -1, np.int64)
        before = np.searchsorted(starts, self.words.end, "left") - 1
        inside = (before >= 0) & (ends[np.maximum(before, 0)] > self.words.start)
        return np.where(inside, before, -1)

    @cached_property
    def protected(self) -> np.ndarray:
        """Whether each word must be copied: it holds a digit or lies in an address, placeholder …, (all words,)."""
        return (self._count(DIGIT) > 0) | (self._copied >= 0)

    @cached_property
    def glued(self) -> np.ndarray:
        """Whether each word goes on with the address, placeholder … of the word before it, (all words,)."""
        result: np.ndarray = np.r_[False, (self._copied[1:] >= 0) & (self._copied[1:] == self._copied[:-1])]
        return result

    @cached_property
    def bearing(self) -> np.ndarray:
        """Whether each word belongs to a language: it has a letter and is nothing that must be copied, (all words,)."""
        result: np.ndarray = (self._count(LETTER) > 0) & ~self.protected
        return result

    def _count(self, kind: int) -> np.ndarray:
        counts = offsets_of((self.classes & kind) > 0)
        result: np.ndarray = counts[self.words.end] - counts[self.words.start]
        return result

    @cached_property
    def opens_sentence(self) -> np.ndarray:
        """Whether each word is the first of a sentence, quotation marks and brackets left aside, (all words,)."""
        single = self.words.end - self.words.start == 1
        point = self.pool[self.words.start]
        opener = single & np.isin(point, _OPENERS)
        ends = single & np.isin(point, _ENDS)
        first = self.words.first_of_text
        after = np.r_[False, ends[:-1]]
        opens = first | after
        for _ in range(2):
            opens |= np.r_[False, (opens & opener)[:-1]]
        # A full stop right before a word, as in "www.x" or "3.5", ends nothing.
        touching = after & ~first & (self.words.start == np.r_[-1, self.words.end[:-1]])
        result: np.ndarray = opens & ~touching
        return result

    @cached_property
    def _field_numbers(self) -> Ints:
        return np.array([crc32(name.encode()) for name in self.field_names], np.int64)

    def row_keys(self, seed: int, copy: int) -> np.ndarray:
        """A random key per row, (n_rows,)."""
        return keys_of(self.table.column("id").to_pylist(), seed, copy)

    def item_keys(self, row_keys: np.ndarray) -> np.ndarray:
        """A random key per item, (n_items,)."""
        return mixed(row_keys[self.item_row], self._field_numbers[self.item_field])

    def word_strings(self, first: Ints | None = None) -> pa.Array:
        """The words as strings: all matrix words, or those of the numbers given."""
        if first is None:
            return strings(self.pool, self.words.start[: self.n_words], self.words.end[: self.n_words])
        return strings(self.pool, self.words.start[first], self.words.end[first])

    def add_entries(self, entries: Sequence[str], lang: str) -> tuple[Ints, Ints, Ints]:
        """Puts strings of one language into the pool, cut into words.

        Returns:
            Starts and ends in the pool, (n,), and where the words of each begin, (n + 1,).
        """
        points, offsets = code_points(pa.array(entries, pa.string()))
        base, first_word = len(self.pool), len(self.words.start)
        cuts = [words_of(entry, lang) for entry in entries]
        counts = np.array([len(cut) for cut in cuts], np.int64)
        flat = np.array([edge for cut in cuts for edge in cut], np.int64).reshape(-1, 2)
        shift = np.repeat(offsets[:-1] + base, counts)
        first = np.zeros(len(flat), bool)
        self.pool = np.concatenate([self.pool, points])
        self.words = Words(
            np.concatenate([self.words.start, flat[:, 0] + shift]),
            np.concatenate([self.words.end, flat[:, 1] + shift]),
            np.concatenate([self.words.first_of_text, first]),
        )
        for name in ("classes", "_copied", "glued", "protected", "bearing", "opens_sentence"):
            self.__dict__.pop(name, None)
        return offsets[:-1] + base, offsets[1:] + base, offsets_of(counts) + first_word

    def blank(self) -> int:
        """Where a blank lies in the pool."""
        found = np.flatnonzero(self.pool[:1000] == 32)
        if len(found):
            return int(found[0])
        start, _, _ = self.add_entries([" "], self.matrix)
        return int(start[0])

    def white(self, position: Ints) -> np.ndarray:
        """Whether there is white space at positions of the pool."""
        result: np.ndarray = (self.classes[np.clip(position, 0, len(self.pool) - 1)] & SPACE) > 0
        return result
