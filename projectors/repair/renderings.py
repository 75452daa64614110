"""The likeliest translation of a span by itself: what its words mean, in the order that the model prefers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

from spanferry.corpora.text.scripts import is_unspaced
from spanferry.projectors.filters.span_fidelity import FidelityTables, content_words

# Chosen on the first 300 rows of Europarl, en to es and de.
_LEAST = 0.8  # fidelity that a rendering has at least
_SCORE = 0.05  # what a nat per piece of the model's score counts against fidelity
_UNKNOWN = 0.2  # what words count against it that are in neither language: misspellings that look alike
_ALONE = 8  # translations of the span alone that are looked at
_WORDS = 3  # words of a span that is put together from the table, at most
_LISTED = 3  # translations of a word that are tried …
_COGNATES = 2  # words spelled alike that are tried besides
_SHARE = 0.2  # … of those that are so frequent, against the most frequent one
_NOUN_CAPITALS = frozenset({"de", "lb"})
_EDGE = re.compile(r"^[¿¡\s]+|[\s.,;:!?。！？]+$")
_PLAIN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a span is best said in the target language, and how far its words are those of the span, 0 to 1."""

    text: str
    fidelity: float


def renderings(
    quotes: Sequence[str], translator: Any, tables: FidelityTables, source: str, target: str
) -> dict[str, Rendering]:
    """The best rendering of each span text; texts that have none of some fidelity are left out.

    Candidates are the model's translations of the text alone, translations that the table lists for its words, in
    every order. Fidelity decides (``span_fidelity``), and the model's forced score between equally faithful ones.

    Args:
        quotes: Texts of source spans, each once.
        translator: The model. Without scores of its own its first translation goes before the words of the table.
        tables: Word translations of both directions.
        source: BCP-47.
        target: BCP-47.
    """
    faithful: list[tuple[str, Rendering]] = []
    for quote, alone in zip(quotes, _translated(quotes, translator, source, target), strict=True):
        for text in dict.fromkeys(_candidates(quote, alone, tables, target)):
            fidelity = tables.fidelity(quote, text) if content_words(text) else None
            if fidelity is not None and fidelity >= _LEAST:
                faithful.append((quote, Rendering(text, fidelity)))
    scores = _scores(faithful, translator, source, target)
    best: dict[str, tuple[float, Rendering]] = {}
    for (quote, one), score in zip(faithful, scores, strict=True):
        key = one.fidelity + _SCORE * score - _UNKNOWN * _unknown(quote, one.text, tables)
        if quote not in best or key > best[quote][0]:
            best[quote] = key, one
    return {quote: one for quote, (_, one) in best.items()}


def _translated(quotes: Sequence[str], translator: Any, source: str, target: str) -> list[list[str]]:
    if hasattr(translator, "translate_nbest"):
        several = translator.translate_nbest(list(quotes), source, target, _ALONE)
    else:
        several = [[one] for one in translator.translate(list(quotes), source, target)]
    return [[one.text for one in some if one.reason is None] for some in several]


def _scores(faithful: Sequence[tuple[str, Rendering]], translator: Any, source: str, target: str) -> list[float]:
    """Nats per piece; without a model that scores 0, so that the first of equals stays."""
    if not faithful or not hasattr(translator, "score_pairs"):
        return [0.0] * len(faithful)
    pairs = [quote for quote, _ in faithful], [one.text for _, one in faithful]
    found = translator.score_pairs(*pairs, source, target)
    return [float(one.mean) if one.reason is None else -100.0 for one in found]


def _unknown(quote: str, text: str, tables: FidelityTables) -> float:
    """The share of a rendering's words that the target language does not have and the span does not either."""
    words, own = content_words(text), set(content_words(quote))
    return sum(word not in tables.backward.relative and word not in own for word in words) / max(len(words), 1)


def _candidates(quote: str, alone: Sequence[str], tables: FidelityTables, target: str) -> Iterator[str]:
    longest = 2 * len(quote.split()) + 2
    for text in alone:
        # A text alone is often taken for a sentence.
        bare = _EDGE.sub("", text) if quote == _EDGE.sub("", quote) else text.strip()
        if bare and len(bare.split()) <= longest:
            yield from _cased(bare, quote, target)
    words = quote.split()
    if len(words) <= _WORDS and all(map(_PLAIN.fullmatch, words)) and not is_unspaced(quote[0]):
        # The noun of an English phrase is its last word.
        nouns = target.partition("-")[0] in _NOUN_CAPITALS
        listed = [_listed(word, tables, nouns and word is words[-1]) for word in words]
        for chosen in product(*listed):
            # A compound says what its parts say.
            parts = [w for w in chosen if not any(w != o and w.casefold() in o.casefold() for o in chosen)]
            yield from (" ".join(order) for order in permutations(parts))
    if not tables.forward.known.intersection(content_words(quote)):
        yield quote  # a name: none of its words is known


def _cased(text: str, quote: str, target: str) -> Iterator[str]:
    """A translation of the text alone without the capital that opens a sentence; a German noun keeps its own."""
    if not quote[0].islower():
        yield text
        return
    yield text[0].lower() + text[1:]
    if target.partition("-")[0] in _NOUN_CAPITALS and len(text.split()) == 1:
        yield text


def _listed(word: str, tables: FidelityTables, may_be_noun: bool) -> list[str]:
    """What the table has for a word, as it is cased; the word itself where it has nothing."""
    shares = tables.forward.relative.get(word.lower(), {})
    best = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    texts = [text for text, share in best if share >= _SHARE and len(text) > 1][:_LISTED]
    texts = list(dict.fromkeys([*texts, *tables.cognates.get(word.lower(), ())[:_COGNATES]]))
    if not texts:
        return [] if word.lower() in tables.forward.known else [word]
    if len(word) > 1 and word.isupper():
        return [text.upper() for text in texts]
    if word[0].isupper():
        return [text[0].upper() + text[1:] for text in texts]
    if may_be_noun:
        return [*texts, *(text[0].upper() + text[1:] for text in texts)]
    return texts
