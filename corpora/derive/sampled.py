"""Sentence pairs drawn so that small languages are seen more often than their share."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.derive.base import directions_of, key_of
from spanferry.corpora.derive.sampling import direction_shares, quotas
from spanferry.corpora.multiway import Direction, MultiRow, pairs_of
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class Sampled:
    """Sentence pairs sampled by share^alpha: the target language first, then the source given the target.

    Every direction gets its quota exactly: of a direction with more pairs than that some are drawn, one with fewer
    repeats all of them, ``copy`` counting from 0. Keys of 8 bytes per row and direction are in memory.

    Attributes:
        directions: As ``en-es``; empty: every ordered pair of the row's languages.
        alpha: Exponent of the target's share.
        beta: Exponent of the source's share, given the target.
        min_pairs: Directions with fewer pairs are left out.
        total: How many records to draw; by default as many as there are pairs.
        seed: Of the draw.
    """

    name: ClassVar[str] = "sampled"
    paper: ClassVar[str] = "multistage language sampling of CrossSum (Bhattacharjee et al. 2023, ACL)"
    differs: ClassVar[str] = "exact quotas over the whole set, where the paper draws the languages of each batch"
    task: ClassVar[str] = "translation"
    local: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    alpha: Annotated[float, Field(ge=0)] = 0.5
    beta: Annotated[float, Field(ge=0)] = 0.75
    min_pairs: Annotated[int, Field(ge=1)] = 30
    total: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        names = ("id", "source_lang", "target_lang", "source", "target", "row")
        return pa.schema([*((name, pa.string()) for name in names), ("copy", pa.int32())])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``sampled:too_few_pairs``, ``sampled:not_drawn``."""
        keys: dict[Direction, array[int]] = {}
        for row in rows:
            for source, target in pairs_of(row, directions_of(self.directions, row.languages)):
                keys.setdefault((source.lang, target.lang), array("Q")).append(self._key(row, source.lang, target.lang))
        counts = {name: len(found) for name, found in keys.items() if len(found) >= self.min_pairs}
        wanted = quotas(direction_shares(counts, self.alpha, self.beta), self.total or sum(counts.values()))
        limits = {}
        for name, quota in wanted.items():
            whole, left = divmod(quota, counts[name])
            limits[name] = (whole, sorted(keys[name])[left - 1] if left else -1)
        yield from self._drawn(rows, limits)

    def _drawn(self, rows: Iterable[MultiRow], limits: dict[Direction, tuple[int, int]]) -> Iterator[Record]:
        for row in rows:
            for source, target in pairs_of(row, directions_of(self.directions, row.languages)):
                name = (source.lang, target.lang)
                part = f"{row.id}_{source.lang}-{target.lang}"
                if name not in limits:
                    yield Record(part, {}, row.split, ("sampled:too_few_pairs",))
                    continue
                whole, last = limits[name]
                copies = whole + (self._key(row, *name) <= last)
                if not copies:
                    yield Record(part, {}, row.split, ("sampled:not_drawn",))
                values = {
                    "source_lang": source.lang,
                    "target_lang": target.lang,
                    "source": source.text,
                    "target": target.text,
                    "row": row.id,
                }
                for copy in range(copies):
                    yield Record(part if not copy else f"{part}.{copy}", {**values, "copy": copy}, row.split)

    def _key(self, row: MultiRow, source: str, target: str) -> int:
        return key_of(self.seed, "sampled", row.id, source, target)
