"""From a table of rows to a ``SwitchBatch``, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spanferry.corpora.switching.batches.arrays import Ints, codes_in, expand, fields, integers, lists, offsets_of
from spanferry.corpora.switching.batches.batch import Spans, SwitchBatch, View, Words
from spanferry.corpora.switching.batches.pool import code_points
from spanferry.corpora.text.word_breaks import words_of


def read_batch(
    table: pa.Table,
    matrix: str,
    languages: Sequence[str],
    *,
    only: Sequence[str] = (),
    min_probability: float = 0.0,
) -> SwitchBatch:
    """The rows of ``table`` as arrays.

    Args:
        table: Rows of ``spanferry.corpora.multiway.MULTIROW_SCHEMA``.
        matrix: The language that others are mixed into.
        languages: The embedded languages; those that the rows don't have may come from a dictionary or a table.
        only: The text fields that may be switched; empty: all.
        min_probability: Links with less are not looked at.
    """
    table = table.combine_chunks()
    tags = [matrix, *languages]
    cells = _Cells.of(table, tags)
    n_fields = max(len(cells.field_names), 1)
    own = np.flatnonzero(cells.lang[cells.text_cell] == 0)
    item_row = cells.row[cells.text_cell[own]]
    item_field = cells.text_field[own]
    number = np.full(table.num_rows * n_fields, -1, np.int64)
    number[item_row * n_fields + item_field] = np.arange(len(own))
    lookup = np.full((len(tags), table.num_rows * n_fields), -1, np.int64)
    known = cells.lang[cells.text_cell] >= 0
    place = cells.row[cells.text_cell] * n_fields + cells.text_field
    lookup[cells.lang[cells.text_cell][known], place[known]] = np.flatnonzero(known)

    links = _Links.of(table, tags, cells.field_names, number)
    counterparts = [lookup[code][item_row * n_fields + item_field] for code in range(len(tags))]
    sides = [_word_ranges(cells, links, code, tags[code], counterparts[code]) for code in range(len(tags))]
    starts, ends, firsts, bounds, at = [], [], [], [], 0
    for first, last, counts in sides:
        bounds.append(offsets_of(counts) + at)
        at += len(first)
        starts.append(first)
        ends.append(last)
        mark = np.zeros(len(first), bool)
        mark[(offsets_of(counts)[:-1])[counts > 0]] = True
        firsts.append(mark)
    words = Words(np.concatenate(starts), np.concatenate(ends), np.concatenate(firsts))
    spans, span_of = _spans(cells, lookup, number, n_fields, table.num_rows)
    views = {
        lang: View(
            lang,
            np.where(counterparts[code] >= 0, cells.text_start[counterparts[code]], -1),
            np.where(counterparts[code] >= 0, cells.text_end[counterparts[code]], -1),
            bounds[code],
            *_link_words(links, code, cells.text_start[own], bounds, starts[0], min_probability),
            span_of[code],
        )
        for code, lang in enumerate(tags)
        if code
    }
    cell = np.full(table.num_rows, -1, np.int64)
    matrix_cells = np.flatnonzero(cells.lang == 0)
    cell[cells.row[matrix_cells]] = matrix_cells
    chosen = codes_in(pa.array(cells.field_names, pa.string()), only) >= 0 if only else np.ones(n_fields, bool)
    return SwitchBatch(
        table,
        matrix,
        tuple(languages),
        cells.field_names,
        cells.pool,
        item_row,
        item_field,
        cells.text_start[own],
        cells.text_end[own],
        bounds[0],
        chosen[item_field] if len(item_field) else np.zeros(0, bool),
        cell,
        words,
        views,
        spans,
        cells.texts,
        cells.text_start,
    )


@dataclass
class _Cells:
    """Examples and their texts, flat."""

    row: Ints
    lang: Ints
    columns: dict[str, pa.Array]
    text_cell: Ints
    text_field: Ints
    field_names: tuple[str, ...]
    texts: pa.Array
    pool: np.ndarray
    text_start: Ints
    text_end: Ints

    @classmethod
    def of(cls, table: pa.Table, tags: Sequence[str]) -> "_Cells":
        counts, cells = lists(table.column("examples"))
        columns = fields(cells)
        texts_of, texts = lists(columns["texts"])
        parts = fields(texts)
        names = tuple(parts["field"].unique().to_pylist())
        pool, offsets = code_points(parts["text"])
        return cls(
            np.repeat(np.arange(table.num_rows), counts),
            codes_in(columns["lang"], tags),
            columns,
            np.repeat(np.arange(len(cells)), texts_of),
            codes_in(parts["field"], names),
            names,
            parts["text"],
            pool,
            offsets[:-1],
            offsets[1:],
        )


@dataclass
class _Links:
    """Records of word links: which one holds each item's links with a language, and on which side the matrix stands."""

    record: dict[int, Ints]
    turned: dict[int, np.ndarray]
    word_starts: tuple[Ints, Ints]
    word_ends: tuple[Ints, Ints]
    word_offsets: tuple[Ints, Ints]
    link_offsets: Ints
    first: Ints
    second: Ints
    probability: np.ndarray

    @classmethod
    def of(cls, table: pa.Table, tags: Sequence[str], names: Sequence[str], number: Ints) -> "_Links":
        counts, records = lists(table.column("links"))
        columns = fields(records)
        row = np.repeat(np.arange(table.num_rows), counts)
        sides = [codes_in(columns[name], tags) for name in ("source_lang", "target_lang")]
        field = codes_in(columns["field"], names)
        fits = field >= 0
        n_fields = max(len(names), 1)
        item = np.full(len(field), -1, np.int64)
        item[fits] = number[row[fits] * n_fields + field[fits]]
        n_items = int((number >= 0).sum())
        record: dict[int, Ints] = {}
        turned: dict[int, np.ndarray] = {}
        for code in range(1, len(tags)):
            own, flipped = np.full(n_items, -1, np.int64), np.zeros(n_items, bool)
            for side in (1, 0):  # links from the matrix language count before those into it
                here = np.flatnonzero((sides[side] == 0) & (sides[1 - side] == code) & (item >= 0))[::-1]
                own[item[here]], flipped[item[here]] = here, side == 1
            record[code], turned[code] = own, flipped
        ranges = [lists(columns[name]) for name in ("source_words", "target_words")]
        edges = [fields(values) for _, values in ranges]
        link_counts, links = lists(columns["links"])
        parts = fields(links)
        return cls(
            record,
            turned,
            (integers(edges[0]["start"]), integers(edges[1]["start"])),
            (integers(edges[0]["end"]), integers(edges[1]["end"])),
            (offsets_of(ranges[0][0]), offsets_of(ranges[1][0])),
            offsets_of(link_counts),
            integers(parts["source"]),
            integers(parts["target"]),
            parts["probability"].to_numpy(zero_copy_only=False),
        )


