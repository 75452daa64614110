"""The folder that ``datasets.load_from_disk`` opens, written as a stream.

``OUT`` is a ``DatasetDict`` with the splits of the data. The rejected rows lie beside them in ``OUT/rejected``, a
dataset of its own (``load_from_disk("OUT/rejected")``): a loop over all splits must not train on them. The columns are
those of ``corpora.writers.rows``.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from corpora.files import publish, work_folder
from corpora.schema import Pair
from corpora.writers.base import EVERYTHING, REJECTED, WriteReport, group_of, replayable, survey
from corpora.writers.features import features_json
from corpora.writers.rows import RowShape
from corpora.writers.saved import INDEX, data_files, describe, old_splits, open_stream, write_index
from corpora.writers.shards import Shards, shard_count


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
                paths = data_files(new / group, shard_count(count, self.shard_rows))
                shape = shapes[group]
                files[group] = Shards(
                    paths, self.shard_rows, partial(shape.table, lost=lost), partial(open_stream, schema=shape.schema)
                )
            for batch in rows:
                for pair in batch:
                    files[group_of(pair)].add(pair)
            for group, shards_of in files.items():
                shards_of.close()
                features = features_json(shapes[group].schema, shapes[group].class_names)
                describe(new / group, shards_of.paths, features, None if group == REJECTED else group)
            write_index(new, [group for group, _, _ in groups if group != REJECTED])
            written = tuple(sorted(p.relative_to(new).as_posix() for p in new.rglob("*") if p.is_file()))
            publish(new, out, index=INDEX, stale=old_splits(out))
        return WriteReport({g: count for g, _, count in groups}, dict(sorted(lost.items())), written)
