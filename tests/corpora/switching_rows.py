"""Rows of several languages for the tests of code-switching."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from spanferry.corpora.multiway import MultiRow, WordLinks, rows_to_table
from spanferry.corpora.schema import Example, Relation, Span
from spanferry.corpora.stored.undo import undone
from spanferry.corpora.switching.constraints.none import NoConstraint
from spanferry.corpora.switching.counterparts.alignment import AlignmentCounterparts
from spanferry.corpora.switching.samplers.probability import ProbabilitySampler
from spanferry.corpora.switching.switcher import Switched, Switcher
from spanferry.corpora.switching.units.word import WordUnits
from spanferry.corpora.text.words import words

Labels = Sequence[tuple[str, str]]


def spans(text: str, labels: Labels) -> tuple[Span, ...]:
    """Spans of the first places of quotes: ``("Madrid", "LOC")``; their ids are their numbers."""
    return tuple(
        Span(text.index(quote), text.index(quote) + len(quote), label, f"s{k}")
        for k, (quote, label) in enumerate(labels)
        if quote
    )


def row(
    name: str,
    matrix: tuple[str, str, Labels],
    *others: tuple[str, str, Labels, str],
    meta: Mapping[str, Any] | None = None,
    relations: Sequence[Relation] = (),
) -> MultiRow:
    """A row: (language, text, labels), and for other languages also the links, ``0-0 1-2``."""
    lang, text, labels = matrix
    examples = {lang: Example(name, lang, {"text": text}, spans(text, labels), tuple(relations), meta=dict(meta or {}))}
    links = []
    for other, its_text, its_labels, line in others:
        examples[other] = Example(name, other, {"text": its_text}, spans(its_text, its_labels))
        if line:
            pairs = [tuple(map(int, part.split("-"))) for part in line.split()]
            found = tuple(sorted((a, b, 0.9) for a, b in pairs))
            links.append(WordLinks(lang, other, "text", words(text), words(its_text), found))
    return MultiRow(name, examples, tuple(links))


HOUSE = row(
    "house",
    ("en", "Anna bought the red house in Vienna, and she paid 300 euros.",
     [("Anna", "PER"), ("the red house", "OBJ"), ("Vienna", "LOC")]),
    ("es", "Anna compró la casa roja en Viena, y pagó 300 euros.",
     [("Anna", "PER"), ("la casa roja", "OBJ"), ("Viena", "LOC")],
     "0-0 1-1 2-2 3-4 4-3 5-5 6-6 7-7 8-8 10-9 11-10 12-11 13-12"),
    relations=[Relation("s0", "s1", "buys")],
)  # fmt: skip


def switcher(**options: Any) -> Switcher:
    """English with Spanish words, all of them, unless asked otherwise."""
    chosen = {
        "matrix": "en",
        "languages": ("es",),
        "unit": WordUnits(),
        "counterpart": AlignmentCounterparts(),
        "constraint": NoConstraint(),
        "sampler": ProbabilitySampler(cross=1.0),
        **options,
    }
    return Switcher(**chosen)


def switched(rows: MultiRow | Sequence[MultiRow], **options: Any) -> list[dict[str, Any]]:
    """The emitted rows; each is undone and its labels are checked."""
    given = [rows] if isinstance(rows, MultiRow) else list(rows)
    sources = {r.id: r for r in given}
    out = done(given, **options).kept.to_pylist()
    for found in out:
        source = next(iter(sources[found["source_id"]].examples.values()))
        back = undone(found)
        assert {field: back.get(field, found[field]) for field in source.texts} == source.texts
        assert len(found["tokens"]) == len(found["langs"]) == len(found["ner_tags"])
        assert [s["label"] for s in found["spans"]] == [s.label for s in source.spans]
    return out


def done(rows: Sequence[MultiRow], **options: Any) -> Switched:
    """Everything that the switcher reports."""
    return switcher(**options).switch(table(rows))


def table(rows: Sequence[MultiRow]) -> pa.Table:
    """The rows as they are stored."""
    return rows_to_table(list(rows))


def quotes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the spans of an emitted row cover, with labels."""
    return [(found["text"][s["start"] : s["end"]], s["label"]) for s in found["spans"]]
