"""Sentences that lost their end, or got one."""

from collections.abc import Sequence
from math import log
from typing import Any, ClassVar

import polars as pl
import regex

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Pair

_TERMINAL = regex.compile(r"[.?!…。？！｡؟۔।॥։።]")


class TerminalPunctuation(FilterModel):
    """Rejects a target whose number of sentence ends is far from its source's.

    ``terminal_punctuation.score`` is that of Vázquez et al. (2019, The University of Helsinki Submission to the WMT19
    Parallel Corpus Filtering Task, section 4.1): -log of one and the difference of the counts, and of those beyond one
    on either side; 0 is best. OpusFilter has it under this name, with -2 as threshold; the fields of a row are counted
    together, and the signs of more scripts.

    Attributes:
        min_score: Lower scores are rejected.
    """

    name: ClassVar[str] = "terminal_punctuation"

    min_score: float = -2.0

    @property
    def columns(self) -> tuple[Column, ...]:
        """``terminal_punctuation.score``; high is good."""
        return (Column("terminal_punctuation.score", pl.Float64, low=self.min_score),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        return {
            "terminal_punctuation.score": [
                None if p.target is None else _score(p.source.texts.values(), p.target.texts.values()) for p in pairs
            ]
        }

    def reject(self) -> list[Rule]:
        """``terminal_punctuation:differs``."""
        return [("terminal_punctuation:differs", pl.col("terminal_punctuation.score") < self.min_score)]


def _score(source: Any, target: Any) -> float:
    own, other = (len(_TERMINAL.findall("\n".join(texts))) for texts in (source, target))
    return 0.0 - log(1 + abs(own - other) + max(0, own - 1) + max(0, other - 1))
