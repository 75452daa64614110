"""Spans as tags over tokens: what token classification and CoNLL need, and what they lose."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from spanferry.corpora.schema import Example, Range, Span
from spanferry.corpora.text.tags import Scheme, TokenSpan, write_tags
from spanferry.corpora.text.words import words


def tagged_tokens(example: Example, scheme: Scheme = "iob2") -> tuple[list[Range], list[str], Counter[str]]:
    """The tokens of the first text field, their tags, and what tags can't hold.

    Tokens are those of the example, else words; they are cut where a span starts or ends inside one, so every span of
    visible text is held exactly. Of spans that overlap the longest stays, of equals the first; a discontinuous span
    is tagged from its first part to its last; white space at a span's ends is left out.

    Returns:
        Code-point ranges of the tokens, (n_tokens,); their tags, (n_tokens,); counts of ``overlap`` (spans dropped),
        ``discontinuous`` (spans filled), ``white_space`` (spans narrowed or dropped), ``fields`` (spans of other
        fields) and ``relations``.
    """
    field = next(iter(example.texts))
    spans, lost = _disjoint([span for span in example.spans if span.field == field])
    lost["fields"] = len(example.spans) - sum(span.field == field for span in example.spans)
    lost["relations"] = len(example.relations)
    tokens = cut_tokens(example, field, spans)
    starts, ends = [a for a, _ in tokens], [b for _, b in tokens]
    found = []
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_right(ends, span.end)
        if first < last:
            found.append(TokenSpan(first, last, span.label))
        if first >= last or starts[first] != span.start or ends[last - 1] != span.end:
            lost["white_space"] += 1
    return tokens, write_tags(len(tokens), found, scheme), +lost


def cut_tokens(example: Example, field: str, spans: Sequence[Span]) -> list[Range]:
    """The tokens of a field, else its words, cut where one of ``spans`` starts or ends inside one."""
    text = example.texts[field]
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    return _cut(text, example.tokens.get(field) or words(text), edges)


def disjoint(spans: Sequence[Span]) -> list[Span]:
    """Spans that do not overlap, by their place: of those that do the longest stays, of equals the first."""
    return _disjoint(spans)[0]


def _disjoint(spans: Sequence[Span]) -> tuple[list[Span], Counter[str]]:
    lost: Counter[str] = Counter()
    taken: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start - s.end):
        if any(span.overlaps(other) for other in taken):
            lost["overlap"] += 1
        else:
            lost["discontinuous"] += bool(span.fragments)
            taken.append(span)
    return sorted(taken, key=lambda s: s.start), lost


def _cut(text: str, tokens: Sequence[Range], edges: Sequence[int]) -> list[Range]:
    """The tokens, cut at the edges and at white space, of which none is left."""
    pieces = []
    for start, end in tokens:
        breaks = [i for i in range(start, end) if text[i].isspace()]
        inside = edges[bisect_right(edges, start) : bisect_left(edges, end)]
        cuts = sorted({start, end, *inside, *breaks, *(i + 1 for i in breaks)})
        for a, b in pairwise(cuts):
            part = text[a:b]
            if part.strip():
                a += len(part) - len(part.lstrip())
                pieces.append((a, a + len(part.strip())))
    return pieces
