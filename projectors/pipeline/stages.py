"""The work of each stage on one shard: pure functions from rows to rows.

They know nothing of Prefect, of the terminal, or of where files lie; a library user calls them directly.
"""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import polars as pl
import pyarrow as pa

from spanferry.corpora import filters as filtering
from spanferry.corpora.filters.base import Filter, signature_of
from spanferry.corpora.placing import lost_relations, placed_span, with_projections
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.schema import Example, Pair, Projection, Span, Translation
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.segment import Mode, Segment, reassemble, segment
from spanferry.projectors.base import ProjectionInput, Projector, RetranslatingProjector, projector_entry
from spanferry.projectors.filters.span_fidelity import FidelityTables
from spanferry.projectors.placing.parts import project_in_parts
from spanferry.projectors.repair.best_of import best_of
from spanferry.projectors.repair.enforce import Source, repaired
from spanferry.translators.base import Translator

GOLD = "gold_spans"
# Counts of the relations of the source; there are none where the data has none.
RELATIONS, RELATIONS_KEPT, RELATIONS_LOST = "relations", "relations_kept", "relations_lost:"
# Reasons that start so are failures of the run, not decisions of a filter.
FAILED = ("read:", "translate:")
SEGMENTS = pa.schema(
    [
        ("row", pa.int32()),
        ("field", pa.string()),
        ("index", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("text", pa.string()),
        ("spans", pa.string()),
        ("reason", pa.string()),
    ]
)
TRANSLATIONS = pa.schema(
    [
        ("text", pa.string()),
        ("pieces", pa.list_(pa.string())),
        ("score", pa.float32()),
        ("truncated", pa.bool_()),
        ("reason", pa.string()),
        ("terms", pa.list_(pa.list_(pa.string()))),
    ]
)


def as_pair(row: Example | BadRow, source_lang: str, target: Example | BadRow | None = None) -> Pair:
    """A row that was read as the pair that travels on; a row that can't be an example is a rejected pair."""
    if isinstance(row, BadRow):
        return row.as_pair(source_lang)
    if isinstance(target, BadRow):
        return Pair(source=row, target=None).rejected(f"read:target_{target.reason}")
    if target is not None:
        gold = [[s.start, s.end, s.label, s.field] for s in target.spans]
        target = replace(target, spans=(), meta={**target.meta, GOLD: gold})
    return Pair(source=row, target=target)


def segment_rows(pairs: Sequence[Pair], translator: Any, source: str, mode: Mode) -> list[tuple[int, Segment]]:
    """The segments of every usable row of a shard, each with its row's index.

    Args:
        pairs: Rows as read.
        translator: Gives ``length(text, language)`` in pieces and ``limits``; None: no limit.
        source: BCP-47 language of the texts.
        mode: ``sentence`` or ``none``.
    """

    def length(text: str) -> int:
        return int(translator.length(text, source)) if translator is not None else len(text)

    limit = translator.limits.source if translator is not None else 1 << 30
    return [
        (row, piece)
        for row, pair in enumerate(pairs)
        if pair.kept
        for piece in segment(pair.source, length=length, limit=limit, mode=mode)
    ]


def segments_to_table(segments: Sequence[tuple[int, Segment]]) -> pa.Table:
    """The stage file's form of ``segment_rows``."""
    columns: dict[str, list[Any]] = {name: [] for name in SEGMENTS.names}
    for row, piece in segments:
        spans = [[s.start, s.end, s.label, s.id, s.field, s.fragments] for s in piece.spans]
        values = (
            row,
            piece.field,
            piece.index,
            piece.start,
            piece.end,
            piece.text,
            json.dumps(spans, ensure_ascii=False),
            piece.reason,
        )
        for name, value in zip(SEGMENTS.names, values, strict=True):
            columns[name].append(value)
    return pa.table(columns, schema=SEGMENTS)


def segments_from_table(table: pa.Table) -> list[tuple[int, Segment]]:
    """Reverse of ``segments_to_table``."""
    found = []
    for r in table.to_pylist():
        spans = tuple(
            Span(a, b, label, name, field, tuple((x, y) for x, y in fragments))
            for a, b, label, name, field, fragments in json.loads(r["spans"])
        )
        found.append((r["row"], Segment(r["field"], r["index"], r["start"], r["end"], r["text"], spans, r["reason"])))
    return found


def translate_segments(
    segments: Sequence[tuple[int, Segment]], translator: Translator, source: str, target: str
) -> list[Translation]:
    """One translation per segment, in order; each distinct text is translated once, and none that has a reason."""
    distinct = list(dict.fromkeys(piece.text for _, piece in segments if not piece.reason))
    found = dict(zip(distinct, translator.translate(distinct, source, target), strict=True))
    return [Translation("", reason=piece.reason) if piece.reason else found[piece.text] for _, piece in segments]


def translations_to_table(translations: Sequence[Translation]) -> pa.Table:
    """The stage file's form of translations."""
    columns = {name: [getattr(t, name) for t in translations] for name in TRANSLATIONS.names}
    columns["pieces"] = [list(p) for p in columns["pieces"]]
    columns["terms"] = [list(map(list, terms)) for terms in columns["terms"]]
    return pa.table(columns, schema=TRANSLATIONS)


def translations_from_table(table: pa.Table) -> list[Translation]:
    """Reverse of ``translations_to_table``."""
    return [
        Translation(
            **{**row, "pieces": tuple(row["pieces"]), "terms": tuple((a, b) for a, b in row.get("terms") or ())}
        )
        for row in table.to_pylist()
    ]


def repair_translations(
    segments: Sequence[tuple[int, Segment]],
    translations: Sequence[Translation],
    translator: Translator,
    tables: FidelityTables,
    source: str,
    target: str,
    *,
    count: int = 1,
    terms: bool = True,
) -> list[Translation]:
    """The translations of the segments, others where words of a labelled span are missing (``projectors.repair``).

    Args:
        segments: Rows and their segments.
        translations: One for each segment.
        translator: The model that made them.
        tables: Word translations of both directions.
        source: BCP-47.
        target: BCP-47.
        count: Translations of a text that are looked at; 1: the one there is.
        terms: Whether the likeliest words are put in where they are missing still.
    """
    texts = [Source(piece.text, piece.spans) for _, piece in segments]
    done = list(translations)
    if count > 1:
        done = best_of(list(zip(texts, done, strict=True)), translator, tables, count, source, target)
    return repaired(list(zip(texts, done, strict=True)), translator, tables, source, target) if terms else done


def projection_inputs(
    pairs: Sequence[Pair],
    segments: Sequence[tuple[int, Segment]],
    translations: Sequence[Translation],
    source: str,
    target: str,
) -> list[ProjectionInput | None]:
    """One input per segment; None where there is no translation to project onto."""
    inputs: list[ProjectionInput | None] = []
    for (row, piece), translation in zip(segments, translations, strict=True):
        if translation.reason or not translation.text.strip():
            inputs.append(None)
            continue
        example = pairs[row].source
        tokens = [
            (a - piece.start, b - piece.start)
            for a, b in example.tokens.get(piece.field, ())
            if a >= piece.start and b <= piece.end
        ]
        name = f"{example.id}/{piece.field}/{piece.index}"
        inputs.append(
            ProjectionInput(
                name,
                piece.text,
                translation.text,
                piece.spans,
                source,
                target,
                source_words=tuple(tokens),
                target_score=translation.score,
            )
        )
    return inputs


def given_inputs(pairs: Sequence[Pair], source: str, target: str) -> list[list[ProjectionInput]]:
    """Both sides given: one input per field of each usable row that the target has too."""
    rows: list[list[ProjectionInput]] = []
    for pair in pairs:
        fields = pair.source.texts if pair.kept and pair.target is not None else {}
        rows.append(
            [
                ProjectionInput(
                    f"{pair.source.id}/{name}",
                    text,
                    pair.target.texts[name],
                    tuple(s for s in pair.source.spans if s.field == name),
                    source,
                    target,
                    source_words=tuple(pair.source.tokens.get(name, ())),
                    target_words=tuple(pair.target.tokens.get(name, ())),
                )
                for name, text in fields.items()
                if pair.target is not None and name in pair.target.texts
            ]
        )
    return rows


def fit_sample(inputs: Iterable[ProjectionInput], size: int) -> list[ProjectionInput]:
    """At most ``size`` inputs, chosen and ordered by a digest of their texts: shards and row order play no part."""

    def key(item: ProjectionInput) -> bytes:
        return blake2b(f"{item.source_text}\0{item.target_text}".encode(), digest_size=16).digest()

    keyed: Iterator[tuple[bytes, str, ProjectionInput]] = ((key(i), i.id, i) for i in inputs)
    return [item for _, _, item in heapq.nsmallest(size, keyed, key=lambda entry: entry[:2])]


def project_some(projector: Projector, inputs: Sequence[ProjectionInput | None]) -> list[list[Projection]]:
    """Projections per input; inputs that are None or without spans cost nothing and give an empty list.

    Texts of several sentences are projected part by part (``spanferry.projectors.placing.parts``).
    """
    wanted = [(i, item) for i, item in enumerate(inputs) if item is not None and item.spans]
    results: list[list[Projection]] = [[] for _ in inputs]
    for (i, _), found in zip(wanted, project_in_parts(projector.project, [item for _, item in wanted]), strict=True):
        results[i] = found
    return results


def project_translated(
    projector: Projector, inputs: Sequence[ProjectionInput | None], translations: Sequence[Translation]
) -> tuple[list[Translation], list[list[Projection]]]:
    """Translations and projections per input; a projector that retranslates puts its own where all its spans are."""
    if not (isinstance(projector, RetranslatingProjector) and projector.retranslates):
        return list(translations), project_some(projector, inputs)
    wanted = [(i, item) for i, item in enumerate(inputs) if item is not None and item.spans]
    chosen, results = list(translations), [list[Projection]() for _ in inputs]
    own = projector.translate_marked([item for _, item in wanted])
    for (i, _), (translation, found) in zip(wanted, own, strict=True):
        results[i] = found
        if all(p.span is not None for p in found):
            chosen[i] = translation
        else:
            # The plain translation stays, and places in another text mean nothing in it.
            results[i] = [replace(p, span=None, score=0.0, reason=p.reason or "marker_count") for p in found]
    return chosen, results


def assemble_translated(
    pairs: Sequence[Pair],
    segments: Sequence[tuple[int, Segment]],
    translations: Sequence[Translation],
    projections: Sequence[Sequence[Projection]],
    target: str,
    signature: str,
) -> list[Pair]:
    """Puts the segments of each row together again; rows that were rejected before pass through."""
    by_row: dict[int, list[int]] = {}
    for position, (row, _) in enumerate(segments):
        by_row.setdefault(row, []).append(position)
    assembled = []
    for row, pair in enumerate(pairs):
        if not pair.kept:
            assembled.append(replace(pair, projections=_none(pair, "no_target"), signature=signature))
            continue
        places = by_row.get(row, [])
        done = reassemble(
            pair.source,
            [segments[p][1] for p in places],
            [translations[p] for p in places],
            [projections[p] for p in places],
            target_lang=target,
            signature=signature,
        )
        assembled.append(done)
    return assembled


def assemble_given(pairs: Sequence[Pair], projections: Sequence[Sequence[Projection]], signature: str) -> list[Pair]:
    """Pairs whose target was given, with the projected spans on it."""
    assembled = []
    for pair, found in zip(pairs, projections, strict=True):
        if not pair.kept or pair.target is None:
            lost = replace(pair, projections=_none(pair, "no_target"), signature=signature)
            assembled.append(lost if lost.reasons else lost.rejected("read:no_target"))
            continue
        by_id = {p.source_span_id: p for p in found}
        ordered = tuple(
            by_id.get(s.id) or Projection(s.id, None, 0.0, "none", "no_target_field") for s in pair.source.spans
        )
        sources = {span.id: span for span in pair.source.spans}
        ordered = tuple(
            p if p.span is None else replace(p, span=placed_span(p.span, sources[p.source_span_id])) for p in ordered
        )
        target = with_projections(replace(pair.target, split=pair.source.split), pair.source, ordered)
        assembled.append(replace(pair, target=target, projections=ordered, signature=signature))
    return assembled


def _none(pair: Pair, reason: str) -> tuple[Projection, ...]:
    """That no span of a row was placed."""
    return tuple(Projection(span.id, None, 0.0, "none", reason) for span in pair.source.spans)


def count_pairs(pairs: Sequence[Pair]) -> dict[str, int]:
    """What the manifest and the closing table count: spans, projected, failures by reason, agreement with gold."""
    counts: Counter[str] = Counter()
    for pair in pairs:
        counts["spans"] += len(pair.source.spans)
        counts["failed_rows"] += any(reason.startswith(FAILED) for reason in pair.reasons)
        for projection in pair.projections:
            counts["projected" if projection.span else f"unprojected:{projection.reason}"] += 1
        if pair.source.relations:
            lost = Counter(f"{RELATIONS_LOST}{reason}" for _, reason in lost_relations(pair))
            counts[RELATIONS] += len(pair.source.relations)
            counts[RELATIONS_KEPT] += len(pair.source.relations) - lost.total()
            counts.update(lost)
        if pair.target is not None and GOLD in pair.target.meta:
            counts.update(_gold_counts(pair))
    return dict(sorted(counts.items()))


def _gold_counts(pair: Pair) -> Counter[str]:
    target = pair.target
    gold = Counter((a, b, label, name) for a, b, label, name in target.meta[GOLD]) if target else Counter()
    found = Counter((s.start, s.end, s.label, s.field) for s in target.spans) if target else Counter()
    counts: Counter[str] = Counter()
    counts["gold_spans"] = gold.total()
    counts["gold_predicted"] = found.total()
    counts["gold_matched"] = (gold & found).total()
    return counts


def run_signature(
    before: Signature, projector: str, fit_rows: int, filters: Sequence[Filter], source: str, target: str
) -> Signature:
    """The chain of a run up to its decisions.

    Args:
        before: What the texts of both sides come from.
        projector: Signature of the projector.
        fit_rows: Pairs that it is fitted on, at most.
        filters: Those that decide.
        source: BCP-47.
        target: BCP-47.
    """
    decided = signature_of(filters).digest(8)
    return Signature.of(
        before, projector_entry(projector), ("fit", fit_rows), ("filt", decided), ("lang", f"{source}-{target}")
    )


def score_rows(pairs: Sequence[Pair], filters: Sequence[Filter]) -> pl.DataFrame:
    """Filter score columns, one row per pair."""
    return filtering.score(filters, pairs)
