"""One task per (stage, shard, target language): takes paths, writes one stage file, returns its manifest entry.

These functions run in whatever thread or process the executor has; rows never travel between processes.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from corpora import filters as filtering
from corpora.arrow import pairs_from_table, pairs_to_table
from corpora.readers.parallel import zip_examples
from corpora.schema import Pair
from corpora.segment import Segment
from corpora.writers import Writer, open_writer
from flows import stages
from flows.plan import Plan, plan_of
from flows.store import Entry, Stage, digest, write_bytes
from projectors.base import FittedProjector, ProjectionInput

Rows = list[Pair]


def read_pairs(plan: Plan) -> Iterator[Pair]:
    """All rows of the input as pairs, in order, up to the limit."""
    source = plan.config.source
    if not plan.given:
        for number, row in enumerate(plan.reader.read()):
            if plan.config.limit is not None and number >= plan.config.limit:
                return
            yield stages.as_pair(row, source)
        return
    rows = zip_examples(plan.reader, plan.target_reader, by=plan.config.read.pair_by)
    for number, (row, target) in enumerate(rows):
        if plan.config.limit is not None and number >= plan.config.limit:
            return
        yield stages.as_pair(row, source, target)


def read_all(plan: Plan, progress: Callable[[int], None] = lambda rows: None) -> int:
    """Reads the whole input into shards; returns how many. Only a finished reading leaves its marker."""
    stage = plan.stage("read").open()
    marker = stage.directory / "complete"
    if marker.exists():
        return int(marker.read_text())
    shard, batch = 0, list[Pair]()

    def flush() -> None:
        nonlocal shard, batch
        started = time.monotonic()
        table = pairs_to_table(batch)
        bad = sum(not pair.kept for pair in batch)
        counts = {"rejected": bad, "spans": sum(len(pair.source.spans) for pair in batch)}
        stage.write(shard, table, Entry(shard, len(batch), "", round(time.monotonic() - started, 3), counts))
        progress(len(batch))
        shard, batch = shard + 1, []

    for pair in read_pairs(plan):
        batch.append(pair)
        if len(batch) == plan.config.shard_rows:
            flush()
    if batch or shard == 0:
        flush()
    write_bytes(marker, str(shard).encode())
    return shard


def run_task(config_json: str, root: str, name: str, target: str, shard: int) -> dict[str, Any]:
    """Does one stage's work on one shard and writes its file.

    Args:
        config_json: The resolved configuration.
        root: The run's ``stages`` directory, seen from where this runs.
        name: ``segment``, ``translate``, ``fit``, ``project``, ``score`` or ``filter``.
        target: Target language (BCP-47).
        shard: Number of the shard; 0 for ``fit`` and ``filter``, which see all of them.

    Returns:
        The manifest entry.
    """
    plan = plan_of(config_json, root)
    stage = plan.stage(name, target).open()
    started = time.monotonic()
    rows, counts, inputs, table = _WORK[name](plan, target, shard)
    entry = Entry(shard, rows, inputs, 0.0, counts)

    def timed() -> Entry:
        return Entry(entry.shard, entry.rows, entry.inputs, round(time.monotonic() - started, 3), entry.counts)

    if isinstance(table, bytes):
        write_bytes(stage.path(shard, ".bin"), table)
        done = timed()
        stage.record(done)
    else:
        done = stage.write(shard, table, timed())
    return asdict(done)


Work = tuple[int, dict[str, int], str, Any]


def _segment(plan: Plan, target: str, shard: int) -> Work:
    pairs = _read(plan, shard)
    found = stages.segment_rows(pairs, plan.translator(target), plan.config.source, plan.config.segment.mode)
    return len(found), {}, _hash(plan.stage("read"), shard), stages.segments_to_table(found)


def _translate(plan: Plan, target: str, shard: int) -> Work:
    stage = plan.stage("segment", target)
    segments = stages.segments_from_table(stage.read(shard))
    translator = plan.translator(target)
    found = stages.translate_segments(segments, translator, plan.config.source, target)
    counts = {"failed": sum(t.reason is not None for t in found)}
    if hasattr(translator, "take_usage"):  # what is paid for is counted
        counts |= translator.take_usage().counts()
    return len(found), counts, _hash(stage, shard), stages.translations_to_table(found)


def _fit(plan: Plan, target: str, shard: int) -> Work:
    def every() -> Iterator[ProjectionInput]:
        for number in range(shard_count(plan)):
            yield from (item for row in _inputs(plan, target, number)[1] for item in row if item is not None)

    projector = plan.projector(target, fitted=False)
    if not isinstance(projector, FittedProjector):
        return 0, {}, "", b""
    sample = stages.fit_sample(every(), plan.config.projector.fit_rows)
    return len(sample), {}, "", projector.fit(sample).state()


def _project(plan: Plan, target: str, shard: int) -> Work:
    pairs, rows, place = _inputs(plan, target, shard)
    flat = [item for row in rows for item in row]
    projector, signature = plan.projector(target), plan.signature(target)
    if plan.given:
        found = iter(stages.project_some(projector, flat))
        grouped = [[p for _ in row for p in next(found)] for row in rows]
        done = stages.assemble_given(pairs, grouped, signature)
    else:
        segments, translations = place
        translations, projections = stages.project_translated(projector, flat, translations)
        done = stages.assemble_translated(pairs, segments, translations, projections, target, signature)
    before = plan.stage("read") if plan.given else plan.stage("translate", target)
    return len(done), stages.count_pairs(done), _hash(before, shard), pairs_to_table(done)


def _score(plan: Plan, target: str, shard: int) -> Work:
    stage = plan.stage("project", target)
    frame = stages.score_rows(pairs_from_table(stage.read(shard)), plan.filters)
    return frame.height, {}, _hash(stage, shard), frame.to_arrow()


def _filter(plan: Plan, target: str, shard: int) -> Work:
    """Decides over all shards at once: duplicates and conflicts are found only so."""
    stage = plan.stage("score", target)
    tables = [stage.read(number) for number in range(shard_count(plan))]
    frame = pl.DataFrame(pa.concat_tables(tables))
    reasons = filtering.decide(plan.filters, frame)
    counts: dict[str, int] = {}
    for reason in (r for row in reasons for r in row):
        counts[reason] = counts.get(reason, 0) + 1
    decided = pl.DataFrame({"reasons": pl.Series(list(reasons), dtype=pl.List(pl.String))})
    return decided.height, dict(sorted(counts.items())), "", decided.to_arrow()


_WORK: dict[str, Callable[[Plan, str, int], Work]] = {
    "segment": _segment,
    "translate": _translate,
    "fit": _fit,
    "project": _project,
    "score": _score,
    "filter": _filter,
}


def writer(plan: Plan, name: str) -> Writer:
    """The writer ``name`` with its configured options."""
    return open_writer(name, plan.config.output.options.get(name, {}))


def shard_count(plan: Plan) -> int:
    """How many shards the input was read into."""
    return int((plan.stage("read").directory / "complete").read_text())


def _read(plan: Plan, shard: int) -> Rows:
    return pairs_from_table(plan.stage("read").read(shard))


def _hash(stage: Stage, shard: int) -> str:
    return digest(Path(stage.path(shard)).read_bytes())


def _inputs(
    plan: Plan, target: str, shard: int
) -> tuple[Rows, list[list[ProjectionInput | None]], tuple[list[tuple[int, Segment]], list[Any]]]:
    """A shard's pairs, the projection inputs of each row (given) or of each segment (translated), and the segments."""
    pairs = _read(plan, shard)
    source = plan.config.source
    if plan.given:
        return pairs, [list(row) for row in stages.given_inputs(pairs, source, target)], ([], [])
    segments = stages.segments_from_table(plan.stage("segment", target).read(shard))
    translations = stages.translations_from_table(plan.stage("translate", target).read(shard))
    inputs = stages.projection_inputs(pairs, segments, translations, source, target)
    return pairs, [[item] for item in inputs], (segments, translations)
