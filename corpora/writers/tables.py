"""What the writers of tables share: their options, and how rows get into the files of their split."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import EVERYTHING, Survey, group_of
from spanferry.corpora.stored.rows import RowShape
from spanferry.corpora.writers.shards import Shards


@dataclass(frozen=True)
class TableOptions:
    """Options of the writers of tables.

    Attributes:
        shard_rows: Rows per file.
        tags: Adds ``tokens`` and ``ner_tags``, whose classes are kept; ``auto``: where tags can hold the spans of
            most kept rows (none overlaps, is discontinuous or lies in a second field); the others are counted.
        class_label: Makes ``label`` a class rather than a string.
        allow_loss: Lets ``ner_tags`` leave out spans that overlap and the like; ``spans`` holds them all the same.
    """

    name: ClassVar[str]
    holds: ClassVar[frozenset[str]] = EVERYTHING

    shard_rows: Annotated[int, Field(gt=0)] = 100_000
    tags: bool | Literal["auto"] = "auto"
    class_label: bool = False
    allow_loss: bool = False

    def shapes(self, seen: Survey) -> dict[str, RowShape]:
        """The columns of each split and of the rejected rows."""
        return {
            group: RowShape.of(
                seen, fields, None if self.tags == "auto" else self.tags, self.class_label, self.allow_loss, self.name
            )
            for group, fields, _ in seen.groups()
        }

    def fill(
        self,
        rows: Iterable[list[Pair]],
        files: Mapping[str, list[Path]],
        shapes: Mapping[str, RowShape],
        open_file: Callable[..., AbstractContextManager[Any]],
    ) -> Counter[str]:
        """Writes every row into the files of its split; what could not be held is counted.

        Args:
            rows: The pairs.
            files: The files of each split, in order.
            shapes: The columns of each split.
            open_file: Opens a file for a path and a ``schema``; what it gives has ``write_table``.

        Raises:
            OutputError: The columns can't hold something, and the option ``allow_loss`` was not chosen.
        """
        lost: Counter[str] = Counter()
        shards = {}
        for group, paths in files.items():
            shape = shapes[group]
            convert, open_next = partial(shape.table, lost=lost), partial(open_file, schema=shape.schema)
            shards[group] = Shards(paths, self.shard_rows, convert, open_next)
        for batch in rows:
            for pair in batch:
                shards[group_of(pair)].add(pair)
        for shards_of in shards.values():
            shards_of.close()
        return lost
