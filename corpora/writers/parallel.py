"""What the formats of parallel text share: rows of several languages, also made from pairs."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, runtime_checkable

from spanferry.corpora.multiway import MultiRow, row_of_pair
from spanferry.corpora.options import build_component
from spanferry.corpora.registry import resolve
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import WriteReport, replayable

PARALLEL_WRITERS = {
    "multiway": "spanferry.corpora.writers.multiway:MultiwayWriter",
    "bilingual": "spanferry.corpora.writers.multiway:BilingualWriter",
    "translation": "spanferry.corpora.writers.translation:TranslationWriter",
    "moses": "spanferry.corpora.writers.moses:MosesWriter",
    "tmx": "spanferry.corpora.writers.tmx:TmxWriter",
}

_SPOOL = ".pairs."


@runtime_checkable
class ParallelWriter(Protocol):
    """Rows of several languages to files in a format."""

    @property
    def holds(self) -> frozenset[str]:
        """What the format keeps, out of ``spanferry.corpora.stored.base.EVERYTHING``."""
        ...

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """Writes the rows into the folder ``out``: kept ones by split, rejected ones beside them.

        Args:
            rows: Can be iterated more than once. The same rows give the same bytes.
            out: The folder; files of an earlier output in it are replaced.
            languages: The set's languages, in order.

        Raises:
            OutputError: The format can't hold something, and the option ``allow_loss`` was not chosen.
        """
        ...


def open_parallel_writer(name: str, options: Mapping[str, Any] | None = None) -> ParallelWriter:
    """The writer ``name`` (of ``PARALLEL_WRITERS``, or ``package.module:Class``) with ``options``.

    Raises:
        ConfigError: Unknown name or option, or a value the option does not take.
    """
    cls = resolve("parallel writer", name, PARALLEL_WRITERS)
    writer: ParallelWriter = build_component(cls, "writer", name, options or {})
    return writer


@contextmanager
def rows_of_pairs(batches: Iterable[list[Pair]], out: Path) -> Iterator[Iterable[MultiRow]]:
    """Pairs as rows of two languages that can be iterated more than once."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_SPOOL}*"):
        shutil.rmtree(left, ignore_errors=True)
    # Not the writer's own work folder: that one is swept when the writer begins.
    with TemporaryDirectory(dir=out, prefix=_SPOOL) as folder, replayable(batches, Path(folder)) as pairs:
        yield _Rows(pairs)


def languages_of(rows: Iterable[MultiRow]) -> list[str]:
    """The languages of the rows, in order of first appearance."""
    return list(dict.fromkeys(lang for row in rows for lang in row.languages))


@dataclass(frozen=True)
class _Rows:
    batches: Iterable[list[Pair]]

    def __iter__(self) -> Iterator[MultiRow]:
        return (row_of_pair(pair) for batch in self.batches for pair in batch)
