"""Targets of dots and stars where the source says something."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.filters.text import letters, plain_text
from spanferry.corpora.schema import Pair
from spanferry.corpora.text.scripts import UNSPACED

_WORD = regex.compile(rf"[{UNSPACED}]|[\p{{L}}\p{{M}}]{{3,}}")
_DIGIT = regex.compile(r"\d")


class Letters(FilterModel):
    """Rejects a target without a letter where the source has words: ``........`` for a question, ``*`` for `Nice.`.

    ``letters.lost`` counts, over the fields whose target has no letter, the source's words of three letters or more
    (each character in scripts without spaces) outside code, URLs, tags and placeholders. A target that has digits may
    stand for two words: `5 percent` is `5 %`, `5 past noon` is `12:05`.

    Attributes:
        max_lost: Most words that may have become signs.
    """

    name: ClassVar[str] = "letters"

    max_lost: int = Field(default=0, ge=0)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``letters.lost``; low is good."""
        return (Column("letters.lost", pl.Int32, high=self.max_lost),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        return {"letters.lost": [None if p.target is None else _lost(p.source.texts, p.target.texts) for p in pairs]}

    def reject(self) -> list[Rule]:
        """``letters:none``."""
        return [("letters:none", pl.col("letters.lost") > self.max_lost)]


def _lost(source: Any, target: Any) -> int:
    lost = 0
    for field, text in source.items():
        other = target.get(field)
        if other is not None and other.strip() and not letters(other):
            words = len(_WORD.findall(plain_text(text)))
            lost += max(0, words - 2) if _DIGIT.search(other) else words
    return lost
