"""Parallel text by lines: Moses files and TSV, with Pharaoh alignments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

from spanferry.corpora.errors import ConfigError, InputError, RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.multiway import MultiRow, WordLinks
from spanferry.corpora.readers.common.base import AUTO_SPLIT, source_signature, split_of
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.schema import TEXT, Example, Range, validate
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.detokenise import detokenise, find_tokens

_LINK = re.compile(r"(\d+)[-p](\d+)(?:[:/]([0-9.eE+-]+))?")
_MOST_DIGITS = 18
_LANG = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*")
_NO_LANGUAGE = frozenset({"ids", "align", "tok", "tsv", "tmx", "txt", "gz"})


def parse_pharaoh(line: str, n_source: int, n_target: int) -> tuple[tuple[int, int, float], ...]:
    """The links of a Pharaoh line, ``0-0 1-2``, sorted; ``1p2`` (possible) counts too, ``1-2:0.7`` has a probability.

    Args:
        line: The line.
        n_source: Number of source words.
        n_target: Number of target words.

    Raises:
        RowError: ``bad_alignment``: no links, or one that lies outside the words.
    """
    links: dict[tuple[int, int], float] = {}
    for part in line.split():
        match = _LINK.fullmatch(part)
        if match is None:
            raise RowError(
                "bad_alignment", f"{part!r} is not a link", valid="SOURCE-TARGET, counted from 0, as in 0-0 1-2"
            )
        if max(len(match[1]), len(match[2])) > _MOST_DIGITS:
            raise RowError("bad_alignment", f"link {part[:40]!r} lies outside {n_source} and {n_target} words")
        a, b = int(match[1]), int(match[2])
        if a >= n_source or b >= n_target:
            raise RowError("bad_alignment", f"link {part!r} lies outside {n_source} and {n_target} words")
        try:
            links[a, b] = float(match[3]) if match[3] else 1.0
        except ValueError as error:
            raise RowError("bad_alignment", f"{match[3]!r} of the link {part!r} is not a probability") from error
    return tuple((a, b, p) for (a, b), p in sorted(links.items()))


@dataclass(frozen=True)
class MosesReader:
    """Reads ``PREFIX.<lang>`` files line by line, with ``PREFIX.ids`` and ``PREFIX.<source>-<target>.align`` if there.

    Alignments count the words between spaces of ``PREFIX.<source>-<target>.tok.<lang>`` where these files are (as our
    writer leaves them), else those of ``PREFIX.<lang>`` itself, which is then tokenised text: it is turned into written
    text, and words keep their place. A blank line is a missing cell. Without ids a row is called by its line number.

    Attributes:
        path: The prefix.
        langs: Languages, the first of an alignment first; empty: those of the files there.
        tokenised: Whether ``PREFIX.<lang>`` is tokenised; "auto": if there is an alignment without ``.tok`` files.
        split: Dataset split of its rows; "auto" takes it from the prefix.
        encoding: Encoding of the files.
    """

    name: ClassVar[str] = "moses"

    path: Path
    langs: tuple[str, ...] = ()
    tokenised: bool | None = None
    split: str = AUTO_SPLIT
    encoding: str = "utf-8"

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``.

        Raises:
            InputError: Fewer than two files with a language as suffix.
        """
        found = self.langs or tuple(
            sorted(
                suffix
                for file in self.path.parent.glob(f"{self.path.name}.*")
                if _LANG.fullmatch(suffix := file.name[len(self.path.name) + 1 :]) and suffix not in _NO_LANGUAGE
            )
        )
        if len(found) < 2:
            raise InputError(
                "fewer than two languages", where=f"{self.path}.*", valid=f"{self.path.name}.en, {self.path.name}.es …"
            )
        return found

    @property
    def signature(self) -> Signature:
        """See ``ParallelReader.signature``."""
        files = [self._file(lang) for lang in self.languages]
        others = sorted(p for p in self.path.parent.glob(f"{self.path.name}.*") if p not in files)
        # An alignment's file says in its name between what it is.
        named = f"{content_hash(files)}{content_hash(others, root=self.path.parent) if others else ''}"
        return source_signature(self, named, language="+".join(self.languages), split=self._split)

    @property
    def _split(self) -> str:
        return split_of(self.path) if self.split == AUTO_SPLIT else self.split

    def read(self) -> Iterator[MultiRow]:
        """See ``ParallelReader.read``. A row whose alignment can't be read has no links, and says so in ``missing``.

        Raises:
            InputError: Files of different length.
        """
        languages = self.languages
        ids = Path(f"{self.path}.ids")
        names: Iterator[tuple[int, str]] | None = read_lines(ids, self.encoding) if ids.is_file() else None
        alignments = self._alignments(languages)
        split = self._split
        streams = [read_lines(self._file(lang), self.encoding) for lang in languages]
        more = [read_lines(path, self.encoding) for files in alignments.values() for path in files]
        for number, lines in enumerate(zip_longest(*streams, *more, *([names] if names else [])), 1):
            if any(line is None for line in lines):
                short = [
                    str(p) for p, line in zip(self._all(languages, alignments), lines, strict=False) if line is None
                ]
                raise InputError(
                    f"ends before line {number}, where the others continue", where=", ".join(short), hint="wc -l"
                )
            texts = [line for _, line in lines]
            row_id = _plain_id(texts.pop()) if names else str(number)
            cells, rest = texts[: len(languages)], iter(texts[len(languages) :])
            given = {pair: [next(rest) for _ in files] for pair, files in alignments.items()}
            tokenised = self.tokenised if self.tokenised is not None else any(len(f) == 1 for f in alignments.values())
            yield _row(row_id, dict(zip(languages, cells, strict=True)), given, split, tokenised)

    def _file(self, lang: str) -> Path:
        return Path(f"{self.path}.{lang}")

    def _alignments(self, languages: Sequence[str]) -> dict[tuple[str, str], list[Path]]:
        """Language pair to its alignment file, and the files of the words it counts where they are apart."""
        found: dict[tuple[str, str], list[Path]] = {}
        for source in languages:
            for target in languages:
                align = Path(f"{self.path}.{source}-{target}.align")
                if source != target and align.is_file():
                    words = [Path(f"{self.path}.{source}-{target}.tok.{lang}") for lang in (source, target)]
                    found[source, target] = [align, *(words if all(w.is_file() for w in words) else ())]
        return found

    def _all(self, languages: Sequence[str], alignments: Mapping[tuple[str, str], list[Path]]) -> list[Path]:
        return [
            *map(self._file, languages),
            *(p for files in alignments.values() for p in files),
            Path(f"{self.path}.ids"),
        ]


