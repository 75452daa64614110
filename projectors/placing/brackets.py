"""Pairs of brackets and quotation marks: a span holds both of a pair or neither."""

from functools import lru_cache

from spanferry.corpora.schema import Range

_BRACKETS = dict(zip("(（[［{【「『《〈", ")）]］}】」』》〉", strict=True))
# What may end a quotation that each mark begins: „…“ and „…”, “…”, «…», »…«, ‹…›, ›…‹.
_QUOTES = {"„": "“”", "“": "”", "«": "»", "»": "«", "‹": "›", "›": "‹", '"': '"'}
_CLOSERS = frozenset(_BRACKETS.values())


@lru_cache(maxsize=256)
def pairs_of(text: str) -> tuple[Range, ...]:
    """Places of the opening and the closing one of each pair in ``text``, in the order of the closing ones.

    What has no partner is in no pair.

    >>> pairs_of("a (b) „c“ d)")
    ((2, 4), (6, 8))
    """
    open_: list[tuple[int, str]] = []
    found: list[Range] = []
    for k, character in enumerate(text):
        partner = next((n for n in range(len(open_) - 1, -1, -1) if character in open_[n][1]), None)
        # A quotation ends where the mark may end it; what was left open inside it has no partner.
        if partner is not None:
            found.append((open_[partner][0], k))
            del open_[partner:]
        elif character in _BRACKETS:
            open_.append((k, _BRACKETS[character]))
        elif character in _QUOTES and character not in _CLOSERS:
            open_.append((k, _QUOTES[character]))
    return tuple(found)


def paired(text: str, place: Range, source_text: str, span: Range) -> Range:
    """``place`` with both of each pair that it parts, where the other one stands just outside, else with neither.

    A pair whose one half is inside and not at an edge cuts the range there; the part outside of the pair remains.

    Args:
        text: The target text.
        place: Half-open code points in it.
        source_text: Where the span comes from.
        span: Half-open code points in it: where it parts a pair or has a mark without a partner, ``place`` stays.
    """
    if _uneven(source_text, span):
        return place
    start, end = place
    # Each step takes in or leaves out one mark; there are no more steps than marks.
    for opener, closer in reversed(pairs_of(text)):
        if start <= opener < end <= closer:
            if closer == end and not _quoted(source_text, span):
                end += 1
            elif opener == start:
                start = opener + 1
            else:
                end = opener
        elif opener < start <= closer < end:
            if opener == start - 1 and not _quoted(source_text, span):
                start -= 1
            elif closer == end - 1:
                end = closer
            else:
                start = closer + 1
    start, end = _without_lone(text, start, end)
    inside = text[start:end]
    if not any(c.isalnum() for c in inside):
        return place
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _without_lone(text: str, start: int, end: int) -> Range:
    """Less a mark at an edge that has no partner in the text."""
    partners = {k for pair in pairs_of(text) for k in pair}
    if end - start > 1 and text[start] in _BRACKETS and start not in partners:
        start += 1
    if end - start > 1 and text[end - 1] in _CLOSERS and end - 1 not in partners:
        end -= 1
    return start, end


def _uneven(text: str, span: Range) -> bool:
    pairs = pairs_of(text)
    partners = {k for pair in pairs for k in pair}
    lone = any((text[k] in _BRACKETS or text[k] in _CLOSERS) and k not in partners for k in range(*span))
    return lone or any((span[0] <= a < span[1]) != (span[0] <= b < span[1]) for a, b in pairs)


def _quoted(text: str, span: Range) -> bool:
    """Whether a pair stands just around the span, which holds neither of it."""
    return any(a == span[0] - 1 and b == span[1] for a, b in pairs_of(text))
