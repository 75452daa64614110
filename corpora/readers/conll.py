"""CoNLL and IOB files: a token and its tag on each line, a blank line between sentences."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, ClassVar, Literal, NamedTuple

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import Draft, FileReader, Note
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.tagged import tagged_example
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.readers.conll_columns import SAMPLE, Columns, Line, decide, without_ranges
from spanferry.corpora.schema import TEXT, Example
from spanferry.corpora.text.tags import ReadScheme, TagProblem, TokenSpan, holds_pairs, plain_tag, read_tags

_KEY_VALUE = re.compile(r"#\s*([\w.-]+)\s*[=:]\s*(.*)")
_BLANKS = re.compile(r"[ \t]+")
_TAG = re.compile(r"O|[BIESLU]-.+")
_LABEL_KEYS = ("label", "intent")
_ID_KEYS = ("id", "sent_id")
_DOCUMENT = "-DOCSTART-"
_OUTSIDE = frozenset({"O", "o", "0", "_", "-"})  # what files without letters in front write for no label
_FEWEST, _MOSTLY = 3, 0.9  # sentences with tags that break the scheme, before the scheme itself is in doubt


class Sentence(NamedTuple):
    """One sentence: its comments, its lines, and the number of its document, 0 where the file has none."""

    comments: dict[str, str]
    lines: list[Line]
    document: int


@dataclass(frozen=True)
class ConllReader(FileReader):
    """Reads sentences of tagged tokens and turns them into text with spans.

    The tokens are joined to text as people write it (``text.detokenise``), unless the comment ``# text = …`` holds
    the raw text and all tokens are in it, in order. Their ranges are kept in ``Example.tokens``. The comments ``id`` or
    ``sent_id`` and ``label`` or ``intent`` fill the example's id and label; all others go to ``meta``. A sentence
    without id is numbered from 1. A comment ``# key_json = …`` is JSON (for a text with line ends, say), and the
    mapping of ``meta_json`` goes to ``meta`` itself. ``-DOCSTART-`` lines count documents, in ``meta["document"]``.
    A line whose token is empty and whose tag is O stands for nothing and is passed over; published data has such lines.

    Columns that are not named are decided over the first 200 sentences: numbers of words (of CoNLL-U too, with its
    multiword tokens and empty nodes) are not the token; tags are the last column that holds some, in nested formats
    (GermEval) all that hold the same labels. A sentence with a bad line is a bad row, and the rest is read. Where nine
    of ten sentences break the scheme, the scheme was named wrongly, and that is an error.

    Attributes:
        scheme: ``iob2`` (a span starts with B-), ``iob1`` (B- only between neighbours), ``bioes`` (also BILOU) or
            ``io`` (labels without a letter in front). A letter behind (``PER-B``) and ``name=B-PER`` are read too.
        separator: What stands between columns; "auto" takes tabs where a line has one, else blanks.
        token_column: Column of the token, from 0, negative from the end; by default the reader decides.
        tag_column: Column of the tag; by default the reader decides.
        tag_columns: Columns of several layers of tags, instead of ``tag_column``.
        label: The label of tags that have none (``B``, ``I``).
        label_column: Column that repeats the label of the whole sentence, if there is one.
        repair: Takes a tag that continues nothing as the start of a span, instead of rejecting the sentence.
        raw_text: Whether to use ``# text = …``.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "conll"

    scheme: ReadScheme = "iob2"
    separator: Literal["auto", "tab", "space"] = "auto"
    token_column: int | None = None
    tag_column: int | None = None
    tag_columns: tuple[int, ...] = ()
    label: str | None = None
    label_column: int | None = None
    repair: bool = False
    raw_text: bool = True
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft | Note]:
        sentences = self._sentences()
        sample = list(islice(sentences, SAMPLE))
        chosen = self.tag_columns or (() if self.tag_column is None else (self.tag_column,))
        columns = decide([s.lines for s in sample], self.token_column, chosen, self.label, str(self.path))
        self._check_scheme(sample, columns)
        number = 0
        for comments, lines, document in chain(sample, sentences):
            lines = [line for line in lines if not self._is_gap(line, columns)]
            if not lines:
                continue
            number += 1
            if document:
                comments = {**comments, "document": str(document)}
            yield from self._drafts(comments, lines, columns, str(number))
        if not number:
            raise InputError(
                "no line has a token and a tag",
                where=str(self.path),
                hint="is this the right file? --set read.format=NAME picks another reader",
            )
        for at, labels in columns.unread:
            read = "+".join(map(str, columns.tags))
            yield Note(
                f"column {at} holds tags too ({labels}), and column {read} is read\n"
                f"Hint: --set read.options.tag_columns={at} reads it instead"
            )

    def _check_scheme(self, sample: Sequence[Sentence], columns: Columns) -> None:
        """A tag out of place is one bad sentence; where nearly every sentence has one, the scheme is another."""
        first: tuple[TagProblem, int] | None = None
        tagged = broken = 0
        for sentence in sample:
            try:
                lines, _ = without_ranges(sentence.lines, columns, self.label)
                lines = [line for line in lines if not self._is_gap(line, columns)]
                tags = [self._tags(lines, at, columns) for at in columns.tags]
            except RowError:
                continue
            problems = [read_tags(column, self.scheme, repair=self.repair)[1] for column in tags]
            tagged += any(tag != "O" for column in tags for tag in column)
            problem = next((p for p in problems if p), None)
            if problem:
                broken += 1
                first = first or (problem, lines[problem.at][0])
        if first and broken >= _FEWEST and broken >= _MOSTLY * tagged:
            message = f"{first[0].message}; {broken} of {tagged} sentences with tags break the scheme"
            raise InputError(message, where=f"{self.path}:{first[1]}", hint=first[0].hint)

    def _sentences(self) -> Iterator[Sentence]:
        comments: dict[str, str] = {}
        lines: list[Line] = []
        document = 0
        for number, line in read_lines(self.path, self.encoding):
            starts = line.lstrip(" \t").startswith(_DOCUMENT)
            if starts or not line.strip(" \t"):
                if lines:
                    yield Sentence(comments, lines, document)
                if lines or starts:
                    comments, lines = {}, []
                document += starts
            elif not lines and line.startswith("#") and (comment := self._comment(line)):
                key, value = comment
                comments[key if key not in comments else f"{key}.{number}"] = value
            else:
                lines.append((number, self._columns(line)))
        if lines:
            yield Sentence(comments, lines, document)

    def _comment(self, line: str) -> tuple[str, str] | None:
        """Key and value of a comment; None for a token that is or starts with ``#``."""
        columns = self._columns(line)
        at = -1 if self.tag_column is None else self.tag_column
        fits = len(columns) > 1 and -len(columns) <= at < len(columns)
        # A tab and a tag anywhere: which column holds the tags is not decided yet.
        tagged = fits and any(_TAG.fullmatch(cell) for cell in (columns[1:] if "\t" in line else [columns[at]]))
        match = _KEY_VALUE.fullmatch(line)
        # Between blanks a tag proves nothing: "# text = Vitamin B-12".
        if tagged and ("\t" in line or not match):
            return None
        return (match[1], match[2]) if match else ("comment", line[1:].strip())

    def _columns(self, line: str) -> list[str]:
        tabs = self.separator == "tab" or (self.separator == "auto" and "\t" in line)
        return [cell.strip(" ") for cell in line.split("\t")] if tabs else _BLANKS.split(line.strip(" \t"))

    def _drafts(
        self, comments: dict[str, str], given: list[Line], columns: Columns, number: str
    ) -> Iterator[Draft | Note]:
        meta = _decoded(comments)
        row_id = next((str(meta.pop(key)) for key in _ID_KEYS if key in meta), number)
        text = meta.get(TEXT)
        notes: list[Note] = []

        def make() -> Example:
            for comment in comments.values():
                check_decoded(comment, self.encoding)
            for at, cells in given:
                check_decoded("\t".join(cells), self.encoding, at)
            lines, lost = without_ranges(given, columns, self.label)
            if lost:
                notes.append(Note("a multiword token whose words have different labels got the first of them"))
            tokens = [self._column(line, columns.token, "token_column") for line in lines]
            found: list[TokenSpan] = []
            for at in columns.tags:
                spans, problem = read_tags(self._tags(lines, at, columns), self.scheme, repair=self.repair)
                if problem:
                    where = lines[problem.at][0]
                    raise RowError("bad_tags", f"line {where}: {problem.message}", hint=problem.hint)
                found += [span for span in spans if span not in found]
            label = next((str(meta.pop(key)) for key in _LABEL_KEYS if key in meta), None)
            if self.label_column is not None:
                label = self._column(lines[0], self.label_column, "label_column")
            raw = text if self.raw_text else None
            example = tagged_example(row_id, self.lang, tokens, found, raw=raw, label=label, split=self.rows_split)
            if raw is not None and example.text == raw:
                del meta[TEXT]
            elif raw is not None:
                notes.append(
                    Note("a '# text' comment does not hold the tokens of its sentence: they were joined instead")
                )
            return replace(example, meta=meta)

        raw_lines = "\n".join("\t".join(cells) for _, cells in given)
        yield Draft(row_id, f"{self.path}:{given[0][0]}", lambda: raw_lines, self.rows_split, make)
        yield from notes

    def _tags(self, lines: Sequence[Line], at: int, columns: Columns) -> list[str]:
        cells = [self._column(line, at, "tag_column") for line in lines]
        if self.scheme == "io":
            return ["O" if cell in _OUTSIDE else cell for cell in cells]
        tags = [plain_tag(cell, self.label) for cell in cells]
        return ["O" if holds_pairs(tag) else tag for tag in tags] if at in columns.pairs else tags

    def _is_gap(self, line: Line, columns: Columns) -> bool:
        """Whether the line's token is empty and its tags say nothing."""
        cells = line[1]
        if not -len(cells) <= columns.token < len(cells) or cells[columns.token]:
            return False
        return all(-len(cells) <= at < len(cells) and cells[at] in ("O", "") for at in columns.tags)

    def _column(self, line: Line, index: int, option: str) -> str:
        number, columns = line
        if not -len(columns) <= index < len(columns) or (option == "tag_column" and len(columns) < 2):
            raise RowError(
                "bad_columns",
                f"line {number}: {len(columns)} column(s), {option}={index} is not among them",
                valid="a token and a tag on each line, separated by a tab or blanks",
                hint=f"--set read.options.{option}=N, or --set read.options.separator=space",
            )
        if not columns[index]:
            raise RowError(
                "bad_columns",
                f"line {number}: column {index} ({option}) is empty",
                hint=f"--set read.options.{option}=N, counted from 0, negative from the end",
            )
        return columns[index]


def _decoded(comments: dict[str, str]) -> dict[str, Any]:
    """The comments, with ``key_json`` read as JSON into ``key`` and the mapping ``meta`` unpacked."""
    meta: dict[str, Any] = {}
    for key, value in comments.items():
        if not key.endswith("_json"):
            meta[key] = value
            continue
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            meta[key] = value
            continue
        if key == "meta_json" and isinstance(read, dict):
            meta |= read
        else:
            meta[key.removesuffix("_json")] = read
    return meta
