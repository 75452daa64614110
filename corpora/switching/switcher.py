"""Everything together: rows in, code-switched rows out."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.stored.records import REJECTED_SCHEMA
from spanferry.corpora.stored.switch_schema import schema_of
from spanferry.corpora.switching.batches.arrays import Ints, expand, fields, lists, offsets_of, whole
from spanferry.corpora.switching.batches.base import (
    REASON,
    REASONS,
    Candidates,
    Constraint,
    CounterpartFinder,
    UnitFinder,
    Units,
)
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.chance import mixed
from spanferry.corpora.switching.batches.measure import Choice
from spanferry.corpora.switching.edits import edits_of
from spanferry.corpora.switching.labels import fitting
from spanferry.corpora.switching.languages import Policy, draw
from spanferry.corpora.switching.reading import read_batch
from spanferry.corpora.switching.render import render, without_stale_places
from spanferry.corpora.switching.sampling import CorpusSampler, Sampler

_SAME_IN_ALL_COPIES = (1 << 32) - 1


@dataclass
class Switched:
    """What became of some rows.

    Attributes:
        kept: Rows of ``schema_of``, with ``split`` behind.
        rejected: Rows of ``spanferry.corpora.stored.records.REJECTED_SCHEMA``.
        counts: ``units``, ``with_counterpart``, ``switched``, ``not:<reason>`` (units), ``into:<language>`` (units) …
    """

    kept: pa.Table
    rejected: pa.Table
    counts: Counter[str]


@dataclass(frozen=True)
class Switcher:
    """Switches rows; a library user's way in.

    Attributes:
        matrix: BCP-47 tag of the language that others are mixed into.
        languages: The embedded languages; empty: those that the counterpart has (a dictionary, a table).
        unit: What is switched.
        counterpart: Into what.
        constraint: Where not.
        sampler: How much.
        policy: Which language, see ``spanferry.corpora.switching.languages.draw``.
        copies: Rows that each row becomes; with the policy ``each`` as many for every language.
        fields: Text fields that may be switched; empty: all.
        seed: Of all that is drawn.
        unswitched: Whether rows of which no unit can be switched are kept as they are or rejected.
        max_words: Longer rows are rejected; 0: none are.
        min_probability: Word links with less are not followed.
        meta: Goes into the ``meta`` of every row.
    """

    matrix: str
    languages: tuple[str, ...]
    unit: UnitFinder
    counterpart: CounterpartFinder
    constraint: Constraint
    sampler: Sampler
    policy: Policy = "unit"
    copies: int = 1
    fields: tuple[str, ...] = ()
    seed: int = 0
    unswitched: Literal["keep", "reject"] = "keep"
    max_words: int = 0
    min_probability: float = 0.0
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def embedded(self) -> tuple[str, ...]:
        """The embedded languages."""
        return self.counterpart.languages(self.languages)

    @property
    def all_copies(self) -> int:
        """How many rows each row becomes."""
        return self.copies * len(self.embedded) if self.policy == "each" else self.copies

    def switch(self, table: pa.Table, bins: np.ndarray | None = None) -> Switched:
        """The rows of ``table`` (``spanferry.corpora.multiway.MULTIROW_SCHEMA``), switched.

        Args:
            table: Rows; those with reasons are rejected with them.
            bins: For a sampler that needs the whole corpus: the bins that it assigned, (n_copies, n_rows).
        """
        usable, rejected = self._usable(table)
        kept, counts = [], Counter[str]()
        rest = table.filter(pa.array(usable))
        if rest.num_rows:
            batch = self._read(rest)
            for copy in range(self.all_copies):
                own = None if bins is None else bins[copy][usable]
                good, bad, counted = self._copy(batch, copy, own)
                kept.append(good)
                rejected.append(bad)
                counts += counted
        schema = schema_of(_field_names(table)).append(pa.field("split", pa.string()))
        out = pa.concat_tables(kept) if kept else schema.empty_table()
        if len(kept) > 1:
            order = np.lexsort((np.asarray(out["copy"]), pc.index_in(out["source_id"], rest["id"])))
            out = out.take(pa.array(order))
        return Switched(
            out, pa.concat_tables([pa.Table.from_pylist(r, schema=REJECTED_SCHEMA) for r in rejected]), counts
        )

    def reachable(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """For a sampler that needs the whole corpus: bits of the bins each row can reach, and its random keys.

        Returns:
            Two arrays (n_copies, n_rows), uint64. A row that can't be used reaches nothing.
        """
        sampler = self.sampler
        assert isinstance(sampler, CorpusSampler)
        usable, _ = self._usable(table)
        masks = np.zeros((self.all_copies, table.num_rows), np.uint64)
        keys = np.zeros_like(masks)
        rest = table.filter(pa.array(usable))
        if not rest.num_rows:
            return masks, keys
        batch = self._read(rest)
        for copy in range(self.all_copies):
            keys[copy, usable] = batch.row_keys(self.seed, copy)
            work = self._prepare(batch, copy)
            here = np.flatnonzero(batch.open)
            found = np.zeros(rest.num_rows, np.uint64)
            found[batch.item_row[here]] = sampler.reachable(work.choice)[here]
            masks[copy, usable] = found
        return masks, keys

    def _read(self, rows: pa.Table) -> SwitchBatch:
        return read_batch(rows, self.matrix, self.embedded, only=self.fields, min_probability=self.min_probability)

    def _usable(self, table: pa.Table) -> tuple[np.ndarray, list[list[dict[str, Any]]]]:
        """Rows that can be worked on, and records of the others."""
        earlier = pc.list_value_length(table["reasons"]).fill_null(0).to_numpy() > 0
        counts, cells = lists(table.column("examples"))
        own = pc.equal(fields(cells)["lang"], self.matrix).to_numpy(zero_copy_only=False)
        has = np.zeros(table.num_rows, bool)
        has[np.repeat(np.arange(table.num_rows), counts)[own]] = True
        usable = has & ~earlier
        bad = [
            {**record, "reasons": record["reasons"] or ["switch:no_matrix"]}
            for record in _records(table.filter(pa.array(~usable)))
        ]
        return usable, [bad]

    def _prepare(self, batch: SwitchBatch, copy: int) -> "_Work":
        counts: Counter[str] = Counter()
        keys = batch.row_keys(self.seed, copy)
        item_keys = batch.item_keys(keys)
        units = self.unit.find(batch)
        if self.unit.name == "word" or self.unit.name == "phrase":
            units = units.take(_some(batch.bearing, units.first, units.last))
        counts["units"] = len(units)
        unit_keys = mixed(item_keys[units.item], units.first - batch.item_words[units.item])
        whole_units = ~batch.glued[units.first] & ~np.r_[batch.glued, False][units.last]
        candidates, why = self.counterpart.find(batch, units, grows=self.unit.grows, keys=unit_keys)
        good = whole_units[candidates.unit] & self._copies_hold(batch, units, candidates)
        why[candidates.unit[~good]] = REASON["copied"]
        candidates = candidates.take(good)
        same = _same_text(batch, units, candidates)
        why[candidates.unit[same]] = REASON["same"]
        alike = candidates.take(same)
        candidates = candidates.take(~same)
        fits, conflicts = fitting(batch, units, candidates)
        why = np.maximum(why, conflicts)
        candidates = candidates.take(fits)
        linked = np.zeros(len(units), bool)
        linked[candidates.unit] = True
        counts["with_counterpart"] = int(linked.sum())
        allowed = self.constraint.allowed(batch, units, candidates)
        why[candidates.unit[~allowed]] = REASON["constraint"]
        candidates = candidates.take(allowed)
        able = np.zeros(len(units), bool)
        able[candidates.unit] = True
        counts["allowed"] = int(able.sum())
        numbers, each = np.unique(why[~able], return_counts=True)
        counts.update({f"not:{REASONS[k]}": int(n) for k, n in zip(numbers, each, strict=True) if k})
        in_rows = self.policy not in ("unit", "each")
        base = batch.row_keys(self.seed, _SAME_IN_ALL_COPIES) if in_rows else keys
        pick = draw(batch, units, candidates, self.policy, unit_keys, base, copy, able.astype(np.int64), alike)
        drawn = np.flatnonzero(pick >= 0)
        units_left, candidates = units.take(drawn), candidates.take(pick[drawn]).moved(np.arange(len(drawn)))
        choice = Choice.of(batch, units_left, candidates, unit_keys[drawn], item_keys)
        return _Work(units_left, candidates, choice, self._why_not(batch, units, why, able), counts)

    def _copy(
        self, batch: SwitchBatch, copy: int, bins: np.ndarray | None
    ) -> tuple[pa.Table, list[dict[str, Any]], Counter[str]]:
        work = self._prepare(batch, copy)
        if bins is not None and isinstance(self.sampler, CorpusSampler):
            own = np.where(batch.open, bins[batch.item_row], -1)
            chosen, emitted = self.sampler.choose_for(work.choice, own)
        else:
            chosen, emitted = self.sampler.choose(work.choice)
        units, candidates = work.units.take(chosen), work.candidates.take(chosen).moved(np.arange(int(chosen.sum())))
        counts = work.counts
        counts["switched"] = len(units)
        counts.update({f"into:{batch.languages[k - 1]}": n for k, n in Counter(candidates.lang.tolist()).items()})
        edits = edits_of(batch, units, candidates)
        done = render(batch, units, candidates, edits, self.unit.name, self.counterpart.name)
        rows = batch.table.num_rows
        counts["spans_not_in_tags"] = done.untagged
        reasons = self._row_reasons(batch, work, units, emitted, done.broken)
        out = self._table(batch, done.columns, copy, _row_why(batch, work, units, rows))
        bad = np.array([bool(r) for r in reasons])
        records = []
        if bad.any():
            records = _records(batch.table.filter(pa.array(bad)))
            for record, why in zip(records, (r for r in reasons if r), strict=True):
                record["id"] = self._name(record["id"], copy)
                record["reasons"] = why
            out = out.filter(pa.array(~bad))
        counts["rows"] += rows
        counts["rows_switched"] += int((np.bincount(batch.item_row[units.item], minlength=rows) > 0)[~bad].sum())
        counts["rows_rejected"] += int(bad.sum())
        return out, records, counts

    def _row_reasons(
        self, batch: SwitchBatch, work: "_Work", units: Units, emitted: np.ndarray, broken: np.ndarray
    ) -> list[list[str]]:
        rows = batch.table.num_rows
        found: list[list[str]] = [[] for _ in range(rows)]
        for row in np.flatnonzero(broken):
            found[row].append("check:spans")
        left_out = np.zeros(rows, bool)
        left_out[batch.item_row[~emitted & batch.open]] = True
        for row in np.flatnonzero(left_out):
            found[row].append(f"sampler:{self.sampler.name}")
        if self.max_words:
            words = np.bincount(batch.item_row, np.diff(batch.item_words), rows)
            for row in np.flatnonzero(words > self.max_words):
                found[row].append("switch:too_long")
        if self.unswitched == "reject":
            able = np.bincount(batch.item_row[work.units.item], minlength=rows) > 0
            for row in np.flatnonzero(~able):
                found[row].append(f"switch:{work.why_not[row]}")
        return found

    def _why_not(self, batch: SwitchBatch, units: Units, why: Ints, able: np.ndarray) -> list[str]:
        """For each row why none of its units can be switched."""
        worst = np.full(batch.table.num_rows, -1, np.int64)
        row = batch.item_row[units.item]
        np.maximum.at(worst, row, np.where(able, 0, why))
        # Units can be switched, but into no language that all of them have.
        return [REASONS[k] or "no_language" if k >= 0 else "no_unit" for k in worst.tolist()]

    def _table(self, batch: SwitchBatch, columns: dict[str, pa.Array], copy: int, why: pa.Array) -> pa.Table:
        cells = fields(lists(whole(batch.table.column("examples")))[1])
        own = pa.array(batch.cell)
        ids = whole(batch.table.column("id"))
        rows = batch.table.num_rows
        columns = {
            **columns,
            "id": ids if self.all_copies == 1 else pc.binary_join_element_wise(ids, f"cs{copy}", "/"),
            "lang": pa.array([self.matrix] * rows, pa.string()),
            "relations": cells["relations"].take(own),
            "label": cells["label"].take(own),
            "unswitched": why,
            "source_id": ids,
            "copy": pa.array(np.full(rows, copy, np.int32)),
            "meta": self._metas(without_stale_places(cells["meta"].take(own), columns["switches"])),
            "split": whole(batch.table.column("split")),
        }
        schema = schema_of(batch.field_names).append(pa.field("split", pa.string()))
        return pa.Table.from_arrays(
            [columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema
        )

    def _metas(self, metas: pa.Array) -> pa.Array:
        if not self.meta:
            return metas
        more = [json.dumps({**json.loads(m or "{}"), **self.meta}, ensure_ascii=False) for m in metas.to_pylist()]
        return pa.array(more, pa.string())

    def _name(self, row_id: str, copy: int) -> str:
        return row_id if self.all_copies == 1 else f"{row_id}/cs{copy}"

    def _copies_hold(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """Whether a counterpart has as many words to be copied as its unit, and any word of a language at all."""
        copied, bearing = offsets_of(batch.protected), offsets_of(batch.bearing)
        own = (copied[units.last] - copied[units.first])[candidates.unit]
        equal = own == copied[candidates.last] - copied[candidates.first]
        result: np.ndarray = equal & (bearing[candidates.last] > bearing[candidates.first])
        return result


@dataclass(frozen=True)
class _Work:
    units: Units
    candidates: Candidates
    choice: Choice
    why_not: list[str]
    counts: Counter[str]


def _some(marks: np.ndarray, first: Ints, last: Ints) -> np.ndarray:
    counts = offsets_of(marks)
    result: np.ndarray = counts[last] > counts[first]
    return result


def _same_text(batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
    """Whether a counterpart is the very string of its unit."""
    start = batch.words.start[units.first[candidates.unit]]
    end = batch.words.end[units.last[candidates.unit] - 1]
    same = np.flatnonzero(end - start == candidates.end - candidates.start)
    out = np.zeros(len(candidates), bool)
    if len(same):
        size = (end - start)[same]
        equal = batch.pool[expand(start[same], size)] == batch.pool[expand(candidates.start[same], size)]
        out[same] = np.add.reduceat(equal, offsets_of(size)[:-1]) == size
    return out


def _row_why(batch: SwitchBatch, work: _Work, units: Units, rows: int) -> pa.Array:
    """Why nothing could be switched; null where something could."""
    able = np.bincount(batch.item_row[work.units.item], minlength=rows) > 0
    return pa.array(work.why_not, pa.string(), mask=able)


def _field_names(table: pa.Table) -> Sequence[str]:
    texts = lists(fields(lists(table.column("examples"))[1])["texts"])[1]
    return tuple(fields(texts)["field"].unique().to_pylist())


def _records(table: pa.Table) -> list[dict[str, Any]]:
    """Rejected rows as records."""
    found = []
    for row in table.to_pylist():
        texts = {e["lang"]: {t["field"]: t["text"] for t in e["texts"]} for e in row["examples"]}
        found.append(
            {
                "id": row["id"],
                "split": row["split"],
                "reasons": list(row["reasons"]),
                "texts": json.dumps(texts, ensure_ascii=False),
            }
        )
    return found
