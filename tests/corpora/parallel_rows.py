"""Rows of several languages that tests share."""

from spanferry.corpora.multiway import MultiRow, WordLinks
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.text.words import words


def example(lang, text, spans=(), **more):
    """An example of one field; spans as (quote, label, id)."""
    found = tuple(Span(text.index(q), text.index(q) + len(q), label, name) for q, label, name in spans)
    return Example("?", lang, {"text": text}, found, **more)


def row(row_id, *examples, links=(), split="train", **more):
    """A row of these examples; links as (source, target, "0-0 1-1")."""
    cells = {e.lang: e for e in examples}
    known = []
    for source, target, pharaoh in links:
        pairs = [tuple(map(int, part.split("-"))) for part in pharaoh.split()]
        ranges = [words(cells[lang].text) for lang in (source, target)]
        known.append(WordLinks(source, target, "text", *ranges, tuple((a, b, 0.9) for a, b in pairs)))
    return MultiRow(row_id, cells, tuple(known), split=split, **more)


def three(row_id="7", split="train"):
    """English, Spanish and German, with links from English to both."""
    return row(
        row_id,
        example("en", "Tom saw Berlin.", [("Tom", "PER", "a"), ("Berlin", "LOC", "b")]),
        example("es", "Tom vio Berlín 😀.", [("Tom", "PER", "a"), ("Berlín", "LOC", "b")]),
        example("de", "Tom sah Berlin.", [("Tom", "PER", "a")]),
        links=[("en", "es", "0-0 1-1 2-2 3-4"), ("en", "de", "0-0 1-1 2-2 3-3")],
        split=split,
    )
