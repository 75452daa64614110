"""Builds filters from configuration, scores pairs and decides over the scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from spanferry.corpora.errors import ConfigError, nearest
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.filters.known import FILTERS
from spanferry.corpora.registry import resolve
from spanferry.corpora.schema import Pair

# Columns of the frame that no filter writes.
BASE = {"id": pl.String, "target_lang": pl.String, "prior": pl.List(pl.String)}
NO_TARGET = "no_target"


def build(configs: Sequence[Mapping[str, Any]]) -> list[Filter]:
    """Filters from ``{"kind": name, option: value}``, in the given order.

    Raises:
        ConfigError: No ``kind``, an unknown kind or option, a value of the wrong type, or two filters of one name.
    """
    built: list[Filter] = []
    for config in configs:
        options = dict(config)
        kind = options.pop("kind", None)
        if not isinstance(kind, str):
            raise ConfigError(f"filter {dict(config)!r} has no kind", valid=FILTERS, hint="kind = 'length_ratio'")
        made = _make(kind, resolve("filter", kind, FILTERS), options)
        if made.name in {f.name for f in built}:
            raise ConfigError(
                f"filter {made.name!r} is named twice", hint="give one filter of each kind, with all its options"
            )
        built.append(made)
    return built


def _make(kind: str, made_by: Any, options: dict[str, Any]) -> Filter:
    valid = list(made_by.model_fields) if isinstance(made_by, type) and issubclass(made_by, BaseModel) else []
    try:
        made = made_by(**options)
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            close = nearest(option, valid, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"spanferry list filters shows the options of {kind}"
            raise ConfigError(f"filter {kind!r} has no option {option!r}", valid=valid, hint=hint) from error
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"filter {kind!r}, option {option or 'all'!r}: {reason} (got {first['input']!r})",
            hint=f"--set filters.{kind}.{option or 'OPTION'}=VALUE",
        ) from error
    except TypeError as error:
        raise ConfigError(f"filter {kind!r}: {error}", hint="options are the keyword arguments of its class") from error
    if not isinstance(made, Filter):
        raise ConfigError(
            f"{kind!r} makes a {type(made).__name__}, which is no filter",
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
    empty = pl.lit([], dtype=pl.List(pl.String))
    found = []
    for reason, expression in one.reject():
        judged = frame.select(expression.alias("judged"))["judged"]
        column = pl.col("judged")
        if judged.dtype == pl.Boolean:
            listed = pl.when(column.fill_null(False)).then(pl.lit([reason])).otherwise(empty)
        else:
            listed = column.list.eval(pl.lit(f"{reason}:") + pl.element()).fill_null(empty)
        found.append(judged.to_frame().select(listed.alias("reasons"))["reasons"])
    table = pl.DataFrame({str(i): series for i, series in enumerate(found)})
    return table.select(pl.concat_list(pl.all()).alias(one.name))[one.name] if found else _nothing(one.name, frame)


def _nothing(name: str, frame: pl.DataFrame) -> pl.Series:
    return pl.Series(name, [[] for _ in range(frame.height)], dtype=pl.List(pl.String))


def decide(filters: Sequence[Filter], frame: pl.DataFrame) -> list[list[str]]:
    """All reasons of every row, those it had before first; an empty list keeps the row.

    Args:
        filters: The filters that scored ``frame``; their thresholds may differ from those at scoring.
        frame: What ``score`` gave, for all shards in row order: duplicates are found over the whole frame.
    """
    decided = frame.select(pl.col("prior").fill_null(pl.lit([], dtype=pl.List(pl.String))))
    for scope in ("row", "corpus"):
        # A corpus filter keeps the first of several rows, which must not be one that is rejected anyway.
        alive = decided.select((pl.sum_horizontal(pl.all().list.len()) == 0).alias("alive"))["alive"]
        for one in filters:
            if one.scope != scope:
                continue
            seen = frame if scope == "row" else _hide(frame, one, alive)
            decided = decided.with_columns(reasons_of(one, seen))
    order = ["prior", *(f.name for f in filters)]
    rows: list[list[str]] = decided.select(pl.concat_list(order).list.unique(maintain_order=True).alias("reasons"))[
        "reasons"
    ].to_list()
    return rows


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
