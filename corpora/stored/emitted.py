"""An emitted Arrow dataset, opened without loading it: rows by number, batches in order, rows as pairs again.

The files are mapped into memory, so a row costs what it holds, and a batch goes when it is no longer looked at.
The columns are those of ``spanferry.corpora.stored.rows``; what is not emitted (tokens of the source) is not there.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from spanferry.corpora.attributes import attributes_from_json, with_earlier_attributes
from spanferry.corpora.checksums import check_data
from spanferry.corpora.columns import field_of
from spanferry.corpora.errors import InputError
from spanferry.corpora.foreign import foreign
from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span
from spanferry.corpora.stored.base import REJECTED
from spanferry.corpora.stored.rows import TAKEN
from spanferry.corpora.stored.switched import is_record, is_switched, record_pair, switched_pair

INDEX = "dataset_dict.json"
_NEEDED = ("id", "lang", "spans", "source", "projections", "reasons", "split")
_STRINGS = ("id", "lang", "split", "signature")  # the columns that must be text, where they are
_SPLIT = re.compile(r"[\w-][\w.-]*")


@dataclass(frozen=True)
class Part:
    """One file: its split (or ``rejected``), its batches, and the number of its first row in the dataset."""

    split: str
    batches: Sequence[pa.RecordBatch]
    first: int


class EmittedDataset:
    """A folder that ``spanferry.corpora.writers.arrow`` wrote.

    Args:
        folder: The folder with ``dataset_dict.json``.

    Raises:
        InputError: There is no such dataset, or a file of it is broken or has other columns.

    >>> import tempfile
    >>> from spanferry.corpora.schema import Example, Pair
    >>> from spanferry.corpora.writers import open_writer
    >>> folder = Path(tempfile.mkdtemp())
    >>> row = Example("1", "en", {"text": "Hello."})
    >>> open_writer("arrow").write([[Pair(row, row)]], folder).rows
    {'train': 1, 'rejected': 0}
    >>> EmittedDataset(folder).pair(0).source.id
    '1'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        hint = "spanferry run translate-train --input FILE --target es --out OUT"
        with foreign(folder, "not a dataset that Spanferry wrote", hint, f"a folder with {INDEX}, such as OUT/es"):
            splits = json.loads((folder / INDEX).read_text(encoding="utf-8"))["splits"]
            if not all(map(_SPLIT.fullmatch, splits)):  # a name with a slash would lead out of the folder
                raise ValueError(f"{splits!r} are not names of splits")
        check_data(folder)
        self.splits = [*splits, REJECTED]
        self.parts: list[Part] = []
        self._firsts: list[int] = []  # number of the first row of every batch
        self._flat: list[tuple[pa.RecordBatch, str]] = []
        self.rows = 0
        for split in self.splits:
            for path in sorted((folder / split).glob("data-*.arrow")):
                self._add(split, _open(path))

    def _add(self, split: str, batches: Sequence[pa.RecordBatch]) -> None:
        self.parts.append(Part(split, batches, self.rows))
        for batch in batches:
            self._firsts.append(self.rows)
            self._flat.append((batch, split))
            self.rows += batch.num_rows

    @cached_property
    def version(self) -> str:
        """Follows from the content: the digest of the fingerprints that the writer left."""
        return fingerprint(self.folder, self.splits)

    def row(self, number: int) -> dict[str, Any]:
        """Row ``number``, counted from 0 over all splits, the rejected rows last.

        Raises:
            IndexError: There is no such row.
        """
        return self.pick([number])[0]

    def pick(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of these numbers, in their order.

        Raises:
            IndexError: There is no such row.
        """
        found = []
        for number in numbers:
            if not 0 <= number < self.rows:
                raise IndexError(number)
            place = bisect_right(self._firsts, number) - 1
            batch, _ = self._flat[place]
            found.append(batch.slice(number - self._firsts[place], 1).to_pylist()[0])
        return found

    def pair(self, number: int) -> Pair:
        """Row ``number`` as a pair.

        Raises:
            InputError: The row holds something else than our writer puts there.
        """
        row = self.row(number)
        batch, split = self._flat[bisect_right(self._firsts, number) - 1]
        with self._foreign():
            return _reader(batch.schema)(row, group=split)

    def pairs(self) -> Iterator[list[Pair]]:
        """All rows as pairs, batch by batch, in order.

        Raises:
            InputError: A row holds something else than our writer puts there.
        """
        for batch, split in self._flat:
            with self._foreign():
                read = _reader(batch.schema)
                pairs = [read(row, group=split) for row in batch.to_pylist()]
            yield pairs

    def _foreign(self) -> AbstractContextManager[None]:
        return foreign(self.folder, "a row is not one that Spanferry wrote", "run the flow again")


def _reader(schema: pa.Schema) -> Callable[..., Pair]:
    if is_record(schema):
        return record_pair
    return switched_pair if is_switched(schema) else partial(row_to_pair, shape=shape_of(schema))


def is_readable(folder: Path) -> bool:
    """Whether the rows of a dataset have spans and can be read as pairs, judged by its first file."""
    path = min((p for p in folder.glob("*/data-*.arrow") if p.parent.name != REJECTED), default=None)
    if path is None:
        return False
    try:
        with pa.memory_map(str(path)) as file:
            schema = pa.ipc.open_stream(file).schema
            schema.to_string()
    except (pa.ArrowException, OSError, ValueError):
        return True  # what is wrong with it is reported when it is opened
    return is_switched(schema) or set(_NEEDED) <= set(schema.names)


@dataclass(frozen=True)
class Shape:
    """Text field by column of the target and by column of the source, and the names of the classes of ``label``."""

    target: Mapping[str, str]
    source: Mapping[str, str]
    classes: tuple[str, ...] | None


def shape_of(schema: pa.Schema) -> Shape:
    """What the columns are, inferred from their order and the metadata of their features."""
    classes = None
    if pa.types.is_integer(schema.field("label").type):
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names = features["label"].get("names")
        classes = None if names is None else tuple(names)
    target = {column: field_of(column, TAKEN) for column in text_columns(schema.names)}
    source = schema.field("source").type.names
    own = text_columns(source)
    return Shape(target, {column: field_of(column, set(source) - set(own)) for column in own}, classes)


def text_columns(names: Sequence[str]) -> list[str]:
    """The columns of text fields, which stand between ``lang`` and ``spans``."""
    return list(names[names.index("lang") + 1 : names.index("spans")])


def row_to_pair(row: Mapping[str, Any], *, shape: Shape, group: str) -> Pair:
    """The pair that an emitted row of a split, or of ``rejected``, was written from.

    Source tokens are lost, and the target's ``meta`` serves both where the source has none of its own.
    """
    origin, meta = row["source"], json.loads(row["meta"] or "{}")
    label = row["label"]
    if shape.classes is not None:
        label = shape.classes[label] if label is not None and 0 <= label < len(shape.classes) else None
    texts = {field: origin[column] for column, field in shape.source.items() if origin[column] is not None}
    source = Example(
        row["id"],
        origin["lang"],
        texts,
        tuple(map(_span, origin["spans"])),
        tuple(map(_relation, origin["relations"])),
        label,
        meta if origin.get("meta") is None else json.loads(origin["meta"]),
        split=row["split"],
    )
    target_texts = {field: row[column] for column, field in shape.target.items() if row[column] is not None}
    target = None
    if row["lang"] is not None:
        spans = tuple(map(_span, row["spans"]))
        relations = tuple(map(_relation, row["relations"]))
        target = Example(row["id"], row["lang"], target_texts, spans, relations, label, meta, split=row["split"])
    placed = {span.id: span for span in (target.spans if target else ())}
    projections = tuple(
        Projection(
            p["source_span_id"],
            placed.get(p["source_span_id"]) if p["placed"] else None,
            p["score"],
            p["method"],
            p["reason"],
        )
        for p in row["projections"]
    )
    scores = {s["name"]: s["value"] for s in row["scores"]}
    reasons = tuple(row["reasons"])
    return with_earlier_attributes(
        Pair(source, target, projections, scores, group != REJECTED, reasons, row["signature"])
    )


def fingerprint(folder: Path, splits: Sequence[str]) -> str:
    """The digest of the fingerprints in the ``state.json`` files, which follow from the content of the data."""
    digest = blake2b(digest_size=6)
    for split in splits:
        path = folder / split / "state.json"
        with foreign(path, "the dataset is not whole", "run the flow again"):
            state = json.loads(path.read_text(encoding="utf-8"))["_fingerprint"]
            digest.update(f"{split}:{state};".encode())
    return digest.hexdigest()


def _open(path: Path) -> list[pa.RecordBatch]:
    with foreign(path, "not an Arrow stream", "run the flow again"):
        reader = pa.ipc.open_stream(pa.memory_map(str(path)))
        reader.schema.to_string()  # names that are not text are an error here, not later
        batches = list(reader)
        for batch in batches:
            # Offsets that point elsewhere would kill the interpreter when they are followed.
            batch.validate(full=True)
    schema = batches[0].schema if batches else pa.schema([])
    for name in {*_STRINGS} & {*schema.names}:
        if schema.field(name).type != pa.string():
            raise InputError(f"the column {name!r} is not text", where=str(path), hint="run the flow again")
    needed = _NEEDED if batches and not (is_switched(schema) or is_record(schema)) else ()
    missing = [column for column in needed if column not in schema.names]
    if missing:
        raise InputError(
            f"the dataset has no column {missing[0]!r}",
            where=str(path),
            hint="the inspector opens what spanferry run wrote with the writer 'arrow'",
        )
    return batches


def _span(value: Mapping[str, Any]) -> Span:
    fragments = tuple((f["start"], f["end"]) for f in value["fragments"])
    attributes = attributes_from_json(value.get("attributes"))
    return Span(value["start"], value["end"], value["label"], value["id"], value["field"], fragments, attributes)


def _relation(value: Mapping[str, Any]) -> Relation:
    return Relation(value["head"], value["tail"], value["label"])
