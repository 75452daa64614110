"""Loops: a decoder that says the same thing again and again."""

import re
from collections.abc import Sequence
from operator import eq
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from corpora.filters.base import Column, FilterModel, Rule
from corpora.schema import Example, Pair

# Without spaces between words each character stands for itself.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_UNIT = regex.compile(rf"{_UNSPACED.pattern}|(?:(?!{_UNSPACED.pattern})\w)+")
_WORD = re.compile(r"[^\s.,;:!?¡¿\"'()\[\]…—–«»“”‘’।،؟-]+")


class Repetition(FilterModel):
    """Rejects a target that repeats itself more than its source does.

    ``repetition.run`` is how often one n-gram (n of 1 to ``longest``) follows itself without a break, beyond the
    source's own: 0 where the target repeats no more than the source. ``repetition.share`` is the share of the target's
    n-grams of length ``ngram`` that occurred before in it, less the source's share, never below 0; a text of fewer than
    four n-grams has none.

    Attributes:
        longest: Longest n-gram for runs, in words (characters in scripts without spaces).
        ngram: Length of the n-grams of the share.
        max_run: Runs longer than the source's by more than this are loops. `no, no, no` from `no` passes.
        max_share: Share above which a text is a loop.
    """

    name: ClassVar[str] = "repetition"
    scoring: ClassVar[tuple[str, ...]] = ("longest", "ngram")

    longest: int = Field(default=6, ge=1, le=20)
    ngram: int = Field(default=3, ge=2, le=10)
    max_run: int = Field(default=2, ge=0)
    max_share: float = Field(default=0.3, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``repetition.run`` and ``repetition.share``; low is good."""
        return (
            Column("repetition.run", pl.Int32, high=self.max_run),
            Column("repetition.share", pl.Float64, high=self.max_share),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        runs: list[int | None] = []
        shares: list[float | None] = []
        for pair in pairs:
            if pair.target is None:
                runs.append(None)
                shares.append(None)
                continue
            target = _units(pair.target)
            if len(set(target)) == len(target):
                runs.append(0)
                shares.append(0.0)
                continue
            source = _units(pair.source)
            runs.append(max(0, longest_run(target, self.longest) - longest_run(source, self.longest)))
            share = repeated_share(target, self.ngram) if len(target) > self.ngram + 2 else 0.0
            shares.append(max(0.0, share - repeated_share(source, self.ngram)))
        return {"repetition.run": runs, "repetition.share": shares}

    def reject(self) -> list[Rule]:
        """``repetition:run`` and ``repetition:ngrams``."""
        return [
            ("repetition:run", pl.col("repetition.run") > self.max_run),
            ("repetition:ngrams", pl.col("repetition.share") > self.max_share),
        ]


def _units(example: Example) -> list[str]:
    text = "\n".join(example.texts.values()).casefold()
    return _WORD.findall(text) if text.isascii() or not _UNSPACED.search(text) else _UNIT.findall(text)


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
