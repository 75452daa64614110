"""Scripts that are written without spaces between words: one definition, for every part that asks."""

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Members of a character class of ``regex``: all that is written without spaces."""

ONE_CHARACTER = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Likewise without katakana, of which a run is a word: where no dictionary is asked, each of these is one."""

UNSPACED_CHARACTER = regex.compile(f"[{UNSPACED}]")
"""One character of these scripts."""

UNSPACED_LANGUAGES = frozenset({"zh", "cmn", "yue", "wuu", "lzh", "ja", "th", "lo", "km", "my", "bo", "dz"})
"""Language subtags of those that join words, or sentences, without a space."""


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script without spaces.

    >>> [is_unspaced(c) for c in "ก水ンaк"]
    [True, True, True, False, False]
    """
    return UNSPACED_CHARACTER.match(character) is not None
