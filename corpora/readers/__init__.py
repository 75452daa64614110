"""Readers: annotated data to examples. One file per format, found through ``READERS`` or by looking at the input."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.options import build_component, option_defaults
from spanferry.corpora.readers.common.base import BadRow, Reader
from spanferry.corpora.readers.common.chained import PATTERN, ChainedReader, data_files, matching, names_of
from spanferry.corpora.readers.common.checked import CheckedReader, RowReader
from spanferry.corpora.readers.common.text import check_file
from spanferry.corpora.readers.guess import guess_format
from spanferry.corpora.registry import resolve

READERS = {
    "jsonl": "spanferry.corpora.readers.jsonl:JsonlReader",
    "csv": "spanferry.corpora.readers.csv:CsvReader",
    "conll": "spanferry.corpora.readers.conll:ConllReader",
    "slot_files": "spanferry.corpora.readers.slot_files:SlotFilesReader",
    "squad": "spanferry.corpora.readers.squad:SquadReader",
    "label_studio": "spanferry.corpora.readers.label_studio.reader:LabelStudioReader",
    "brat": "spanferry.corpora.readers.brat:BratReader",
    "doccano": "spanferry.corpora.readers.doccano:DoccanoReader",
    "docbin": "spanferry.corpora.readers.docbin:DocBinReader",
    "text": "spanferry.corpora.readers.parallel:LinesReader",
    "hf": "spanferry.corpora.readers.huggingface:HubReader",
    "saved": "spanferry.corpora.readers.huggingface:SavedReader",
    "parquet": "spanferry.corpora.readers.huggingface:ParquetReader",
    "reviewed": "spanferry.corpora.readers.reviewed:ReviewedReader",
}

__all__ = ["READERS", "BadRow", "Reader", "open_reader", "reader_options"]

_FIXED = ("path", "lang")
# Readers of one file; of a folder they read each file.
_OF_A_FILE = frozenset({"jsonl", "csv", "conll", "squad", "label_studio", "doccano", "docbin", "text"})
_PLAIN = "text"


def open_reader(
    source: str | Path,
    *,
    lang: str,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Reader:
    """The reader for ``source``.

    Args:
        source: A file, a folder, a pattern such as ``data/*.jsonl``, or ``hf:<hub id>``.
        lang: BCP-47 tag of its texts.
        format: A name in ``READERS`` or ``package.module:Class``; None: found from the name, else from the content.
        options: Options of that reader; strings are turned into what the option takes (``"true"``, ``"2"``).

    Raises:
        ConfigError: Unknown format or option, a value the option does not take, or a format that can't be found.
        InputError: There is no such file, or it is empty.
    """
    chosen = options or {}
    if not str(source).startswith("hf:") and format in (None, *_OF_A_FILE):
        files = _several(Path(source), format)
        if files:
            return _chained(Path(source), files, lang, format, chosen)
    name = format or guess_format(source, sorted(READERS), chosen)
    cls = resolve("reader", name, READERS)
    place: Any = str(source).removeprefix("hf:") if name == "hf" else Path(source)
    if isinstance(place, Path) and not place.is_dir() and name != "brat":
        check_file(place)
    reader: Reader = build_component(cls, "reader", name, chosen, place, lang, filled=_FIXED)
    return reader if isinstance(reader, RowReader) else CheckedReader(reader)


def reader_options(name: str) -> dict[str, Any]:
    """The options of a reader and their defaults."""
    return option_defaults(resolve("reader", name, READERS), _FIXED)


def _several(place: Path, format: str | None) -> list[Path]:
    """The files of a pattern, or those of a folder that no reader takes as a whole; empty for anything else."""
    if not place.exists() and PATTERN & set(str(place)):
        files = matching(place)
        if not files:
            raise InputError("no file matches the pattern", where=str(place), hint="quote it: 'data/*.jsonl'")
        return files
    if not place.is_dir():
        return []
    if format is None:
        try:
            guess_format(place, [])
            return []
        except ConfigError:
            pass
    return data_files(place)


def _chained(
    place: Path, files: list[Path], lang: str, format: str | None, options: Mapping[str, Any]
) -> ChainedReader | Reader:
    formats = {path: _format_of(path, options) for path in files}
    if format is not None:
        taken = [path for path in files if formats[path] == format] or files
    else:
        counts = Counter(name for name in formats.values() if name in _OF_A_FILE and name != _PLAIN)
        if len(counts) > 1:
            raise ConfigError(
                f"files of several formats: {', '.join(f'{n} {name}' for name, n in sorted(counts.items()))}",
                where=str(place),
                valid=sorted(counts),
                hint="--set read.format=NAME reads those of one, or name them by a pattern: 'DIR/*.jsonl'",
            )
        format = next(iter(counts), _PLAIN)
        taken = [path for path in files if formats[path] == format]
        if not taken:
            guess_format(place, sorted(READERS))  # says so
    start = place if place.is_dir() else Path(*_shared(taken))
    readers = [open_reader(path, lang=lang, format=format, options=options) for path in taken]
    return ChainedReader(place, tuple(zip(names_of(taken, start), readers, strict=True)))


def _format_of(path: Path, options: Mapping[str, Any]) -> str | None:
    try:
        return guess_format(path, [], options)
    except (ConfigError, InputError):
        return None


def _shared(files: list[Path]) -> list[str]:
    """The folders that all files are in."""
    shared: list[str] = []
    for parts in zip(*(path.parent.parts for path in files), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return shared
