"""Demonstrations: other rows of the set, shown as solved before the one that is asked for."""

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Literal

from rapidfuzz import fuzz, process

from spanferry.corpora.derive.base import key_of
from spanferry.corpora.multiway import MultiRow

By = Literal["random", "similar"]


class Shots:
    """Rows to demonstrate with. A row never demonstrates itself, and its translations are in the same row.

    Args:
        rows: All rows of the set.
        count: Demonstrations of a record.
        by: ``random``: by a digest of the seed and both ids; ``similar``: most alike in the record's own language.
        pool: Most rows that are looked at; a digest of the seed chooses them.
        seed: Of what is drawn.

    Demonstrations come from ``train`` where there is such a split, so that no test row is shown to another.
    """

    def __init__(self, rows: Iterable[MultiRow], count: int, by: By, pool: int, seed: int) -> None:
        self.count, self.by, self.seed = count, by, seed
        keyed = ((row.split != "train", key_of(seed, "pool", row.id), row.id, row) for row in rows)
        chosen = nsmallest(pool, keyed, key=lambda item: item[:3])
        learned = [item for item in chosen if not item[0]] or chosen
        self._pool = [row for *_, row in learned]
        self._texts: dict[tuple[str, str], list[str]] = {}

    def of(self, row: MultiRow, where: tuple[str, str], languages: Sequence[str]) -> list[MultiRow]:
        """Rows in the order in which they are tried; all have the languages.

        Args:
            row: The row that is asked for.
            where: Field and language by which rows are compared.
            languages: What a demonstration must have.
        """
        if self.by == "random":
            drawn = (key_of(self.seed, "shot", row.id, str(k)) for k in range(4 * self.count + 4))
            order = list(dict.fromkeys(key % len(self._pool) for key in drawn)) if self._pool else []
        else:
            order = self._nearest(row, where)
        fits = (self._pool[k] for k in order)
        return [r for r in fits if r.id != row.id and all(lang in r.examples for lang in languages)]

    def _nearest(self, row: MultiRow, where: tuple[str, str]) -> list[int]:
        field, lang = where
        if where not in self._texts:
            found = [r.examples[lang].texts.get(field, "") if lang in r.examples else "" for r in self._pool]
            self._texts[where] = found
        wanted = row.examples[lang].texts.get(field, "")
        scored = process.cdist([wanted], self._texts[where], scorer=fuzz.token_set_ratio)[0]
        return sorted(range(len(self._pool)), key=lambda k: (-scored[k], k))[: 4 * self.count + 4]
