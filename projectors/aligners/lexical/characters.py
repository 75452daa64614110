"""Chinese words by their characters: a word that was seen once is made of characters that were seen often.

Text without tokens is aligned twice, by the words of a dictionary and by its characters, and the two are averaged. Not
so in Japanese, where most characters are parts of endings and particles that carry no information.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import regex

from spanferry.corpora.schema import Range
from spanferry.corpora.text.word_breaks import words_of
from spanferry.corpora.text.words import words
from spanferry.projectors.base import Alignment, ProjectionInput

_WORD = regex.compile(r"\p{Han}{2,}")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_CHARACTERS = "-x-chars"  # a private subtag: tables of characters are those of another language
_DIGITS = 5


def in_characters(item: ProjectionInput) -> ProjectionInput | None:
    """The same input with characters for the words that a dictionary finds; None where that makes no difference."""
    sides = []
    for text, given, language in (
        (item.source_text, item.source_words, item.source_lang),
        (item.target_text, item.target_words, item.target_lang),
    ):
        apart = (
            not given
            and not _KANA.search(text)
            and any(_WORD.fullmatch(text[a:b]) for a, b in words_of(text, language))
        )
        sides.append((words(text), language + _CHARACTERS) if apart else (given, language))
    if all(language in (item.source_lang, item.target_lang) for _, language in sides):
        return None
    (source, source_lang), (target, target_lang) = sides
    return replace(item, source_words=source, target_words=target, source_lang=source_lang, target_lang=target_lang)


def averaged(whole: Alignment, characters: Alignment) -> Alignment:
    """The alignment of words, its probabilities averaged with what their characters make of them.

    A word is made by what makes its characters, on average; it makes whatever one of them makes.
    """
    if whole.reason or characters.reason or characters.forward is None or characters.backward is None:
        return whole
    if whole.forward is None or whole.backward is None:
        return whole
    rows, columns = (
        _first(whole.source_words, characters.source_words),
        _first(whole.target_words, characters.target_words),
    )
    sizes = (
        np.diff([*rows, len(characters.source_words)])[:, None],
        np.diff([*columns, len(characters.target_words)])[None, :],
    )
    forward = np.add.reduceat(np.add.reduceat(characters.forward.astype(np.float64), rows, 0), columns, 1) / sizes[1]
    backward = np.add.reduceat(np.add.reduceat(characters.backward.astype(np.float64), rows, 0), columns, 1) / sizes[0]
    ways = [
        np.round(0.5 * (own + other), _DIGITS).astype(np.float32).clip(0.0, 1.0)
        for own, other in (
            (whole.probabilities, np.sqrt(forward * backward)),
            (whole.forward, forward),
            (whole.backward, backward),
        )
    ]
    return replace(whole, probabilities=ways[0], forward=ways[1], backward=ways[2])


def _first(ranges: Sequence[Range], parts: Sequence[Range]) -> list[int]:
    """Number of the first part of each range."""
    at = {start: k for k, (start, _) in enumerate(parts)}
    return [at[start] for start, _ in ranges]
