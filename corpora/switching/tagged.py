"""Code-switched corpora with a language per token, read for their switching metrics alone."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from spanferry.corpora.errors import InputError
from spanferry.corpora.files import content_hash
from spanferry.corpora.metrics.switching import INDEPENDENT
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.words import words

_VALID = "OUT/code-switch of a run, .conllu with LangO= in MISC, .tsv with en_query and cs_query, .jsonl with langs"
_LANG = re.compile(r"(?:^|\|)lango=([A-Za-z]+)", re.IGNORECASE)
_NO_LANGUAGE = frozenset({"PUNCT", "SYM", "NUM"})
_SAME = {"msa": "ar"}
# Frequent Hindi words in Latin letters that are spelled like English ones.
_LIKE_ENGLISH = frozenset(
    [
        "the",
        "to",
        "me",
        "is",
        "do",
        "main",
        "are",
        "par",
        "pe",
        "in",
        "us",
        "hum",
        "ho",
        "on",
        "bad",
        "log",
        "din",
        "so",
    ]
)


def read_language_tags(path: Path) -> Iterator[list[str]]:
    """The language tags of each utterance; tokens that belong to no language have an empty one.

    Formats: a dataset that ``run code-switch`` wrote; JSON Lines with ``langs``; CoNLL-U with ``LangO=`` in the last
    column, where variants of a language (``ar_dz``) are one, and punctuation, symbols and numbers none; the TSV of
    Hinglish-TOP, which has no tags: see ``hinglish_tags``. A folder stands for all such files in it.

    Raises:
        InputError: None of these, or a broken file.
    """
    if path.is_dir() and (path / "dataset_dict.json").is_file():
        for split in json.loads((path / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]:
            for file in sorted((path / split).glob("data-*.arrow")):
                yield from _arrow(file)
        return
    files = [f for f in sorted(path.iterdir()) if f.suffix in _READERS] if path.is_dir() else [path]
    if not files or not all(f.is_file() and f.suffix in _READERS for f in files):
        raise InputError("no corpus with languages", where=str(path), valid=_VALID, hint="spanferry run code-switch")
    for file in files:
        yield from _READERS[file.suffix](file)


def corpus_signature(path: Path) -> Signature:
    """What was read."""
    files = [f for f in sorted(path.rglob("*")) if f.is_file()] if path.is_dir() else [path]
    return Signature(content_hash(files))


def _arrow(file: Path) -> Iterator[list[str]]:
    with pa.memory_map(str(file)) as source:
        for batch in pa.ipc.open_stream(source):
            if "langs" not in batch.schema.names:
                raise InputError("the dataset has no column 'langs'", where=str(file), hint="spanferry run code-switch")
            yield from batch.column("langs").to_pylist()


def _jsonl(file: Path) -> Iterator[list[str]]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found = json.loads(line)["langs"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                "no list 'langs'", where=f"{file}:{number}", valid='{"langs": ["en", "", "es"]}'
            ) from error
        yield [str(tag or INDEPENDENT) for tag in found]


def _conllu(file: Path) -> Iterator[list[str]]:
    tags: list[str] = []
    for number, line in enumerate([*file.read_text(encoding="utf-8").splitlines(), ""], 1):
        if not line.strip():
            if tags:
                yield tags
            tags = []
        elif not line.startswith("#"):
            columns = line.split("\t")
            if len(columns) != 10:
                raise InputError(f"{len(columns)} columns", where=f"{file}:{number}", valid="10, as in CoNLL-U")
            if columns[0].isdigit():
                found = _LANG.search(columns[9])
                lang = found[1].lower() if found and columns[3] not in _NO_LANGUAGE else INDEPENDENT
                tags.append(_SAME.get(lang, lang))


def _hinglish(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or not {"en_query", "cs_query"} <= set(rows[0]):
        raise InputError("no columns en_query and cs_query", where=str(file), valid=_VALID)
    english = Counter(w for row in rows for w in _lowered(row["en_query"]))
    mixed = Counter(w for row in rows for w in _lowered(row["cs_query"]))
    for row in rows:
        yield hinglish_tags(row["en_query"], row["cs_query"], english, mixed)


def hinglish_tags(english: str, mixed: str, in_english: Mapping[str, int], in_mixed: Mapping[str, int]) -> list[str]:
    """Languages of a Hinglish sentence's words, inferred from the English sentence beside it: a rule, no gold.

    A word is English if its own English sentence has it, or if the English sentences of the corpus have it at least
    half as often as the mixed ones. A word that Hindi has too ("me", "to") is English only next to a word that is its
    neighbour in the English sentence as well. What has no letter belongs to no language.
    """
    own, here = _lowered(english), _lowered(mixed)
    pairs = set(pairwise(own))
    tags = []
    for k, word in enumerate(here):
        if not any(c.isalpha() for c in word):
            tags.append(INDEPENDENT)
        elif word in _LIKE_ENGLISH:
            beside = (k > 0 and (here[k - 1], word) in pairs) or (k + 1 < len(here) and (word, here[k + 1]) in pairs)
            tags.append("en" if beside else "hi")
        else:
            tags.append("en" if word in own or 2 * in_english.get(word, 0) >= in_mixed.get(word, 1) else "hi")
    return tags


def _lowered(text: str) -> list[str]:
    return [text[a:b].lower() for a, b in words(text)]


_READERS: Mapping[str, Callable[[Path], Iterator[list[str]]]] = {
    ".jsonl": _jsonl,
    ".conllu": _conllu,
    ".tsv": _hinglish,
    ".arrow": _arrow,
}
