"""Word segmentation with code-point offsets, for every script, without a model."""

from collections.abc import Sequence
from functools import lru_cache

import regex

Range = tuple[int, int]

# Scripts written without spaces: a word here is one character (with its marks), which aligners join again.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"


@lru_cache(maxsize=1)
def _pattern() -> "regex.Pattern[str]":
    number = r"\d+(?:[.,:/\-]\d+)*"
    katakana = r"[\p{Katakana}ー]+"
    unspaced = rf"[{_UNSPACED}]\p{{M}}*"
    letters = rf"(?:(?![{_UNSPACED}\p{{Katakana}}])[\p{{L}}\p{{M}}\p{{N}}_])+"
    # Letters may be joined by an apostrophe or hyphen inside the word, as in «l'eau» kept in two and «well-known» in one.
    word = rf"{letters}(?:[-‐‑·]{letters})*['’]?"
    emoji = r"\p{Extended_Pictographic}(?:️|\p{EMod}|‍\p{Extended_Pictographic})*"
    return regex.compile(rf"{number}|{word}|{katakana}|{unspaced}|{emoji}|[^\s]\p{{M}}*")


def words(text: str) -> tuple[Range, ...]:
    """Half-open code-point ranges of the words of ``text``, ascending and disjoint.

    A word is a run of letters, marks and digits (hyphens inside it stay, an apostrophe ends it and belongs to it), a
    number with its separators, a run of katakana, one character of a script that is written without spaces, one emoji
    sequence, or one other visible character. White space belongs to none.
    """
    return tuple((m.start(), m.end()) for m in _pattern().finditer(text))


def word_strings(text: str, ranges: Sequence[Range]) -> list[str]:
    """The words as strings."""
    return [text[a:b] for a, b in ranges]
