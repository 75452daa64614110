"""Readers: annotated data to examples. One file per format, found through ``READERS`` or by looking at the input."""

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.options import checked_options, option_defaults
from spanferry.corpora.readers.common.base import BadRow, Reader
from spanferry.corpora.readers.common.checked import CheckedReader, RowReader
from spanferry.corpora.readers.common.text import check_file
from spanferry.corpora.registry import resolve

READERS = {
    "jsonl": "spanferry.corpora.readers.jsonl:JsonlReader",
    "conll": "spanferry.corpora.readers.conll:ConllReader",
    "squad": "spanferry.corpora.readers.squad:SquadReader",
    "label_studio": "spanferry.corpora.readers.label_studio:LabelStudioReader",
    "brat": "spanferry.corpora.readers.brat:BratReader",
    "doccano": "spanferry.corpora.readers.doccano:DoccanoReader",
    "text": "spanferry.corpora.readers.parallel:LinesReader",
    "hf": "spanferry.corpora.readers.huggingface:HubReader",
    "saved": "spanferry.corpora.readers.huggingface:SavedReader",
    "parquet": "spanferry.corpora.readers.huggingface:ParquetReader",
    "reviewed": "spanferry.corpora.readers.reviewed:ReviewedReader",
}

__all__ = ["READERS", "BadRow", "Reader", "open_reader", "reader_options"]

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".bio": "conll",
    ".bioes": "conll",
    ".parquet": "parquet",
}
_SUFFIX_STARTS = {".conll": "conll", ".iob": "conll"}
_SNIFFED = 1 << 16  # bytes that are looked at to tell a format
_FIXED = ("path", "lang")
_SAVED = ("dataset_dict.json", "dataset_info.json")


def open_reader(
    source: str | Path,
    *,
    lang: str,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Reader:
    """The reader for ``source``.

    Args:
        source: A file, a folder, or ``hf:<hub id>``.
        lang: BCP-47 tag of its texts.
        format: A name in ``READERS`` or ``package.module:Class``; None: told from the name, else from the content.
        options: Options of that reader; strings are turned into what the option takes (``"true"``, ``"2"``).

    Raises:
        ConfigError: Unknown format or option, a value the option does not take, or a format that can't be told.
        InputError: There is no such file, or it is empty.
    """
    name = format or guess_format(source)
    cls = resolve("reader", name, READERS)
    place: Any = str(source).removeprefix("hf:") if name == "hf" else Path(source)
    if isinstance(place, Path) and not place.is_dir():
        check_file(place)
    reader: Reader = cls(place, lang, **checked_options(cls, "reader", name, options or {}, _FIXED))
    return reader if isinstance(reader, RowReader) else CheckedReader(reader)


def reader_options(name: str) -> dict[str, Any]:
    """The options of a reader and their defaults."""
    return option_defaults(resolve("reader", name, READERS), _FIXED)


def guess_format(source: str | Path) -> str:
    """The format of ``source``, told from its name, else from how it starts.

    Raises:
        ConfigError: Neither tells.
        InputError: There is no such file, or it is empty.
    """
    if str(source).startswith("hf:"):
        return "hf"
    path = Path(source)
    if path.is_dir():
        if any((path / name).is_file() for name in _SAVED):
            return "saved"
        if any(path.rglob("*.parquet")):
            return "parquet"
        if any(path.rglob("*.ann")):
            return "brat"
        raise _unknown_format(path, "the folder holds neither a saved dataset nor Parquet files nor .ann files of BRAT")
    check_file(path)
    if path.suffix == ".ann" or (path.suffix == ".txt" and path.with_suffix(".ann").is_file()):
        return "brat"
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    by_start = next((name for start, name in _SUFFIX_STARTS.items() if suffix.startswith(start)), None)
    name = _SUFFIXES.get(suffix) or by_start or _by_content(path) or ("text" if suffix == ".txt" else None)
    if name is None:
        raise _unknown_format(path, f"neither the suffix {suffix!r} nor the first line shows the format")
    return name


def _by_content(path: Path) -> str | None:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            start = stream.read(_SNIFFED)
    except (OSError, EOFError, zlib.error):
        return None  # the reader says what is wrong with it
    if start.startswith(b"PAR1"):
        return "parquet"
    text = start.decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("{") and '"paragraphs"' in text and '"data"' in text:
        return "squad"
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    first = lines[0].lstrip("\ufeff") if lines else ""
    if first.startswith("["):
        whole = text.replace(" ", "")
        if (
            any(key in whole for key in ('"annotations":[', '"completions":[', '"predictions":['))
            and '"data":' in whole
        ):
            return "label_studio"
    if first.startswith("{"):
        return "jsonl"
    rows = [line.split() for line in lines[: -1 if len(start) == _SNIFFED else None] if not line.startswith("#")][:50]
    tagged = rows and all(len(r) > 1 and _is_tag(r[-1]) for r in rows)
    # Lines of nothing but tags are one half of a pair of files (seq.in, seq.out).
    tokens = any(not _is_tag(cell) for r in rows for cell in r[:-1])
    return "conll" if tagged and tokens else None


def _is_tag(cell: str) -> bool:
    return cell == "O" or cell[:2] in ("B-", "I-", "E-", "S-")


def _unknown_format(path: Path, message: str) -> ConfigError:
    return ConfigError(message, where=str(path), valid=sorted(READERS), hint="--set read.format=NAME")
