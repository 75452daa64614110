"""JSON Lines with spans: one object on each line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.base import BadRow, FileReader, bad_row
from spanferry.corpora.readers.rows import RowKeys, Unit, row_id, row_to_example
from spanferry.corpora.readers.text import read_lines
from spanferry.corpora.schema import Example


@dataclass(frozen=True)
class JsonlReader(FileReader):
    """Reads ``{"id", "lang", "text" or "texts", "spans": [{"start", "end", "label"}], "relations", "label", "meta"}``.

    Only the text is required. A span may have ``id``, ``field`` and ``fragments``, and ``quote`` or ``text``, which is
    checked against the offsets; it may also be ``[start, end, label]``. ``tokens`` is a list of ``[start, end]`` or of
    strings, for several fields a mapping of such lists. Keys that mean nothing here are kept in ``meta``.
    A line that is no example is a bad row, ``bad_json`` if it is no JSON object.

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
        offsets: What offsets count: Unicode code points, UTF-16 units (JavaScript, Java) or UTF-8 bytes.
        end: Whether a span's end is one past its last unit (exclusive) or that unit (inclusive).
        encoding: Of the file.
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
    offsets: Unit = "codepoint"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    encoding: str = "utf-8"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: The file is missing, empty, or not in its encoding.
        """
        keys = RowKeys(
            self.text_key,
            self.text_fields,
            self.spans_key,
            self.label_key,
            self.id_key,
            self.lang_key,
            self.start_key,
            self.end_key,
            self.span_label_key,
            self.offsets,
            self.end == "inclusive",
        )
        count = 0
        for line_number, line in read_lines(self.path, self.encoding):
            if line.strip():
                count += 1
                yield self._row(line, f"{self.path}:{line_number}", count, keys)

    def _row(self, line: str, where: str, number: int, keys: RowKeys) -> Example | BadRow:
        split, name = self.rows_split, str(number)
        try:
            row = _object(line)
            name = row_id(row, keys, number)
            if self.split == "auto" and isinstance(row.get("split"), str):
                split = row.pop("split")
            return row_to_example(row, keys, number=number, lang=self.lang, split=split)
        except RowError as error:
            return bad_row(error, name, where, line, split)


def _object(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RowError("bad_json", f"not JSON ({error})") from error
    if not isinstance(row, dict):
        raise RowError("bad_json", f"a JSON {type(row).__name__}, not an object")
    return row