def _word_ranges(cells: _Cells, links: _Links, code: int, lang: str, texts: Ints) -> tuple[Ints, Ints, Ints]:
    """Words of each item in one language, in the pool: starts, ends, and how many each item has.

    They are those that the links count; else the data's own tokens; else a dictionary cuts the text where
    its script has no spaces.
    """
    n_items = len(texts)
    record, side = np.full(n_items, -1, np.int64), np.zeros(n_items, np.int64)
    for other in reversed(list(links.record)) if code == 0 else [code]:
        here = links.record[other] >= 0
        record[here] = links.record[other][here]
        # The matrix language is the source of a record that is not turned.
        side[here] = (links.turned[other] if code == 0 else ~links.turned[other])[here].astype(np.int64)
    base = np.zeros(n_items, np.int64)
    counts = np.zeros(n_items, np.int64)
    shift = (0, len(links.word_starts[0]))
    for k in (0, 1):
        own_side = np.flatnonzero((record >= 0) & (side == k))
        offsets = links.word_offsets[k]
        base[own_side] = offsets[record[own_side]] + shift[k]
        counts[own_side] = offsets[record[own_side] + 1] - offsets[record[own_side]]
    bare = np.flatnonzero((record < 0) & (texts >= 0))
    own = _cut(cells, texts[bare], lang)
    base[bare] = offsets_of(np.array([len(w) for w in own], np.int64))[:-1] + sum(map(len, links.word_starts))
    counts[bare] = [len(w) for w in own]
    flat = np.array([edge for cut in own for edge in cut], np.int64).reshape(-1, 2)
    all_starts = np.concatenate([*links.word_starts, flat[:, 0]])
    all_ends = np.concatenate([*links.word_ends, flat[:, 1]])
    picked = expand(base, counts)
    moved = np.repeat(np.where(texts >= 0, cells.text_start[texts], 0), counts)
    return all_starts[picked] + moved, all_ends[picked] + moved, counts


