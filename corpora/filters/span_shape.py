"""Target spans that no annotator would have drawn."""

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
import regex

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Example, Pair, Span

_FAULTS = ("outside", "empty", "punctuation", "duplicate", "overlap")
# Emoji and currency signs are symbols (S); these signs of category P can be what a label is about as well.
_SOMETHING = regex.compile(r"[\p{L}\p{N}\p{S}%&@#*§]")


class SpanShape(FilterModel):
    """Rejects a row with target spans of an impossible shape.

    ``outside``: reaches past the text, or lies in a field that is not there. ``empty``: covers nothing but white space.
    ``punctuation``: covers no letter, digit or symbol, though the source span does. ``duplicate``: the same label twice
    on the same text, where the source has two places. ``overlap``: two spans share text where the source's do not.
    """

    name: ClassVar[str] = "span_shape"

    @property
    def columns(self) -> tuple[Column, ...]:
        """``span_shape.<fault>``: how many spans (``overlap`` and ``duplicate``: pairs of spans) have it."""
        return tuple(Column(f"span_shape.{fault}", pl.Int32, high=0) for fault in _FAULTS)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        for pair in pairs:
            counts = _faults(pair.source, pair.target) if pair.target is not None and pair.target.spans else None
            for fault in _FAULTS:
                columns[f"span_shape.{fault}"].append(None if counts is None else counts.get(fault, 0))
        return columns

    def reject(self) -> list[Rule]:
        """``span_shape:<fault>``."""
        return [(f"span_shape:{fault}", pl.col(f"span_shape.{fault}") > 0) for fault in _FAULTS]


def _faults(source: Example, target: Example) -> dict[str, int]:
    counts: dict[str, int] = {}
    origin = {span.id: span for span in source.spans}
    for span in target.spans:
        fault = _fault(span, target, origin.get(span.id), source)
        if fault:
            counts[fault] = counts.get(fault, 0) + 1
    # Ascending by start: a span can only meet those that begin before it ends.
    ordered = sorted(target.spans, key=lambda s: (s.field, s.start, s.end))
    for i, one in enumerate(ordered):
        for other in ordered[i + 1 :]:
            if other.field != one.field or other.start >= one.end:
                break
            if not _meet(one, other):
                continue
            origins = origin.get(one.id), origin.get(other.id)
            if _place(one) == _place(other) and one.label == other.label:
                if None in origins or _place(origins[0]) != _place(origins[1]):
                    counts["duplicate"] = counts.get("duplicate", 0) + 1
            elif not _met(*origins):
                counts["overlap"] = counts.get("overlap", 0) + 1
    return counts


def _fault(span: Span, target: Example, origin: Span | None, source: Example) -> str | None:
    text = target.texts.get(span.field)
    if text is None or span.start < 0 or span.end > len(text) or span.start > span.end:
        return "outside"
    quote = span.quote(text)
    if not quote.strip():
        return "empty"
    if not _says_something(quote) and (origin is None or _says_something(source.quote(origin))):
        return "punctuation"
    return None


def _says_something(quote: str) -> bool:
    return _SOMETHING.search(quote) is not None


def _place(span: Span | None) -> tuple[int, int, tuple[tuple[int, int], ...]] | None:
    return None if span is None else (span.start, span.end, span.fragments)


def _meet(one: Span, other: Span) -> bool:
    if one.fragments or other.fragments:
        parts = [s.fragments or ((s.start, s.end),) for s in (one, other)]
        return any(a < d and c < b for a, b in parts[0] for c, d in parts[1])
    return one.overlaps(other)


def _met(one: Span | None, other: Span | None) -> bool:
    """Whether the source spans meet too; spans that come from nowhere have no excuse."""
    return one is not None and other is not None and _meet(one, other)
