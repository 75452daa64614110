"""doccano's JSONL export of a sequence labelling project."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.base import BadRow, FileReader, bad_row
from spanferry.corpora.readers.rows import RowKeys, row_to_example
from spanferry.corpora.readers.text import read_lines
from spanferry.corpora.schema import Example
from spanferry.corpora.text.offsets import Unit

_ABOUT_PREDICTIONS = ("scores", "source", "reasons", "Comments")


@dataclass(frozen=True)
class DoccanoReader(FileReader):
    """Reads ``{"text", "label": [[start, end, "PER"]]}`` or ``{"text", "entities", "relations"}``, one on each line.

    The text may also be called ``data``, the labels ``labels`` or ``entities``. Rows that our writer made get their id,
    language and split back. A line that is no example is a bad row.

    Attributes:
        offsets: What offsets count: UTF-16 units, as doccano does; ``codepoint`` for files of other origin.
        encoding: Of the file.
    """

    name: ClassVar[str] = "doccano"

    offsets: Unit = "utf16"
    encoding: str = "utf-8"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: The file is missing, empty, or not in its encoding.
        """
        count = 0
        for line_number, line in read_lines(self.path, self.encoding):
            if line.strip():
                count += 1
                yield self._line(line, f"{self.path}:{line_number}", count)

    def _line(self, line: str, where: str, number: int) -> Example | BadRow:
        split, name = self.rows_split, str(number)
        try:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise RowError("bad_json", f"not JSON ({error})") from error
            if not isinstance(row, dict):
                raise RowError("bad_json", f"a JSON {type(row).__name__}, not an object")
            name = str(row.pop("example_id", None) or row.get("id") or number)
            split = row.pop("split", None) or split if self.split == "auto" else self.split
            return row_to_example(
                _plain(row, name), RowKeys(offsets=self.offsets), number=number, lang=self.lang, split=split
            )
        except RowError as error:
            return bad_row(error, name, where, line, split)


def _plain(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The row in the keys that all readers of rows share; what doccano does not know goes to ``meta``."""
    text = row.pop("text", row.pop("data", None))
    spans = row.pop("entities", None)
    for key in ("label", "labels"):
        found = row.pop(key, None)
        spans = found if spans is None else spans
    relations = row.pop("relations", None) or []
    label, lang = row.pop("class", None), row.pop("lang", None)
    meta = {key: value for key, value in row.items() if key not in ("id", "meta", *_ABOUT_PREDICTIONS)}
    made = {"id": name, "lang": lang, "text": text, "label": label, "meta": meta}
    made["spans"] = [_span(span) if isinstance(span, Mapping) else span for span in spans or []]
    made["relations"] = [
        {"head": str(r.get("from_id")), "tail": str(r.get("to_id")), "label": str(r.get("type"))}
        for r in relations
        if isinstance(r, Mapping)
    ]
    return made


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    known = ("start_offset", "start", "end_offset", "end", "label", "id")
    return {key: value for key, value in span.items() if key not in known} | {
        "start": span.get("start_offset", span.get("start")),
        "end": span.get("end_offset", span.get("end")),
        "label": span.get("label"),
        "id": str(span["id"]) if "id" in span else "",
    }
