"""What ``save_to_disk`` of the library ``datasets`` writes beside the data, and the streams the data is in."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from spanferry.corpora.files import content_hash

INDEX = "dataset_dict.json"
"""The file that names the splits of a folder."""


def data_files(folder: Path, count: int) -> list[Path]:
    """The names of one split's files, which tell how many there are."""
    return [folder / f"data-{i:05d}-of-{count:05d}.arrow" for i in range(count)]


@contextmanager
def open_stream(path: Path, schema: pa.Schema) -> Iterator[Any]:
    """A new file that takes tables of ``schema`` through ``write_table``."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        yield stream


def describe(folder: Path, paths: list[Path], features: Mapping[str, Any], split: str | None) -> None:
    """Writes ``dataset_info.json`` and ``state.json`` of one split, whose data is written.

    Args:
        folder: The split's folder.
        paths: Its files, in order.
        features: Columns as ``spanferry.corpora.stored.features.features_json`` has them.
        split: Its name; None for a dataset of its own.
    """
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    state: dict[str, Any] = {
        "_data_files": [{"filename": path.name} for path in paths],
        # From the content, so that a cached ``map`` over other rows is never taken for one over these.
        "_fingerprint": content_hash(paths, size=8),
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
    for name, value in (("dataset_info.json", info), ("state.json", state)):
        (folder / name).write_text(json.dumps(value, indent=2, sort_keys=True), encoding="utf-8")


def write_index(folder: Path, splits: Iterable[str]) -> None:
    """Names the splits that ``load_from_disk`` shall open."""
    (folder / INDEX).write_text(json.dumps({"splits": list(splits)}), encoding="utf-8")


def old_splits(out: Path) -> list[str]:
    """Splits of an earlier output in ``out``: folders right in it that its index names and that hold a dataset."""
    try:
        splits = json.loads((out / INDEX).read_text(encoding="utf-8"))["splits"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    ours = {path.parent.name for path in out.glob("*/state.json")}
    return [name for name in splits if name in ours]
