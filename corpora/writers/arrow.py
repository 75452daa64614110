"""The folder that ``datasets.load_from_disk`` opens, written as a stream.

``OUT`` is a ``DatasetDict`` with the splits of the data. The rejected rows lie beside them in ``OUT/rejected``, a
dataset of its own (``load_from_disk("OUT/rejected")``): a loop over all splits must not train on them. The columns are
those of ``spanferry.corpora.stored.rows``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import REJECTED, WriteReport, replayable, survey
from spanferry.corpora.stored.features import features_json
from spanferry.corpora.stored.layout import INDEX, data_files, describe, old_splits, open_stream, write_index
from spanferry.corpora.writers.shards import shard_count
from spanferry.corpora.writers.tables import TableOptions


@dataclass(frozen=True)
class ArrowWriter(TableOptions):
    """Writes ``save_to_disk`` folders.

    The options are those of ``TableOptions``.
    """

    name: ClassVar[str] = "arrow"

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
            files = {g: data_files(new / g, shard_count(count, self.shard_rows)) for g, count in counts.items()}
            lost = self.fill(rows, files, shapes, open_stream)
            for group, paths in files.items():
                features = features_json(shapes[group].schema, shapes[group].class_names)
                describe(new / group, paths, features, None if group == REJECTED else group)
            write_index(new, [group for group in counts if group != REJECTED])
            written = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
            publish(new, out, index=INDEX, stale=old_splits(out))
        return WriteReport(counts, dict(sorted(lost.items())), written)
