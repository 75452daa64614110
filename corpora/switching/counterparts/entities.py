"""Counterparts from a table of entities and their names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.files import cached_while_unchanged, content_hash
from spanferry.corpora.signature import Signature
from spanferry.corpora.switching.batches.arrays import fields, lists
from spanferry.corpora.switching.batches.base import REASON, Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.counterparts.entries import Weighted, chosen_entries, unit_strings

META_KEY = "entities"


@dataclass(frozen=True)
class EntityCounterparts:
    """Names of the same entity in other languages, from a table of ids and names.

    The table is TSV, ``id<TAB>language<TAB>name``, or JSON Lines, ``{"id": "Q90", "names": {"en": "Paris", …}}``. A
    span is linked by ``meta["entities"]`` (span id to entity id) where the row has it, else by its name in the matrix
    language, if only one entity is called so. The unit must be ``span``.

    Attributes:
        table: The file of ids and names.
        link_by_name: Whether spans without an id are linked by their name.
    """

    name: ClassVar[str] = "entities"

    table: str = ""
    link_by_name: bool = True

    def __post_init__(self) -> None:
        if not self.table or not Path(self.table).is_file():
            raise InputError(
                "no such table of entities", where=self.table or None, hint="--set counterpart.table=FILE.tsv"
            )

    @property
    def signature(self) -> Signature:
        """What the table holds."""
        return Signature(content_hash([Path(self.table)]))

    def languages(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """See ``CounterpartFinder.languages``: none given, all of the table."""
        known = sorted({lang for names in read_entities(self.table).values() for lang in names})
        for lang in given:
            if lang not in known:
                raise ConfigError(
                    f"the table has no name in {lang!r}", where=self.table, valid=known, hint="--language LANG"
                )
        return given or tuple(known)

    def find(self, batch: SwitchBatch, units: Units, *, grows: bool, keys: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """See ``CounterpartFinder.find``."""
        table = read_entities(self.table)
        coded = unit_strings(batch, units)
        names, numbers = coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        by_name = _unique_names(self.table, batch.matrix) if self.link_by_name else {}
        ids: list[str | None] = [by_name.get(name) for name in names]
        linked = numbers.copy()
        for unit, entity in _given(batch, units).items():
            linked[unit] = len(ids)
            ids.append(entity)
        everything = np.arange(len(units))
        parts = []
        for code, lang in enumerate(batch.languages, 1):
            entries: dict[str, Weighted] = {
                str(k): ((table[i][lang], 1.0),)
                for k, i in enumerate(ids)
                if i is not None and lang in table.get(i, {})
            }

            def lookup(name: str, entries: Mapping[str, Weighted] = entries) -> Weighted:
                return entries.get(name, ())

            parts.append(
                chosen_entries(
                    batch,
                    everything,
                    code,
                    [str(k) for k in range(len(ids))],
                    linked,
                    lookup,
                    keys,
                )
            )
        found = Candidates.join(parts)
        reasons = np.full(len(units), REASON["no_counterpart"], np.int64)
        reasons[found.unit] = 0
        return found, reasons


def _given(batch: SwitchBatch, units: Units) -> dict[int, str]:
    """Unit to the entity that the row's ``meta`` links its span with."""
    cells = fields(lists(batch.table.column("examples"))[1])
    marked = pc.match_substring(cells["meta"], f'"{META_KEY}"').fill_null(False).to_numpy(zero_copy_only=False)
    span_units = np.flatnonzero(units.span >= 0)
    cell = batch.cell[batch.item_row[units.item[span_units]]]
    wanted = span_units[marked[cell]]
    if not len(wanted):
        return {}
    span_ids = fields(lists(cells["spans"])[1])["id"].take(pa.array(batch.spans.place[units.span[wanted]])).to_pylist()
    metas = cells["meta"].take(pa.array(batch.cell[batch.item_row[units.item[wanted]]])).to_pylist()
    found = {}
    for unit, span, meta in zip(wanted, span_ids, metas, strict=True):
        entity = json.loads(meta).get(META_KEY, {}).get(span)
        if entity:
            found[int(unit)] = str(entity)
    return found


@cached_while_unchanged(4)
def read_entities(path: str) -> Mapping[str, Mapping[str, str]]:
    """Entity id to language to name.

    Raises:
        InputError: A line that is neither form.
    """
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            if line.startswith("{"):
                value = json.loads(line)
                names = {str(lang): str(name) for lang, name in value["names"].items()}
                found.setdefault(str(value["id"]), {}).update(names)
            else:
                entity, lang, name = line.split("\t")
                found.setdefault(entity, {}).setdefault(lang, name)
        except (ValueError, KeyError, AttributeError) as error:
            raise InputError(
                f"{line[:80]!r} names no entity",
                where=f"{path}:{number}",
                valid='id<TAB>language<TAB>name, or {"id": …, "names": {language: name}}',
            ) from error
    return found


@cached_while_unchanged(4)
def _unique_names(path: str, lang: str) -> Mapping[str, str]:
    """Name in one language to the only entity that is called so."""
    found: dict[str, str | None] = {}
    for entity, names in read_entities(path).items():
        if lang in names:
            found[names[lang]] = entity if names[lang] not in found else None
    return {name: entity for name, entity in found.items() if entity is not None}
