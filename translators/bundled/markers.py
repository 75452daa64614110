"""Marker augmentation: wrap aligned phrases in ``[ ]`` on both sides, so that the model learns to carry brackets.

The idea is EasyProject's (Chen et al. 2023, "Frustratingly Easy Label Projection for Cross-lingual Transfer",
section 3.2), which fine-tunes a translation model on marked text; here the marked phrases are phrase pairs
consistent with word links (Koehn et al. 2003, section 4) and not named entities only.

The aligning and marking of a whole training text is :mod:`spanferry.projectors.markers.training_text`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from spanferry.corpora.schema import Range
from spanferry.corpora.text.words import words

MAX_SOURCE, MAX_TARGET = 5, 8
_FUNCTION_WORDS = """
the a an of and to is in that it was for you with are this have be not i he she we they do did does on at by as or but
if so my your his her its our their me him them us what who how when where there will would can could
"""
_FUNCTION = frozenset(_FUNCTION_WORDS.split())

Link = tuple[int, int]
Phrase = tuple[int, int, int, int]  # source words start:end, target words start:end


def phrases(links: set[Link], n_source: int) -> list[Phrase]:
    """Phrase pairs of 1-5 source words and at most 8 target words that no link leaves, tight on both sides."""
    by_source: dict[int, list[int]] = {}
    by_target: dict[int, list[int]] = {}
    for s, t in sorted(links):
        by_source.setdefault(s, []).append(t)
        by_target.setdefault(t, []).append(s)
    found = []
    for start in sorted(by_source):
        for end in range(start + 1, min(start + MAX_SOURCE, n_source) + 1):
            if end - 1 not in by_source:
                continue
            reached = [t for s in range(start, end) for t in by_source.get(s, ())]
            low, high = min(reached), max(reached) + 1
            back = [s for t in range(low, high) for s in by_target.get(t, ())]
            if high - low <= MAX_TARGET and min(back) >= start and max(back) < end:
                found.append((start, end, low, high))
    return found


def weight(source: str, ranges: tuple[Range, ...], phrase: Phrase) -> float:
    """How welcome a phrase is: names and numbers first, then phrases that begin and end with content words."""
    inside = [source[a:b] for a, b in ranges[phrase[0] : phrase[1]]]
    if not (inside[0][0].isalnum() and inside[-1][-1].isalnum()):
        return 0.0
    named = sum(w[0].isdigit() or (w[0].isupper() and (phrase[0] + k > 0)) for k, w in enumerate(inside))
    content = inside[-1].lower() not in _FUNCTION
    return (6.0 if named == len(inside) else 3.0 if named else 1.0) * (2.0 if content else 0.5)


def wrap(text: str, ranges: tuple[Range, ...], spans: list[tuple[int, int]]) -> tuple[str, list[int]]:
    """Put ``[ `` and `` ]`` around word spans.

    Args:
        text: Raw text.
        ranges: Its words.
        spans: Disjoint spans of words, ascending.

    Returns:
        The marked text, and for every word of ``text`` its index among the words of the marked text.
    """
    out, last = [], 0
    for start, end in spans:
        a, b = ranges[start][0], ranges[end - 1][1]
        out += [text[last:a], "[ ", text[a:b], " ]"]
        last = b
    moved = [k + sum(s <= k for s, _ in spans) + sum(e <= k for _, e in spans) for k in range(len(ranges))]
    return "".join([*out, text[last:]]), moved


def mark(source: str, target: str, links: set[Link], rng: random.Random) -> tuple[str, str, set[Link]]:
    """Mark one to three phrases of a pair; the pair comes back unchanged where no phrase can be marked.

    Returns:
        Source, target and links between the words of what is returned (brackets linked to brackets).
    """
    left, right = words(source), words(target)
    candidates = [(weight(source, left, p), p) for p in phrases(links, len(left))]
    candidates = [(w, p) for w, p in candidates if w and target[right[p[2]][0]].isalnum()]
    if not candidates or "[" in source + target or "]" in source + target:
        return source, target, links
    chosen: list[Phrase] = []
    for _ in range(rng.choices((1, 2, 3), (70, 22, 8))[0]):
        free = [
            (w, p)
            for w, p in candidates
            if all((p[1] <= c[0] or p[0] >= c[1]) and (p[3] <= c[2] or p[2] >= c[3]) for c in chosen)
        ]
        if free:
            chosen += rng.choices([p for _, p in free], [w for w, _ in free])
    by_source = sorted(chosen)
    by_target = sorted(chosen, key=lambda p: p[2])
    marked_source, source_at = wrap(source, left, [(p[0], p[1]) for p in by_source])
    marked_target, target_at = wrap(target, right, [(p[2], p[3]) for p in by_target])
    new = {(source_at[s], target_at[t]) for s, t in links}
    for p in chosen:
        new.add((source_at[p[0]] - 1, target_at[p[2]] - 1))
        new.add((source_at[p[1] - 1] + 1, target_at[p[3] - 1] + 1))
    changed = len(words(marked_source)) != len(left) + 2 * len(chosen)
    if changed or len(words(marked_target)) != len(right) + 2 * len(chosen):
        return source, target, links
    return marked_source, marked_target, new


def format_links(links: Iterable[Link]) -> str:
    """Pharaoh format, sorted."""
    return " ".join(f"{s}-{t}" for s, t in sorted(links))
