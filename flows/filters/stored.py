"""What a run keeps of each language: its steps as they were done, and every score of its filters.

Stages are named by the digest of what made them, and each notes the stages that it was made from. So the steps of a run
are built again from its folder: no model is loaded and the input is not read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic import ValidationError

from spanferry.corpora.errors import InputError, unknown_name
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.signature import Signature
from spanferry.flows.config import RunConfig
from spanferry.flows.engine import place as places
from spanferry.flows.engine.step import Job, Made, Scope, Step
from spanferry.flows.engine.store import Stage, stage_at
from spanferry.flows.translate.emit import MADE_BY
from spanferry.flows.translate.flow import MadeBy
from spanferry.flows.translate.work import Filters

FLOWS = ("translate-train", "project")
_AFTER = "|after:"
# Steps of these names see all shards at once, or make them; all others work on one.
_SCOPES: dict[str, Scope] = {"read": "read", "fit": "whole"}


@dataclass(frozen=True)
class StoredLanguage:
    """One target language of a run.

    Attributes:
        config: The run's configuration.
        target: BCP-47.
        stages: Folders that the dataset was written from: read, project, score, decide and, where a model translated,
            translate.
        made: What the rows were made by.
    """

    config: RunConfig
    target: str
    stages: tuple[Path, ...]
    made: MadeBy

    @property
    def place(self) -> Path:
        """The dataset."""
        return self.config.out / self.target

    @property
    def chosen(self) -> Filters:
        """The run's filters."""
        return Filters(self.config.filters, self.config.translator.glossary, self.config.flow == "project")

    @cached_property
    def filters(self) -> list[Filter]:
        """The filters that scored, with the thresholds that decided."""
        return self.chosen.build()

    @property
    def before(self) -> tuple[Step, ...]:
        """The steps before the filters, as they were done: read, project and, where a model translated, translate."""
        read, project, _, _, *translated = self.stages
        return tuple(done_step(folder) for folder in (read, project, *translated))

    @property
    def shards(self) -> int:
        """How many shards the rows have."""
        return stage_at(self.stages[0]).shards or 0

    def frame(self) -> pl.DataFrame:
        """Every score of every row, in row order: what ``spanferry.corpora.filters.score`` gave.

        Raises:
            InputError: A stage file is missing or not as it was written.
        """
        stage = self._stage(2)
        return pl.DataFrame(pa.concat_tables([stage.read(shard) for shard in range(self.shards)]))

    def tables(self) -> Iterator[pa.Table]:
        """The projected pairs of each shard, as ``spanferry.corpora.arrow.pairs_from_table`` reads them."""
        stage = self._stage(1)
        return (stage.read(shard) for shard in range(self.shards))

    def _stage(self, number: int) -> Stage:
        return stage_at(self.stages[number])


def open_run(out: Path, targets: Sequence[str] = ()) -> list[StoredLanguage]:
    """The languages of the run in ``out``, in the configuration's order.

    Args:
        out: The folder that ``--out`` named.
        targets: Only these; empty: all.

    Raises:
        InputError: There is no finished run with filters, or no such language in it.
    """
    config = _config(out)
    for name in targets:
        if name not in config.target:
            raise unknown_name("target", name, list(config.target), hint=f"--target {config.target[0]}")
    return [_language(config, target) for target in config.target if not targets or target in targets]


def _config(out: Path) -> RunConfig:
    path = out / places.CONFIG
    hint = "spanferry run translate-train --input sample:sentences --target es --out OUT"
    try:
        tree: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("no run here", where=str(path), valid="the folder that --out named", hint=hint) from error
    flow = tree.get("flow") if isinstance(tree, dict) else None
    if flow not in FLOWS:
        raise InputError(f"a run of {flow!r} has no scores", where=str(out), valid=", ".join(FLOWS), hint=hint)
    try:
        config = RunConfig.model_validate({**tree, "out": str(out)})
    except ValidationError as error:
        raise InputError(
            f"not the configuration of a run: {error.errors()[0]['msg']}", where=str(path), hint=hint
        ) from error
    return config


def _language(config: RunConfig, target: str) -> StoredLanguage:
    place, again = config.out / target, "the command that made the run, again"
    stamp = places.stamp_of(place)
    if not stamp:
        raise InputError("this language is not finished", where=str(place), hint=again)
    root = config.out.resolve() / places.STAGES
    stages = tuple(root / name for name in stamp.get("stages", ()))
    made = stamp["facts"].get(MADE_BY)
    if not stages or not isinstance(made, dict):
        raise InputError(
            "an earlier version wrote this dataset, without a note of its stages",
            where=str(place),
            hint=f"move that folder away, then {again}: it only writes the files anew",
        )
    model = made.get("model")
    made_by = MadeBy(
        Signature(made["signature"]), Signature(model) if model else None, Signature(made["projector"]), made["input"]
    )
    return StoredLanguage(config, target, stages, made_by)


def done_step(folder: Path) -> Step:
    """The step that a stage's folder was made by, with those before it; its work is never done again.

    Raises:
        InputError: The folder or its signature is missing.
    """
    stage = stage_at(folder)
    if stage.directory != folder:
        raise InputError(
            "the stage is missing or not as it was written",
            where=str(folder),
            hint="the command that made the run computes it anew",
        )
    key, *before = stage.signature.split(_AFTER)
    after = tuple(done_step(folder.parent / name) for name in before)
    scope = _SCOPES.get(stage.name.partition("-")[0], "shard")
    return Step(stage.name, key, _refuse, after, scope, stage.name.partition("-")[2])


def _refuse(job: Job) -> Made:
    raise InputError(
        "a stage file is missing or not as it was written",
        where=str(job.own.path(job.shard)),
        hint="the command that made the run computes it anew",
    )
