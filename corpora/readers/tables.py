"""Tables with named columns and splits: rows of tagged tokens, or of texts with spans."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from spanferry.corpora.columns import field_of
from spanferry.corpora.errors import InputError, RowError, unknown_name
from spanferry.corpora.readers.base import AUTO_SPLIT, BadRow, bad_row, options_part
from spanferry.corpora.readers.rows import RowKeys, Unit, is_number, row_id, row_to_example
from spanferry.corpora.readers.tagged import tagged_example
from spanferry.corpora.schema import TEXT, Example, validate
from spanferry.corpora.stored import switch_schema as switched
from spanferry.corpora.stored.rows import TAKEN
from spanferry.corpora.text.tags import Scheme, read_tags


class Part(NamedTuple):
    """One split: its name, its columns, the names of the classes of each column that has any, and a way to its rows."""

    split: str
    columns: list[str]
    classes: dict[str, tuple[str, ...]]
    rows: Callable[[], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class TableReader(ABC):
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
        scheme: Of the tags: ``iob2``, ``iob1`` or ``bioes``.
        repair: Takes a tag that continues nothing as the start of a span, instead of rejecting the row.
        text_key: Column of the text.
        text_fields: Columns of several texts in one row.
        spans_key: Column of the spans.
        label_key: Column of the label of the whole example.
        id_key: Column of the id.
        offsets: What offsets count: ``codepoint``, ``utf16`` or ``byte``.
        end: Whether a span's end is one past its last unit (exclusive) or that unit (inclusive).
    """

    name: ClassVar[str]

    path: Path
    lang: str
    split: str = AUTO_SPLIT
    tokens_key: str = "tokens"
    tags_key: str = "ner_tags"
    tag_names: tuple[str, ...] = ()
    scheme: Scheme = "iob2"
    repair: bool = False
    text_key: str = "text"
    text_fields: tuple[str, ...] = ()
    spans_key: str = "spans"
    label_key: str = "label"
    id_key: str = "id"
    offsets: Unit = "codepoint"
    end: Literal["exclusive", "inclusive"] = "exclusive"

    @property
    def signature(self) -> str:
        """See ``Reader.signature``."""
        return f"src:{self.name}.{self.lang}{options_part(self)}@{self._hash()}"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: The data can't be loaded, or has neither texts nor tagged tokens.
            ConfigError: There is no such split.
        """
        parts = self._parts()
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
            offsets=self.offsets,
            inclusive=self.end == "inclusive",
        )
        number = 0
        for part in parts:
            tagged = self._is_tagged(part)
            classes = dict(part.classes)
            if self.tag_names:
                classes[self.tags_key] = self.tag_names
            for row in part.rows():
                number += 1
                yield self._example(row, keys, classes, number, part.split, tagged)

    def _is_tagged(self, part: Part) -> bool:
        if {self.text_key, "texts", *self.text_fields} & set(part.columns) or fields_of_ours(part.columns):
            return False
        if self.tokens_key in part.columns and self.tags_key in part.columns:
            return True
        wanted = f"a column {self.text_key!r} nor {self.tokens_key!r} and {self.tags_key!r}"
        raise InputError(
            f"split {part.split!r} has neither {wanted}",
            where=str(self.path),
            valid=part.columns,
            hint="--set read.options.text_key=NAME, or read.options.tokens_key=NAME and read.options.tags_key=NAME",
        )

    def _example(
        self,
        row: dict[str, Any],
        keys: RowKeys,
        classes: Mapping[str, tuple[str, ...]],
        number: int,
        split: str,
        tagged: bool,
    ) -> Example | BadRow:
        name = row_id(row, keys, number)
        try:
            row = _plain(row)
            label = row.get(keys.label)
            if keys.label in classes and isinstance(label, int):
                row[keys.label] = _class_name(label, classes[keys.label], keys.label) if label >= 0 else None
            if tagged:
                return self._tagged(row, keys, classes, name, split)
            if not keys.fields and keys.text == TEXT and (ours := fields_of_ours(list(row))):
                texts = {field: row.pop(column) for column, field in ours.items()}
                row["texts"] = {field: text for field, text in texts.items() if text is not None}
                if "switches" in row and len(texts) > 1:
                    row.pop("tokens", None)  # those of all fields together
            if isinstance(row.get(keys.spans), Mapping):
                row[keys.spans] = _rows_of(row[keys.spans])
            if isinstance(row.get(keys.spans), list):
                row.pop(self.tags_key, None)  # the same labels once more
            return row_to_example(row, keys, number=number, lang=self.lang, split=split)
        except RowError as error:
            raw = json.dumps(row, ensure_ascii=False, default=str)
            return bad_row(error, name, f"{self.path}, {split} row {name}", raw, split)

    def _tagged(
        self, row: dict[str, Any], keys: RowKeys, classes: Mapping[str, tuple[str, ...]], name: str, split: str
    ) -> Example:
        tokens, tags = row.pop(self.tokens_key) or [], row.pop(self.tags_key) or []
        if len(tokens) != len(tags):
            raise RowError("bad_tags", f"{len(tokens)} tokens and {len(tags)} tags", where=name)
        names = classes.get(self.tags_key)
        if names is None and any(isinstance(tag, int) for tag in tags):
            raise InputError(
                f"the column {self.tags_key!r} holds numbers, and the data does not name their classes",
                where=str(self.path),
                hint="--set read.options.tag_names=O,B-PER,I-PER names them, in order",
            )
        read = [_class_name(t, names, self.tags_key) if names and isinstance(t, int) else str(t) for t in tags]
        # An empty token marks nothing; published data has some.
        kept = [i for i, (token, tag) in enumerate(zip(tokens, read, strict=True)) if token or tag != "O"]
        if not kept or not all(tokens[i] for i in kept):
            raise RowError("empty_text", "no tokens, or a tagged one that is empty", where=name)
        found, problem = read_tags([read[i] for i in kept], self.scheme, repair=self.repair)
        if problem:
            raise RowError("bad_tags", problem.message, where=name, hint=problem.hint)
        label, lang = row.pop(keys.label, None), row.pop(keys.lang, None)
        row.pop(keys.id, None)
        example = tagged_example(
            name,
            lang if isinstance(lang, str) and lang else self.lang,
            [tokens[i] for i in kept],
            found,
            label=label if label is None or is_number(label) else str(label),
            split=split,
        )
        nested = row.pop("meta", None)
        meta = nested if isinstance(nested, dict) else {} if nested is None else {"meta": nested}
        return validate(replace(example, meta=meta | row))

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


def _class_name(number: int, names: tuple[str, ...], column: str) -> str:
    if isinstance(number, bool) or not 0 <= number < len(names):
        raise RowError("bad_class", f"{number} in {column!r} is no class", valid=f"0 to {len(names) - 1}")
    return names[number]


def _rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A mapping of lists, as older versions of ``datasets`` give lists of mappings, as a list of mappings."""
    if not all(isinstance(values, list) for values in columns.values()):
        raise RowError("bad_span", f"{dict(columns)!r} where a list was expected")
    if len({len(values) for values in columns.values()}) > 1:
        raise RowError("bad_span", f"lists of different lengths: {', '.join(columns)}")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row in JSON values; ``meta`` may be a JSON string, as our own writers have it."""
    plain: dict[str, Any] = json.loads(json.dumps(row, default=str))
    if isinstance(meta := plain.get("meta"), str):
        try:
            plain["meta"] = json.loads(meta)
        except ValueError:
            plain["meta"] = {"meta": meta}
    return plain
