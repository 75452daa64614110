"""Tables with named columns and splits: rows of tagged tokens, or of texts with spans."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from spanferry.corpora.columns import field_of
from spanferry.corpora.errors import InputError, unknown_name
from spanferry.corpora.readers.common.base import AUTO_SPLIT, Draft, Note, source_signature, split_of
from spanferry.corpora.readers.common.checked import RowReader
from spanferry.corpora.readers.common.fit import Fit
from spanferry.corpora.readers.common.json_values import dump_raw
from spanferry.corpora.readers.common.label_keys import SPAN_KEYS, TAG_KEYS, TEXT_KEYS, TOKEN_KEYS
from spanferry.corpora.readers.common.layouts import character_keys, counts_tokens, from_token_spans, known_layout
from spanferry.corpora.readers.common.rows import RowKeys, row_id, row_to_example
from spanferry.corpora.readers.common.tagged import class_name, tagged_row, tags_column
from spanferry.corpora.readers.qa_rows import QA_COLUMNS, squad_answers
from spanferry.corpora.schema import TEXT, Example
from spanferry.corpora.signature import Signature
from spanferry.corpora.stored import switch_schema as switched
from spanferry.corpora.stored.rows import TAKEN
from spanferry.corpora.text.offsets import Unit
from spanferry.corpora.text.tags import ReadScheme


class Part(NamedTuple):
    """One split: its name, its columns, the names of the classes of each column that has any, and a way to its rows."""

    split: str
    columns: list[str]
    classes: dict[str, tuple[str, ...]]
    rows: Callable[[], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class TableReader(RowReader):
    """What the readers of Hugging Face data share.

    A row with ``text_key`` (or ``texts``, or ``text_fields``) is a text with spans; else a row with ``tokens_key`` and
    ``tags_key`` is tagged tokens, which are joined to text. Class numbers become the names of the classes. Rows come
    batch by batch; all other columns go to ``meta``.

    Attributes:
        path: The folder, the file, or the hub id.
        lang: BCP-47 tag of the texts; a column ``lang`` in a row goes before it.
        split: The split to read; "auto": all of them, each row in its own.
        tokens_key: Column of the tokens.
        tags_key: Column of the tags.
        tag_names: The tags by number, where the data does not name them (``O,B-PER,I-PER``).
        scheme: Scheme of the tags: ``iob2``, ``iob1``, ``bioes`` or ``io``.
        repair: Takes a tag that continues nothing as the start of a span, instead of rejecting the row.
        text_key: Column of the text.
        text_fields: Columns of several texts in one row.
        spans_key: Column of the spans.
        label_key: Column of the label of the whole example.
        id_key: Column of the id.
        offsets: What offsets count: ``codepoint``, ``utf16`` or ``byte``; ``token``: the tokens of rows without a text.
        end: Whether a span's end is one past its last unit (exclusive) or that unit (inclusive).
        ignore: Columns that may hold what looks like labels and are passed over.
    """

    name: ClassVar[str]

    path: Path
    lang: str
    split: str = AUTO_SPLIT
    tokens_key: str = "tokens"
    tags_key: str = "ner_tags"
    tag_names: tuple[str, ...] = ()
    scheme: ReadScheme = "iob2"
    repair: bool = False
    text_key: str = "text"
    text_fields: tuple[str, ...] = ()
    spans_key: str = "spans"
    label_key: str = "label"
    id_key: str = "id"
    offsets: Unit | Literal["token"] = "codepoint"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    ignore: tuple[str, ...] = ()

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        # In a folder each file or subfolder names the split of its own rows, and the hash has their names.
        named = split_of(self.path) if isinstance(self.path, Path) and self.path.is_file() else "train"
        return source_signature(self, self._hash(), split=named if self.split == AUTO_SPLIT else self.split)

    def _rows(self) -> Iterator[Draft | Note]:
        parts = self._parts()
        yield from self._notes()
        if self.split != AUTO_SPLIT:
            if self.split not in [part.split for part in parts]:
                raise unknown_name("split", self.split, [part.split for part in parts])
            parts = [part for part in parts if part.split == self.split]
        keys = RowKeys(
            text=self.text_key,
            fields=self.text_fields,
            spans=self.spans_key,
            label=self.label_key,
            id=self.id_key,
            offsets="codepoint" if self.offsets == "token" else self.offsets,
            inclusive=self.end == "inclusive",
            ignore=self.ignore,
        )
        number = 0
        for part in parts:
            tagged = self._is_tagged(part)
            classes = dict(part.classes)
            if self.tag_names:
                classes[self.tags_key] = self.tag_names
            for row in part.rows():
                number += 1
                yield self._draft(row, keys, classes, number, part.split, tagged)

    def _fit(self) -> Fit | None:
        return None if self.offsets == "token" else super()._fit()

    def _is_tagged(self, part: Part) -> bool | None:
        """Whether rows are tagged tokens rather than texts; None where other tools' columns leave it to each row."""
        if fields_of_ours(part.columns):
            return False
        columns = set(part.columns)
        has_text = bool({self.text_key, "texts", *self.text_fields} & columns) or set(QA_COLUMNS) <= columns
        tags = {self.tags_key} & columns or {*TAG_KEYS} & columns
        # Spans go before tags: our own data has both.
        if self.tokens_key in columns and tags and not (has_text and {self.spans_key, *SPAN_KEYS} & (columns - tags)):
            return True
        if has_text:
            return False
        if {*TEXT_KEYS, *TOKEN_KEYS} & columns:
            return None
        wanted = f"a column {self.text_key!r} nor {self.tokens_key!r} and {self.tags_key!r}"
        raise InputError(
            f"split {part.split!r} has neither {wanted}",
            where=str(self.path),
            valid=part.columns,
            hint="--set read.options.text_key=NAME, or read.options.tokens_key=NAME and read.options.tags_key=NAME",
        )

    def _draft(
        self,
        row: dict[str, Any],
        keys: RowKeys,
        classes: Mapping[str, tuple[str, ...]],
        number: int,
        split: str,
        tagged: bool | None,
    ) -> Draft:
        name = row_id(row, keys, number)

        def make() -> Example:
            plain = _plain(row)
            for column, names in classes.items():
                if column != self.tags_key:  # those are read as tags
                    _name_classes(plain, column.split("."), names)
            if tagged:
                return self._tagged(plain, keys, classes, name, split)
            if not keys.fields and keys.text == TEXT and (ours := fields_of_ours(list(plain))):
                texts = {field: plain.pop(column) for column, field in ours.items()}
                plain["texts"] = {field: text for field, text in texts.items() if text is not None}
                if "switches" in plain and len(texts) > 1:
                    plain.pop("tokens", None)  # those of all fields together
            else:
                plain = known_layout(plain, keys)
                if counts_tokens(plain, keys):
                    plain = from_token_spans(plain, keys, self.lang, self.offsets == "token")
                    return row_to_example(plain, character_keys(keys), number=number, lang=self.lang, split=split)
                if tagged is None and tags_column(plain, self.tokens_key, self.tags_key):
                    return self._tagged(plain, keys, classes, name, split)
            if isinstance(plain.get(keys.spans), list):
                plain.pop(self.tags_key, None)  # the same labels once more
            if answers := squad_answers(plain, keys):
                plain = answers
            return row_to_example(plain, keys, number=number, lang=self.lang, split=split)

        return Draft(name, f"{self.path}, {split} row {name}", lambda: dump_raw(row), split, make)

    def _tagged(
        self, row: dict[str, Any], keys: RowKeys, classes: Mapping[str, tuple[str, ...]], name: str, split: str
    ) -> Example:
        tags_key = tags_column(row, self.tokens_key, self.tags_key) or self.tags_key
        names = classes.get(tags_key) or self.tag_names
        tags = row.get(tags_key)
        if not names and isinstance(tags, list) and any(isinstance(tag, int) for tag in tags):
            raise InputError(
                f"the column {tags_key!r} holds numbers, and the data does not name their classes",
                where=str(self.path),
                hint="--set read.options.tag_names=O,B-PER,I-PER names them, in order",
            )
        return tagged_row(
            row,
            name,
            keys,
            tokens_key=self.tokens_key,
            tags_key=tags_key,
            names=names,
            scheme=self.scheme,
            repair=self.repair,
            lang=self.lang,
            split=split,
        )

    def _notes(self) -> list[Note]:
        """What of the data as a whole is left out."""
        return []

    @abstractmethod
    def _parts(self) -> list[Part]:
        """The splits, in the order of the data."""

    @abstractmethod
    def _hash(self) -> str:
        """Eight hex digits that follow from the content."""


