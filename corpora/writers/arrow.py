"""The folder that ``datasets.load_from_disk`` opens, written as a stream.

``OUT`` is a ``DatasetDict`` with the splits of the data. The rejected rows lie beside them in ``OUT/rejected``, a
dataset of its own (``load_from_disk("OUT/rejected")``): a loop over all splits must not train on them. The columns are
those of ``corpora.writers.rows``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import Field

from corpora.files import content_hash, publish, work_folder
from corpora.schema import Pair
from corpora.writers.base import EVERYTHING, REJECTED, WriteReport, group_of, replayable, survey
from corpora.writers.features import features_json
from corpora.writers.rows import RowShape
from corpora.writers.shards import Shards, shard_count

_INDEX = "dataset_dict.json"


@dataclass(frozen=True)
class ArrowWriter:
    """Writes ``save_to_disk`` folders.

    Attributes:
        shard_rows: Rows per file.
        tags: Adds ``tokens`` and ``ner_tags``, whose classes are kept.
        class_label: Makes ``label`` a class rather than a string.
        allow_loss: Lets ``ner_tags`` leave out spans that overlap and the like; ``spans`` holds them all the same.
    """

    name: ClassVar[str] = "arrow"
    holds: ClassVar[frozenset[str]] = EVERYTHING

    shard_rows: Annotated[int, Field(gt=0)] = 100_000
    tags: bool = False
    class_label: bool = False
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        lost: Counter[str] = Counter()
        with (
            work_folder(out) as folder,
            replayable(batches, folder) as rows,
        ):
            new = folder / "new"
            seen = survey(rows)
            groups = seen.groups()
            shapes = {
                g: RowShape.of(seen, f, self.tags, self.class_label, self.allow_loss, self.name) for g, f, _ in groups
            }
            files = {}
            for group, _, count in groups:
                shards = shard_count(count, self.shard_rows)
                paths = [new / group / f"data-{i:05d}-of-{shards:05d}.arrow" for i in range(shards)]
                shape = shapes[group]
                files[group] = Shards(
                    paths, self.shard_rows, partial(shape.table, lost=lost), partial(_stream, schema=shape.schema)
                )
            for batch in rows:
                for pair in batch:
                    files[group_of(pair)].add(pair)
            for group, shards_of in files.items():
                shards_of.close()
                _describe(new / group, shards_of.paths, shapes[group])
            splits = [group for group, _, _ in groups if group != REJECTED]
            (new / _INDEX).write_text(json.dumps({"splits": splits}), encoding="utf-8")
            written = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
            publish(new, out, index=_INDEX, stale=_old_splits(out))
        return WriteReport({g: count for g, _, count in groups}, dict(sorted(lost.items())), written)


@contextmanager
def _stream(path: Path, schema: pa.Schema) -> Iterator[Any]:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        yield stream


def _describe(folder: Path, paths: list[Path], shape: RowShape) -> None:
    info = {
        "citation": "",
        "description": "",
        "features": features_json(shape.schema, shape.class_names),
        "homepage": "",
        "license": "",
    }
    state: dict[str, Any] = {
        "_data_files": [{"filename": path.name} for path in paths],
        # From the content, so that a cached ``map`` over other rows is never taken for one over these.
        "_fingerprint": content_hash(paths, size=8),
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None if folder.name == REJECTED else folder.name,
    }
    for name, value in (("dataset_info.json", info), ("state.json", state)):
        (folder / name).write_text(json.dumps(value, indent=2, sort_keys=True), encoding="utf-8")


def _old_splits(out: Path) -> list[str]:
    try:
        splits = json.loads((out / _INDEX).read_text(encoding="utf-8"))["splits"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    ours = {path.parent.name for path in out.glob("*/state.json")}
    return [name for name in splits if name in ours]
