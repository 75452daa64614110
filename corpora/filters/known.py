"""The filters by name, in the order of their columns and reasons."""

FILTERS: dict[str, str] = {
    "span_count": "spanferry.corpora.filters.span_count:SpanCount",
    "span_shape": "spanferry.corpora.filters.span_shape:SpanShape",
    "relations": "spanferry.corpora.filters.relations:Relations",
    "copy": "spanferry.corpora.filters.copy:Copy",
    "letters": "spanferry.corpora.filters.texts.letters:Letters",
    "length_ratio": "spanferry.corpora.filters.texts.length_ratio:LengthRatio",
    "language": "spanferry.corpora.filters.texts.language:Language",
    "confidence": "spanferry.corpora.filters.confidence:Confidence",
    "span_fidelity": "spanferry.projectors.filters.span_fidelity:SpanFidelity",
    "repetition": "spanferry.corpora.filters.texts.repetition:Repetition",
    "untranslated": "spanferry.corpora.filters.texts.untranslated:Untranslated",
    "glossary": "spanferry.corpora.filters.glossary:GlossaryTerms",
    "duplicates": "spanferry.corpora.filters.duplicates:Duplicates",
    "conflicts": "spanferry.corpora.filters.conflicts:Conflicts",
    "script_ratio": "spanferry.corpora.filters.texts.script_ratio:ScriptRatio",
    "terminal_punctuation": "spanferry.corpora.filters.texts.terminal_punctuation:TerminalPunctuation",
    "average_word_length": "spanferry.corpora.filters.texts.average_word_length:AverageWordLength",
    "html": "spanferry.corpora.filters.texts.html:Html",
    "translation_score": "spanferry.corpora.filters.translation_score:TranslationScore",
    "leakage": "spanferry.corpora.filters.overlap.leakage:Leakage",
    "near_duplicates": "spanferry.corpora.filters.overlap.near_duplicates:NearDuplicates",
    "aligned": "spanferry.projectors.filters.aligned:Aligned",
    "agreement": "spanferry.projectors.filters.agreement:Agreement",
    "similarity": "spanferry.projectors.filters.similarity:Similarity",
    "divergence": "spanferry.projectors.filters.divergence:Divergence",
    "round_trip": "spanferry.projectors.filters.round_trip:RoundTrip",
    "max_error": "spanferry.projectors.bound.max_error:MaxError",
}

OPTIONAL = frozenset(
    {
        *("script_ratio", "terminal_punctuation", "average_word_length", "html", "translation_score"),
        *("leakage", "near_duplicates", "aligned", "agreement", "similarity", "divergence", "round_trip"),
        "max_error",
    }
)
"""Filters that no run has unless it asks for them: on slots, titles and tables they reject good rows, or they need
something that only the user can give, they cost as much
as a translation, or, as ``max_error``, they need an error to promise."""

TRANSLATED = frozenset({"span_fidelity"})
"""Filters of a translator's own words: default where a model translated, not where the translation was given."""


def default_names(*, given: bool = False) -> list[str]:
    """The filters that a run has by itself, in order.

    Args:
        given: Whether the translations were given, as in the flow ``project``.
    """
    return [name for name in FILTERS if name not in OPTIONAL and not (given and name in TRANSLATED)]
