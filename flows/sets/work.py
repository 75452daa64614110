"""The work on the rows of a parallel or derived set: read, join, fit, align, derive. Stage files in, one shard out."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa

from spanferry.corpora.derive import open_derivation
from spanferry.corpora.derive.base import Derivation
from spanferry.corpora.files import contents
from spanferry.corpora.filters.apply import build
from spanferry.corpora.filters.sets import filter_cells, filter_records, row_filters
from spanferry.corpora.multiway import Direction, MultiRow, WordLinks, rows_from_table, rows_to_table
from spanferry.corpora.readers.multiway import ParallelReader
from spanferry.corpora.stored.records import Record
from spanferry.corpora.text.word_breaks import words_of
from spanferry.flows import models
from spanferry.flows.config import TranslatorConfig
from spanferry.flows.engine.emit import check_sum
from spanferry.flows.engine.read import write_shards
from spanferry.flows.engine.step import Job, Made
from spanferry.flows.engine.store import Stage
from spanferry.flows.sets.config import AlignConfig, RowsConfig
from spanferry.flows.sets.join import Joined, StoredRows, join
from spanferry.projectors.base import Aligner, FittableAligner, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.pipeline.stages import fit_sample

_aligners = models.Recent(8)


@dataclass(frozen=True)
class ReadInput:
    """The rows of one input."""

    reader: ParallelReader
    shard_rows: int

    def __call__(self, job: Job) -> Made:
        return write_shards(job, self.reader.read(), rows_to_table, shard_rows=self.shard_rows)


@dataclass(frozen=True)
class JoinRows:
    """The rows of all inputs, joined."""

    rows: RowsConfig
    languages: tuple[str, ...]
    min_languages: int
    places: tuple[str, ...]

    def __call__(self, job: Job) -> Made:
        size = self.rows.shard_rows
        counts = [sum(entry.rows for entry in stage.done().values()) for stage in job.inputs]
        stored = [StoredRows(stage, size, count) for stage, count in zip(job.inputs, counts, strict=True)]
        joined = Joined()
        rows = join(
            stored,
            self.places,
            self.languages,
            self.min_languages,
            self.rows.join,
            joined,
            whole=job.rehearsal is None,
        )
        rows = self._filtered(rows)
        made = write_shards(job, rows, rows_to_table, shard_rows=size, limit=self.rows.limit, count=_count_rejected)
        if self.rows.limit is None and job.rehearsal is None:
            check_sum("rows", sum(counts), {"joined": joined.rows}, "join")
        check_sum("spans", joined.spans, {"placed": joined.placed, **joined.left_out}, "join")
        return made

    def _filtered(self, rows: Iterable[MultiRow]) -> Iterator[MultiRow]:
        filters = row_filters(self.rows.filters)
        if not filters:
            yield from rows
            return
        left = iter(rows)
        while batch := list(islice(left, self.rows.shard_rows)):
            yield from filter_cells(batch, filters, self.min_languages)


def _count_rejected(rows: list[MultiRow]) -> dict[str, int]:
    return {"rejected": sum(bool(row.reasons) for row in rows)}


@dataclass(frozen=True)
class StageRows:
    """The rows of a stage, shard by shard; can be iterated more than once."""

    stage: Stage
    shards: int
    kept_only: bool = False

    def __iter__(self) -> Iterator[MultiRow]:
        for shard in range(self.shards):
            rows = rows_from_table(self.stage.read(shard))
            yield from (row for row in rows if not (self.kept_only and row.reasons))


@dataclass(frozen=True)
class FitAligner:
    """What an aligner learns from the rows, for one direction."""

    section: AlignConfig
    direction: Direction

    def __call__(self, job: Job) -> Made:
        aligner = unfitted(self.section)
        assert isinstance(aligner, FittableAligner)
        rows = StageRows(job.inputs[0], job.shards, kept_only=True)
        sample = fit_sample((i for row in rows for i in alignment_inputs(row, self.direction)), self.section.fit_rows)
        return Made(aligner.fit(sample).state(), len(sample))


@dataclass(frozen=True)
class AlignRows:
    """The rows with their word links."""

    section: AlignConfig
    directions: tuple[Direction, ...]

    def __call__(self, job: Job) -> Made:
        rows, *fitted = job.inputs
        states: Sequence[Stage | None] = fitted or [None] * len(self.directions)
        aligners = {d: self._aligner(state) for d, state in zip(self.directions, states, strict=True)}
        done = linked_rows(rows_from_table(rows.read(job.shard)), aligners)
        return Made(rows_to_table(done), len(done))

    def _aligner(self, fitted: Stage | None) -> Aligner:
        def make() -> Aligner:
            aligner = unfitted(self.section)
            return aligner.with_state(path.read_bytes()) if path and isinstance(aligner, FittableAligner) else aligner

        path = fitted.path(0, ".bin") if fitted else None
        about = path.stat() if path else None
        stamp = f"{about.st_mtime_ns}.{about.st_size}" if about else ""
        return _aligners.get((self.section.model_dump_json(), str(path), stamp, contents(self.section.options)), make)


def unfitted(section: AlignConfig) -> Aligner:
    """The aligner as configured, before it has seen the rows.

    Raises:
        SpanferryError: There is no such aligner, or it does not take an option.
    """
    return AlignmentProjector(section.aligner, aligner_options=section.options).aligner


@dataclass(frozen=True)
class Derive:
    """The records of a derived set.

    Attributes:
        kind: The derivation.
        options: Of it.
        seed: For those that draw.
        model: For those that translate.
        reverse: The model of the way back; None: the same.
    """

    kind: str
    options: dict[str, object]
    seed: int
    model: TranslatorConfig
    reverse: str | None

    def __call__(self, job: Job) -> Made:
        derivation, stage = self.derivation(), job.inputs[0]
        if derivation.local:
            kept = [row for row in rows_from_table(stage.read(job.shard)) if not row.reasons]
            records = list(derivation.derive(kept))
        else:
            records = list(derivation.derive(StageRows(stage, job.shards, kept_only=True)))
        return Made(records_to_table(records, derivation.schema), len(records))

    def derivation(self) -> Derivation:
        """What makes the records."""
        return open_derivation(self.kind, self.options, seed=self.seed, translators=self.translator)

    def translator(self, source: str, target: str) -> object:
        """The model for ``source -> target``; a round trip comes back from the language it translates into."""
        back = source == self.options.get("into")
        return models.translator(self.model, source, target, model=self.reverse if back else None)


@dataclass(frozen=True)
class FilterRecords:
    """The records that the filters accept, and the others with their reasons.

    Attributes:
        derived: What made them.
        filters: As configured.
    """

    derived: Derive
    filters: tuple[Mapping[str, Any], ...]

    def __call__(self, job: Job) -> Made:
        derivation = self.derived.derivation()
        given = list(records_of(job.inputs[0], job.shards if derivation.local else 1))
        records = list(filter_records(given, derivation.schema, build(self.filters)))
        check_sum("records", len(given), {"judged": len(records)}, derivation.name)
        return Made(records_to_table(records, derivation.schema), len(records))


def records_to_table(records: list[Record], schema: pa.Schema) -> pa.Table:
    """Records, kept and rejected, as one table."""
    rows = [
        {
            "_split": r.split,
            "_reasons": list(r.reasons),
            "_texts": json.dumps(dict(r.texts), ensure_ascii=False) if r.texts else "",
            "id": r.id,
            **r.values,
        }
        for r in records
    ]
    about = [("_split", pa.string()), ("_reasons", pa.list_(pa.string())), ("_texts", pa.string())]
    return pa.Table.from_pylist(rows, schema=pa.schema([*about, *schema]))


def records_of(stage: Stage, shards: int) -> Iterator[Record]:
    """All records of the derived set, in order."""
    for shard in range(shards):
        for batch in stage.read(shard).to_batches():
            for row in batch.to_pylist():
                split, reasons, texts = row.pop("_split"), tuple(row.pop("_reasons")), row.pop("_texts")
                values = {} if reasons else {key: value for key, value in row.items() if key != "id"}
                yield Record(row["id"], values, split, reasons, json.loads(texts) if texts else {})


def alignment_inputs(row: MultiRow, direction: Direction) -> list[ProjectionInput]:
    """One input per field that both languages have, of rows that are not linked already.

    Links count the words that code-switching counts: those of a dictionary, where a script has no spaces and no tokens
    are given.
    """
    source, target = (row.examples.get(lang) for lang in direction)
    if source is None or target is None:
        return []
    return [
        ProjectionInput(
            f"{row.id}/{name}",
            text,
            target.texts[name],
            (),
            source.lang,
            target.lang,
            source_words=tuple(source.tokens.get(name, ())) or words_of(text, source.lang),
            target_words=tuple(target.tokens.get(name, ())) or words_of(target.texts[name], target.lang),
        )
        for name, text in source.texts.items()
        if name in target.texts and row.links_of(source.lang, target.lang, name) is None
    ]


def linked_rows(rows: Sequence[MultiRow], aligners: Mapping[Direction, Aligner]) -> list[MultiRow]:
    """The rows with the links of every direction that an aligner is given for; links that are there stay."""
    links: list[list[WordLinks]] = [list(row.links) for row in rows]
    for direction, aligner in aligners.items():
        wanted = [
            (i, item) for i, row in enumerate(rows) if not row.reasons for item in alignment_inputs(row, direction)
        ]
        if not wanted:
            continue
        found = aligner.align([item for _, item in wanted])
        for (i, item), alignment in zip(wanted, found, strict=True):
            if alignment.reason:
                continue
            field = item.id.rpartition("/")[2]
            known = tuple((a, b, round(float(alignment.probabilities[a, b]), 4)) for a, b in alignment.links)
            links[i].append(WordLinks(*direction, field, alignment.source_words, alignment.target_words, known))
    return [replace(row, links=tuple(found)) for row, found in zip(rows, links, strict=True)]
