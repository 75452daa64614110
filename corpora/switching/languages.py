"""Which language each unit would be switched into: one candidate per unit is left."""

from typing import Literal

import numpy as np

from spanferry.corpora.switching.batches import chance
from spanferry.corpora.switching.batches.arrays import Ints, offsets_of
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch

Policy = Literal["unit", "row", "row_all", "field", "each"]


def draw(
    batch: SwitchBatch,
    units: Units,
    candidates: Candidates,
    policy: Policy,
    unit_keys: np.ndarray,
    row_keys: np.ndarray,
    copy: int,
    wanted: np.ndarray,
    alike: Candidates,
) -> Ints:
    """The candidate of each unit that may be switched, (n_units,); -1: none.

    Args:
        batch: The rows.
        units: The units.
        candidates: Theirs.
        policy: ``unit``: each unit in a language of its own, drawn among those that have a candidate; ``row``: all
            units of a row in one, another one in the next copy; ``row_all``: likewise, but only a language that all
            units of the row have, and every language once; ``field``: the first field in one language and all others in
            others, the matrix language among them; ``each``: one copy per language.
        unit_keys: A random key per unit, of this copy.
        row_keys: A random key per row, the same in all copies.
        copy: Number of the copy.
        wanted: 1 for the units that ``row_all`` asks for, else 0, (n_units,).
        alike: Counterparts that are spelled like their unit: nothing is switched, but the language has them.
    """
    n, n_langs = len(units), len(batch.languages)
    per_unit = np.bincount(candidates.unit, minlength=n) if len(candidates) else np.zeros(n, np.int64)
    first = offsets_of(per_unit)[:-1]
    if policy == "unit":
        pick = (chance.uniform(unit_keys, chance.LANGUAGE) * per_unit).astype(np.int64)
        return np.where(per_unit > 0, first + pick, -1)
    by_lang = np.full((n, n_langs + 1), -1, np.int64)
    by_lang[candidates.unit, candidates.lang] = np.arange(len(candidates))
    everything = np.arange(n)
    if policy == "each":
        result: Ints = by_lang[everything, np.full(n, copy % n_langs + 1)]
        return result
    row = batch.item_row[units.item]
    rows = batch.table.num_rows
    rank = np.stack([chance.uniform(row_keys, chance.LANGUAGE, lang) for lang in range(n_langs + 1)], axis=1)
    if policy == "field":
        order = np.argsort(rank, axis=1, kind="stable")
        within = np.arange(len(batch.item_row)) - np.searchsorted(batch.item_row, batch.item_row, "left")
        place = np.where(within == 0, 0, 1 + (within - 1 + copy) % max(n_langs, 1))
        result = by_lang[everything, order[batch.item_row, place][units.item]]
        return result
    has = (by_lang[:, 1:] >= 0).astype(np.int64)
    able = np.zeros((rows, n_langs), np.int64)
    np.add.at(able, row, has * wanted[:, None])
    if policy == "row_all":
        has_all, asked = has.copy(), wanted.copy()
        has_all[alike.unit, alike.lang - 1] = 1
        asked[alike.unit] = 1
        covered = np.zeros_like(able)
        np.add.at(covered, row, has_all * asked[:, None])
        total = np.bincount(row, weights=asked, minlength=rows).astype(np.int64)
        usable = (covered == total[:, None]) & (able > 0)
    else:
        usable = able > 0
    order = np.argsort(np.where(usable, rank[:, 1:], 2.0), axis=1, kind="stable")
    count = usable.sum(axis=1)
    turn = np.full(rows, copy) if policy == "row_all" else copy % np.maximum(count, 1)
    chosen = np.where(turn < count, order[np.arange(rows), np.minimum(turn, n_langs - 1)] + 1, 0)
    return np.where(chosen[row] > 0, by_lang[everything, chosen[row]], -1)
