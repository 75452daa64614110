"""Hugging Face datasets: a hub id, a folder of ``save_to_disk``, Parquet files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from spanferry.corpora.checksums import check_data
from spanferry.corpora.errors import InputError
from spanferry.corpora.files import content_hash
from spanferry.corpora.foreign import check_sizes, check_stream, first_line, foreign
from spanferry.corpora.readers.common.base import Note, split_of
from spanferry.corpora.readers.tables import Part, TableReader

_BATCH = 1000
_REJECTED = "rejected"
_LAYOUT = "a folder with dataset_dict.json, or with state.json and dataset_info.json"


@dataclass(frozen=True)
class SavedReader(TableReader):
    """Reads a folder written by ``Dataset.save_to_disk`` or ``DatasetDict.save_to_disk`` (also by our Arrow writer)."""

    name: ClassVar[str] = "saved"

    @cached_property
    def _data(self) -> dict[str, Any]:
        import datasets

        check_data(self.path)
        with foreign(self.path, "not a saved dataset", "datasets.load_from_disk shows the cause", _LAYOUT):
            for file in sorted(self.path.rglob("*.arrow")):
                check_stream(file)
            names = self._split_names()
            if names is None:
                return _by_split(datasets.load_from_disk(str(self.path)))
            filled = [name for name in names if _has_data(self.path / name)]
            if names and not filled:
                raise InputError("no split has a data file", where=str(self.path), hint="check the path that was given")
            return {name: datasets.load_from_disk(str(self.path / name)) for name in filled}

    def _split_names(self) -> list[str] | None:
        place = self.path / "dataset_dict.json"
        return [str(name) for name in json.loads(place.read_bytes())["splits"]] if place.is_file() else None

    def _parts(self) -> list[Part]:
        return [_part(self.path, split, data) for split, data in self._data.items()]

    def _notes(self) -> list[Note]:
        left = [name for name in self._split_names() or () if name not in self._data]
        return [Note(f"split {name!r} has no data file: it is left out") for name in left]

    def _hash(self) -> str:
        return content_hash(sorted(self.path.rglob("*.arrow")), root=self.path)


@dataclass(frozen=True)
class HubReader(TableReader):
    """Reads a dataset of the hub, ``hf:<id>``; once downloaded it is read from the cache, also without a network.

    Attributes:
        config: The configuration (subset) of the dataset.
        revision: Branch, tag or commit.
    """

    name: ClassVar[str] = "hf"

    config: str | None = None
    revision: str | None = None

    @cached_property
    def _data(self) -> dict[str, Any]:
        import datasets

        name = str(self.path)
        try:
            loaded = datasets.load_dataset(name, self.config, revision=self.revision)
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise InputError(
                f"the dataset can't be loaded from the hub or the cache ({first_line(error)})",
                where=f"hf:{name}",
                valid="hf:OWNER/NAME, and --set read.options.config=NAME if it has several configurations",
                hint="without a network, save it elsewhere with save_to_disk and pass the folder",
            ) from error
        return _by_split(loaded)

    def _parts(self) -> list[Part]:
        return [_part(Path(f"hf:{self.path}"), split, data) for split, data in self._data.items()]

    def _hash(self) -> str:
        prints = "".join(f"{split}:{data._fingerprint};" for split, data in self._data.items())
        # Signatures go into names of folders.
        name = str(self.path).strip("/").replace("/", "--")
        return f"{name}.{blake2b(prints.encode(), digest_size=4).hexdigest()}"


@dataclass(frozen=True)
class ParquetReader(TableReader):
    """Reads a Parquet file, or a folder of them, whose names tell the splits; a folder ``rejected`` is left out."""

    name: ClassVar[str] = "parquet"

    def _parts(self) -> list[Part]:
        if self.path.is_dir():
            check_data(self.path)
        parts = []
        for path in self._files():
            with foreign(path, "not a Parquet file", "check the path that was given"):
                with pq.ParquetFile(path) as file:
                    check_sizes(file.metadata, path)
                    schema = file.schema_arrow
                names, classes = list(schema.names), _named_classes(schema)
            parts.append(Part(split_of(path), names, classes, partial(_parquet_rows, path)))
        return parts

    def _hash(self) -> str:
        return content_hash(self._files(), root=self.path if self.path.is_dir() else None)

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        found = sorted(p for p in self.path.rglob("*.parquet") if p.relative_to(self.path).parts[0] != _REJECTED)
        if not found:
            raise InputError(
                "no Parquet file in the folder", where=str(self.path), hint="check the path that was given"
            )
        return found


def _by_split(loaded: Any) -> dict[str, Any]:
    return dict(loaded) if isinstance(loaded, Mapping) else {str(loaded.split or "train"): loaded}


def _has_data(folder: Path) -> bool:
    state = json.loads((folder / "state.json").read_bytes())
    return bool(state["_data_files"])


def _part(path: Path, split: str, data: Any) -> Part:
    return Part(split, list(data.column_names), _classes(data.features.to_dict()), partial(_dataset_rows, path, data))


def _dataset_rows(path: Path, data: Any) -> Iterator[dict[str, Any]]:
    with foreign(path, "the data can't be read", "save it again"):
        for table in data.with_format("arrow").iter(batch_size=_BATCH):
            yield from table.to_pylist()


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    with foreign(path, "the data can't be read", "write the file again"), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            batch.validate(full=True)
            yield from batch.to_pylist()


def _named_classes(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """The classes that the metadata of ``datasets`` names, by column; metadata of another kind names none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        items = list(features.items())
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return _classes(dict(items))


def _classes(features: Mapping[str, Any], front: str = "") -> dict[str, tuple[str, ...]]:
    """The names of classes by column; those of a key within a column as ``column.key``."""
    classes: dict[str, tuple[str, ...]] = {}
    for column, feature in features.items():
        while True:
            if isinstance(feature, list) and len(feature) == 1:
                feature = feature[0]
            elif isinstance(feature, dict) and isinstance(feature.get("feature"), (dict, list)):
                feature = feature["feature"]
            else:
                break
        if not isinstance(feature, dict):
            continue
        names = feature.get("names")
        if feature.get("_type") != "ClassLabel":
            classes |= _classes(feature, f"{front}{column}.")
        elif isinstance(names, list) and all(isinstance(name, str) for name in names):
            classes[f"{front}{column}"] = tuple(names)
    return classes
