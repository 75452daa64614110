"""What units, counterparts, constraints and samplers are."""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

from spanferry.corpora.switching.batches.arrays import Ints
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class Units:
    """Stretches of matrix words, disjoint and ascending.

    Attributes:
        item: (n_units,).
        first: First word in ``SwitchBatch.words``, (n_units,).
        last: One past the last word, (n_units,).
        span: The span that the unit is, (n_units,); -1: it is none.
    """

    item: Ints
    first: Ints
    last: Ints
    span: Ints

    @classmethod
    def of(cls, batch: SwitchBatch, first: Ints, last: Ints, span: Ints | None = None) -> "Units":
        """Units of these words."""
        spans = np.full(len(first), -1, np.int64) if span is None else span
        return cls(batch.word_item[first] if len(first) else first, first, last, spans)

    def take(self, which: Ints) -> "Units":
        """Those of a mask or of numbers."""
        return Units(self.item[which], self.first[which], self.last[which], self.span[which])

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True)
class Candidates:
    """What may stand in the place of units; several may be for one unit. Ascending by unit.

    Attributes:
        unit: (n_candidates,).
        lang: Place of the language in ``SwitchBatch.languages``, from 1, (n_candidates,).
        start: First code point in the pool, (n_candidates,).
        end: One past the last, (n_candidates,).
        first: Its first word in ``SwitchBatch.words``, (n_candidates,).
        last: One past its last word, (n_candidates,).
        aligned: Whether it is a stretch of the row's own text in that language, (n_candidates,).
    """

    unit: Ints
    lang: Ints
    start: Ints
    end: Ints
    first: Ints
    last: Ints
    aligned: np.ndarray

    @classmethod
    def of_words(cls, batch: SwitchBatch, unit: Ints, lang: int, first: Ints, last: Ints) -> "Candidates":
        """Candidates that are words first to last of the row's text in a language."""
        words = batch.words
        start = words.start[first] if len(first) else first
        end = words.end[last - 1] if len(last) else last
        return cls(unit, np.full(len(unit), lang, np.int64), start, end, first, last, np.ones(len(unit), bool))

    @classmethod
    def join(cls, parts: "list[Candidates]") -> "Candidates":
        """All candidates, by unit, then in the order of the parts."""
        columns = [
            np.concatenate([getattr(p, name) for p in parts]) if parts else np.zeros(0, np.int64)
            for name in cls.__dataclass_fields__
        ]
        joined = cls(*columns)
        return joined if len(parts) < 2 else joined.take(np.argsort(joined.unit, kind="stable"))

    def take(self, which: np.ndarray) -> "Candidates":
        """Those of a mask or of numbers."""
        return Candidates(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def moved(self, unit: Ints) -> "Candidates":
        """The same for other units."""
        return replace(self, unit=unit)

    def __len__(self) -> int:
        return len(self.unit)


class UnitFinder(Protocol):
    """Finds the units of a batch.

    Attributes:
        grows: Whether words without a link at the edges of a counterpart belong to it: in large units they do.
    """

    name: ClassVar[str]
    grows: ClassVar[bool]

    def find(self, batch: SwitchBatch) -> Units:
        """Disjoint units in the open items, ascending."""
        ...


class CounterpartFinder(Protocol):
    """Finds what may stand in the place of units."""

    name: ClassVar[str]

    def languages(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """The languages of its candidates, of those that were asked for."""
        ...

    def find(self, batch: SwitchBatch, units: Units, *, grows: bool, keys: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """Candidates, and for each unit without one the number of the reason, (n_units,); 0: it has one.

        Args:
            batch: The rows; entries are added to its pool.
            units: The units.
            grows: See ``UnitFinder``.
            keys: A random key per unit, for a choice among entries.
        """
        ...


class Constraint(Protocol):
    """Strikes out candidates."""

    name: ClassVar[str]

    def allowed(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """Whether each candidate may be used, (n_candidates,)."""
        ...


# Why a unit has no candidate: the number in arrays is the place here.
REASONS = (
    "",
    "no_counterpart",  # no link, no entry, no name
    "not_one_piece",  # its counterpart is not one stretch that belongs to it alone
    "not_projected",  # the span has no place in the other language
    "too_long",  # one word against many
    "copied",  # number, address, placeholder, code, markup
    "crosses_span",  # a span begins or ends inside the unit
    "span_lost",  # a span inside the unit has no place in the counterpart
    "outside_span",  # the unit lies in a span, its counterpart outside the projected one
    "same",  # the counterpart is the same string
    "constraint",  # not allowed by the constraint
)
REASON = {name: number for number, name in enumerate(REASONS)}
