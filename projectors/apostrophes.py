"""What an apostrophe joins, learned from texts: ``l'eau`` is two words, ``Ankara'da``, ``п'ять`` and ``fa'`` are one.

Where words lose a vowel before others (French, Italian, Catalan), a few short ones stand before very many, which begin
with a vowel or a silent h and occur alone as well. Where an apostrophe sets off an ending (Turkish), a few endings
stand behind very many names. Where it is part of a letter (Uzbek ``oʻ``, Swahili ``ng'``), what follows it is as likely
a consonant, or is not a word. Cyrillic writing knows no elision. An apostrophe at the edge of a word (Neapolitan ``'o``
and ``fa'``) is the word's own unless it is one of two quotation marks.
"""

import unicodedata
from collections.abc import Iterable

import regex

from spanferry.corpora.schema import Range

APOSTROPHES = "tied.1"  # which version of these rules, for signatures
_MARKS = "'’‘`"  # ‘ and ` are often typed for the ʻ of Uzbek
_TIED = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}{_MARKS}])([\p{{L}}\p{{N}}][\p{{L}}\p{{M}}\p{{N}}]*)[{_MARKS}]"
    rf"(?!(?i:s|t|d|m|re|ve|ll)\b)(\p{{L}}[\p{{L}}\p{{M}}]*)(?![\p{{L}}\p{{M}}\p{{N}}{_MARKS}])"
)
_INNER = regex.compile(rf"[\p{{L}}\p{{M}}\p{{N}}][{_MARKS}]\p{{L}}")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_EDGE = regex.compile(
    rf"(?P<open>(?<![\p{{L}}\p{{M}}\p{{N}}{_MARKS}])['’‘‚](?=\p{{L}}))"
    rf"|(?P<close>(?<=[\p{{L}}\p{{M}}])['’‘](?![\p{{L}}\p{{M}}\p{{N}}]))"
)
_LEAST = 3  # different words before apostrophes; fewer prove nothing
_LEAST_ALONE = 25  # different words behind apostrophes, before it proves something that none of them stands alone
_CLEARLY = 1.5  # so many more words before apostrophes than behind them
_SHORT = 2  # letters of an article that has lost its first
_PLURALS = "sxz"  # an apostrophe behind them, ``dogs'``, marks a genitive and no lost letters


def has_suffixes(texts: Iterable[str]) -> bool:
    """Whether apostrophes inside words of ``texts`` mostly leave them whole: before endings, or as part of a letter.

    >>> has_suffixes(["Ankara'da", "İzmir'de", "Ayşe'nin"]), has_suffixes(["l'eau", "l'air", "d'or", "qu'elle"])
    (True, False)
    >>> has_suffixes(["o'zbek", "bo'lgan ko'p", "to'liq"])
    True
    """
    tied: set[tuple[str, str]] = set()
    alone: set[str] = set()
    for text in texts:
        tied.update((m[1], m[2].casefold()) for m in _TIED.finditer(text))
        alone.update(
            m[0].casefold() for m in _WORD.finditer(text) if text[m.start() - 1 : m.start()] not in list(_MARKS)
        )
    fronts, ends = {front.casefold() for front, _ in tied}, {end for _, end in tied}
    if len(ends) >= _LEAST_ALONE and not ends & alone:
        return True
    if len(fronts) < _LEAST:
        return False
    if 2 * sum(_elides(end) for _, end in tied) < len(tied):
        return True
    names = sum(front[0].isupper() or front[0].isdigit() for front, _ in tied)
    longer = sum(len(front) > len(end) for front, end in tied)
    clearly = len(fronts) >= _CLEARLY * len(ends)
    return 2 * longer > len(tied) and (clearly or (len(fronts) >= len(ends) and 2 * names > len(tied)))


def _elides(word: str) -> bool:
    """Whether a word before this one may lose its vowel."""
    return unicodedata.normalize("NFD", word)[0] in "aeiouyhœæ"


def learned_suffixes(vocabulary: Iterable[str]) -> bool:
    """Whether a vocabulary was learned from texts with such words: they hold their apostrophes."""
    inner = ending = 0
    for word in vocabulary:
        inner += bool(_INNER.search(word))
        ending += len(word) > 1 and word[-1] in _MARKS
    return inner > ending


def with_suffixes(text: str, words: tuple[Range, ...]) -> tuple[Range, ...]:
    """The words with what is tied to them by an apostrophe.

    >>> text = "bugün Ankara'da, ‘x’"
    >>> [text[a:b] for a, b in with_suffixes(text, ((0, 5), (6, 13), (13, 15), (15, 16), (17, 18), (18, 19), (19, 20)))]
    ['bugün', "Ankara'da", ',', '‘', 'x', '’']
    """
    inner = {m.start() + 1 for m in _INNER.finditer(text, overlapped=True)}
    return _joined(words, inner | {k + 1 for k in inner}) if inner else words


def whole_words(text: str, words: tuple[Range, ...]) -> tuple[Range, ...]:
    """The words with the apostrophes that are theirs whatever other texts show.

    These are those of Cyrillic words, and those at the edges of words that have lost letters there.

    >>> from spanferry.corpora.text.words import words
    >>> [text[a:b] for text in ("п'ять", "'o sole ca fa'", "dice 'casa'") for a, b in whole_words(text, words(text))]
    ["п'ять", "'o", 'sole', 'ca', "fa'", 'dice', "'", 'casa', "'"]
    """
    if not any(mark in text for mark in _MARKS):
        return words
    joints: set[int] = set()
    for match in _INNER.finditer(text, overlapped=True):
        if _CYRILLIC.search(match[0]):
            joints.update((match.start() + 1, match.start() + 2))
    for k, opens in _own_edges(text):
        joints.add(k + 1 if opens else k)
    return _joined(words, joints) if joints else words


def _own_edges(text: str) -> list[tuple[int, bool]]:
    """Apostrophes at the edges of words that are not quotation marks: their places, and whether the word follows."""
    waiting: list[int] = []
    pairs: list[Range] = []
    lone: list[tuple[int, bool]] = []
    for match in _EDGE.finditer(text):
        k = match.start()
        if match["open"]:
            waiting.append(k)
        elif waiting:
            pairs.append((waiting.pop(), k))
        elif text[k - 1].casefold() not in _PLURALS:
            lone.append((k, False))
    lone += [(k, True) for k in waiting]
    # Short words at both ends have lost letters; one alone may begin a quotation, if no other apostrophe is single.
    parted = [pair for pair in pairs if _is_short(text, pair, both=not lone)]
    lone += [edge for a, b in parted for edge in ((a, True), (b, False))]
    return [(k, opens) for k, opens in lone if text[k] in ("'’" if opens else "'’‘")]


def _is_short(text: str, pair: Range, *, both: bool) -> bool:
    """Whether several words are between two marks, of which the first, or both the first and the last, are short."""
    held = [m[0] for m in _WORD.finditer(text, pair[0] + 1, pair[1])]
    if len(held) < 2 or len(held[0]) > _SHORT:
        return False
    return not both or (len(held[-1]) <= _SHORT and held[0].islower())


def _joined(words: tuple[Range, ...], joints: set[int]) -> tuple[Range, ...]:
    joined: list[Range] = []
    for start, end in words:
        if joined and joined[-1][1] == start and start in joints:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def has_inner_apostrophe(text: str, words: Iterable[Range]) -> bool:
    """Whether one of the words holds an apostrophe between letters."""
    return any(_INNER.search(text, start, end) for start, end in words)
