"""Noise filters: each scores rows, and separately accepts them, so a threshold changes without scoring again.

The order of ``DEFAULT`` is the order of columns and of reasons. All of these were made mild for labelled data: none
drops a row for being short, in title case, full of numbers or holding a placeholder.
"""

from corpora.filters.apply import build, decide, score
from corpora.filters.base import Column, Filter
from corpora.filters.table import removal_table

FILTERS: dict[str, str] = {
    "span_count": "corpora.filters.span_count:SpanCount",
    "span_shape": "corpora.filters.span_shape:SpanShape",
    "copy": "corpora.filters.copy:Copy",
    "letters": "corpora.filters.letters:Letters",
    "length_ratio": "corpora.filters.length_ratio:LengthRatio",
    "language": "corpora.filters.language:Language",
    "confidence": "corpora.filters.confidence:Confidence",
    "repetition": "corpora.filters.repetition:Repetition",
    "untranslated": "corpora.filters.untranslated:Untranslated",
    "glossary": "corpora.filters.glossary:GlossaryTerms",
    "duplicates": "corpora.filters.duplicates:Duplicates",
    "conflicts": "corpora.filters.conflicts:Conflicts",
}


def default_filters() -> list[Filter]:
    """Every filter of the table with its default options, in the table's order."""
    return build([{"kind": kind} for kind in FILTERS])


__all__ = ["FILTERS", "Column", "Filter", "build", "decide", "default_filters", "removal_table", "score"]
