"""What a writer is, what it reports, and what all writers need to know before the first row is written."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

from spanferry.corpora.arrow import PAIR_SCHEMA, pairs_from_table, pairs_to_table
from spanferry.corpora.errors import OutputError
from spanferry.corpora.placing import whole_relations
from spanferry.corpora.schema import TEXT, Example, Pair, Relation, Span

REJECTED = "rejected"
EVERYTHING = frozenset({"overlap", "discontinuous", "scores", "relations", "fields"})

_HINTS = {
    "overlap": "spans that overlap",
    "discontinuous": "discontinuous spans",
    "relations": "relations",
    "fields": "spans in a second text field",
    "spans": "labelled spans",
    "line_breaks": "line breaks inside a text",
    "control": "control characters",
    "unanswerable": "questions without an answer",
    "label_space": "labels with white space in them",
    "white_space": "spans that start, end or lie in white space",
}


@dataclass(frozen=True)
class WriteReport:
    """What was written.

    Attributes:
        rows: Rows by split, in the order of the splits; ``rejected`` last, always there.
        lost: What the format could not hold, by kind: ``overlap``, ``discontinuous``, ``relations``, ``fields``,
            ``white_space``, and what never stops the writing: ``attributes`` (of spans) and ``not_in_tags`` (spans that
            the column ``spans`` holds and ``ner_tags`` can't); empty if nothing was.
        files: The files, relative to the output folder, sorted.
    """

    rows: dict[str, int]
    lost: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@runtime_checkable
class Writer(Protocol):
    """Pairs to files in a format.

    >>> from spanferry.corpora.writers import open_writer
    >>> sorted(open_writer("conll").holds)
    ['scores']
    """

    @property
    def holds(self) -> frozenset[str]:
        """What the format keeps, out of ``EVERYTHING``."""
        ...

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """Writes all pairs into the folder ``out``: those kept by split, those rejected beside them.

        An iterator is first stored on the disk, since some formats need to know all labels before the first row;
        anything that can be iterated twice is not. Memory does not grow with the rows. The same pairs give the same
        bytes however they are batched. Files of an earlier output in ``out`` are replaced, others are left alone.

        Raises:
            OutputError: The format can't hold something, and the option ``allow_loss`` was not chosen.
        """
        ...


@dataclass
class Survey:
    """A first look at all rows.

    Attributes:
        rows: Kept rows by split, in order of first appearance.
        rejected: Number of rejected rows.
        fields: Text fields of the kept rows' targets and sources, in order of first appearance.
        rejected_fields: Likewise of the rejected rows.
        labels: Labels of the kept rows' target spans.
        classes: Labels of the kept rows as a whole, as text.
        label_types: Types of the labels of all rows as a whole.
        in_tags: Kept rows with spans all of which tags over the first field can hold, see ``beyond_tags``.
        beyond_tags: Kept rows with a span that they can't hold.
    """

    rows: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    fields: dict[str, None] = field(default_factory=dict)
    rejected_fields: dict[str, None] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    label_types: set[type] = field(default_factory=set)
    in_tags: int = 0
    beyond_tags: int = 0

    def groups(self) -> list[tuple[str, tuple[str, ...], int]]:
        """(name, text fields, rows) of each split and of the rejected rows, which come last."""
        kept, rejected = tuple(self.fields) or (TEXT,), tuple(self.rejected_fields) or tuple(self.fields) or (TEXT,)
        splits = [(name, kept, count) for name, count in (self.rows or {"train": 0}).items()]
        return [*splits, (REJECTED, rejected, self.rejected)]


def survey(batches: Iterable[list[Pair]]) -> Survey:
    """Looks at all rows.

    Raises:
        OutputError: A split is called ``rejected``, or what can't be a file name.
    """
    seen = Survey()
    for pair in (pair for batch in batches for pair in batch):
        fields = seen.fields if pair.kept else seen.rejected_fields
        for example in (pair.target, pair.source):
            fields.update(dict.fromkeys(example.texts if example else ()))
        seen.label_types |= {type(e.label) for e in (pair.target, pair.source) if e and e.label is not None}
        if not pair.kept:
            seen.rejected += 1
            continue
        seen.rows[pair.source.split] += 1
        seen.labels.update(span.label for span in (pair.target or pair.source).spans)
        if (pair.target or pair.source).spans:
            is_beyond = bool(beyond_tags(pair.target or pair.source))
            seen.beyond_tags += is_beyond
            seen.in_tags += not is_beyond
        if (label := (pair.target or pair.source).label) is not None:
            seen.classes.add(str(label))
    for split in seen.rows:
        check_split(split, "read")
    return seen


def beyond_tags(example: Example) -> Counter[str]:
    """Counts of the spans that no tags over the first field can hold: ``overlap``, ``discontinuous``, ``fields``."""
    first = next(iter(example.texts))
    lost: Counter[str] = Counter(fields=sum(span.field != first for span in example.spans))
    end = 0
    for span in sorted((s for s in example.spans if s.field == first), key=lambda s: (s.start, s.end)):
        lost["overlap"] += span.start < end
        lost["discontinuous"] += bool(span.fragments)
        end = max(end, span.end)
    return +lost


def held_relations(example: Example, lost: Counter[str]) -> tuple[Relation, ...]:
    """The relations of which both spans are there; those that would dangle are counted in ``lost``."""
    whole = whole_relations(example.relations, example.spans)
    if dangling := len(example.relations) - len(whole):
        lost["relations"] += dangling
    return whole


def lost_attributes(spans: Iterable[Span]) -> Counter[str]:
    """``attributes``: how many spans have some, for formats that can't hold them."""
    count = sum(bool(span.attributes) for span in spans)
    return Counter(attributes=count) if count else Counter()


def check_split(split: str, section: str) -> str:
    """The split, if it can be a folder's and a file's name.

    Args:
        split: Its name.
        section: Where the configuration has the reader's options.

    Raises:
        OutputError: It can't.
    """
    named = split.replace("_", "").replace(".", "").replace("-", "")
    if split == REJECTED or not named.isalnum() or split[0] == ".":
        raise OutputError(
            f"a split can't be called {split!r}",
            valid="letters, digits, '_', '-' and '.', and not 'rejected'",
            hint=f"--set {section}.options.split=train",
        )
    return split


def group_of(pair: Pair) -> str:
    """The split of a kept pair, else ``rejected``."""
    return pair.source.split if pair.kept else REJECTED


def subject(pair: Pair) -> Example:
    """What formats of one language write of a pair: the target, or the source where there is no target."""
    return pair.target or pair.source


@contextmanager
def replayable(batches: Iterable[list[Pair]], folder: Path) -> Iterator[Iterable[list[Pair]]]:
    """Batches that can be iterated more than once; those of an iterator are stored in ``folder`` meanwhile."""
    if iter(batches) is not batches:
        yield batches
        return
    spool = folder / ".spool.arrow"
    try:
        with pa.OSFile(str(spool), "wb") as sink, pa.ipc.new_stream(sink, PAIR_SCHEMA) as stream:
            for batch in batches:
                stream.write_table(pairs_to_table(batch))
        yield _Spooled(spool)
    finally:
        spool.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Spooled:
    path: Path

    def __iter__(self) -> Iterator[list[Pair]]:
        with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as reader:
            for batch in reader:
                yield pairs_from_table(pa.Table.from_batches([batch]))


def refuse_loss(lost: Counter[str], where: str, format_name: str, writer: str) -> None:
    """Raises the error for what a format can't hold, if there is anything.

    Raises:
        OutputError: Always, if ``lost`` counts something.
    """
    kind = next((k for k, n in lost.items() if n), None)
    if kind:
        raise OutputError(
            f"the format {format_name} can't hold {_HINTS[kind]} ({kind}: {lost[kind]} in this example)",
            where=where,
            valid="jsonl, arrow and parquet hold everything",
            hint=f"--set output.options.{writer}.allow_loss=true drops them and counts what was lost",
        )
