"""JSON with spans: one object on each line, or a list of objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.base import BadRow, Draft, FileReader, bad_row
from spanferry.corpora.readers.common.fit import Fit
from spanferry.corpora.readers.common.json_rows import JsonRow, json_rows
from spanferry.corpora.readers.common.layouts import character_keys, counts_tokens, from_token_spans, known_layout
from spanferry.corpora.readers.common.rows import RowKeys, row_id, row_to_example, spans_key
from spanferry.corpora.readers.common.tagged import tagged_row, tags_column
from spanferry.corpora.readers.qa_rows import squad_answers
from spanferry.corpora.schema import Example
from spanferry.corpora.text.offsets import Unit
from spanferry.corpora.text.tags import ReadScheme


@dataclass(frozen=True)
class JsonlReader(FileReader):
    """Reads ``{"id", "lang", "text" or "texts", "spans": [{"start", "end", "label"}], "relations", "label", "meta"}``.

    Only the text is required. A span may have ``id``, ``field`` and ``fragments``, and ``quote`` or ``text``, which is
    checked against the offsets; it may also be ``[start, end, label]``. ``tokens`` is a list of ``[start, end]`` or of
    strings, for several fields a mapping of such lists. Keys that mean nothing here are kept in ``meta``.
    A line that is not an example is a bad row, ``bad_json`` if it is not a JSON object. A file may also be one JSON
    value: a list of rows, or an object that holds them under one key, by split or by id; it is held in memory then.

    The keys of other tools are known too where only one of them holds spans: ``entities``, ``ents``, ``labels`` …, a
    span's ``start_offset``, ``type`` …, ``[text, {"entities": …}]``, tokens with tags, the hub's ``answers`` of SQuAD,
    Prodigy's ``answer`` and relations, MASSIVE's ``annot_utt``, GLiNER's ``tokenized_text``. A key that nothing reads
    and that looks like labels makes a bad row, ``unread_labels``.

    Attributes:
        text_key: Key of the text.
        text_fields: Keys of several texts in one row, such as question and context.
        spans_key: Key of the spans.
        label_key: Key of the label of the whole example.
        id_key: Key of the id.
        lang_key: Key of the language.
        start_key: Key of a span's start.
        end_key: Key of a span's end.
        span_label_key: Key of a span's label.
        offsets: What offsets count: Unicode code points, UTF-16 units (JavaScript, Java) or UTF-8 bytes; ``token``: the
            tokens of rows without a text.
        end: Whether a span's end is one past its last unit (exclusive) or that unit (inclusive).
        tags_key: Key of the tags of ``tokens``, for rows without spans.
        tag_names: The tags by number, where they are numbers (``O,B-PER,I-PER``).
        scheme: Scheme of the tags: ``iob2``, ``iob1``, ``bioes`` or ``io``.
        repair: Takes a tag that continues nothing as the start of a span, instead of rejecting the row.
        ignore: Keys that may hold what looks like labels and are passed over.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "jsonl"

    text_key: str = "text"
    text_fields: tuple[str, ...] = ()
    spans_key: str = "spans"
    label_key: str = "label"
    id_key: str = "id"
    lang_key: str = "lang"
    start_key: str = "start"
    end_key: str = "end"
    span_label_key: str = "label"
    offsets: Unit | Literal["token"] = "codepoint"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    tags_key: str = "ner_tags"
    tag_names: tuple[str, ...] = ()
    scheme: ReadScheme = "iob2"
    repair: bool = False
    ignore: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft | BadRow]:
        keys = self._keys()
        for number, given in enumerate(json_rows(self.path, self.encoding), 1):
            yield self._draft(given, number, keys)

    def _keys(self) -> RowKeys:
        return RowKeys(
            self.text_key,
            self.text_fields,
            self.spans_key,
            self.label_key,
            self.id_key,
            self.lang_key,
            self.start_key,
            self.end_key,
            self.span_label_key,
            "codepoint" if self.offsets == "token" else self.offsets,
            self.end == "inclusive",
            self.ignore,
        )

    def _fit(self) -> Fit | None:
        return None if self.offsets == "token" else super()._fit()

    def _draft(self, given: JsonRow, number: int, keys: RowKeys) -> Draft | BadRow:
        found = given.value
        split = given.split or self.rows_split
        if isinstance(found, RowError):
            return bad_row(found, str(number), given.where, given.raw, split)
        name = row_id(found, keys, number)
        if self.split == "auto" and found.get("split") is not None:
            split = found.pop("split")

        def make() -> Example:
            if found.get("answer") in ("reject", "ignore"):
                raise RowError("not_accepted", f"the annotator's answer is {found['answer']!r}", where=name)
            row = known_layout(found, keys)
            if counts_tokens(row, keys):
                row = from_token_spans(row, keys, self.lang, self.offsets == "token")
                return row_to_example(row, character_keys(keys), number=number, lang=self.lang, split=split)
            has_text = isinstance(row.get(keys.text), str)
            tags = None if has_text and row.get(spans_key(row, keys)) is not None else self._tags(row)
            if tags:
                return tagged_row(
                    row,
                    name,
                    keys,
                    tokens_key="tokens",
                    tags_key=tags,
                    names=self.tag_names,
                    scheme=self.scheme,
                    repair=self.repair,
                    lang=self.lang,
                    split=split,
                )
            plain = squad_answers(row, keys) or row
            return row_to_example(plain, keys, number=number, lang=self.lang, split=split)

        return Draft(name, given.where, lambda: given.raw, split, make)

    def _tags(self, row: dict[str, Any]) -> str | None:
        return tags_column(row, "tokens", self.tags_key)
