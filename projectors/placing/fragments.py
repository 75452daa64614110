"""Discontinuous spans: their fragments are placed one by one and joined again in the target."""

from collections.abc import Sequence
from dataclasses import replace

from spanferry.corpora.schema import Range, Span


def parts_of(spans: Sequence[Span]) -> list[tuple[int, Range]]:
    """What is placed on its own: (number of its span, code points), a span as a whole or its fragments in order."""
    return [(k, part) for k, span in enumerate(spans) for part in span.fragments or ((span.start, span.end),)]


def joined(span: Span, ranges: Sequence[Range], text: str) -> Span:
    """The target span of ``span`` from where its parts went.

    Parts that overlap there, or have nothing but white space between them, are one.

    Args:
        span: The source span.
        ranges: Where its parts went, in any order; at least one.
        text: The target text.
    """
    merged: list[Range] = []
    for start, end in sorted(set(ranges)):
        if merged and not text[merged[-1][1] : start].strip():
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return replace(span, start=merged[0][0], end=merged[-1][1], fragments=tuple(merged) if len(merged) > 1 else ())
