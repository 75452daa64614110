"""Brackets around spans: putting them in, finding them again in a translation, and telling whose they are.

EasyProject (Chen et al., Findings of ACL 2023, sections 3.1 and 3.3): spans travel through the translation inside
``[ ]``; labels are distinguished by order or by what the brackets hold. Differs from it in that spans may be nested, a
bracket that lost its other half is dropped alone, and matched spans are kept when others of the text are not.
"""

import re
from collections.abc import Callable, Sequence

import regex
from rapidfuzz import fuzz

from spanferry.corpora.schema import Range
from spanferry.corpora.text.scripts import UNSPACED

# What models make of a square bracket. Japanese and Chinese quotation marks are also at home in texts, so they are
# read as brackets only where the others do not add up.
_ALWAYS = {"[": "[", "]": "]", "［": "[", "］": "]", "【": "[", "】": "]", "〔": "[", "〕": "]", "⟦": "[", "⟧": "]"}
_QUOTES = {"「": "[", "」": "]", "『": "[", "』": "]", "〖": "[", "〗": "]", "《": "[", "》": "]"}
_STRETCH = re.compile(r"\s*\](?:\s*\])*|\[\s*(?:\[\s*)*")
# A letter or digit of a script that puts spaces between words.
_SPACED = regex.compile(rf"[^\P{{Alnum}}{UNSPACED}]")
_OWN = str.maketrans("[]［］【】〔〕⟦⟧", "()()()()()")
ALIKE = 0.5


def mark(text: str, spans: Sequence[Range]) -> str:
    """``text`` with ``[ `` and `` ]`` around every distinct span; its own square brackets become parentheses.

    Args:
        text: Raw text.
        spans: In code points; nested or disjoint.

    Raises:
        ValueError: Two spans cross.

    >>> mark("Tom met [Mary Ann].", [(0, 3), (9, 17)])
    '[ Tom ] met ([ Mary Ann ]).'
    """
    ordered = sorted(set(spans), key=lambda r: (r[0], -r[1]))
    text = text.translate(_OWN)
    out: list[str] = []
    open_ends: list[int] = []
    at = 0
    edges: list[tuple[int, int, int]] = []
    for start, end in ordered:
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if open_ends and end > open_ends[-1]:
            raise ValueError(f"span [{start}, {end}) crosses one that ends at {open_ends[-1]}")
        open_ends.append(end)
        # Where brackets meet, closings come first; the longer span opens first and closes last.
        edges += [(start, 1, -(end - start)), (end, 0, end - start)]
    for position, opening, _ in sorted(edges):
        out += [text[at:position], "[ " if opening else " ]"]
        at = position
    return "".join([*out, text[at:]])


def unmark(text: str, expected: int | None = None) -> tuple[str, list[Range]]:
    """The text without brackets, and what each pair of brackets held.

    Fullwidth and CJK brackets count as square ones, doubled ones as one. Quotation marks of Chinese and Japanese count
    only if there are not ``expected`` pairs without them. White space inside the brackets goes with them.

    Args:
        text: A translation of a marked text.
        expected: How many pairs were put in.

    Returns:
        The clean text, and ranges of it in code points, in the order of their opening brackets.

    >>> unmark("[ Tom ] kennt [[ Mary ]].")
    ('Tom kennt Mary.', [(0, 3), (10, 14)])
    """
    clean, ranges = _unmark(text, _ALWAYS)
    if expected is not None and len(ranges) != expected:
        other = _unmark(text, _ALWAYS | _QUOTES)
        if len(other[1]) == expected:
            return other
    return clean, ranges


def _unmark(text: str, brackets: dict[str, str]) -> tuple[str, list[Range]]:
    text = "".join(brackets.get(c, c) for c in text)
    waiting: list[int] = []
    pairs: list[Range] = []
    for at, char in enumerate(text):
        if char == "[":
            waiting.append(at)
        elif char == "]" and waiting:
            pairs.append((waiting.pop(), at))
    pieces: list[str] = []
    new = [0] * (len(text) + 1)  # old offset to new
    length = last = 0
    for match in _STRETCH.finditer(text):
        kept = text[last : match.start()]
        new[last : match.start()] = range(length, length + len(kept))
        length += len(kept)
        before = kept[-1:] or "".join(pieces)[-1:]
        filler = _filler(before, match.group(), text[match.end() : match.end() + 1])
        pieces += [kept, filler]
        new[match.start() : match.end()] = [length] * len(match.group())
        length += len(filler)
        last = match.end()
    new[last:] = range(length, length + len(text) + 1 - last)
    out = "".join([*pieces, text[last:]])
    lead = len(out) - len(out.lstrip())
    found = set()
    for a, b in pairs:
        start, end = new[a], new[b]
        held = out[start:end]
        if held.strip():
            start += len(held) - len(held.lstrip())
            found.add((start - lead, start - lead + len(held.strip())))
    # Doubled brackets hold the same and so count once.
    return out.strip(), sorted(found, key=lambda r: (r[0], -r[1]))


def _filler(before: str, brackets: str, after: str) -> str:
    """What takes the place of brackets and the white space inside: a space only where words would run together."""
    had_space = any(c.isspace() for c in brackets)
    return " " if had_space and _SPACED.match(before) and _SPACED.match(after) else ""


def match_labels(
    held: Sequence[str], quotes: Sequence[str], labels: Sequence[str], translations: Callable[[], Sequence[str]]
) -> list[tuple[int, float] | None]:
    """Which bracketed string belongs to each span.

    One span, or spans that all have one label: by order. Otherwise the bracketed strings are matched with the
    translations of the spans, then with the spans themselves, equal strings first and then those more than half alike;
    if one of each is left over they belong together.

    Args:
        held: What the brackets hold, in order; as many as there are spans.
        quotes: The spans' source strings, in order.
        labels: Their labels.
        translations: Gives the translations of ``quotes``; called only where they are needed.

    Returns:
        For each span the index of its bracketed string and how sure that is, in [0, 1]; None where nothing matched.
    """
    if len(set(labels)) <= 1:
        return [(i, 1.0) for i in range(len(quotes))]
    found: list[tuple[int, float] | None] = [None] * len(quotes)
    for wanted in (translations(), quotes):
        pairs = [
            (fuzz.ratio(wanted[i].lower(), held[j].lower()) / 100, i, j)
            for i in range(len(quotes))
            for j in range(len(held))
        ]
        for alike, i, j in sorted(pairs, key=lambda p: (-p[0], abs(p[1] - p[2]), p[1], p[2])):
            if alike > ALIKE and found[i] is None and all(f is None or f[0] != j for f in found):
                found[i] = (j, alike)
    left = [i for i, f in enumerate(found) if f is None]
    if len(left) == 1:
        free = set(range(len(held))) - {f[0] for f in found if f is not None}
        found[left[0]] = (free.pop(), ALIKE)
    return found