def fields_of_ours(columns: Sequence[str]) -> dict[str, str]:
    """Text field by column of a dataset that our writers made, projected or code-switched; empty for any other."""
    names = set(columns)
    if not {"id", "lang", "spans", "relations", "meta"} <= names:
        return {}
    first = columns.index("lang") + 1
    if {"source", "projections", "signature"} <= names:
        return {column: field_of(column, TAKEN) for column in columns[first : columns.index("spans")]}
    if {"switches", "source_id", "tokens"} <= names:
        return {column: switched.field_of(column) for column in columns[first : columns.index("tokens")]}
    return {}


def _name_classes(row: dict[str, Any], path: Sequence[str], names: Sequence[str]) -> None:
    """Puts the names of classes in place of their numbers in a column, or in a key of what it holds."""
    column, *inner = path
    value = row.get(column)
    if inner:
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, dict):
                _name_classes(item, inner, names)
    elif isinstance(value, list):
        row[column] = [class_name(item, names, column) if isinstance(item, int) else item for item in value]
    elif isinstance(value, int):
        row[column] = class_name(value, names, column) if value >= 0 else None  # -1 stands for no class


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row in JSON values; ``meta`` may be a JSON string, as our own writers have it."""
    plain: dict[str, Any] = json.loads(json.dumps(row, default=str))
    if isinstance(meta := plain.get("meta"), str):
        try:
            plain["meta"] = json.loads(meta)
        except ValueError:
            plain["meta"] = {"meta": meta}
    return plain
