"""Stretches of a text as they are compared by spelling: romanised, lower-case, with the numbers in them.

Every code point is romanised alone, so a text is romanised once for all its stretches.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz

from spanferry.corpora.schema import Range

_NUMBER = re.compile(r"\d+")
# Similarity in percent below which two spellings have nothing to do with each other.
_ALIKE = 60.0
# A form, and the numbers in it, sorted.
Quote = tuple[str, list[str]]


@lru_cache(maxsize=65536)
def letter(character: str) -> str:
    """One code point in lower-case ASCII; white space stays."""
    result: str = anyascii(character).lower()
    return result


@lru_cache(maxsize=8)
def letters(text: str) -> tuple[str, ...]:
    """Each code point of ``text`` in lower-case ASCII."""
    return tuple(map(letter, text))


def form(text: str) -> str:
    """``text`` in lower-case ASCII, with one blank for every run of white space and none at its ends."""
    return " ".join("".join(map(letter, text)).split())


class Quotes:
    """The quotes of the ranges of one text, each made once."""

    def __init__(self, text: str) -> None:
        self._letters = letters(text)
        self._known: dict[Range, Quote] = {}

    def of(self, place: Range) -> Quote:
        """The quote of half-open code points ``place``."""
        found = self._known.get(place)
        if found is None:
            written = " ".join("".join(self._letters[place[0] : place[1]]).split())
            found = self._known[place] = written, sorted(_NUMBER.findall(written))
        return found


def spellings(quote: Quote, others: Sequence[Quote]) -> list[float]:
    """How alike two texts are spelled: 0 up to a similarity of .6, 1 for the same spelling."""
    wanted = quote[0]
    alike = [fuzz.ratio(wanted, other, score_cutoff=_ALIKE) for other, _ in others]
    return [(ratio / 100.0 - _ALIKE / 100.0) * 2.5 if ratio else 0.0 for ratio in alike]


def numbers_agree(quote: Quote, others: Sequence[Quote]) -> list[float]:
    """1 where both have the same numbers, -1 where they differ, 0 where neither has one."""
    wanted = quote[1]
    return [(1.0 if wanted == other else -1.0) if wanted or other else 0.0 for _, other in others]
