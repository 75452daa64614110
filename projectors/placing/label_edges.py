"""Labels that touch inside one word: ``AltF2`` with two keys, ``10km`` with a number and a unit, ``US-China``.

Methods place spans at words, and two spans can't share one. So both texts are cut where the labels touch: the source
at their edges, the target where it looks the same (a capital after a small letter, a letter after a digit, a hyphen)
and around what both write alike.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

from spanferry.corpora.schema import Range
from spanferry.projectors.base import ProjectionInput, words_of_both
from spanferry.projectors.placing.fragments import parts_of

LABEL_EDGES = "edges.2"  # which version of these rules, for signatures
_HYPHENS = "-‐‑"
_LEAST = 2  # characters of a piece that is looked for in the target


_WordsOfBoth = Callable[[ProjectionInput], tuple[tuple[Range, ...], tuple[Range, ...]]]


def cut_at_labels(item: ProjectionInput, words: _WordsOfBoth = words_of_both) -> ProjectionInput:
    """The input with words that labels which touch do not share; itself where there are none.

    Labels touch where at most one character that is not a space, letter or digit is between them.

    Args:
        item: The texts and source spans.
        words: Which words there are to cut.
    """
    places = _touching(item)
    if not places:
        return item
    source, target = words(item)
    text, other = item.source_text, item.target_text
    cuts = {k for place in places for k in place}
    inside = [(a, b) for a, b in source if any(a < k < b for k in cuts)]
    pieces = {text[a:b] for word in inside for a, b in _split(word, cuts)}
    kinds = {(_kind(text[a - 1]), _kind(text[b])) for a, b in places if a == b}
    kinds = {(before, after) for before, after in kinds if before != after}
    whole = {text[a:b]: [k - a for k in cuts if a < k < b] for a, b in inside}
    found = set(_alike(other, (p for p in pieces if len(p) >= _LEAST)))
    for a, b in target:
        found.update(a + k for k in whole.get(other[a:b], ()))  # a word that is the same is cut the same
        for k in range(a + 1, b):
            if (_kind(other[k - 1]), _kind(other[k])) in kinds or other[k] in _HYPHENS or other[k - 1] in _HYPHENS:
                found.add(k)
    cut_target = tuple(part for word in target for part in _split(word, found))
    return replace(
        item,
        source_words=tuple(part for word in source for part in _split(word, cuts)) if inside else item.source_words,
        target_words=item.target_words if cut_target == target else cut_target,
    )


def _touching(item: ProjectionInput) -> list[Range]:
    """Where one label ends and the next one begins, ascending."""
    parts = [part for _, part in parts_of(item.spans)]
    starts, ends = {a for a, _ in parts}, {b for _, b in parts}
    text = item.source_text
    # Both sides of an edge have something: labels that only share an end are nested.
    direct = [(k, k) for k in starts & ends if 0 < k < len(text)]
    tied = [
        (k, k + 1)
        for k in ends
        if k + 1 in starts and k + 1 < len(text) and not (text[k].isalnum() or text[k].isspace())
    ]
    return sorted(direct + tied)


def _split(word: Range, cuts: Iterable[int]) -> list[Range]:
    inside = sorted(k for k in cuts if word[0] < k < word[1])
    return list(pairwise([word[0], *inside, word[1]]))


def _alike(text: str, pieces: Iterable[str]) -> Iterable[int]:
    """The edges of every occurrence of a piece that is not part of other letters of its kind."""
    for piece in pieces:
        at = text.find(piece)
        while at >= 0:
            end = at + len(piece)
            if _parted(text, at) and _parted(text, end):
                yield from (at, end)
            at = text.find(piece, end)


def _parted(text: str, k: int) -> bool:
    """Whether a word may begin or end here: letters or digits of one kind on both sides are one word."""
    return k in (0, len(text)) or _kind(text[k - 1]) != _kind(text[k]) or _kind(text[k]) == "other"


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "capital" if character.isupper() else "small"
    return "other"
