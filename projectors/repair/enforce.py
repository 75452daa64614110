"""Translations whose labelled words are wrong, translated again with the right ones as terms."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanferry.corpora.schema import Span, Translation
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.glossary import Entry, Glossary
from spanferry.projectors.filters.span_fidelity import FidelityTables, content_words
from spanferry.projectors.repair.renderings import Rendering, renderings
from spanferry.translators.wrappers.glossary import GlossaryTranslator, Place

# Support of a span's words in the whole translation from which on it counts as there; chosen on the first 300 rows of
# Europarl, en to es and de.
_SUPPORTED = 0.9
_GAIN = 0.2  # in support, so that a repair is worth the model's own words around it
_MOST_WORDS = 4  # longer spans are clauses
_NUMBER = re.compile(r"\d+")
_NO_TERMS = Glossary((), "")
# Stands in signatures; changes with whatever changes a repair.
VERSION = "terms.1"


@dataclass(frozen=True, slots=True)
class Source:
    """A source text and its labelled spans, in its own code points."""

    text: str
    spans: tuple[Span, ...]


def repaired(
    rows: Sequence[tuple[Source, Translation]], translator: Any, tables: FidelityTables, source: str, target: str
) -> list[Translation]:
    """The translations, better where words of a labelled span are missing in them.

    A span whose words have no counterpart anywhere in the translation is put there as its likeliest rendering
    (``renderings``), the same one throughout a corpus: by another hypothesis that has it, by markers, or by a number
    that stands for it (``GlossaryTranslator``). The new translation is taken only if it supports the spans better and
    keeps the numbers as well as the first one. What was put there is in ``Translation.terms``.

    Args:
        rows: Texts with their translations; one that failed stays as it is.
        translator: The model that made them.
        tables: Word translations of both directions.
        source: BCP-47.
        target: BCP-47.
    """
    weak = [weak_spans(own, made, tables) if made.reason is None else [] for own, made in rows]
    quotes = sorted({own.text[s.start : s.end] for (own, _), spans in zip(rows, weak, strict=True) for s in spans})
    known = renderings(quotes, translator, tables, source, target) if quotes else {}
    places = [_places(own, made, spans, known) for (own, made), spans in zip(rows, weak, strict=True)]
    todo = [k for k, own in enumerate(places) if own]
    enforcing = GlossaryTranslator(translator, _NO_TERMS)
    texts, before = [rows[k][0].text for k in todo], [rows[k][1] for k in todo]
    found = enforcing.enforced(texts, [places[k] for k in todo], before, source, target)
    better = {
        k: new
        for k, old, new in zip(todo, before, found, strict=True)
        if new.text != old.text and _is_better(rows[k][0], old, new, tables)
    }
    rescored = _rescored([rows[k][0].text for k in better], list(better.values()), translator, source, target)
    out = [made for _, made in rows]
    for k, new in zip(better, rescored, strict=True):
        out[k] = replace(new, terms=tuple(dict.fromkeys((e.source, e.targets[0]) for _, _, e in places[k])))
    return out


def repair_signature(count: int, terms: bool) -> Signature:
    """How translations are repaired: ``repair:terms.1|best_of:8``; nothing where they are not.

    Args:
        count: Translations of a text that are looked at.
        terms: Whether terms are put in.
    """
    return Signature.of(("repair", VERSION) if terms else "", ("best_of", count) if count > 1 else "")


def support(quote: str, text: str, tables: FidelityTables) -> float:
    """How far the words of a span have counterparts anywhere in a translation, 0 to 1; 1 where nothing is known."""
    read, written = content_words(quote), content_words(text)
    if not read:
        return 1.0
    found = tables.forward.covered(read, written) if written else 0.0
    return 1.0 if found is None else found


def weak_spans(own: Source, made: Translation, tables: FidelityTables) -> list[Span]:
    """The spans whose words have no counterpart in a translation, as far as they are terms that could stand in it."""
    return [
        span
        for span in own.spans
        for quote in [own.text[span.start : span.end]]
        if _is_term(quote)
        and not (_is_name(quote) and quote in made.text)
        and support(quote, made.text, tables) < _SUPPORTED
    ]


def _is_term(quote: str) -> bool:
    """Whether a span can stand in a sentence as it is translated alone: no clause, no number with its unit."""
    if len(quote.split()) > _MOST_WORDS:
        return False
    return not (any(map(str.isdigit, quote)) and any(map(str.isalpha, quote)))


def _is_name(quote: str) -> bool:
    """Whether several words have capitals each, so that a copy of them is a name and no word left as it was."""
    words = quote.split()
    return len(words) > 1 and all(word[0].isupper() for word in words)


def _places(own: Source, made: Translation, spans: Sequence[Span], known: dict[str, Rendering]) -> list[Place]:
    """Where terms are to be put: spans with a rendering that the translation lacks, disjoint, in order."""
    found: list[Place] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        quote = own.text[span.start : span.end]
        one = known.get(quote)
        if one is None or one.text.casefold() in made.text.casefold():
            continue
        if not found or found[-1][1] <= span.start:
            found.append((span.start, span.end, Entry(quote, (one.text,))))
    return found


def _is_better(own: Source, old: Translation, new: Translation, tables: FidelityTables) -> bool:
    before, after = (sum(support(own.text[s.start : s.end], t.text, tables) for s in own.spans) for t in (old, new))
    return after >= before + _GAIN and lost_numbers(own.text, new.text) <= lost_numbers(own.text, old.text)


def lost_numbers(source: str, target: str) -> int:
    """How many numbers of a text its translation lacks."""
    ours, theirs = (Counter(_NUMBER.findall(text)) for text in (source, target))
    return (ours - theirs).total()


def _rescored(
    texts: Sequence[str], made: Sequence[Translation], translator: Any, source: str, target: str
) -> list[Translation]:
    """The translations with the model's score of what they say now: theirs is of a text with marks or numbers in it."""
    if not made or not hasattr(translator, "score_pairs"):
        return [replace(one, score=None) for one in made]
    scores = translator.score_pairs(texts, [one.text for one in made], source, target)
    return [
        replace(one, score=float(score.mean) if score.reason is None else None)
        for one, score in zip(made, scores, strict=True)
    ]
