"""Rows of several languages as datasets: one row per id with a column per language, or one row per pair.

Column per language (``multiway``): ``id``; for every language (Indonesian as ``lang_id``) a struct with its texts by
field, ``spans`` and ``relations``, null where the cell is missing; ``missing`` (language and reason); ``label``;
``links``; ``scores``; ``meta`` (JSON).

Row per pair (``bilingual``): ``id``, ``field``, ``source_lang``, ``target_lang``, ``source``, ``target``,
``source_spans``, ``target_spans`` (paired by ``id``), ``source_words``, ``target_words``, ``alignment`` (Pharaoh),
``probabilities`` (one per link), ``label``, ``scores``.

Offsets are code points of the raw text, the end exclusive.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.arrow import RANGE, RELATION, SCORE
from spanferry.corpora.attributes import attributes_json
from spanferry.corpora.columns import column_of
from spanferry.corpora.derive.base import directions_of, refused
from spanferry.corpora.multiway import MISSING, SPAN_SCORES, MultiRow, WordLinks, pairs_of
from spanferry.corpora.placing import whole_relations
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.stored.base import EVERYTHING, WriteReport
from spanferry.corpora.stored.records import Record, write_records

_SPAN = pa.struct(
    [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("id", pa.string()),
        ("field", pa.string()),
        ("fragments", pa.list_(RANGE)),
        ("attributes", pa.string()),
        ("score", pa.float64()),
    ]
)
_ALIGNMENT = pa.struct(
    [
        ("source_lang", pa.string()),
        ("target_lang", pa.string()),
        ("field", pa.string()),
        ("source_words", pa.list_(RANGE)),
        ("target_words", pa.list_(RANGE)),
        ("alignment", pa.string()),
        ("probabilities", pa.list_(pa.float64())),
    ]
)
_TAKEN = frozenset({"spans", "relations"})
_COLUMNS = frozenset({"id", "missing", "label", "links", "scores", "meta"})


@dataclass(frozen=True)
class MultiwayWriter:
    """One row per id, a column per language with text, spans and relations; missing cells are null.

    Attributes:
        shard_rows: Rows per file.
    """

    name: ClassVar[str] = "multiway"
    holds: ClassVar[frozenset[str]] = EVERYTHING

    shard_rows: Annotated[int, Field(gt=0)] = 100_000

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """See ``ParallelWriter.write_rows``. ``rows`` are iterated twice: the text fields are columns."""
        fields = tuple(dict.fromkeys(name for row in rows for e in row.examples.values() for name in e.texts))
        schema = _multiway_schema(languages, fields or ("text",))
        records = (_multiway_record(row, languages) for row in rows)
        return write_records(records, out, schema, shard_rows=self.shard_rows)


@dataclass(frozen=True)
class BilingualWriter:
    """One row per id, field and direction: both texts, their spans, their words and the alignment.

    Attributes:
        directions: As ``en-es``; empty: those that are linked, else the first language with each other.
        shard_rows: Rows per file.
    """

    name: ClassVar[str] = "bilingual"
    holds: ClassVar[frozenset[str]] = EVERYTHING - {"relations"}

    directions: tuple[str, ...] = ()
    shard_rows: Annotated[int, Field(gt=0)] = 100_000

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """See ``ParallelWriter.write_rows``."""
        records = (record for row in rows for record in self._records(row))
        return write_records(records, out, _BILINGUAL, shard_rows=self.shard_rows)

    def _records(self, row: MultiRow) -> Iterator[Record]:
        if row.reasons:
            yield rejected_record(row)
            return
        directions = (
            directions_of(self.directions, row.languages)
            if self.directions
            else list(dict.fromkeys((known.source_lang, known.target_lang) for known in row.links))
            or [(row.languages[0], other) for other in row.languages[1:]]
        )
        for source, target in pairs_of(row, directions):
            for field in source.texts:
                part = f"_{source.lang}-{target.lang}" + (f".{field}" if len(source.texts) > 1 else "")
                if field not in target.texts:
                    yield refused(row, "parallel:no_field", part=part)
                else:
                    yield Record(f"{row.id}{part}", _bilingual_values(row, source, target, field), row.split)


def rejected_record(row: MultiRow) -> Record:
    """A rejected row with all its reasons and its texts."""
    return Record(row.id, {}, row.split, row.reasons, {lang: dict(e.texts) for lang, e in row.examples.items()})


def _multiway_schema(languages: Sequence[str], fields: Sequence[str]) -> pa.Schema:
    texts = [(_column(field), pa.string()) for field in fields]
    cell = pa.struct([*texts, ("spans", pa.list_(_SPAN)), ("relations", pa.list_(RELATION))])
    return pa.schema(
        [
            ("id", pa.string()),
            *((_lang_column(lang), cell) for lang in languages),
            ("missing", pa.list_(MISSING)),
            ("label", pa.string()),
            ("links", pa.list_(_ALIGNMENT)),
            ("scores", pa.list_(SCORE)),
            ("meta", pa.string()),
        ]
    )


def _multiway_record(row: MultiRow, languages: Sequence[str]) -> Record:
    if row.reasons:
        return rejected_record(row)
    cells = {_lang_column(lang): _cell(row.examples[lang]) if lang in row.examples else None for lang in languages}
    first = next(iter(row.examples.values()))
    values = {
        **cells,
        "missing": [{"lang": lang, "reason": why} for lang, reasons in row.missing.items() for why in reasons],
        "label": None if first.label is None else str(first.label),
        "links": [_alignment(known) for known in row.links],
        "scores": _scores(row),
        "meta": json.dumps({k: v for k, v in first.meta.items() if k != SPAN_SCORES}, ensure_ascii=False),
    }
    return Record(row.id, values, row.split)


def _cell(example: Example) -> dict[str, Any]:
    whole = whole_relations(example.relations, example.spans)
    relations = [{"head": r.head, "tail": r.tail, "label": r.label} for r in whole]
    texts = {_column(field): text for field, text in example.texts.items()}
    return {**texts, "spans": [_span(span, example) for span in example.spans], "relations": relations}


def _column(field: str) -> str:
    return column_of(field, _TAKEN)


def _lang_column(lang: str) -> str:
    """The column of a language; Indonesian is ``lang_id``, as ``id`` is taken."""
    return column_of(lang, _COLUMNS, "lang_")


def _span(span: Span, example: Example) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "label": span.label,
        "id": span.id,
        "field": span.field,
        "fragments": [{"start": a, "end": b} for a, b in span.fragments],
        "attributes": attributes_json(span),
        "score": example.meta.get(SPAN_SCORES, {}).get(span.id),
    }


def _alignment(known: WordLinks) -> dict[str, Any]:
    return {
        "source_lang": known.source_lang,
        "target_lang": known.target_lang,
        "field": known.field,
        "source_words": [{"start": a, "end": b} for a, b in known.source_words],
        "target_words": [{"start": a, "end": b} for a, b in known.target_words],
        "alignment": pharaoh(known),
        "probabilities": [p for _, _, p in known.links],
    }


def pharaoh(known: WordLinks) -> str:
    """The links as ``0-0 1-2``."""
    return " ".join(f"{a}-{b}" for a, b, _ in known.links)


def _scores(row: MultiRow) -> list[dict[str, Any]]:
    return [{"name": name, "value": float(value)} for name, value in row.scores.items()]


_STRINGS = ("id", "field", "source_lang", "target_lang", "source", "target")
_BILINGUAL = pa.schema(
    [
        *((name, pa.string()) for name in _STRINGS),
        ("source_spans", pa.list_(_SPAN)),
        ("target_spans", pa.list_(_SPAN)),
        ("source_words", pa.list_(RANGE)),
        ("target_words", pa.list_(RANGE)),
        ("alignment", pa.string()),
        ("probabilities", pa.list_(pa.float64())),
        ("label", pa.string()),
        ("scores", pa.list_(SCORE)),
    ]
)


def _bilingual_values(row: MultiRow, source: Example, target: Example, field: str) -> dict[str, Any]:
    known = row.links_of(source.lang, target.lang, field)
    links = _alignment(known) if known else {}
    return {
        "field": field,
        "source_lang": source.lang,
        "target_lang": target.lang,
        "source": source.texts[field],
        "target": target.texts[field],
        "source_spans": [_span(s, source) for s in source.spans if s.field == field],
        "target_spans": [_span(s, target) for s in target.spans if s.field == field],
        **{name: links.get(name) for name in ("source_words", "target_words", "alignment", "probabilities")},
        "label": None if source.label is None else str(source.label),
        "scores": _scores(row),
    }
