"""Readers of rows in several languages: parallel files, finished runs, one file per language."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.multiway import MultiRow, row_of_pair
from spanferry.corpora.options import build_component
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.registry import resolve
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.signature import Signature
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.text.languages import check_language

PARALLEL_READERS = {
    "moses": "spanferry.corpora.readers.moses:MosesReader",
    "tsv": "spanferry.corpora.readers.moses:TsvReader",
    "tmx": "spanferry.corpora.readers.tmx:TmxReader",
}
_FIXED = ("path",)
_MADE_UP = re.compile(r"s\d+")


@runtime_checkable
class ParallelReader(Protocol):
    """Rows of one or several languages as a stream. Every call of ``read`` starts from the beginning."""

    @property
    def signature(self) -> str:
        """What is read: format, options that are not the defaults, content."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages its rows may have, in order."""
        ...

    def read(self) -> Iterator[MultiRow]:
        """Yields every row; what can't be read is a missing cell with its reason, or a row with reasons.

        Raises:
            InputError: The data as a whole can't be read.
        """
        ...


@dataclass(frozen=True)
class CellReader:
    """One file in one language, read by any reader: rows of one cell.

    Attributes:
        path: The file, folder or hub id.
        lang: Its language.
        format: Name of the reader; None: guessed.
        options: Of the reader.
        shared_ids: Whether spans of the same id in several files are the same span. Ids that readers make up (``s0``,
            ``s1`` … in the order of the text) are not: without this they get the language in front, ``de.s0``.
    """

    path: str
    lang: str
    format: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    shared_ids: bool = False

    @property
    def _reader(self) -> Any:
        return open_reader(self.path, lang=self.lang, format=self.format, options=dict(self.options))

    @property
    def signature(self) -> Signature:
        """See ``ParallelReader.signature``."""
        return Signature(f"{self._reader.signature}{'.shared-ids' if self.shared_ids else ''}")

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``."""
        return (self.lang,)

    def read(self) -> Iterator[MultiRow]:
        """See ``ParallelReader.read``."""
        for row in self._reader.read():
            if isinstance(row, BadRow):
                yield MultiRow(row.id, {}, missing={self.lang: (f"read:{row.reason}",)}, split=row.split)
            else:
                # The set's language is the one that was asked for, whatever tag the row has.
                example = row if self.shared_ids else _own_ids(row, self.lang)
                yield MultiRow(row.id, {self.lang: replace(example, lang=self.lang)}, split=row.split)


def _own_ids(example: Example, lang: str) -> Example:
    """The example with the language in front of the span ids that a reader made up."""
    names = {s.id: f"{lang}.{s.id}" if _MADE_UP.fullmatch(s.id) else s.id for s in example.spans}
    spans = tuple(replace(s, id=names[s.id]) for s in example.spans)
    relations = tuple(replace(r, head=names[r.head], tail=names[r.tail]) for r in example.relations)
    return replace(example, spans=spans, relations=relations)


@dataclass(frozen=True)
class RunReader:
    """One target language of a finished run, its rejected rows included: rows of the source and that language.

    Attributes:
        path: The dataset, ``OUT/es``.
        lang: The target language.
    """

    path: Path
    lang: str

    @property
    def signature(self) -> Signature:
        """See ``ParallelReader.signature``."""
        return Signature.of(("run", f"{self.lang}@{EmittedDataset(self.path).version}"))

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``."""
        first = next((pair.source.lang for batch in EmittedDataset(self.path).pairs() for pair in batch), None)
        if first is None:
            raise InputError("the run's dataset has no rows", where=str(self.path), hint="an input with rows")
        return first, self.lang

    def read(self) -> Iterator[MultiRow]:
        """See ``ParallelReader.read``. A row that the run rejected has its source, and the reasons for the target."""
        for batch in EmittedDataset(self.path).pairs():
            for pair in batch:
                yield _run_row(pair, self.lang)


def _run_row(pair: Pair, lang: str) -> MultiRow:
    if pair.kept and pair.target is not None:
        return row_of_pair(replace(pair, target=replace(pair.target, lang=lang)))
    why = {lang: pair.reasons or ("run:no_target",)}
    if any(reason.startswith("read:") for reason in pair.reasons):
        return MultiRow(pair.source.id, {}, missing={**why, pair.source.lang: pair.reasons}, split=pair.source.split)
    source: dict[str, Example] = {pair.source.lang: pair.source}
    return MultiRow(pair.source.id, source, missing=why, split=pair.source.split)


def open_parallel(
    entry: str, *, format: str | None = None, options: Mapping[str, Any] | None = None, shared_ids: bool = False
) -> list[ParallelReader]:
    """The readers of one input.

    Args:
        entry: A run directory (one reader per target language), ``<lang>=<file>`` for any file in one language, or a
            parallel file: ``.tmx``, ``.tsv``, or the prefix of Moses files.
        format: A name of ``PARALLEL_READERS``, or of ``spanferry.corpora.readers.READERS`` for ``<lang>=<file>``.
        options: Of the reader.
        shared_ids: See ``CellReader``.

    Raises:
        ConfigError: The format can't be found, or an option is wrong.
        InputError: There is no such file, or no finished run in the directory.
    """
    lang, sign, path = entry.partition("=")
    if sign and lang and not Path(entry).exists():
        return [CellReader(path, check_language(lang), format, tuple((options or {}).items()), shared_ids)]
    place = Path(entry)
    if format in (None, "run") and (place / "config.json").is_file():
        return _run(place)
    if format in (None, "run") and (place / "dataset_dict.json").is_file() and (place / "rejected").is_dir():
        return [RunReader(place, place.name)]
    suffix = Path(place.name.lower().removesuffix(".gz")).suffix
    gzipped = "tsv" if place.suffix == ".gz" else None
    name = format or {".tmx": "tmx", ".tsv": "tsv"}.get(suffix) or gzipped or _moses(place)
    if name is None:
        raise ConfigError(
            f"can't decide what the input {entry!r} is",
            valid="a run directory, LANG=FILE, FILE.tmx, FILE.tsv, or the prefix of Moses files (PREFIX.en, PREFIX.es)",
            hint=f"--input en={entry} for a file in one language",
        )
    cls = resolve("parallel reader", name, PARALLEL_READERS)
    reader: ParallelReader = build_component(cls, "reader", name, options or {}, place, filled=_FIXED)
    return [reader]


def _run(place: Path) -> list[ParallelReader]:
    found = sorted(
        folder
        for folder in place.iterdir()
        if (folder / "dataset_dict.json").is_file() and (folder / ".spanferry.json").is_file()
    )
    if not found:
        raise InputError("no finished language in the run directory", where=str(place), hint="run it again: it resumes")
    return [RunReader(folder, folder.name) for folder in found]


def _moses(place: Path) -> str | None:
    return "moses" if place.parent.is_dir() and len(list(place.parent.glob(f"{place.name}.*"))) > 1 else None
