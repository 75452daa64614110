"""Words as the language has them: dictionaries find those of scripts that are written without spaces."""

from functools import lru_cache
from importlib.metadata import version
from typing import Any

import regex

from spanferry.corpora.schema import Range
from spanferry.corpora.text.scripts import ONE_CHARACTER
from spanferry.corpora.text.words import words

_CUT = regex.compile(f"[{ONE_CHARACTER}]")
_SURROGATE = regex.compile(r"[\ud800-\udfff]")
# A dictionary has «時に», now and then, which behind a number are an hour and a particle.
_TIME = regex.compile(r"(?<=\d\s?)[年月日時分秒](?=\p{Hiragana})")
# jieba's dictionary is of simplified Chinese; ICU's holds both scripts, and Japanese.
_SIMPLIFIED = frozenset({"zh", "cmn"})
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


# A text is asked for by what parts, fits and aligns it.
@lru_cache(maxsize=2048)
def words_of(text: str, language: str) -> tuple[Range, ...]:
    """Half-open code-point ranges of the words of ``text``, ascending and disjoint.

    Those of ``words``, but where that has single characters because the script has no spaces, a
    dictionary decides which of them are one word: jieba's for simplified Chinese, ICU's for Japanese, Thai, Lao, Khmer,
    Burmese and traditional Chinese. What no dictionary knows stays single characters.

    Args:
        text: Raw text.
        language: BCP-47.
    """
    ranges = words(text)
    if not _CUT.search(text):
        return ranges
    whole = _SURROGATE.sub("\ufffd", text)  # dictionaries take valid Unicode only
    breaks = _jieba_breaks(whole) if _is_simplified(language) else _icu_breaks(whole, language)
    breaks.update(match.end() for match in _TIME.finditer(whole))
    joined: list[Range] = []
    for start, end in ranges:
        glued = bool(joined) and joined[-1][1] == start and start not in breaks
        if glued and _CUT.match(text[start]) and _CUT.match(text[joined[-1][0]]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


@lru_cache(maxsize=1)
def dictionaries() -> str:
    """Which dictionaries find words: another version may find others.

    >>> dictionaries().split(".")[0]
    'icu4py'
    """
    return "+".join(f"{name}.{version(name)}" for name in ("icu4py", "rjieba"))


def _is_simplified(language: str) -> bool:
    first, *more = language.replace("_", "-").lower().split("-")
    return first in _SIMPLIFIED and not _TRADITIONAL & set(more)


def _jieba_breaks(text: str) -> set[int]:
    known = _jieba()
    # Without its model of unknown words, which joins names to their neighbours.
    breaks, end = set(), 0
    for word in known.cut(text, hmm=False):
        # A name made of two words, 北京|大学, may be what only half of it was in another language.
        if len(word) == 4 and known.has_word(word[:2]) and known.has_word(word[2:]):
            breaks.add(end + 2)
        end += len(word)
        breaks.add(end)
    return breaks


@lru_cache(maxsize=1)
def _jieba() -> Any:
    from rjieba import Jieba

    return Jieba()


def _icu_breaks(text: str, language: str) -> set[int]:
    from icu4py.breakers import WordBreaker

    breaks, end = set(), 0
    for word in WordBreaker(text, language.replace("_", "-") or "und"):
        end += len(str(word))
        breaks.add(end)
    return breaks
