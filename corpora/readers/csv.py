"""CSV and TSV with a heading: a text with its labels on each row, or a token with its tag."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, NamedTuple

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import BadRow, Draft, bad_row
from spanferry.corpora.readers.common.delimited import DELIMITERS, likely_delimiter, records
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.json_rows import JsonRow
from spanferry.corpora.readers.common.label_keys import TAG_KEYS, TEXT_KEYS, TOKEN_KEYS, unpacked
from spanferry.corpora.readers.common.tagged import tagged_example
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.readers.jsonl import JsonlReader
from spanferry.corpora.readers.qa_rows import QA_COLUMNS
from spanferry.corpora.schema import Example
from spanferry.corpora.text.tags import plain_tag, read_tags, row_hint

# Names of columns where each row is a token, in small letters.
_WORDS = ("word", "token", "words", "tokens", "form")
_TAGS = ("tag", "ner_tag", "ner", "ner_tags", "tags", "label", "labels", "entity", "bio", "iob", "slot")
_SENTENCES = (
    "sentence #",
    "sentence_id",
    "sentence_idx",
    "sent_id",
    "sentence id",
    "sentence",
    "sent",
    "sentence_number",
)
_LONGEST = 5000  # tokens; a longer sentence is a file without sentences
_TAB_SUFFIXES = (".tsv", ".tab")


class _Word(NamedTuple):
    line: int
    token: str
    tag: str


@dataclass(frozen=True)
class CsvReader(JsonlReader):
    """Reads tables with a heading whose columns are called like the keys of ``jsonl``.

    A row is a text with a label, or with spans as a list in one cell (JSON, or as pandas prints it); or it is a token
    with its tag, where a column numbers the sentences (``Sentence #,Word,POS,Tag``) or blank lines part them. The
    heading shows the delimiter, quoted cells may hold line ends. A row with another number of cells is a bad row.

    Attributes:
        delimiter: What parts the cells; ``auto``: a tab in ``.tsv``, else what parts the heading into the most cells.
        columns: Names of the columns of a file without a heading.
        word_key: Column of the token, where each row is one.
        word_tag_key: Column of its tag.
        sentence_key: Column that numbers the sentences: a new one starts where its cell changes and is not empty.
    """

    name: ClassVar[str] = "csv"

    delimiter: Literal["auto", "comma", "tab", "semicolon", "pipe"] = "auto"
    columns: tuple[str, ...] = ()
    word_key: str | None = None
    word_tag_key: str | None = None
    sentence_key: str | None = None

    def _rows(self) -> Iterator[Draft | BadRow]:
        table = records(self.path, self.encoding, self._delimiter())
        names = list(self.columns)
        while not names:
            _, raw, cells = next(table)
            names = self._names(cells) if raw.strip() else []
        words = self._word_columns(names)
        if words is None:
            yield from self._texts(table, names)
        else:
            yield from self._sentences(table, names, *words)

    def _delimiter(self) -> str:
        if self.delimiter != "auto":
            return DELIMITERS[self.delimiter]
        if any(self.path.name.lower().removesuffix(".gz").endswith(suffix) for suffix in _TAB_SUFFIXES):
            return "\t"
        return likely_delimiter(next(line for _, line in read_lines(self.path, self.encoding) if line.strip()))

    def _names(self, cells: list[str] | RowError) -> list[str]:
        if isinstance(cells, RowError):
            raise InputError(f"in the heading {cells.message}", where=str(self.path), hint=cells.hint)
        known = {*TEXT_KEYS, *TOKEN_KEYS, *TAG_KEYS, *_WORDS, *_TAGS, *_SENTENCES, *QA_COLUMNS, "id", "intent"}
        names = [cell.strip() for cell in cells]
        names = [name.lower() if name.lower() in known else name for name in names]
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            raise InputError(
                f"two columns are called {twice!r}", where=str(self.path), hint="call one of them otherwise"
            )
        return names

    def _word_columns(self, names: Sequence[str]) -> tuple[str, str, str | None] | None:
        """The columns of token, tag and sentence, where each row is a token; None where each is a text."""
        for option, name in (
            ("word_key", self.word_key),
            ("word_tag_key", self.word_tag_key),
            ("sentence_key", self.sentence_key),
        ):
            if name is not None and name not in names:
                raise self._no_column(f"no column {name!r}", names, option)
        sentence = self.sentence_key or next((name for name in _SENTENCES if name in names), None)
        word = self.word_key or next((name for name in _WORDS if name in names and name != sentence), None)
        tags = [name for name in _TAGS if name in names and name not in (word, sentence)]
        tag = self.word_tag_key or (tags[0] if len(tags) == 1 else None)
        texts = {self.text_key, *self.text_fields} & set(names) or set(QA_COLUMNS) <= set(names)
        if word is None or self._is_list(names, word):
            if not texts and not any(name in names for name in (*TEXT_KEYS, *TOKEN_KEYS)):
                raise self._no_column("no column is known to hold the texts", names, "text_key")
            return None
        if texts and self.word_key is None:
            return None
        if tag is None:
            why = (
                f"{' and '.join(map(repr, tags))} may hold the tags" if tags else "no column is known to hold the tags"
            )
            raise self._no_column(why, names, "word_tag_key")
        return word, tag, sentence

    def _no_column(self, message: str, names: Sequence[str], option: str) -> InputError:
        return InputError(
            message,
            where=str(self.path),
            valid=f"the columns {', '.join(filter(None, names))}",
            hint=f"--set read.options.{option}=NAME names it; --set read.options.columns=NAME,NAME names the columns "
            "of a file without a heading",
        )

    def _is_list(self, names: Sequence[str], column: str) -> bool:
        """Whether the first cell of a column holds all tokens of a text."""
        at, skip = list(names).index(column), not self.columns
        for _, _, cells in records(self.path, self.encoding, self._delimiter()):
            if isinstance(cells, list) and any(cells):
                if not skip:
                    return len(cells) > at and isinstance(unpacked(cells[at]), list)
                skip = False
        return False

    def _texts(
        self, table: Iterator[tuple[int, str, list[str] | RowError]], names: Sequence[str]
    ) -> Iterator[Draft | BadRow]:
        keys = self._keys()
        number = 0
        for line, raw, cells in table:
            if not raw.strip():
                continue
            number += 1
            where = f"{self.path}:{line}"
            value = self._row(cells, raw, names)
            yield self._draft(JsonRow(where, raw, value), number, keys)

    def _row(self, cells: list[str] | RowError, raw: str, names: Sequence[str]) -> dict[str, object] | RowError:
        if isinstance(cells, RowError):
            return cells
        try:
            check_decoded(raw, self.encoding)
        except RowError as error:
            return error
        if len(cells) < len(names) or any(cells[len(names) :]):
            return RowError("bad_columns", f"{len(cells)} cells under {len(names)} columns")
        row = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell}
        lists = {key: unpacked(row[key]) for key in (*TOKEN_KEYS, *TAG_KEYS, self.tags_key) if key in row}
        return row | {key: value for key, value in lists.items() if isinstance(value, list)}

    def _sentences(
        self,
        table: Iterator[tuple[int, str, list[str] | RowError]],
        names: Sequence[str],
        word: str,
        tag: str,
        sentence: str | None,
    ) -> Iterator[Draft | BadRow]:
        places = [names.index(word), names.index(tag)]
        words: list[_Word] = []
        wrong: tuple[int, RowError] | None = None
        number, current = 0, ""
        for line, raw, cells in table:
            cell = ""
            if isinstance(cells, list) and sentence is not None and len(cells) > names.index(sentence):
                cell = cells[names.index(sentence)].strip()
            if (words or wrong) and (not raw.strip() or (cell and cell != current)):
                number += 1
                yield self._sentence(number, words, wrong)
                words, wrong = [], None
            current = cell or current
            if not raw.strip():
                continue
            try:
                check_decoded(raw, self.encoding, line)
                if isinstance(cells, RowError):
                    raise cells
                if len(cells) <= max(places):
                    raise RowError("bad_columns", f"line {line}: {len(cells)} cells under {len(names)} columns")
                if cells[places[0]] or cells[places[1]] not in ("", "O"):
                    words.append(_Word(line, cells[places[0]].strip(), cells[places[1]].strip()))
            except RowError as error:
                wrong = wrong or (line, error)
            if len(words) > _LONGEST:
                raise self._no_column(f"no sentence ends within {_LONGEST} rows", names, "sentence_key")
        if words or wrong:
            yield self._sentence(number + 1, words, wrong)

    def _sentence(self, number: int, words: list[_Word], wrong: tuple[int, RowError] | None) -> Draft | BadRow:
        raw = "\n".join(f"{word.token}\t{word.tag}" for word in words)
        first = words[0].line if words else wrong[0] if wrong else 0
        where = f"{self.path}:{first}"
        if wrong is not None:
            return bad_row(wrong[1], str(number), where, raw, self.rows_split)
        return Draft(str(number), where, lambda: raw, self.rows_split, partial(self._made, number, words))

    def _made(self, number: int, words: list[_Word]) -> Example:
        empty = next((word for word in words if not word.token), None)
        if empty is not None:
            raise RowError("empty_text", f"line {empty.line}: a tagged token is empty")
        tags = [word.tag if self.scheme == "io" else plain_tag(word.tag) for word in words]
        found, problem = read_tags(tags, self.scheme, repair=self.repair)
        if problem:
            hint = row_hint(problem, "word_tag_key")
            raise RowError("bad_tags", f"line {words[problem.at].line}: {problem.message}", hint=hint)
        return tagged_example(str(number), self.lang, [word.token for word in words], found, split=self.rows_split)
