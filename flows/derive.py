"""``run derive KIND``: one derived set, as a dataset with report and card."""

import heapq
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from corpora.derive.base import SideFiles
from corpora.files import atomic_path
from corpora.records import Record, write_records
from flows.parallel_config import DeriveConfig
from flows.parallel_documents import EXAMPLES, SetFacts, counted, write_documents
from flows.parallel_plan import SetPlan
from flows.parallel_run import STAMP, SetResult, run_set, sample_key
from flows.parallel_tasks import StageRows, records_of, shard_count
from flows.store import digest, write_json


def run_derive(config: DeriveConfig, console: Console | None = None) -> SetResult:
    """Builds a derived set and writes ``OUT/<kind>``.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    return run_set(config, _emit, console)


def _emit(plan: SetPlan, result: SetResult) -> None:
    derivation = plan.derivation
    place = plan.config.out / derivation.name
    stamp = {"kind": derivation.name, "made": digest(plan.derive_signature)}
    if not (place / STAMP).exists() or json.loads((place / STAMP).read_text(encoding="utf-8")) != stamp:
        counts = write_records(_all(plan), place, derivation.schema).rows
        if isinstance(derivation, SideFiles):
            _side_files(derivation, plan, place)
        write_documents(place, _facts(plan, counts))
        write_json(place / STAMP, stamp)
    told = json.loads((place / "report.json").read_text(encoding="utf-8"))
    name = derivation.name
    result.written[name], result.counts[name], result.reasons[name] = place, told["rows"], told["reasons"]


def _all(plan: SetPlan) -> Iterator[Record]:
    """The records, and the rows that were rejected before anything was derived from them."""
    yield from records_of(plan)
    for row in StageRows(plan.align_stage, shard_count(plan)):
        if row.reasons:
            texts = {lang: dict(e.texts) for lang, e in row.examples.items()}
            yield Record(row.id, {}, row.split, row.reasons, texts)


def _side_files(derivation: SideFiles, plan: SetPlan, place: Path) -> None:
    kept: Iterator[Mapping[str, Any]] = (record.values for record in records_of(plan) if not record.reasons)
    for name, lines in groupby(derivation.side_files(kept), key=lambda line: line[0]):
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(place / name))
            file = stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n"))
            file.writelines(line for _, line in lines)
            file.close()


def _facts(plan: SetPlan, counts: dict[str, int]) -> SetFacts:
    derivation = plan.derivation
    kept = (record for record in records_of(plan) if not record.reasons)
    shown = heapq.nsmallest(EXAMPLES, kept, key=lambda record: (sample_key(plan, record.id), record.id))
    about = " ".join((type(derivation).__doc__ or "").strip().split("\n\n")[0].replace("``", "").split())
    return SetFacts(
        title=f"{derivation.name} {'-'.join(plan.languages)}",
        about=about,
        paper=derivation.paper,
        differs=derivation.differs,
        task=derivation.task,
        languages=plan.languages,
        sources=[Path(entry.rpartition("=")[2]).name for entry in plan.config.rows.inputs],
        signature=plan.signature,
        columns={f.name: _type(f.type) for f in derivation.schema},
        rows=counts,
        reasons=counted(record.reasons for record in _all(plan) if record.reasons),
        examples=[{"id": record.id, **record.values} for record in shown],
    )


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    return str(kind)
