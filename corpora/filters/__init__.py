"""Noise filters: each scores rows, and separately accepts them, so a threshold changes without scoring again.

The order of ``FILTERS`` is the order of columns and of reasons. All but the ``OPTIONAL`` ones
were made mild for labelled data: none drops a row for being short, in title case, full of numbers or holding a
placeholder.
"""

from corpora.filters.apply import build, decide, score
from corpora.filters.base import Column, Filter
from corpora.filters.table import removal_table

FILTERS: dict[str, str] = {
    "span_count": "corpora.filters.span_count:SpanCount",
    "span_shape": "corpora.filters.span_shape:SpanShape",
    "relations": "corpora.filters.relations:Relations",
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
    "script_ratio": "corpora.filters.script_ratio:ScriptRatio",
    "terminal_punctuation": "corpora.filters.terminal_punctuation:TerminalPunctuation",
    "average_word_length": "corpora.filters.average_word_length:AverageWordLength",
    "html": "corpora.filters.html:Html",
    "translation_score": "corpora.filters.translation_score:TranslationScore",
}

OPTIONAL = frozenset({"script_ratio", "terminal_punctuation", "average_word_length", "html", "translation_score"})
"""Filters of bitext that no run has unless it asks for them: on slots, titles and tables they reject good rows."""


def default_filters() -> list[Filter]:
    """The filters of the table that are not optional, with their default options, in the table's order."""
    return build([{"kind": kind} for kind in FILTERS if kind not in OPTIONAL])


__all__ = ["FILTERS", "OPTIONAL", "Column", "Filter", "build", "decide", "default_filters", "removal_table", "score"]
