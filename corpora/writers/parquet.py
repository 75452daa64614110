"""A folder that can be pushed to the hub as it is: Parquet files and a README whose YAML describes them.

``datasets.load_dataset(OUT)`` opens the splits without a network and knows the classes again;
``load_dataset(OUT, "rejected")`` opens the rejected rows, if there are any. The columns are those of
``corpora.writers.rows``. The library opens a split without rows with ``streaming=True`` only, so one is written only
where there is no other.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import yaml  # type: ignore[import-untyped]
from pydantic import Field

from corpora.files import publish, work_folder
from corpora.schema import Pair
from corpora.writers.base import EVERYTHING, REJECTED, WriteReport, group_of, replayable, survey
from corpora.writers.features import features_yaml
from corpora.writers.rows import RowShape
from corpora.writers.shards import Shards, shard_count

_README = "README.md"
_FOLDERS = {True: REJECTED, False: "data"}


@dataclass(frozen=True)
class ParquetWriter:
    """Writes ``data/<split>-00000-of-0000N.parquet``, ``rejected/…`` and the YAML of ``README.md``.

    A README that is there already keeps its text and the other keys of its YAML.

    Attributes:
        shard_rows: Rows per file.
        tags: Adds ``tokens`` and ``ner_tags``, whose classes are kept.
        class_label: Makes ``label`` a class rather than a string.
        allow_loss: Lets ``ner_tags`` leave out spans that overlap and the like; ``spans`` holds them all the same.
    """

    name: ClassVar[str] = "parquet"
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
                if group == REJECTED and not count:
                    continue
                shards = shard_count(count, self.shard_rows)
                place = new / _FOLDERS[group == REJECTED]
                paths = [place / f"{group}-{i:05d}-of-{shards:05d}.parquet" for i in range(shards)]
                shape = shapes[group]
                files[group] = Shards(
                    paths, self.shard_rows, partial(shape.table, lost=lost), partial(_parquet, schema=shape.schema)
                )
            for batch in rows:
                for pair in batch:
                    files[group_of(pair)].add(pair)
            for shards_of in files.values():
                shards_of.close()
            sizes = {g: sum(p.stat().st_size for p in f.paths) for g, f in files.items()}
            infos = [
                _config(name, shapes[members[0][0]], members, sizes)
                for name in ("default", REJECTED)
                if (members := [(g, n) for g, _, n in groups if g in files and (g == REJECTED) == (name == REJECTED)])
            ]
            (new / _README).write_text(_readme(out / _README, infos), encoding="utf-8")
            written = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
            stale = [REJECTED] if REJECTED not in files and (out / REJECTED).is_dir() else []
            publish(new, out, index=_README, stale=stale)
        return WriteReport({g: count for g, _, count in groups}, dict(sorted(lost.items())), written)


def _parquet(path: Path, schema: pa.Schema) -> AbstractContextManager[Any]:
    writer: AbstractContextManager[Any] = pq.ParquetWriter(path, schema, compression="zstd")
    return writer


def _config(name: str, shape: RowShape, members: list[tuple[str, int]], sizes: dict[str, int]) -> dict[str, Any]:
    folder = _FOLDERS[name == REJECTED]
    size = sum(sizes[group] for group, _ in members)
    files = [{"split": group, "path": f"{folder}/{group}-*.parquet"} for group, _ in members]
    return {
        "config": {"config_name": name, "data_files": files} | ({"default": True} if name == "default" else {}),
        "info": {
            "config_name": name,
            "features": features_yaml(shape.schema, shape.class_names),
            "splits": [{"name": g, "num_bytes": sizes[g], "num_examples": n} for g, n in members],
            "download_size": size,
            "dataset_size": size,
        },
    }


def _readme(old: Path, configs: list[dict[str, Any]]) -> str:
    """The README with the YAML of the data; text and other keys of an older one stay."""
    text = old.read_text(encoding="utf-8") if old.is_file() else ""
    head, body = _split_front_matter(text)
    head |= {"configs": [c["config"] for c in configs], "dataset_info": [c["info"] for c in configs]}
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n{body}"


def _split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    if text.startswith("---\n") and (end := text.find("\n---\n", 3)) >= 0:
        head = yaml.safe_load(text[4 : end + 1])
        if isinstance(head, dict):
            return head, text[end + 5 :]
    return {}, text
