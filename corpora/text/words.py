"""Word segmentation with code-point offsets, for every script, without a model."""

from collections.abc import Sequence
from functools import lru_cache

import regex

from spanferry.corpora.schema import Range
from spanferry.corpora.text.scripts import ONE_CHARACTER

# Soft hyphen, joiner, non-joiner and word joiner: nobody sees them.
JOINERS = "\u00ad\u200c\u200d\u2060"
_JAPANESE = regex.compile(r"[\p{Han}\p{Hiragana}\p{M}]+")
_LONGEST_JOINED = 4
# One emoji with what is joined to it. A flag is two regional indicators, or a flag with tags behind it.
EMOJI = (
    r"\p{Regional_Indicator}{2}"
    r"|\p{Extended_Pictographic}(?:️|\p{EMod}|‍\p{Extended_Pictographic}|[\U000E0020-\U000E007F])*"
)


@lru_cache(maxsize=1)
def _pattern() -> "regex.Pattern[str]":
    number = r"\d+(?:[.,:/\-]\d+)*\p{M}*"
    katakana = r"(?:[\p{Katakana}ー]\p{M}*)+"
    unspaced = rf"[{ONE_CHARACTER}]\p{{M}}*"
    # Soft hyphens and joiners are written inside words, and a joiner may end one (Persian, Sinhala, Malayalam).
    hidden = rf"(?<=[\p{{L}}\p{{M}}])(?:[{JOINERS}](?=\p{{L}})|[\u200c\u200d])"
    letter = rf"(?![{ONE_CHARACTER}\p{{Katakana}}])[\p{{L}}\p{{M}}\p{{N}}_]"
    letters = rf"(?:{letter}(?:{letter}|{hidden})*)"
    # A hyphen joins letters. An apostrophe between letters ends the word before it, «l'|eau», but English endings are
    # words of their own, «Europe|'s»; one that is not followed by a letter is a quotation mark.
    ending = r"['’](?i:s|t|d|m|re|ve|ll)(?![\p{L}\p{M}\p{N}])"
    word = rf"{letters}(?:[-‐‑·]{letters})*(?:(?!{ending})['’](?=\p{{L}}))?"
    return regex.compile(rf"{number}|{word}|{ending}|{katakana}|{unspaced}|{EMOJI}|[^\s]\p{{M}}*")


def words(text: str) -> tuple[Range, ...]:
    """Half-open code-point ranges of the words of ``text``, ascending and disjoint.

    A word is a run of letters, marks and digits (hyphens and joiners inside it stay; an apostrophe before a letter ends
    it and belongs to it), an English ending with its apostrophe, a number with its separators, a run of katakana, one
    character of a script that is written without spaces, one emoji sequence, or one other visible character.
    White space belongs to none.
    """
    return tuple([m.span() for m in _pattern().finditer(text)])


def word_strings(text: str, ranges: Sequence[Range]) -> list[str]:
    """The words as strings."""
    return [text[a:b] for a, b in ranges]


def joined_words(text: str, ranges: Sequence[Range], language: str) -> list[list[int]]:
    """Numbers of the words that belong together, in order: Japanese kanji with each other and with their endings.

    Only where the text has spaces between its words and a stretch without one has at most four: elsewhere an ending
    can't be distinguished from a particle, and every word stays alone.

    >>> text = "毎日 薬 を 飲む"
    >>> joined_words(text, words(text), "ja")
    [[0, 1], [2], [3], [4, 5]]
    """
    groups: list[list[int]] = []
    for k, (start, end) in enumerate(ranges):
        glued = k > 0 and ranges[k - 1][1] == start and _is_japanese(text[ranges[k - 1][0] : end])
        if glued and language.partition("-")[0] == "ja":
            groups[-1].append(k)
        else:
            groups.append([k])
    return [part for group in groups for part in ([group] if len(group) <= _LONGEST_JOINED else [[k] for k in group])]


def _is_japanese(text: str) -> bool:
    return bool(_JAPANESE.fullmatch(text))
