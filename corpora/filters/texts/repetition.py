"""Loops: a decoder that says the same thing again and again."""

import re
from collections.abc import Mapping, Sequence
from operator import eq
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair
from spanferry.corpora.text.scripts import UNSPACED_CHARACTER

_LOOP = re.compile(r"([^\W\d_]{1,4}?)\1{2,}")
# Without spaces between words each character stands for itself.
_UNIT = regex.compile(rf"{UNSPACED_CHARACTER.pattern}|(?:(?!{UNSPACED_CHARACTER.pattern})\w)+")
_WORD = re.compile(r"[^\s.,;:!?¡¿\"'()\[\]…—–«»“”‘’।،؟-]+")


class Repetition(FilterModel):
    """Rejects a target that repeats itself more than its source does.

    ``repetition.run`` is how often one n-gram (n of 1 to ``longest``) follows itself without a break, beyond the
    source's own: 0 where the target repeats no more than the source. ``repetition.share`` is the share of the target's
    n-grams of length ``ngram`` that occurred before in it, less the source's share, never below 0; a text of fewer than
    four n-grams has none. ``repetition.letters`` is how often up to four letters follow themselves within a word that
    is made of little else, beyond the source's own: the `ri` of `riririri`. Each text field is judged against the
    source's own; the worst counts.

    Attributes:
        longest: Longest n-gram for runs, in words (characters in scripts without spaces).
        ngram: Length of the n-grams of the share.
        max_run: Runs longer than the source's by more than this are loops. `no, no, no` from `no` passes.
        max_share: Share above which a text is a loop.
        max_letters: Repeated letters beyond the source's by more than this are a loop.
    """

    name: ClassVar[str] = "repetition"
    version: ClassVar[int] = 2
    scoring: ClassVar[tuple[str, ...]] = ("longest", "ngram")

    longest: int = Field(default=6, ge=1, le=20)
    ngram: int = Field(default=3, ge=2, le=10)
    max_run: int = Field(default=2, ge=0)
    max_share: float = Field(default=0.3, ge=0, le=1)
    max_letters: int = Field(default=2, ge=0)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``repetition.run``, ``repetition.share`` and ``repetition.letters``; low is good."""
        return (
            Column("repetition.run", pl.Int32, high=self.max_run),
            Column("repetition.share", pl.Float64, high=self.max_share),
            Column("repetition.letters", pl.Int32, high=self.max_letters),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        for pair in pairs:
            values = (None, None, None) if pair.target is None else self._row(pair.source.texts, pair.target.texts)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        return columns

    def _row(self, source: Mapping[str, str], target: Mapping[str, str]) -> tuple[int, float, int]:
        found = [self._field(source.get(field, ""), text) for field, text in target.items()] or [(0, 0.0, 0)]
        runs, shares, letters = zip(*found, strict=True)
        return max(runs), max(shares), max(letters)

    def _field(self, source: str, target: str) -> tuple[int, float, int]:
        letters = repeated_letters(target)
        letters = max(0, letters - repeated_letters(source)) if letters > 1 else 0
        units = _units(target)
        if len(set(units)) == len(units):
            return 0, 0.0, letters
        others = _units(source)
        run = max(0, longest_run(units, self.longest) - longest_run(others, self.longest))
        share = repeated_share(units, self.ngram) if len(units) > self.ngram + 2 else 0.0
        return run, max(0.0, share - repeated_share(others, self.ngram)), letters

    def reject(self) -> list[Rule]:
        """``repetition:run``, ``repetition:ngrams`` and ``repetition:letters``."""
        return [
            ("repetition:run", pl.col("repetition.run") > self.max_run),
            ("repetition:ngrams", pl.col("repetition.share") > self.max_share),
            ("repetition:letters", pl.col("repetition.letters") > self.max_letters),
        ]


def _units(text: str) -> list[str]:
    text = text.casefold()
    return _WORD.findall(text) if text.isascii() or not UNSPACED_CHARACTER.search(text) else _UNIT.findall(text)


def repeated_letters(text: str) -> int:
    """The most times that one to four letters follow themselves within a word; 1 where none does."""
    # A word with a loop in it has few different letters; looking at all words would cost ten times as much.
    loops = (m for w in text.casefold().split() if len(w) >= 2 * len(set(w)) for m in _LOOP.finditer(w))
    return max((len(m.group()) // len(m.group(1)) for m in loops), default=1)


def longest_run(units: Sequence[str], longest: int) -> int:
    """The most times any n-gram of up to ``longest`` units follows itself directly; 1 for no repetition, 0 for none."""
    best = min(1, len(units))
    for n in range(1, min(longest, len(units) // 2) + 1):
        # n units in a row equal to those n before them make one more repetition.
        same = bytes(map(eq, units[n:], units))
        if sum(same) >= n:
            best = max(best, max(map(len, same.split(b"\0"))) // n + 1)
    return best


def repeated_share(units: Sequence[str], n: int) -> float:
    """Share of the n-grams that occurred before; 0.0 where there are none."""
    total = len(units) - n + 1
    return (total - len(set(zip(*(units[i:] for i in range(n)), strict=False)))) / total if total > 0 else 0.0