def _cut(cells: _Cells, texts: Ints, lang: str) -> list[tuple[tuple[int, int], ...]]:
    if not len(texts):
        return []
    tokens = cells.columns["tokens"].take(pa.array(cells.text_cell[texts])).to_pylist()
    found = []
    for text, given, field in zip(
        cells.texts.take(pa.array(texts)).to_pylist(), tokens, cells.text_field[texts], strict=True
    ):
        name = cells.field_names[field]
        ranges = next((t["ranges"] for t in given or () if t["field"] == name), None)
        found.append(tuple((r["start"], r["end"]) for r in ranges) if ranges else words_of(text, lang))
    return found


def _link_words(
    links: _Links, code: int, item_starts: Ints, bounds: Sequence[Ints], matrix_starts: Ints, least: float
) -> tuple[Ints, Ints, np.ndarray]:
    record, turned = links.record[code], links.turned[code]
    items = np.flatnonzero(record >= 0)
    offsets = links.link_offsets
    counts = offsets[record[items] + 1] - offsets[record[items]]
    at = expand(offsets[record[items]], counts)
    item = np.repeat(items, counts)
    flip = turned[item]
    own = np.where(flip, links.second[at], links.first[at])
    other = np.where(flip, links.first[at], links.second[at])
    probability = links.probability[at]
    # The words that these links count may be cut otherwise than the item's words: they meet by where they begin.
    rec = record[item]
    place = np.empty(len(at), np.int64)
    for k in (0, 1):
        here = flip == bool(k)
        place[here] = links.word_starts[k][links.word_offsets[k][rec[here]] + own[here]]
    source = np.searchsorted(matrix_starts, place + item_starts[item], "right") - 1
    target = bounds[code][item] + other
    keep = probability >= least
    source, target, probability = source[keep], target[keep], probability[keep]
    if len(source) > 1 and (np.diff(source) < 0).any():
        order = np.lexsort((target, source))
        source, target, probability = source[order], target[order], probability[order]
    return source, target, probability


def _spans(cells: _Cells, lookup: np.ndarray, number: Ints, n_fields: int, rows: int) -> tuple[Spans, list[Ints]]:
    counts, flat = lists(cells.columns["spans"])
    columns = fields(flat)
    cell = np.repeat(np.arange(len(cells.lang)), counts)
    lang, row, field = cells.lang[cell], cells.row[cell], codes_in(columns["field"], cells.field_names)
    key = row * n_fields + field
    usable = (lang >= 0) & (field >= 0)
    text, item = np.full(len(cell), -1, np.int64), np.full(len(cell), -1, np.int64)
    text[usable] = lookup[lang[usable], key[usable]]
    item[usable] = number[key[usable]]
    usable &= (text >= 0) & (item >= 0)
    order = np.flatnonzero(usable & (lang == 0))
    n_matrix = len(order)
    order = np.concatenate([order, np.flatnonzero(usable & (lang > 0))])
    base = cells.text_start[text[order]]
    fragment_counts, fragments = lists(columns["fragments"])
    edges = fields(fragments)
    part_counts = np.maximum(fragment_counts, 1)[order]
    at = np.repeat(np.arange(len(order)), part_counts)
    within = np.arange(len(at)) - offsets_of(part_counts)[:-1][at]
    bounds = []
    for name in ("start", "end"):
        hull, parts = integers(columns[name])[order], integers(edges[name])
        found = hull[at]
        split = (fragment_counts[order] > 0)[at]
        found[split] = parts[(offsets_of(fragment_counts)[:-1][order][at] + within)[split]]
        bounds.append((hull + base, found + base[at]))
    (starts, part_starts), (ends, part_ends) = bounds
    spans = Spans(n_matrix, item[order], starts, ends, offsets_of(part_counts), part_starts, part_ends, order)
    names = columns["id"].dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    ids = (row * (names.max(initial=0) + 1) + names)[order]
    found_of = [np.full(n_matrix, -1, np.int64)]
    for code in range(1, len(lookup)):
        here = np.flatnonzero(lang[order] == code)
        here = here[np.argsort(ids[here], kind="stable")]
        spot = np.searchsorted(ids[here], ids[:n_matrix])
        spot = np.minimum(spot, max(len(here) - 1, 0))
        same = (
            np.zeros(n_matrix, bool)
            if not len(here)
            else ((ids[here][spot] == ids[:n_matrix]) & (spans.item[here[spot]] == spans.item[:n_matrix]))
        )
        found_of.append(np.where(same, here[spot] if len(here) else -1, -1))
    return spans, found_of
