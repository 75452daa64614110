"""What an apostrophe between letters ties, told from the texts: ``l'eau`` is two words, ``Ankara'da`` one.

Where words lose a vowel before others (French, Italian, Catalan), a few short ones stand before very many. Where an
apostrophe sets off an ending (Turkish), a few endings stand behind very many names.
"""

from collections.abc import Iterable

import regex

from spanferry.corpora.text.words import Range

_TIED = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}'’])([\p{L}\p{N}][\p{L}\p{M}\p{N}]*)['’](?!(?i:s|t|d|m|re|ve|ll)\b)(\p{L}[\p{L}\p{M}]*)"
    r"(?![\p{L}\p{M}\p{N}'’])"
)
_INNER = regex.compile(r"[\p{L}\p{M}\p{N}]['’]\p{L}")
_LEAST = 3  # different words before apostrophes; fewer prove nothing
_CLEARLY = 1.5  # so many more words before apostrophes than behind them


def has_suffixes(texts: Iterable[str]) -> bool:
    """Whether apostrophes in ``texts`` mostly set off endings.

    >>> has_suffixes(["Ankara'da", "İzmir'de", "Ayşe'nin"]), has_suffixes(["l'eau", "l'air", "d'or", "qu'elle"])
    (True, False)
    """
    tied = {(m[1], m[2].casefold()) for text in texts for m in _TIED.finditer(text)}
    fronts, ends = {front.casefold() for front, _ in tied}, {end for _, end in tied}
    if len(fronts) < _LEAST:
        return False
    names = sum(front[0].isupper() or front[0].isdigit() for front, _ in tied)
    longer = sum(len(front) > len(end) for front, end in tied)
    clearly = len(fronts) >= _CLEARLY * len(ends)
    return 2 * longer > len(tied) and (clearly or (len(fronts) >= len(ends) and 2 * names > len(tied)))


def learned_suffixes(vocabulary: Iterable[str]) -> bool:
    """Whether a vocabulary was learned from texts with such endings: they are inside its words."""
    inner = ending = 0
    for word in vocabulary:
        inner += bool(_INNER.search(word))
        ending += len(word) > 1 and word[-1] in "'’"
    return inner > ending


def with_suffixes(text: str, words: tuple[Range, ...]) -> tuple[Range, ...]:
    """The words with the endings behind their apostrophes."""
    joined: list[Range] = []
    for start, end in words:
        tied = bool(joined) and joined[-1][1] == start and text[start - 1] in "'’" and text[start].isalpha()
        if tied and joined[-1][1] - joined[-1][0] > 1:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def has_inner_apostrophe(text: str, words: Iterable[Range]) -> bool:
    """Whether one of the words holds an apostrophe between letters."""
    return any(_INNER.search(text, start, end) for start, end in words)
