"""The columns that a table of rows is filtered and sorted by, in an Arrow file of their own beside the data.

Nested columns of a million rows are too slow to scan for every page. The index holds one flat row per row of the
dataset, is made once per content of the dataset, file by file, and is mapped into memory. Its name holds its digest.
"""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.errors import InputError, OutputError
from spanferry.corpora.files import atomic_path, content_hash, sync_folder, writing
from spanferry.corpora.foreign import first_line
from spanferry.corpora.stored.base import REJECTED
from spanferry.corpora.stored.emitted import EmittedDataset, Part
from spanferry.corpora.stored.switched import UNTOUCHED, is_record, is_switched

FOLDER = ".inspect"
_VERSION = 2
_DIGEST = 6  # bytes of the digest of its content that is in the name
SPAN_REASON = "span:"  # before the reason of a span that was not placed, to tell it from a row's
NAMES = pl.List(pl.Categorical())


def load_index(
    data: EmittedDataset,
    name: str,
    progress: Callable[[float], None] = lambda share: None,
    *,
    must_keep: bool = False,
) -> pl.DataFrame:
    """The index of a dataset, one row each in the dataset's order; made where it is not there yet.

    Columns: ``id``, ``split``, ``lang``, ``kept``, ``translated`` (whether there is a target), ``labels`` (of source
    spans), ``methods`` (that speak for a placed span), ``reasons`` (the row's, and those of spans with ``span:`` before
    them), ``score`` (the least of placed spans, null without), ``spans``, ``unplaced``, ``agreement`` (the least number
    of methods that speak for a placed span), ``twin`` (whether another row has the same split and id).

    Args:
        data: The dataset.
        name: What the file is called by.
        progress: Told the share that is done.
        must_keep: Whether it is an error that the index can't be written; else it is made anew every time.

    Raises:
        InputError: The dataset's columns are not those that our writer makes.
        OutputError: The index can't be written and must be.
    """
    folder = data.folder.parent / FOLDER
    stem = f"{name.replace('/', '~')}-{data.version}.{_VERSION}"
    for path in _named(folder, re.escape(stem)):
        if is_whole_index(path):
            return pl.read_ipc(path)
    try:
        frame = _build(data, progress)
    except (pl.exceptions.PolarsError, pa.ArrowException, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"the dataset can't be indexed ({first_line(error)})", where=str(data.folder), hint="run the flow again"
        ) from error
    pending = folder / f"{stem}.arrow"
    try:
        with atomic_path(pending) as temporary:
            frame.write_ipc(temporary)
        path = pending.with_name(f"{stem}.{content_hash([pending], _DIGEST)}.arrow")
        with writing(path):
            pending.replace(path)
            sync_folder(folder)
    except FileNotFoundError:
        return frame  # another process, with the same index, was faster
    except OutputError as error:
        if must_keep and not isinstance(error.__cause__, FileNotFoundError):
            raise
        return frame
    for old in _named(folder, re.escape(name.replace("/", "~")) + r"-[0-9a-f]{12}\.\d+"):
        if old != path:
            with contextlib.suppress(OSError):
                old.unlink()
    return pl.read_ipc(path)


def is_whole_index(path: Path) -> bool:
    """Whether an index holds what its name says: Polars does not survive every damage."""
    try:
        return path.name.endswith(f".{content_hash([path], _DIGEST)}.arrow")
    except OSError:
        return False


def _named(folder: Path, pattern: str) -> list[Path]:
    """The files of indexes whose names, digest apart, match a pattern."""
    whole = re.compile(pattern + rf"(\.[0-9a-f]{{{2 * _DIGEST}}})?\.arrow")
    return sorted(path for path in folder.iterdir() if whole.fullmatch(path.name)) if folder.is_dir() else []


def _build(data: EmittedDataset, progress: Callable[[float], None]) -> pl.DataFrame:
    frames = []
    for part in data.parts:
        frames.append(index_part(part))
        progress(sum(f.height for f in frames) / max(data.rows, 1))
    whole = pl.concat(frames) if frames else _empty()
    return whole.with_columns(twin=pl.struct("id", "split").is_duplicated())


