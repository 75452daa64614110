"""The report and the dataset card that lie beside the data of one language."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from corpora.card import CardOptions, Made, card
from corpora.filters import removal_table
from corpora.report import report_files
from corpora.schema import Pair
from corpora.tally import Tally
from flows import tasks
from flows.plan import VERSION, Plan
from flows.store import write_bytes


def write_documents(plan: Plan, target: str, batches: Iterable[list[Pair]], place: Path, extra: Any) -> None:
    """Writes ``report.md``, ``report.json``, ``plots/`` and the card ``README.md`` into ``place``.

    Args:
        plan: The run.
        target: Language.
        batches: The final rows.
        place: The language's dataset.
        extra: More for ``report.json``, such as the agreement with gold.
    """
    tally = Tally(target, seed=plan.config.seed)
    for pairs in batches:
        tally.add(pairs)
    stage = plan.stage("score", target)
    scores = pa.concat_tables([stage.read(shard) for shard in range(tasks.shard_count(plan))])
    removals = {target: removal_table(plan.filters, pl.DataFrame(scores))}
    signature = plan.signature(target)
    title = f"{plan.config.flow} {plan.config.source} to {target}"
    files = report_files(
        [tally], removals, title=title, signatures={target: signature}, extra={target: extra} if extra else None
    )
    made = Made(
        flow=plan.config.flow,
        source=Path(plan.config.read.path).name,
        signature=signature,
        translator=None if plan.given else plan.translator(target).signature,
        projector=plan.unfitted(target).signature,
        filters=[(f.name, f.signature, f.threshold_signature) for f in plan.filters],
        version=VERSION,
    )
    name = f"{Path(plan.config.read.path).name.split('.')[0]} in {target}"
    files["README.md"] = card([tally], made, CardOptions(name=name, directory=place.name))
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place / path, text.encode("utf-8", "backslashreplace"))
