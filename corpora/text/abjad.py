"""Words of Arabic and Hebrew script: one spelling for each, without what is written together with it, and its sound.

Conjunctions, prepositions and the Arabic article are one written word with what follows them («وبالمدينة»: and in the
city), vowels are hardly written, and some letters in several ways. What is counted or compared must meet all the same.
"""

import re
from collections.abc import Container
from functools import lru_cache

import regex
from anyascii import anyascii

_ABJAD = regex.compile(r"[\p{Arabic}\p{Hebrew}]")
# Vowel points and the stroke that stretches a word: Arabic, then Hebrew.
_POINTS = regex.compile(
    r"[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
)
_LETTERS = str.maketrans("أإآٱىةکی", "اااايهكي")
_ARTICLE = regex.compile(r"[وفبك]?ال(?=..)|لل(?=..)")
_ENDINGS = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
_PREFIXES = (
    *("وب", "ول", "وك", "و", "ف", "ب", "ل", "ك"),
    *("וה", "וב", "ול", "ומ", "וש", "שה", "מה", "ו", "ה", "ב", "ל", "כ", "מ", "ש"),
)
_LEAST = 3  # letters of what is left without a prefix
# Letters of romanised text that stand for sounds which other scripts don't keep apart, longest first.
_SOUNDS = {
    **dict.fromkeys(("tch", "sch", "sh", "ch", "tz", "z"), "s"),
    **dict.fromkeys(("ck", "kh", "qu", "q"), "k"),
    **dict.fromkeys(("ph", "f", "p", "v"), "b"),
    **dict.fromkeys(("gh", "j"), "g"),
    "th": "t",
    "dh": "t",
    "x": "ks",
    "c": "k",
}
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=lambda letters: (-len(letters), letters))))
_UNHEARD = re.compile(r"[aeiouywh]")
_VOWEL = regex.compile(r"(?<=\p{Hebrew})ו")  # within a word it mostly is an o or an u
_DOUBLE = re.compile(r"(.)\1+")


def is_abjad(text: str) -> bool:
    """Whether there is a letter of Arabic or Hebrew script."""
    return bool(_ABJAD.search(text))


@lru_cache(maxsize=200_000)
def normal(word: str) -> str:
    """Lower-cased; in Arabic and Hebrew script without points, and letters that are written in several ways in one.

    >>> normal("Haus"), normal("أُسْرَةٌ"), normal("שָׁלוֹם")
    ('haus', 'اسره', 'שלום')
    """
    if word.isascii() or not is_abjad(word):
        return word.lower()
    return _POINTS.sub("", word).translate(_LETTERS) or word


@lru_cache(maxsize=200_000)
def bare(word: str) -> str:
    """The normal form without the Arabic article and the letter that may stand before it.

    >>> bare("والبيت"), bare("للمدينة"), bare("ألمانيا"), bare("tal")
    ('بيت', 'مدينه', 'المانيا', 'tal')
    """
    # A written hamza is not an article: it must be recognised before it is removed.
    pointed = "" if word.isascii() else _POINTS.sub("", word)
    article = _ARTICLE.match(pointed)
    return normal(pointed[article.end() :]) if article else normal(word)


def light_stem(word: str, known: Container[str]) -> str:
    """A word of Arabic or Hebrew script without what is written together with it, as far as that can be decided.

    Arabic: light10 (Larkey, Ballesteros and Connell, "Light Stemming for Arabic Information Retrieval", 2007), and one
    preposition more where what is left is a known word; Hebrew: prefixes where what is left is a known word.

    Args:
        word: In its normal form.
        known: Words in their normal form.

    >>> light_stem("وبيوتها", ()), light_stem("بباريس", {"باريس"}), light_stem("בחיפה", {"חיפה"})
    ('بيوت', 'باريس', 'חיפה')
    """
    return _light10(without_prefix(word, known) or word)


def without_prefix(word: str, known: Container[str]) -> str:
    """What is left of a word behind a conjunction or a preposition where that is a known word; else nothing.

    Args:
        word: In its normal form.
        known: Words in their normal form.
    """
    for prefix in _PREFIXES:
        rest = word[len(prefix) :]
        if word.startswith(prefix) and len(rest) >= _LEAST and rest in known:
            return rest
    return ""


def _light10(word: str) -> str:
    form = word[1:] if word.startswith("و") and len(word) > _LEAST else word
    article = _ARTICLE.match(form)
    form = form[article.end() :] if article else form
    for ending in _ENDINGS:
        if form.endswith(ending) and len(form) >= len(ending) + 2:
            form = form[: -len(ending)]
    return form


@lru_cache(maxsize=200_000)
def sound(text: str) -> str:
    """The consonants of romanised text, as far as Latin, Arabic and Hebrew spelling tell the same ones apart.

    >>> sound("Michelangelo"), sound("مايكل أنجلو"), sound("Haifa"), sound("חיפה")
    ('mslngl', 'mkl ngl', 'b', 'b')
    """
    words = re.sub(r"[^a-z ]", "", anyascii(_VOWEL.sub("", text)).lower()).split()
    return " ".join(filter(None, (_heard(word) for word in words)))


def sounds(word: str) -> tuple[str, str]:
    """How a word of Arabic or Hebrew script may sound: less an article, and without a letter that may be a prefix."""
    form = bare(word)
    rest = form[1:] if form[:1] in _PREFIXES and len(form) > _LEAST else form
    return sound(form), sound(rest)


def _heard(word: str) -> str:
    def of(match: re.Match[str]) -> str:
        letters = match.group()
        if letters == "c" and word[match.end() : match.end() + 1] in ("e", "i", "y"):
            return "s"
        return _SOUNDS[letters]

    return _DOUBLE.sub(r"\1", _UNHEARD.sub("", _SOUND.sub(of, word)))