def index_part(part: Part) -> pl.DataFrame:
    """The index of one file."""
    if not part.batches:
        return _empty()
    table = pa.Table.from_batches(part.batches)
    if not table.num_rows:
        return _empty()
    rows = pl.DataFrame(_columns(table, part.split)).with_row_index("row")
    labels = _grouped(rows.select("row", name=pl.col("source_spans").list.eval(pl.element().struct.field("label"))))
    placings = rows.select("row", "projections").explode("projections").drop_nulls().unnest("projections")
    placed = placings.filter("placed")
    methods = placed.select("row", name=pl.col("method").str.split("+"))
    why = SPAN_REASON + pl.col("reason").fill_null("unknown")
    unplaced = placings.filter(~pl.col("placed")).select("row", name=why)
    reasons = pl.concat([rows.select("row", name="reasons").explode("name").drop_nulls(), unplaced])
    counts = placed.group_by("row").agg(
        score=pl.col("score").min().cast(pl.Float32),
        agreement=(pl.col("method").str.count_matches("+", literal=True).min() + 1).cast(pl.UInt8),
    )
    joined = rows.select("row", "id", "split", "lang", spans=pl.col("source_spans").list.len().cast(pl.UInt16))
    parts = {
        "labels": labels,
        "methods": _grouped(methods),
        "reasons": _grouped(reasons),
    }
    for column, found in parts.items():
        joined = joined.join(found.rename({"name": column}), on="row", how="left", maintain_order="left")
    joined = joined.join(counts, on="row", how="left", maintain_order="left")
    missing = unplaced.group_by("row").len("unplaced")
    joined = joined.join(missing, on="row", how="left", maintain_order="left")
    return joined.select(
        "id",
        pl.col("split", "lang").cast(pl.Categorical()),
        kept=pl.lit(part.split != REJECTED),
        translated=pl.col("lang").is_not_null(),
        **{column: pl.col(column).fill_null([]).cast(NAMES) for column in parts},
        score="score",
        spans="spans",
        unplaced=pl.col("unplaced").fill_null(0).cast(pl.UInt16),
        agreement=pl.col("agreement").fill_null(0),
    )


def _columns(table: pa.Table, split: str) -> dict[str, pl.Series]:
    """``id``, ``split``, ``lang``, ``source_spans``, ``projections``, ``reasons`` of whatever kind of rows."""
    there = set(table.column_names)
    count = table.num_rows
    no_spans = _empty_lists(count, pl.Struct({"label": pl.String}))
    found = {
        "id": _polars(table.column("id")),
        "split": _polars(table.column("split")) if "split" in there else pl.Series([split] * count),
        "lang": _polars(table.column("lang")) if "lang" in there else pl.Series([None] * count, dtype=pl.String),
        "reasons": _polars(table.column("reasons"))
        if "reasons" in there
        else pl.Series([[]] * count, dtype=pl.List(pl.String)),
    }
    if is_record(table.schema):
        return {**found, "source_spans": no_spans, "projections": _empty_lists(count, _PROJECTION)}
    if not is_switched(table.schema):
        spans = pc.struct_field(table.column("source"), "spans")
        return {**found, "source_spans": _polars(spans), "projections": _polars(table.column("projections"))}
    # A code-switched row has no projector's score; its methods are the counterparts that were put in.
    counterpart = pl.element().struct.field("counterpart").fill_null(UNTOUCHED)
    values = [pl.lit(True).alias("placed"), counterpart.alias("method"), *_NO_SCORE]
    projections = _polars(table.column("switches")).list.eval(pl.struct(values))
    return {**found, "source_spans": _polars(table.column("spans")), "projections": projections}


_NO_SCORE = (pl.lit(None, pl.Float64).alias("score"), pl.lit(None, pl.String).alias("reason"))
_PROJECTION = pl.Struct({"placed": pl.Boolean, "method": pl.String, "score": pl.Float64, "reason": pl.String})


def _empty_lists(count: int, inner: pl.DataType) -> pl.Series:
    return pl.Series([[]] * count, dtype=pl.List(inner))


def _grouped(names: pl.DataFrame) -> pl.DataFrame:
    """The distinct names of each row, as a sorted list."""
    flat = names.explode("name") if names.schema["name"].base_type() is pl.List else names
    return flat.drop_nulls().unique().group_by("row").agg(pl.col("name").sort())


def _polars(column: pa.ChunkedArray) -> pl.Series:
    found = pl.from_arrow(column)
    assert isinstance(found, pl.Series)
    return found


def _empty() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "id": pl.String,
            "split": pl.Categorical(),
            "lang": pl.Categorical(),
            "kept": pl.Boolean,
            "translated": pl.Boolean,
            "labels": NAMES,
            "methods": NAMES,
            "reasons": NAMES,
            "score": pl.Float32,
            "spans": pl.UInt16,
            "unplaced": pl.UInt16,
            "agreement": pl.UInt8,
        }
    )