@dataclass(frozen=True)
class TsvReader:
    """Reads a TSV file (also ``.gz``): a column per language, with ids and Pharaoh alignments if there are columns.

    Attributes:
        path: The file.
        columns: What the columns are: languages, ``id``, ``<source>-<target>`` for an alignment, ``_`` for one to skip.
        tokenised: Whether the texts are tokenised; by default, if there is an alignment.
        header: Whether the first line is a heading.
        split: Dataset split of its rows; "auto" takes it from the file's name.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "tsv"

    path: Path
    columns: tuple[str, ...] = ()
    tokenised: bool | None = None
    header: bool = False
    split: str = AUTO_SPLIT
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if len(self.languages) < 2:
            raise ConfigError(
                "a TSV file needs to know its columns",
                valid="two languages or more, id, SOURCE-TARGET for alignments, _ to skip one",
                hint='--set read.options.columns=["en", "es", "en-es"]',
            )

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``."""
        return tuple(c for c in self.columns if c not in ("id", "_") and self._pair(c) is None)

    @property
    def signature(self) -> Signature:
        """See ``ParallelReader.signature``."""
        return source_signature(self, content_hash([self.path]), language="", split=self._split)

    @property
    def _split(self) -> str:
        return split_of(self.path) if self.split == AUTO_SPLIT else self.split

    def read(self) -> Iterator[MultiRow]:
        """See ``ParallelReader.read``. A line with other columns is a rejected row, ``read:bad_columns``."""
        split = self._split
        pairs = [pair for c in self.columns if (pair := self._pair(c))]
        tokenised = bool(pairs) if self.tokenised is None else self.tokenised
        for number, line in read_lines(self.path, self.encoding):
            if number == 1 and self.header:
                continue
            values = line.split("\t")
            if len(values) < len(self.columns):
                yield MultiRow(str(number), {}, reasons=("read:bad_columns",), split=split)
                continue
            named = dict(zip(self.columns, values, strict=False))
            given = {pair: [named[c]] for c in self.columns if (pair := self._pair(c))}
            cells = {lang: named[lang] for lang in self.languages}
            yield _row(_plain_id(named.get("id") or str(number)), cells, given, split, tokenised)

    def _pair(self, column: str) -> tuple[str, str] | None:
        """The languages of an alignment column; ``zh-Hant`` is a language, ``en-es`` an alignment of two others."""
        source, _, target = column.partition("-")
        return (source, target) if source in self.columns and target in self.columns else None


def _plain_id(given: str) -> str:
    """The id with bytes outside the encoding written out, so that it can be stored."""
    return given.encode("utf-8", "backslashreplace").decode()


def _row(
    row_id: str,
    cells: Mapping[str, str],
    given: Mapping[tuple[str, str], Sequence[str]],
    split: str,
    tokenised: bool,
) -> MultiRow:
    """One row of lines; ``given`` holds for each pair its alignment line, and after it those of its words, or none."""
    examples: dict[str, Example] = {}
    missing: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, tuple[Range, ...]] = {}
    for lang, line in cells.items():
        text = line
        if tokenised and line.strip():
            text, ranges[lang] = detokenise(line.split(), lang)
        try:
            check_decoded(line, "the declared encoding")
            tokens = {TEXT: ranges[lang]} if lang in ranges else {}
            examples[lang] = validate(Example(row_id, lang, {TEXT: text}, tokens=tokens, split=split))
        except RowError as error:
            missing[lang] = (f"read:{error.reason}",)
    links = []
    for (source, target), (align, *words) in given.items():
        if source not in examples or target not in examples or not align.strip():
            continue
        try:
            own = [ranges.get(lang) for lang in (source, target)]
            if words:
                own = [
                    find_tokens(line.split(" "), examples[lang].text)
                    for lang, line in zip((source, target), words, strict=True)
                ]
            if own[0] is None or own[1] is None:
                raise RowError("bad_tokens", "the words of an alignment are not those of the text")
            found = parse_pharaoh(align, len(own[0]), len(own[1]))
            links.append(WordLinks(source, target, TEXT, own[0], own[1], found))
        except RowError as error:
            missing[f"{source}-{target}"] = (f"read:{error.reason}",)
    return MultiRow(row_id, examples, tuple(links), missing, split=split)
