"""What format an input is in, found from its name, else from how it starts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, InputError, RowError
from spanferry.corpora.readers.common.delimited import DELIMITERS
from spanferry.corpora.readers.common.encodings import peeked
from spanferry.corpora.readers.common.json_values import parse_values, placed_items
from spanferry.corpora.readers.common.label_keys import TAG_KEYS, TEXT_KEYS
from spanferry.corpora.readers.common.packed import head, packing, plain_name
from spanferry.corpora.readers.common.text import BLANK, SNIFFED, check_file
from spanferry.corpora.readers.slot_files import slot_files
from spanferry.corpora.text.tags import plain_tag

_SUFFIXES = {
    ".bio": "conll",
    ".bioes": "conll",
    ".bmes": "conll",
    ".cupt": "conll",
    ".parquet": "parquet",
    ".csv": "csv",
    ".spacy": "docbin",
}
_SUFFIX_STARTS = {".conll": "conll", ".iob": "conll"}
_JSON_LINES = (".jsonl", ".ndjson")
_SAVED = ("dataset_dict.json", "dataset_info.json")
_BY_LABEL_STUDIO = {"annotation_id", "annotator", "lead_time"}  # keys of its JSON-MIN
_LINES = 50  # of a table that are looked at
_PUBTATOR = re.compile(r"\d+\|[ta]\|")
_TAG = re.compile(r"O|[BIESLU]-.+")
_HINT = "--set read.format=NAME"


def guess_format(source: str | Path, valid: list[str], options: Mapping[str, Any] | None = None) -> str:
    """The format of ``source``, found from its name, else from how it starts.

    Args:
        source: A file, a folder, or ``hf:<hub id>``.
        valid: Names of all readers, for messages.
        options: What the user chose; some options belong to one reader alone.

    Raises:
        ConfigError: Neither decides.
        InputError: There is no such file, or it is empty.
    """
    if str(source).startswith("hf:"):
        return "hf"
    path = Path(source)
    if path.is_dir():
        return _of_folder(path, valid)
    is_brat = path.suffix == ".ann" or (path.suffix == ".txt" and path.with_suffix(".ann").is_file())
    if is_brat and path.is_file():
        return "brat"
    check_file(path)
    if slot_files(path):
        return "slot_files"
    suffix = Path(plain_name(path.name)).suffix
    by_start = next((name for start, name in _SUFFIX_STARTS.items() if suffix.startswith(start)), None)
    name = _SUFFIXES.get(suffix) or by_start or _by_content(path)
    if name is None and suffix in _JSON_LINES:
        return "jsonl"
    if name is None and suffix == ".txt":
        return _plain_text(path, valid, options or {})
    if name is None:
        raise _unknown(path, valid, f"neither the suffix {suffix!r} nor the first line shows the format")
    return name


def _of_folder(path: Path, valid: list[str]) -> str:
    if any((path / name).is_file() for name in _SAVED):
        return "saved"
    if any(path.rglob("*.parquet")):
        return "parquet"
    if any(path.rglob("*.ann")):
        return "brat"
    if slot_files(path):
        return "slot_files"
    raise _unknown(
        path,
        valid,
        "the folder holds neither a saved dataset nor Parquet files nor .ann files of BRAT nor files of one format",
    )


def _by_content(path: Path) -> str | None:
    packing(path)  # an archive is not a file of texts, whatever it is called
    try:
        start = head(path, SNIFFED)
    except (OSError, InputError):
        return None  # the reader says what is wrong with it
    if start.startswith(b"PAR1"):
        return "parquet"
    text = peeked(start).lstrip(BLANK)
    if text.startswith(("{", "[")):
        return _of_json(text)
    lines = [line.strip(" \r\ufeff") for line in text.split("\n")]
    lines = [line for line in lines if line.strip()][: -1 if len(start) == SNIFFED else None]
    if lines and _is_heading(lines[0]):
        return "csv"
    rows = [line.split() for line in lines if not line.startswith("#")][:_LINES]
    tagged = rows and all(len(r) > 1 and _is_tag(r[-1]) for r in rows)
    # Lines of nothing but tags are one half of a pair of files (seq.in, seq.out).
    tokens = any(not _is_tag(cell) for r in rows for cell in r[:-1])
    return "conll" if tagged and tokens else None


def _of_json(text: str) -> str | None:
    try:
        listed = text.startswith("[")
        first: Any = next((item for item, _, _ in (placed_items(text, 0) if listed else parse_values(text))), {})
    except RowError:  # it goes on beyond what was looked at, or is none
        return _of_long_json(text)
    if not isinstance(first, Mapping):
        return "jsonl"
    data = first.get("data")
    if isinstance(data, Mapping) and {"annotations", "completions", "predictions"} & set(first):
        return "label_studio"
    if listed and _BY_LABEL_STUDIO & set(first):
        return "label_studio"
    if isinstance(data, list) and data and isinstance(data[0], Mapping) and "paragraphs" in data[0]:
        return "squad"
    entities = first.get("entities")
    offsets = isinstance(entities, list) and all(isinstance(e, Mapping) and "start_offset" in e for e in entities)
    if "Comments" in first or (offsets and isinstance(first.get("relations"), list)):
        return "doccano"
    return "jsonl"


def _of_long_json(text: str) -> str | None:
    """The format of JSON whose first value does not end within what was looked at."""
    packed = text.replace(" ", "")
    if text.startswith("{") and '"paragraphs":' in packed and '"data":' in packed:
        return "squad"
    keys = ('"annotations":[', '"completions":[', '"predictions":[')
    # The texts of a task come before what was made of them, and may be long.
    if '"data":{' in packed and (text.startswith("[") or any(key in packed for key in keys)):
        return "label_studio"
    # A text may start with a bracket; a list of rows goes on with an object, or with a list and a text.
    return "jsonl" if text.startswith("{") or re.match(r'\[\s*(?:\{|\[\s*")', text) else None


def _is_heading(line: str) -> bool:
    """Whether a line names columns of texts or tokens, and others."""
    known = {*TEXT_KEYS, "word", "token", "form", "context"}
    labels = {*TAG_KEYS, "tag", "intent", "entities", "spans", "question", "answers"}
    for mark in DELIMITERS.values():
        cells = {cell.strip().strip('"').lower() for cell in line.split(mark)}
        if len(cells) > 1 and cells & known and cells & labels:
            return True
    return False


def _plain_text(path: Path, valid: list[str], options: Mapping[str, Any]) -> str:
    """``text``, unless each line has columns: then it holds labels that would be taken for text."""
    if "column" in options:
        return "text"
    lines = [line for line in peeked(head(path, SNIFFED)).split("\n")[:_LINES] if line.strip()]
    widths = {line.count("\t") for line in lines}
    if len(widths) == 1 and widths != {0}:
        raise ConfigError(
            f"each line has {widths.pop() + 1} columns parted by tabs: it is not plain text",
            where=str(path),
            valid=valid,
            hint="--set read.format=conll for a token and its tag on each line, --set read.options.column=N for the "
            "texts of one column, --set read.format=text for whole lines",
        )
    if lines and _PUBTATOR.match(lines[0]):
        raise ConfigError(
            "the file is in the format of PubTator, which no reader knows",
            where=str(path),
            valid=valid,
            hint="convert it to JSONL: {text, spans: [{start, end, label}]}",
        )
    return "text"


def _is_tag(cell: str) -> bool:
    return cell not in ("_", "") and bool(_TAG.fullmatch(plain_tag(cell)))


def _unknown(path: Path, valid: list[str], message: str) -> ConfigError:
    return ConfigError(message, where=str(path), valid=valid, hint=_HINT)
