"""Rows of a report as HTML: both texts with their spans highlighted; partners share a colour and a number."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from spanferry.corpora.report.tally import Shown
from spanferry.corpora.schema import Example, Pair, Span

# Bounds of what one row takes, so that thirty rows stay below half a megabyte whatever the texts are.
_TEXT, _NAME, _SPANS = 600, 40, 15
COLOURS = 6
"""Number of highlight colours; the seventh span has the first again, and its own number."""

# Control characters as pictures of themselves, except the tab and the line break.
_CONTROLS = (
    {c: 0x2400 + c for c in range(32) if chr(c) not in "\t\n"} | {127: 0x2421} | dict.fromkeys(range(128, 160), 0xFFFD)
)


def rows_html(shown: Sequence[Shown]) -> str:
    """The rows, one after the other, each as an article with source and target.

    Args:
        shown: Rows that a tally chose; one without its pair shows no text.
    """
    return "".join(_row(row, row.pair) for row in shown if row.pair is not None)


def _row(row: Shown, pair: Pair) -> str:
    facts = [f"<bdi>{_clipped(row.id)}</bdi>"]
    if row.score is not None:
        facts.append(f"least score {row.score:.3f}")
    why = "".join(f"<li><bdi>{_clipped(reason)}</bdi></li>" for reason in row.reasons[:_SPANS])
    numbers = {span.id: number for number, span in enumerate(pair.source.spans[:_SPANS], 1)}
    missing = {p.source_span_id: p.reason or "unknown" for p in pair.projections if p.span is None}
    target = _side(pair.target, numbers, {}) if pair.target else '<p class="text">no translation</p>'
    lost = "".join(
        f"<li>{numbers[span.id]} <bdi>{_clipped(span.label)}</bdi> not projected:"
        f" <bdi>{_clipped(missing[span.id])}</bdi></li>"
        for span in pair.source.spans[:_SPANS]
        if span.id in missing
    )
    beyond = len(pair.source.spans) - len(numbers)
    more = f"<li>{beyond:,} more labels are not shown</li>" if beyond > 0 else ""
    notes = f'<ul class="notes">{lost}{more}</ul>' if lost or more else ""
    reasons = f'<ul class="reasons" aria-label="rejected for">{why}</ul>' if why else ""
    return (
        f'<article class="row"><p class="facts">{" · ".join(facts)}</p>{reasons}'
        f'<div class="sides">{_side(pair.source, numbers, missing)}{target}</div>{notes}</article>\n'
    )


def _side(example: Example, numbers: Mapping[str, int], missing: Mapping[str, str]) -> str:
    parts, left = [], _TEXT
    for name, text in example.texts.items():
        if left <= 0:
            break
        spans = [span for span in example.spans if span.field == name and span.id in numbers]
        head = f'<p class="field">{_clipped(name)}</p>' if len(example.texts) > 1 else ""
        body = marked(text, spans, numbers, missing, limit=left)
        parts.append(f'{head}<p class="text" dir="auto" lang="{escape(example.lang.replace("_", "-"))}">{body}</p>')
        left -= len(text)
    return f'<div class="side"><p class="lang">{_clipped(example.lang)}</p>{"".join(parts)}</div>'


def marked(
    text: str, spans: Sequence[Span], numbers: Mapping[str, int], missing: Mapping[str, str], *, limit: int = _TEXT
) -> str:
    """A text as HTML with a ``mark`` around every piece of a span, its number before it and its label after it.

    Overlapping spans are cut at each other's edges; every piece carries the marks of all spans that cover it.

    Args:
        text: The raw text.
        spans: Those in it, in code points; parts of a discontinuous one are marked one by one.
        numbers: Span id to the number that it shares with its partner.
        missing: Ids of source spans that were not projected; they have a dashed edge.
        limit: Code points of the text to show.
    """
    shown = len(text) if len(text) <= limit else limit
    pieces = [(start, min(end, shown), span) for span in spans for start, end in span.fragments or [_hull(span)]]
    pieces = [(start, end, span) for start, end, span in pieces if 0 <= start < end]
    pieces.sort(key=lambda piece: (piece[0], -piece[1], numbers[piece[2].id]))
    cuts = sorted({0, shown, *(edge for start, end, _ in pieces for edge in (start, end))})
    parts = []
    for left, right in pairwise(cuts):
        inner = escape(text[left:right].translate(_CONTROLS), quote=False)
        for start, end, span in reversed(pieces):
            if start <= left and right <= end:
                number = numbers[span.id]
                before = f"<sup>{number}</sup>" if left == start else ""
                after = f"<small> {_clipped(span.label)}</small>" if right == end else ""
                dashed = " lost" if span.id in missing else ""
                inner = f'<mark class="c{(number - 1) % COLOURS}{dashed}">{before}{inner}{after}</mark>'
        parts.append(inner)
    return "".join(parts) + ("…" if shown < len(text) else "")


def _hull(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _clipped(text: str) -> str:
    """The text on one line, shortened, escaped."""
    line = " ".join(str(text).split()).translate(_CONTROLS)
    return escape(line if len(line) <= _NAME else line[: _NAME - 1] + "…")
