"""Other filters on a run that is there: the same steps, from the scores on, and the sets that follow from them.

The steps before are those that the run has done. What comes out is, byte for byte, what the run's own command would
write with the same ``--set filters…``, and later calls of either find it done.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from spanferry.corpora.arrow import pairs_from_table
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters.apply import decided, score
from spanferry.corpora.filters.base import signature_of
from spanferry.corpora.signature import Signature
from spanferry.flows.config import ExecutorConfig, RunConfig, parse_value, put_value
from spanferry.flows.engine.flow import Flow
from spanferry.flows.filters.stored import StoredLanguage, open_run
from spanferry.flows.translate.flow import closing_steps
from spanferry.flows.translate.work import Filters

_SECTIONS = ("filters", "output")
_PART = re.compile(r"\|filt:[0-9a-f]+\|")


@dataclass(frozen=True)
class Effect:
    """What other filters would keep of one language.

    Attributes:
        target: BCP-47.
        rows: All rows.
        kept_before: Rows that the run's filters keep.
        kept: Rows that the other filters keep.
        newly_rejected: Kept before, not now.
        newly_kept: Rejected before, kept now.
        reasons: Rows by reason, most frequent first; a row may have several.
    """

    target: str
    rows: int
    kept_before: int
    kept: int
    newly_rejected: int
    newly_kept: int
    reasons: Mapping[str, int]


def changed(config: RunConfig, settings: Iterable[str], *, scores: bool = False) -> RunConfig:
    """The run's configuration with other filters.

    Args:
        config: The run's own.
        settings: ``filters.NAME.OPTION=VALUE``, ``filters.NAME=false``, ``filters=[…]``, or the same of ``output``. A
            table changes the filters that the run has.
        scores: Write every score of the filters into the rows.

    Raises:
        ConfigError: Another key, or a value that does not fit.
    """
    tree: dict[str, Any] = {}
    for setting in settings:
        key, sign, raw = setting.partition("=")
        if not sign or key.strip().partition(".")[0] not in _SECTIONS:
            raise ConfigError(
                f"--set {setting!r} is not an option of filters or of the output",
                valid=[f"{name}.…" for name in _SECTIONS],
                hint="--set filters.confidence.min_score=0.7",
            )
        put_value(tree, key.strip(), parse_value(raw.strip()))
    whole = config.model_dump()
    if "output" in tree or scores:
        whole["output"] = {**whole["output"], **tree.get("output", {}), **({"scores": True} if scores else {})}
    if "filters" in tree:
        whole["filters"] = _merged(config, tree["filters"])
    try:
        return RunConfig.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{key}: {first['msg'].removeprefix('Value error, ')} (got {first['input']!r})", hint=f"--set {key}=VALUE"
        ) from error


def _merged(config: RunConfig, change: Any) -> Any:
    if not isinstance(change, Mapping):
        return change
    own = chosen_of(config).options()
    for name, options in change.items():
        if options is not False and not isinstance(options, Mapping):
            raise ConfigError(
                f"filters.{name} = {options!r} is neither a table of options nor false",
                hint=f"--set filters.{name}=false drops the filter",
            )
    names = [name for name in dict.fromkeys([*own, *change]) if change.get(name) is not False]
    return [{"kind": name, **own.get(name, {}), **change.get(name, {})} for name in names]


def apply_flow(out: Path, settings: Iterable[str], *, scores: bool = False, workers: int | None = None) -> Flow:
    """The flow that writes the sets of a run anew with other filters.

    Args:
        out: The run's folder.
        settings: As for ``changed``.
        scores: Likewise.
        workers: Jobs at a time; None: as the run had.

    Raises:
        SpanferryError: There is no finished run, or an option is wrong.
    """
    languages = open_run(out)
    config = changed(languages[0].config, settings, scores=scores)
    # Where jobs run changes no byte; scores are at hand, so they run here.
    executor = ExecutorConfig(workers=workers or config.executor.workers)
    config = config.model_copy(update={"executor": executor})
    outputs = []
    signatures = {}
    for stored in languages:
        chosen = chosen_of(config)
        decided_by = f"|filt:{signature_of(chosen.build()).digest(8)}|"
        made = replace(stored.made, signature=Signature(_PART.sub(decided_by, stored.made.signature)))
        signatures[stored.target] = made.signature
        outputs += closing_steps(config, stored.target, chosen, stored.before, made)
    return Flow(
        config,
        outputs,
        title=f"{config.source} → {', '.join(config.target)}",
        signatures=signatures,
        tags=[config.source, *config.target],
    )


def chosen_of(config: RunConfig) -> Filters:
    """The filters of a configuration."""
    return Filters(config.filters, config.translator.glossary, config.flow == "project")


def effect(stored: StoredLanguage, config: RunConfig) -> Effect:
    """What the filters of ``config`` would keep of one language; nothing is written.

    Rows are scored only by filters that the run does not have, or has with other options of scoring.
    """
    frame = stored.frame()
    before = decided(stored.filters, frame).list.len() == 0
    filters = chosen_of(config).build()
    known = {f.signature for f in stored.filters}
    missing = [f for f in filters if f.signature not in known]
    if missing:
        own = [score(missing, pairs_from_table(table)) for table in stored.tables()]
        fresh = pl.concat(own).drop("id", "target_lang", "prior")
        frame = frame.drop(fresh.columns, strict=False).hstack(fresh)
    reasons = decided(filters, frame)
    kept = reasons.list.len() == 0
    counts = reasons.explode().drop_nulls().value_counts(name="rows").rows()
    return Effect(
        stored.target,
        frame.height,
        int(before.sum()),
        int(kept.sum()),
        int((before & ~kept).sum()),
        int((kept & ~before).sum()),
        dict(sorted(counts, key=lambda item: (-item[1], item[0]))),
    )
