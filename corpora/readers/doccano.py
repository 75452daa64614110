"""doccano's JSONL export of a sequence labelling project."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.base import BadRow, Draft, FileReader, bad_row
from spanferry.corpora.readers.common.json_rows import JsonRow, json_rows
from spanferry.corpora.readers.common.label_keys import known_keys, looks_like_spans, unpacked
from spanferry.corpora.readers.common.rows import RowKeys, row_to_example
from spanferry.corpora.text.offsets import Unit

_LABELS = ("entities", "label", "labels", "annotations")
_ABOUT_PREDICTIONS = ("scores", "source", "reasons", "Comments")


@dataclass(frozen=True)
class DoccanoReader(FileReader):
    """Reads ``{"text", "label": [[start, end, "PER"]]}`` or ``{"text", "entities", "relations"}``, one on each line.

    The text may also be called ``data``, the labels ``labels``, ``entities`` or ``annotations``; a label is then the
    number of its class, as such exports have it. Rows that our writer made get their id,
    language and split back. A line that is not an example is a bad row.

    Attributes:
        offsets: What offsets count: UTF-16 units, as doccano does; ``grapheme`` where the project allows for grapheme
            clusters; ``codepoint`` for files of other origin.
        end: Whether a span's end is one past its last unit (exclusive, as doccano writes it) or that unit (inclusive).
        ignore: Keys that may hold what looks like labels and are passed over.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "doccano"

    offsets: Unit = "utf16"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    ignore: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft | BadRow]:
        for number, given in enumerate(json_rows(self.path, self.encoding), 1):
            yield self._draft(given, number)

    def _draft(self, given: JsonRow, number: int) -> Draft | BadRow:
        row = given.value
        if isinstance(row, RowError):
            return bad_row(row, str(number), given.where, given.raw, given.split or self.rows_split)
        name = str(row.pop("example_id", None) or row.get("id") or number)
        split = given.split or self.rows_split
        if self.split == "auto":
            split = row.pop("split", None) or split
        keys = RowKeys(offsets=self.offsets, inclusive=self.end == "inclusive", ignore=self.ignore, aliases=False)
        return Draft(
            name,
            given.where,
            lambda: given.raw,
            split,
            lambda: row_to_example(_plain(row, name), keys, number=number, lang=self.lang, split=split),
        )


def _plain(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The row in the keys that all readers of rows share; what doccano does not know goes to ``meta``."""
    rest = dict(row)
    text = rest.pop("text", rest.pop("data", None))
    relations = _list(rest.pop("relations", None), "relations", "bad_relation")
    label, lang = rest.pop("class", None), rest.pop("lang", None)
    spans: list[Any] = []
    held = []
    for key in _LABELS:
        value = rest.get(key)
        if value in (None, [], ()):
            rest.pop(key, None)
            continue
        found = unpacked(value)
        if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str) and label is None:
            label = found[0]  # of a project that classifies texts
            rest.pop(key)
            continue
        spans = _list(found, key, "bad_span")
        held.append(key)
        rest.pop(key)
    if len(held) > 1:
        raise RowError(
            "unread_labels",
            f"labels under {' and '.join(map(repr, held))}: which of them counts?",
            where=name,
            hint=f"--set read.format=jsonl --set read.options.spans_key={held[0]} --set read.options.ignore={held[1]}",
        )
    meta = {key: value for key, value in rest.items() if key not in ("id", "meta", *_ABOUT_PREDICTIONS)}
    own = rest.get("meta")
    if own is not None:
        meta = {**own, **meta} if isinstance(own, Mapping) else {"meta": own, **meta}
    return {
        **{key: value for key, value in meta.items() if looks_like_spans(value)},
        "id": name,
        "lang": lang,
        "text": text,
        "label": label,
        "meta": {key: value for key, value in meta.items() if not looks_like_spans(value)},
        "spans": [_span(one) for span in spans for one in known_keys(span, "start", "end", "label")],
        "relations": [_relation(r, name) for r in relations],
    }


def _relation(r: Any, name: str) -> dict[str, Any]:
    if not isinstance(r, Mapping):
        raise RowError("bad_relation", f"{r!r:.60} is not a relation", where=name, valid="{from_id, to_id, type}")
    return {"head": str(r.get("from_id")), "tail": str(r.get("to_id")), "label": str(r.get("type"))}


def _list(value: Any, key: str, reason: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise RowError(reason, f"{key!r} holds {value!r:.60}, not a list")
    return value


def _span(span: Any) -> Any:
    """The span with its id as a string; its annotator is none of its label's business."""
    if not isinstance(span, Mapping):
        return span
    made = dict(span)
    if made.get("id") is not None:
        made["id"] = str(made["id"])
    return made
