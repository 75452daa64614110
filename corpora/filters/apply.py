"""Builds filters from configuration, scores pairs and decides over the scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.filters.known import FILTERS
from spanferry.corpora.options import build_component
from spanferry.corpora.registry import resolve
from spanferry.corpora.schema import Pair

# Columns of the frame that no filter writes.
BASE = {"id": pl.String, "target_lang": pl.String, "prior": pl.List(pl.String)}
NO_TARGET = "no_target"
_REASON = {"row": pl.UInt32, "reason": pl.String}


def build(configs: Sequence[Mapping[str, Any]]) -> list[Filter]:
    """Filters from ``{"kind": name, option: value}``, in the given order.

    Raises:
        ConfigError: No ``kind``, an unknown kind or option, a value of the wrong type, or two filters of one name.

    >>> [filter.name for filter in build([{"kind": "copy"}, {"kind": "length_ratio", "high": 2.5}])]
    ['copy', 'length_ratio']
    """
    built: list[Filter] = []
    for config in configs:
        options = dict(config)
        kind = options.pop("kind", None)
        if not isinstance(kind, str):
            raise ConfigError(f"filter {dict(config)!r} has no kind", valid=FILTERS, hint="kind = 'length_ratio'")
        made = _make(kind, options)
        if made.name in {f.name for f in built}:
            raise ConfigError(
                f"filter {made.name!r} is named twice", hint="give one filter of each kind, with all its options"
            )
        built.append(made)
    return built


def _make(kind: str, options: dict[str, Any]) -> Filter:
    made = build_component(resolve("filter", kind, FILTERS), "filter", kind, options)
    if not isinstance(made, Filter):
        raise ConfigError(
            f"{kind!r} makes a {type(made).__name__}, which is not a filter",
            hint="see spanferry.corpora.filters.base.Filter for what a filter has",
        )
    return made


def score(filters: Sequence[Filter], pairs: Sequence[Pair]) -> pl.DataFrame:
    """Every score of every filter: one row per pair, in order.

    Columns: ``id``, ``target_lang`` (null without a target), ``prior`` (the reasons the pair had before), then each
    filter's columns. Types do not depend on the rows, so the frames of shards can be joined.
    """
    data: dict[str, list[Any]] = {
        "id": [p.source.id for p in pairs],
        "target_lang": [p.target.lang if p.target else None for p in pairs],
        "prior": [_prior(p) for p in pairs],
    }
    schema: dict[str, Any] = dict(BASE)
    for one in filters:
        scored = one.score(pairs)
        for column in one.columns:
            data[column.name] = scored[column.name]
            schema[column.name] = column.dtype
    return pl.DataFrame(data, schema=schema)


def _prior(pair: Pair) -> list[str]:
    if not pair.reasons and (pair.target is None or not pair.kept):
        return [NO_TARGET if pair.target is None else "rejected"]
    return list(pair.reasons)


def reasons_of(one: Filter, frame: pl.DataFrame) -> pl.Series:
    """The reasons of one filter over ``frame``, as a list column (n_rows,)."""
    return _listed(_found(one, frame), frame.height).alias(one.name)


def rejected_by(one: Filter, frame: pl.DataFrame) -> pl.Series:
    """Whether a filter rejects each row of ``frame``, Boolean (n_rows,)."""
    rejected = np.zeros(frame.height, dtype=bool)
    rejected[_found(one, frame)["row"].to_numpy()] = True
    return pl.Series(one.name, rejected)


def _found(one: Filter, frame: pl.DataFrame) -> pl.DataFrame:
    """Number of the row and reason, a line for each; most rows of a large frame have none, and cost nothing."""
    found = [pl.DataFrame(schema=_REASON)]
    for reason, expression in one.reject():
        judged = frame.select(expression.alias("reason"))["reason"]
        if judged.dtype == pl.Boolean:
            rows = judged.fill_null(False).arg_true()
            found.append(pl.DataFrame({"row": rows, "reason": [reason] * len(rows)}, schema=_REASON))
            continue
        rows = (judged.list.len() > 0).fill_null(False).arg_true()
        items = pl.DataFrame({"row": rows, "reason": judged.gather(rows).cast(pl.List(pl.String))}).explode("reason")
        found.append(items.select(pl.col("row").cast(pl.UInt32), pl.format(f"{reason}:{{}}", "reason").alias("reason")))
    return pl.concat(found)


def _listed(found: pl.DataFrame, height: int) -> pl.Series:
    """One list of distinct reasons per row, in the order of ``found``."""
    own = found.unique(maintain_order=True).group_by("row", maintain_order=True).agg("reason")
    rows = pl.DataFrame({"row": pl.arange(height, dtype=pl.UInt32, eager=True)})
    empty = pl.lit([], dtype=pl.List(pl.String))
    return rows.join(own, on="row", how="left", maintain_order="left").select(
        pl.col("reason").fill_null(empty).alias("reasons")
    )["reasons"]


def decide(filters: Sequence[Filter], frame: pl.DataFrame) -> list[list[str]]:
    """``decided`` as lists of Python."""
    rows: list[list[str]] = decided(filters, frame).to_list()
    return rows


def decided(filters: Sequence[Filter], frame: pl.DataFrame) -> pl.Series:
    """All reasons of every row, those it had before first; an empty list keeps the row.

    Args:
        filters: The filters that scored ``frame``; their thresholds may differ from those at scoring.
        frame: What ``score`` gave, for all shards in row order: duplicates are found over the whole frame.
    """
    prior = frame["prior"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    rows = (prior.list.len() > 0).arg_true()
    before = pl.DataFrame({"row": rows, "reason": prior.gather(rows)}, schema={**_REASON, "reason": prior.dtype})
    found = {"prior": before.explode("reason")}
    alive = np.ones(frame.height, dtype=bool)
    alive[rows.to_numpy()] = False
    for scope in ("row", "corpus"):
        # A corpus filter keeps the first of several rows, which must not be one that is rejected anyway.
        for one in filters:
            if one.scope == scope:
                found[one.name] = _found(one, frame if scope == "row" else _hide(frame, one, pl.Series(alive)))
        for one in filters:
            if one.scope == scope:
                alive[found[one.name]["row"].to_numpy()] = False
    return _listed(pl.concat([found[name] for name in ("prior", *(f.name for f in filters))]), frame.height)


def counted(filters: Sequence[Filter], frame: pl.DataFrame, one: Filter) -> pl.DataFrame:
    """What a corpus filter judges: ``frame`` with its columns null where a row filter or an earlier reason rejects.

    Args:
        filters: All that decide.
        frame: What they scored.
        one: A filter of scope ``corpus``.
    """
    before = frame.select(pl.col("prior").fill_null(pl.lit([], dtype=pl.List(pl.String))))
    before = before.with_columns(reasons_of(other, frame) for other in filters if other.scope == "row")
    alive = before.select((pl.sum_horizontal(pl.all().list.len()) == 0).alias("alive"))["alive"]
    return _hide(frame, one, alive)


def _hide(frame: pl.DataFrame, one: Filter, alive: pl.Series) -> pl.DataFrame:
    """``frame`` with the columns of ``one`` null where a row is rejected already."""
    return frame.with_columns(pl.when(alive).then(pl.col(c.name)).otherwise(None).alias(c.name) for c in one.columns)
