"""Rows that are another row again."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar, Literal

import polars as pl

from spanferry.corpora.filters.base import Column, FilterModel, Rule, Scope
from spanferry.corpora.schema import Example, Pair


class Duplicates(FilterModel):
    """Rejects all rows but the first, in row order, that have the same texts and labels in the same split.

    Attributes:
        side: Which side's texts and labels make two rows one: ``target`` (what a model will be trained on), ``source``,
            or ``both``.
        splits: Splits in which it looks. Not in test data by default: gold is not noise, and a score must stay
            comparable to those that others report on the same rows.
    """

    name: ClassVar[str] = "duplicates"
    scope: ClassVar[Scope] = "corpus"
    scoring: ClassVar[tuple[str, ...]] = ("side", "splits")

    side: Literal["target", "source", "both"] = "target"
    splits: tuple[str, ...] = ("train",)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``duplicates.key``: a digest of texts and labels."""
        return (Column("duplicates.key", pl.String),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None for a row that is rejected already: it is in nobody's way."""
        return {"duplicates.key": [self._key(p) for p in pairs]}

    def reject(self) -> list[Rule]:
        """``duplicates:row``."""
        key = pl.col("duplicates.key")
        return [("duplicates:row", key.is_not_null() & ~key.is_first_distinct())]

    def _key(self, pair: Pair) -> str | None:
        if pair.target is None or not pair.kept or pair.target.split not in self.splits:
            return None
        sides = {"target": (pair.target,), "source": (pair.source,), "both": (pair.source, pair.target)}[self.side]
        return digest([part for side in sides for part in (text_parts(side), label_parts(side))])


def text_parts(example: Example) -> tuple[str, ...]:
    """What makes two examples the same text: split, language, fields and texts."""
    return (example.split, example.lang, *(part for field in example.texts.items() for part in field))


def label_parts(example: Example) -> tuple[Any, ...]:
    """What makes two examples labelled alike: spans in text order whatever their ids, relations, the label."""
    spans = sorted((s.field, s.start, s.end, s.label, s.fragments) for s in example.spans)
    place = {s.id: (s.field, s.start, s.end, s.label) for s in example.spans}
    relations = sorted((r.label, str(place.get(r.head)), str(place.get(r.tail))) for r in example.relations)
    return (example.label, spans, relations)


def digest(parts: Any) -> str:
    """24 hexadecimal digits of ``parts``: two keys of a hundred million rows meet with a chance below 1e-12."""
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
