"""Readers of the public parallel texts the recipe learns from, and of the test sets it must not see."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from spanferry.translators.bundled.texts.clean import normalised, tidy

ISO3 = {"es": "spa", "de": "deu", "nl": "nld", "fr": "fra", "it": "ita", "ja": "jpn", "zh": "zho"}
_BIBLE = {"es": "spa", "de": "deu", "zh": "cmn", "ja": "jpn"}
_ROLE = re.compile(r":[a-z:+-]+:`~?([^`]*)`")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, gzip or plain, without their newlines."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")


def read_source(data: Path, name: str, language: str) -> Iterator[tuple[str, str]]:
    """Tidied pairs (English, ``language``) of one set; none when the set has not this language.

    Args:
        data: Folder that holds ``tatoeba``, ``ebible``, ``python-docs`` and ``more``.
        name: ``tatoeba``, ``ebible``, ``python-docs``, or the name of a folder in ``more``.
        language: BCP-47 code of the other side.
    """
    if name == "ebible":
        rows = _bible(data, language)
    elif name == "tatoeba":
        rows = _columns(data / "tatoeba" / f"{ISO3.get(language, language)}-eng.txt.gz", 0)
    elif name == "python-docs":
        code = {"zh": "zh-cn"}.get(language, language)
        rows = (
            (_ROLE.sub(r"`\1`", a), _ROLE.sub(r"`\1`", b))
            for a, b in _columns(data / "python-docs" / f"en-{code}.tsv.gz", 1)
        )
    else:
        rows = _columns(data / "more" / name / f"en-{language}.tsv.gz", 0)
    for source, target in rows:
        yield tidy(source), tidy(target)


def _columns(path: Path, first: int) -> Iterator[tuple[str, str]]:
    """Two neighbouring columns of a tab-separated file; no rows when the file is absent."""
    if not path.exists():
        return
    for number, line in enumerate(read_lines(path)):
        fields = line.split("\t")
        if len(fields) >= first + 2 and not (number == 0 and fields[first] == "en"):
            yield fields[first], fields[first + 1]


def _bible(data: Path, language: str) -> Iterator[tuple[str, str]]:
    """Verse pairs. ``<range>`` means that the verse was merged into the line above: both rows are left out."""
    folder = data / "ebible"
    english = sorted(folder.glob("eng-*.txt.gz"))
    other = sorted(folder.glob(f"{_BIBLE.get(language, '-')}-*.txt.gz"))
    if not english or not other:
        return
    rows = list(zip(read_lines(english[0]), read_lines(other[0]), strict=True))
    for index, (source, target) in enumerate(rows):
        after = rows[index + 1] if index + 1 < len(rows) else ("", "")
        if source and target and "<range>" not in (source, target, *after):
            yield source, target


def test_sides(data: Path, languages: list[str]) -> Iterator[str]:
    """Normalised texts of every test set, English and other side, whole and by sentence.

    Sets: tatoeba-test (with ``languages`` only: its English overlaps half of Tatoeba), ntrex128, europarl-ner, xsid,
    xquad, tico19. An absent folder gives nothing.
    """
    for text in _test_texts(data, languages):
        for part in (text, *_SENTENCE_END.split(text)):
            form = normalised(part)
            if form:
                yield form


def _test_texts(data: Path, languages: list[str]) -> Iterator[str]:
    codes = [ISO3.get(language, language) for language in languages]
    for name in (*(f"tatoeba-test/*{code}*/*.gz" for code in codes), "ntrex128/*.gz"):
        for path in sorted(data.glob(name)):
            yield from read_lines(path)
    for path in sorted(data.glob("tico19/*.gz")):
        for line in read_lines(path):
            yield from line.split("\t")
    for path in sorted(data.glob("xsid/*.conll")):
        for line in read_lines(path):
            if line.startswith(("# text = ", "# text-en = ")):
                yield line.split(" = ", 1)[1]
    for path in sorted(data.glob("europarl-ner/*.conll02")):
        words: list[str] = []
        for line in [*read_lines(path), ""]:
            if line.strip():
                words.append(line.split()[0])
            elif words:
                yield " ".join(words)
                words = []
    for path in sorted(data.glob("xquad/*.json")):
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                yield paragraph["context"]
                for question in paragraph["qas"]:
                    yield question["question"]
