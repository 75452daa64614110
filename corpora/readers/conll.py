"""CoNLL and IOB files: a token and its tag on each line, a blank line between sentences."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.base import BadRow, FileReader, bad_row
from spanferry.corpora.readers.tagged import tagged_example
from spanferry.corpora.readers.text import read_lines
from spanferry.corpora.schema import TEXT, Example, validate
from spanferry.corpora.text.tags import Scheme, TagProblem, read_tags

_KEY_VALUE = re.compile(r"#\s*([\w.-]+)\s*[=:]\s*(.*)")
_BLANKS = re.compile(r"[ \t]+")
_TAG = re.compile(r"O|[BIESLU]-.+")
_LABEL_KEYS = ("label", "intent")
_ID_KEYS = ("id", "sent_id")

Line = tuple[int, list[str]]  # line number, columns


@dataclass(frozen=True)
class ConllReader(FileReader):
    """Reads sentences of tagged tokens and turns them into text with spans.

    The tokens are joined to text as people write it (``text.detokenise``), unless the comment ``# text = …`` holds
    the raw text and all tokens are in it, in order. Their ranges are kept in ``Example.tokens``. The comments ``id`` or
    ``sent_id`` and ``label`` or ``intent`` fill the example's id and label; all others go to ``meta``. A sentence
    without id is numbered from 1. A comment ``# key_json = …`` is JSON (for a text with line ends, say), and the
    mapping of ``meta_json`` goes to ``meta`` itself. ``-DOCSTART-`` lines count documents, in ``meta["document"]``.
    A line whose token is empty and whose tag is O stands for nothing and is passed over; published data has such lines.

    A tag that breaks the scheme stops the reading with its line: one such tag mostly means that the scheme was named
    wrongly, and then every span of the file would be in doubt.

    Attributes:
        scheme: ``iob2`` (a span starts with B-), ``iob1`` (B- only between neighbours) or ``bioes`` (also BILOU).
        separator: What stands between columns; "auto" takes tabs where a line has one, else blanks.
        token_column: Column of the token, from 0, negative from the end; None: 1 if the lines are numbered, else 0.
        tag_column: Column of the tag.
        label_column: Column that repeats the label of the whole sentence, if there is one.
        repair: Takes a tag that continues nothing as the start of a span, instead of stopping.
        raw_text: Whether to use ``# text = …``.
        encoding: Of the file.
    """

    name: ClassVar[str] = "conll"

    scheme: Scheme = "iob2"
    separator: Literal["auto", "tab", "space"] = "auto"
    token_column: int | None = None
    tag_column: int = -1
    label_column: int | None = None
    repair: bool = False
    raw_text: bool = True
    encoding: str = "utf-8"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: Missing, empty or wrongly encoded file, a line with too few columns, or a tag out of place.
        """
        document, number, token_column = 0, 0, self.token_column
        for comments, lines in self._sentences():
            if lines[0][1][0] == "-DOCSTART-":
                document += 1
                lines = lines[1:]
            if not lines:
                continue
            number += 1
            if token_column is None:
                numbered = len(lines[0][1]) > 2 and all(c[0] == str(i) for i, (_, c) in enumerate(lines, 1))
                token_column = int(numbered)
            if document:
                comments = {**comments, "document": str(document)}
            yield self._example(comments, lines, token_column, str(number))
        if not number:
            raise InputError(
                "no line has a token and a tag",
                where=str(self.path),
                hint="is this the right file? --set read.format=NAME picks another reader",
            )

    def _sentences(self) -> Iterator[tuple[dict[str, str], list[Line]]]:
        comments: dict[str, str] = {}
        lines: list[Line] = []
        for number, line in read_lines(self.path, self.encoding):
            if not line.strip(" \t"):
                if lines:
                    yield comments, lines
                    comments, lines = {}, []
            elif not lines and line.startswith("#") and self._comment(line):
                key, value = self._comment(line) or ("", "")
                comments[key if key not in comments else f"{key}.{number}"] = value
            else:
                lines.append((number, self._columns(line)))
        if lines:
            yield comments, lines

    def _comment(self, line: str) -> tuple[str, str] | None:
        """Key and value of a comment; None for a token that is or starts with ``#``."""
        columns = self._columns(line)
        tagged = len(columns) > 1 and self._fits(columns) and bool(_TAG.fullmatch(columns[self.tag_column]))
        match = _KEY_VALUE.fullmatch(line)
        # Between blanks a tag proves nothing: "# text = Vitamin B-12".
        if tagged and ("\t" in line or not match):
            return None
        return (match[1], match[2]) if match else ("comment", line[1:].strip())

    def _fits(self, columns: list[str]) -> bool:
        return -len(columns) <= self.tag_column < len(columns)

    def _columns(self, line: str) -> list[str]:
        tabs = self.separator == "tab" or (self.separator == "auto" and "\t" in line)
        return line.split("\t") if tabs else _BLANKS.split(line.strip(" \t"))

    def _example(self, comments: dict[str, str], lines: list[Line], token_column: int, number: str) -> Example | BadRow:
        lines = [line for line in lines if not self._is_gap(line, token_column)] or lines
        tokens = [self._column(line, token_column, "token_column") for line in lines]
        tags = [self._column(line, self.tag_column, "tag_column") for line in lines]
        found, problem = read_tags(tags, self.scheme, repair=self.repair)
        if problem:
            raise self._tag_error(problem, lines)
        meta = _decoded(comments)
        row_id = next((str(meta.pop(key)) for key in _ID_KEYS if key in meta), number)
        label = next((str(meta.pop(key)) for key in _LABEL_KEYS if key in meta), None)
        if self.label_column is not None:
            label = self._column(lines[0], self.label_column, "label_column")
        raw = meta.get(TEXT) if self.raw_text else None
        example = tagged_example(row_id, self.lang, tokens, found, raw=raw, label=label, split=self.rows_split)
        if raw is not None and example.text == raw:
            del meta[TEXT]
        try:
            return validate(replace(example, meta=meta))
        except RowError as error:
            lines_read = "\n".join("\t".join(columns) for _, columns in lines)
            return bad_row(error, row_id, f"{self.path}:{lines[0][0]}", lines_read, self.rows_split)

    def _is_gap(self, line: Line, token_column: int) -> bool:
        columns = line[1]
        if not -len(columns) <= token_column < len(columns) or not self._fits(columns):
            return False
        return not columns[token_column] and columns[self.tag_column] == "O"

    def _column(self, line: Line, index: int, option: str) -> str:
        number, columns = line
        if not -len(columns) <= index < len(columns) or (option == "tag_column" and len(columns) < 2):
            raise InputError(
                f"{len(columns)} column(s), {option}={index} is not among them",
                where=f"{self.path}:{number}",
                valid="a token and a tag on each line, separated by a tab or blanks",
                hint=f"--set read.options.{option}=N, or --set read.options.separator=space",
            )
        if not columns[index]:
            raise InputError(
                f"column {index} ({option}) is empty",
                where=f"{self.path}:{number}",
                hint=f"--set read.options.{option}=N, counted from 0, negative from the end",
            )
        return columns[index]

    def _tag_error(self, problem: TagProblem, lines: list[Line]) -> InputError:
        return InputError(problem.message, where=f"{self.path}:{lines[problem.at][0]}", hint=problem.hint)


def _decoded(comments: dict[str, str]) -> dict[str, Any]:
    """The comments, with ``key_json`` read as JSON into ``key`` and the mapping ``meta`` unpacked."""
    meta: dict[str, Any] = {}
    for key, value in comments.items():
        if not key.endswith("_json"):
            meta[key] = value
            continue
        try:
            read = json.loads(value)
        except ValueError:
            meta[key] = value
            continue
        if key == "meta_json" and isinstance(read, dict):
            meta |= read
        else:
            meta[key.removesuffix("_json")] = read
    return meta
