"""The work on the rows of a parallel or derived set: join, fit, align, derive. Paths in, stage files out."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from corpora.filters.sets import filter_cells
from corpora.multiway import Direction, MultiRow, WordLinks, rows_from_table, rows_to_table
from corpora.records import Record
from corpora.word_breaks import words_of
from flows.parallel_join import StoredRows, join, store
from flows.parallel_plan import SetPlan, set_plan
from flows.stages import fit_sample
from flows.store import Entry, Stage, write_bytes
from projectors.base import Aligner, FittedAligner, ProjectionInput


def read_rows(plan: SetPlan, tell: Callable[[int], None] = lambda rows: None) -> int:
    """Reads all inputs and joins them into the shards of ``rows``; returns how many shards."""
    stage = plan.rows_stage.open()
    marker = stage.directory / "complete"
    if marker.exists():
        return int(marker.read_text())
    rows = plan.config.rows
    counts = [store(reader, plan.input_stage(i), rows.shard_rows, tell) for i, reader in enumerate(plan.readers)]
    stored = [StoredRows(plan.input_stage(i), rows.shard_rows, count) for i, count in enumerate(counts)]
    shard, batch = 0, list[MultiRow]()

    def flush() -> None:
        nonlocal shard, batch
        if plan.filters:
            batch = filter_cells(batch, plan.filters, plan.min_languages)
        bad = sum(bool(row.reasons) for row in batch)
        stage.write(shard, rows_to_table(batch), Entry(shard, len(batch), "", 0.0, {"rejected": bad}))
        shard, batch = shard + 1, []

    places = [getattr(reader, "path", reader.signature) for reader in plan.readers]
    for number, row in enumerate(join(stored, [str(p) for p in places], plan.languages, plan.min_languages, rows.join)):
        if rows.limit is not None and number >= rows.limit:
            break
        batch.append(row)
        if len(batch) == rows.shard_rows:
            flush()
    if batch or not shard:
        flush()
    write_bytes(marker, str(shard).encode())
    return shard


def shard_count(plan: SetPlan) -> int:
    """How many shards the joined rows have."""
    return int((plan.rows_stage.directory / "complete").read_text())


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


def run_set_task(config_json: str, root: str, name: str, target: str, shard: int) -> dict[str, Any]:
    """Does one stage's work on one shard and writes its file.

    Args:
        config_json: The resolved configuration.
        root: The run's ``stages`` directory, seen from where this runs.
        name: ``fit``, ``align`` or ``derive``.
        target: For ``fit`` the direction, ``en>es``; else empty.
        shard: Number of the shard; 0 for ``fit``, and for a derivation that needs all rows at once.

    Returns:
        The manifest entry.
    """
    plan = set_plan(config_json, root)
    started = time.monotonic()
    if name == "fit":
        source, _, other = target.partition(">")
        return asdict(_fit(plan, (source, other), started))
    if name == "align":
        rows = rows_from_table(plan.rows_stage.read(shard))
        rows = linked_rows(rows, {direction: plan.aligner(direction) for direction in plan.directions})
        return asdict(_write(plan.align_stage, shard, rows_to_table(rows), started))
    derivation = plan.derivation
    if derivation.local:
        kept = [row for row in rows_from_table(plan.align_stage.read(shard)) if not row.reasons]
        records = list(derivation.derive(kept))
    else:
        records = list(derivation.derive(StageRows(plan.align_stage, shard_count(plan), kept_only=True)))
    return asdict(_write(plan.derive_stage, shard, records_to_table(records, derivation.schema), started))


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


def records_of(plan: SetPlan) -> Iterator[Record]:
    """All records of the derived set, in order."""
    shards = shard_count(plan) if plan.derivation.local else 1
    for shard in range(shards):
        for batch in plan.derive_stage.read(shard).to_batches():
            for row in batch.to_pylist():
                split, reasons, texts = row.pop("_split"), tuple(row.pop("_reasons")), row.pop("_texts")
                values = {} if reasons else {key: value for key, value in row.items() if key != "id"}
                yield Record(row["id"], values, split, reasons, json.loads(texts) if texts else {})


def _write(stage: Stage, shard: int, table: pa.Table, started: float) -> Entry:
    entry = Entry(shard, table.num_rows, "", round(time.monotonic() - started, 3))
    return stage.open().write(shard, table, entry)


def _fit(plan: SetPlan, direction: Direction, started: float) -> Entry:
    aligner = plan.unfitted()
    state = b""
    size = 0
    if isinstance(aligner, FittedAligner):
        rows = StageRows(plan.rows_stage, shard_count(plan), kept_only=True)
        inputs = (item for row in rows for item in alignment_inputs(row, direction))
        sample = fit_sample(inputs, plan.config.align.fit_rows)
        size, state = len(sample), aligner.fit(sample).state()
    stage = plan.fit_stage(direction).open()
    write_bytes(stage.path(0, ".bin"), state)
    entry = Entry(0, size, "", round(time.monotonic() - started, 3))
    stage.record(entry)
    return entry


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
