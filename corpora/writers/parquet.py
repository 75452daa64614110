"""A folder that can be pushed to the hub as it is: Parquet files and a README whose YAML describes them.

``datasets.load_dataset(OUT)`` opens the splits without a network and knows the classes again;
``load_dataset(OUT, "rejected")`` opens the rejected rows, if there are any. The columns are those of
``corpora.stored.rows``. The library opens a split without rows with ``streaming=True`` only, so one is written only
where there is no other.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import yaml  # type: ignore[import-untyped]

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import REJECTED, WriteReport, replayable, survey
from spanferry.corpora.stored.features import features_yaml
from spanferry.corpora.stored.rows import RowShape
from spanferry.corpora.writers.shards import shard_count
from spanferry.corpora.writers.tables import TableOptions

_README = "README.md"
_FOLDERS = {True: REJECTED, False: "data"}


@dataclass(frozen=True)
class ParquetWriter(TableOptions):
    """Writes ``data/<split>-00000-of-0000N.parquet``, ``rejected/…`` and the YAML of ``README.md``.

    A README that is there already keeps its text and the other keys of its YAML. The options are those of
    ``TableOptions``.
    """

    name: ClassVar[str] = "parquet"

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        with (
            work_folder(out) as folder,
            replayable(batches, folder) as rows,
        ):
            new = folder / "new"
            seen = survey(rows)
            counts = {group: count for group, _, count in seen.groups()}
            shapes = self.shapes(seen)
            files = {
                g: _paths(new, g, shard_count(n, self.shard_rows)) for g, n in counts.items() if n or g != REJECTED
            }
            lost = self.fill(rows, files, shapes, _parquet)
            sizes = {g: sum(p.stat().st_size for p in paths) for g, paths in files.items()}
            infos = [
                _config(name, shapes[members[0][0]], members, sizes)
                for name in ("default", REJECTED)
                if (members := [(g, counts[g]) for g in files if (g == REJECTED) == (name == REJECTED)])
            ]
            (new / _README).write_text(_readme(out / _README, infos), encoding="utf-8")
            written = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
            stale = [REJECTED] if REJECTED not in files and (out / REJECTED).is_dir() else []
            publish(new, out, index=_README, stale=stale)
        return WriteReport(counts, dict(sorted(lost.items())), written)


def _paths(new: Path, group: str, count: int) -> list[Path]:
    place = new / _FOLDERS[group == REJECTED]
    return [place / f"{group}-{i:05d}-of-{count:05d}.parquet" for i in range(count)]


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
