"""The columns of code-switched rows."""

from collections.abc import Sequence

import pyarrow as pa

from spanferry.corpora import columns
from spanferry.corpora.arrow import RELATION, SPAN

SWITCH = pa.struct(
    [
        ("unit", pa.string()),  # its kind; "space": a blank put in or taken out
        ("counterpart", pa.string()),
        ("lang", pa.string()),
        ("field", pa.string()),
        ("start", pa.int64()),  # in the emitted text
        ("end", pa.int64()),
        ("text", pa.string()),
        ("source_start", pa.int64()),  # in the matrix text
        ("source_end", pa.int64()),
        ("source_text", pa.string()),
        ("from_start", pa.int64()),  # in the row's own text in that language; null: it comes from elsewhere
        ("from_end", pa.int64()),
    ]
)
_AFTER = [
    ("tokens", pa.list_(pa.string())),
    ("langs", pa.list_(pa.string())),  # per token; "": it belongs to no language
    ("ner_tags", pa.list_(pa.string())),  # per token, IOB2
    ("spans", pa.list_(SPAN)),
    ("relations", pa.list_(RELATION)),
    ("label", pa.string()),
    ("switches", pa.list_(SWITCH)),
    ("cmi", pa.float64()),
    ("spf", pa.float64()),
    ("unswitched", pa.string()),  # why no unit was switched; null: one was, or none was drawn
    ("source_id", pa.string()),
    ("copy", pa.int32()),
    ("meta", pa.string()),
]
BEFORE = ("id", "lang")
# "tags" is what versions before 0.2 called "ner_tags".
_TAKEN = frozenset({*BEFORE, *(name for name, _ in _AFTER), "tags", "split", "reasons"})


def schema_of(fields: Sequence[str]) -> pa.Schema:
    """The columns, with one per text field; a field that is called like another column has ``text_`` in front."""
    return pa.schema(
        [*((name, pa.string()) for name in BEFORE), *((column_of(f), pa.string()) for f in fields), *_AFTER]
    )


def column_of(field: str) -> str:
    """The column of a text field."""
    return columns.column_of(field, _TAKEN)


def field_of(column: str) -> str:
    """Reverse of ``column_of``."""
    return columns.field_of(column, _TAKEN)
