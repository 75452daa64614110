"""Filters over derived and code-switched sets: their rows as pairs, judged by the same filters as translations."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from spanferry.corpora.arrow import examples_from_table, examples_to_table
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters.apply import build, decide, score
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.filters.known import FILTERS
from spanferry.corpora.multiway import SPAN_SCORES, MultiRow
from spanferry.corpora.schema import Example, Pair, Projection
from spanferry.corpora.stored.records import REJECTED_SCHEMA, Record
from spanferry.corpora.stored.switch_schema import column_of

SWITCHED = ("span_count", "span_shape", "copy", "letters", "repetition", "duplicates", "conflicts")
"""Filters that say something of a row in two languages; the others expect a translation of the whole text."""

RECORDS = ("duplicates",)
"""Filters that say something of a derived record, whose columns are neither a source nor a translation."""

_TOO_FEW = "join:too_few_languages"


def row_filters(configs: Sequence[Mapping[str, Any]]) -> list[Filter]:
    """Filters that judge each row alone, for sets whose shards are worked on apart.

    Raises:
        ConfigError: As for ``build``, or a filter that looks at all rows.
    """
    built = build(configs)
    for one in built:
        if one.scope == "corpus":
            raise ConfigError(
                f"filter {one.name!r} looks at all rows; here each is judged alone",
                valid=[kind for kind in FILTERS if kind not in ("duplicates", "conflicts")],
                hint=f"leave {one.name} out",
            )
    return built


def filter_cells(rows: Sequence[MultiRow], filters: Sequence[Filter], min_languages: int = 2) -> list[MultiRow]:
    """The rows without the cells that a filter rejects, each judged as a translation of the row's first language.

    A cell that goes is missing with the reasons, and so are its links; a row that keeps fewer than ``min_languages``
    cells is rejected as ``join:too_few_languages`` and ``<lang>:<reason>``. Rows that were rejected stay as they are.
    """
    places, pairs = [], []
    for number, row in enumerate(rows):
        first, *others = row.languages if not row.reasons and row.examples else ("",)
        for lang in others:
            places.append((number, lang))
            pairs.append(pair_of(row.examples[first], row.examples[lang]))
    out = list(rows)
    for (number, lang), reasons in zip(places, decide(filters, score(filters, pairs)), strict=True):
        if reasons:
            out[number] = _without(out[number], lang, tuple(reasons))
    for number, row in enumerate(out):
        if row is not rows[number] and len(row.examples) < min_languages:
            missing = [f"{lang}:{reason}" for lang, why in row.missing.items() for reason in why]
            out[number] = row.rejected(_TOO_FEW, *missing)
    return out


def filter_switched(
    kept: pa.Table, rejected: pa.Table, rows: Sequence[MultiRow], filters: Sequence[Filter]
) -> tuple[pa.Table, pa.Table]:
    """Code-switched rows that every filter accepts, and the rejected ones with those that one does not.

    Each is judged against the row in the matrix language that it was made from.

    Args:
        kept: Rows of ``spanferry.corpora.stored.switch_schema.schema_of``, with ``split`` behind.
        rejected: Rows of ``spanferry.corpora.stored.records.REJECTED_SCHEMA``.
        rows: What was switched.
        filters: Such as those of ``SWITCHED``.

    Returns:
        Tables of the same two schemas; together they have as many rows as were given.
    """
    if not kept.num_rows:
        return kept, rejected
    made_from = {row.id: row for row in rows}
    pairs = [_switched_pair(values, made_from[values["source_id"]]) for values in kept.to_pylist()]
    decided = decide(filters, score(filters, pairs))
    good = pa.array([not reasons for reasons in decided])
    bad = [
        {"id": pair.target.id, "split": pair.target.split, "reasons": reasons, "texts": _texts(pair)}
        for pair, reasons in zip(pairs, decided, strict=True)
        if reasons and pair.target is not None
    ]
    more = pa.Table.from_pylist(bad, schema=REJECTED_SCHEMA)
    return kept.filter(good), pa.concat_tables([rejected, more])


def filter_records(records: Iterable[Record], schema: pa.Schema, filters: Sequence[Filter]) -> Iterator[Record]:
    """The records in their order, those that a filter rejects with its reasons and without values.

    Args:
        records: Of a derived set; those with reasons pass as they are.
        schema: The set's columns; the texts of a record are its columns of strings.
        filters: Such as those of ``RECORDS``.
    """
    everything = list(records)
    columns = [f.name for f in schema if f.name != "id" and pa.types.is_string(f.type)]
    judged = [record for record in everything if not record.reasons]
    pairs = [_record_pair(record, columns) for record in judged]
    found = iter(decide(filters, score(filters, pairs)))
    for record in everything:
        reasons = () if record.reasons else tuple(next(found))
        if not reasons:
            yield record
            continue
        texts = {name: record.values[name] for name in columns if record.values.get(name) is not None}
        yield replace(record, values={}, reasons=reasons, texts=texts)


def pair_of(source: Example, target: Example) -> Pair:
    """Two examples with the same span ids as a pair; a span without a counterpart is a projection that failed."""
    scores = target.meta.get(SPAN_SCORES, {})
    placed = {span.id: span for span in target.spans}
    projections = tuple(
        Projection(span.id, placed.get(span.id), scores.get(span.id, 1.0 if span.id in placed else 0.0), "given",
                   None if span.id in placed else "not_placed")
        for span in source.spans
    )  # fmt: skip
    return Pair(source, target, projections)


def _without(row: MultiRow, lang: str, reasons: tuple[str, ...]) -> MultiRow:
    return replace(
        row,
        examples={other: example for other, example in row.examples.items() if other != lang},
        links=tuple(found for found in row.links if lang not in (found.source_lang, found.target_lang)),
        missing={**row.missing, lang: reasons},
    )


def _switched_pair(values: dict[str, Any], row: MultiRow) -> Pair:
    source = row.examples[values["lang"]]
    texts = {field: values[column_of(field)] for field in source.texts}
    empty = Example(values["id"], values["lang"], texts, label=values["label"], split=values["split"])
    # The columns of spans and relations are those of stored examples.
    (record,) = examples_to_table([empty]).to_pylist()
    record |= {"spans": values["spans"], "relations": values["relations"]}
    (target,) = examples_from_table(pa.Table.from_pylist([record], schema=examples_to_table([empty]).schema))
    return pair_of(source, target)


def _record_pair(record: Record, columns: Sequence[str]) -> Pair:
    texts = {name: str(record.values[name]) for name in columns if record.values.get(name) is not None}
    example = Example(record.id, "und", texts, split=record.split)
    return Pair(example, example)


def _texts(pair: Pair) -> str:
    target = pair.target
    sides = {"source": dict(pair.source.texts), "switched": dict(target.texts) if target else {}}
    return json.dumps(sides, ensure_ascii=False)
