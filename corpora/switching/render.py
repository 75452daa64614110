"""From edits to rows: texts, tokens with their languages and tags, spans, and a record of every change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanferry.corpora.arrow import RANGE, SPAN
from spanferry.corpora.placing import without_places
from spanferry.corpora.stored.switch_schema import SWITCH, column_of
from spanferry.corpora.switching.batches.arrays import Ints, expand, fields, lists, offsets_of, whole
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.batches.measure import cmi_of
from spanferry.corpora.switching.batches.pool import strings, strings_of
from spanferry.corpora.switching.edits import Edits
from spanferry.corpora.switching.labels import Touching, projected

SPACE = "space"
# Most rows hold nothing like a place in a text, and need not be parsed.
_MAY_BE_PLACE = r"(?i)start|end|begin|offset|span|range|ind(ex|ices)|position|\[\s*[0-9]"


@dataclass(frozen=True)
class Rendered:
    """Columns of all rows of a batch, and what was found wrong with them.

    Attributes:
        columns: Name to values, one per row.
        broken: Rows whose labels or text did not come out right, (n_rows,).
        untagged: Spans that the token tags can't hold: nested, discontinuous, or with an edge inside a token.
    """

    columns: dict[str, pa.Array]
    broken: np.ndarray
    untagged: int


@dataclass(frozen=True)
class _Spans:
    start: Ints
    end: Ints
    part_start: Ints
    part_end: Ints


def render(
    batch: SwitchBatch, units: Units, candidates: Candidates, edits: Edits, unit: str, counterpart: str
) -> Rendered:
    """The rows with ``units`` replaced by ``candidates`` (one per unit).

    Args:
        batch: The rows.
        units: The chosen units.
        candidates: Theirs.
        edits: What ``edits_of`` made of them.
        unit: Name of the kind of unit.
        counterpart: Name of the kind of counterpart.
    """
    texts = strings_of(edits.out, edits.out_start)
    columns = _text_columns(batch, texts)
    tokens = _tokens(batch, units, candidates, edits)
    spans, untouched = _moved_spans(batch, units, candidates, edits)
    tags, untagged = _tags(batch, tokens, spans)
    per_row = np.bincount(batch.item_row[tokens.item], minlength=batch.table.num_rows)
    names = ["", batch.matrix, *batch.languages]
    base = edits.out_start[tokens.item]
    columns["tokens"] = _list(strings(edits.out, base + tokens.start, base + tokens.end), per_row)
    columns["langs"] = _list(_named(tokens.lang, names), per_row)
    columns["ner_tags"] = _list(tags, per_row)
    columns["spans"] = _span_column(batch, spans)
    columns["switches"] = _switch_column(batch, candidates, edits, unit, counterpart)
    columns["cmi"], columns["spf"] = _measured(batch, tokens)
    return Rendered(columns, _broken(batch, edits, spans, untouched), untagged)


@dataclass(frozen=True)
class _Tokens:
    """Tokens of the new texts: offsets in their item's text, and language codes (0: none, 1: the matrix language)."""

    item: Ints
    start: Ints
    end: Ints
    lang: Ints


def _text_columns(batch: SwitchBatch, texts: pa.Array) -> dict[str, pa.Array]:
    columns = {}
    for code, name in enumerate(batch.field_names):
        here = np.flatnonzero(batch.item_field == code)
        place = np.full(batch.table.num_rows, -1, np.int64)
        place[batch.item_row[here]] = here
        columns[column_of(name)] = texts.take(pa.array(place, mask=place < 0))
    return columns


def _tokens(batch: SwitchBatch, units: Units, candidates: Candidates, edits: Edits) -> _Tokens:
    n = batch.n_words
    edges = np.zeros(n + 1, np.int64)
    np.add.at(edges, units.first, 1)
    np.add.at(edges, units.last, -1)
    kept = np.flatnonzero(np.cumsum(edges)[:n] == 0)
    counts = candidates.last - candidates.first
    new = expand(candidates.first, counts)
    owner = np.repeat(np.arange(len(units)), counts)
    at = edits.places()[edits.unit >= 0]
    place = np.empty(len(units), np.int64)
    place[edits.unit[edits.unit >= 0]] = at
    item_kept = batch.word_item[kept]
    words = batch.words
    order = np.argsort(np.concatenate([kept, units.first[owner]]), kind="stable")
    shift = place[owner] - candidates.start[owner]
    columns = (
        (item_kept, units.item[owner]),
        (edits.begins(item_kept, words.start[kept]), words.start[new] + shift),
        (edits.ends(item_kept, words.end[kept]), words.end[new] + shift),
        (np.where(batch.bearing[kept], 1, 0), np.where(batch.bearing[new], candidates.lang[owner] + 1, 0)),
    )
    return _Tokens(*(np.concatenate(pair)[order] for pair in columns))


def _moved_spans(batch: SwitchBatch, units: Units, candidates: Candidates, edits: Edits) -> tuple[_Spans, np.ndarray]:
    """Offsets of spans and their parts in the new texts, and the parts that no unit touches."""
    spans, n = batch.spans, batch.spans.n_matrix
    n_parts = int(spans.parts[n])
    owner = np.repeat(np.arange(n), np.diff(spans.parts[: n + 1]))
    item = spans.item[:n]
    start, end = edits.begins(item, spans.start[:n]), edits.ends(item, spans.end[:n])
    part_item = item[owner]
    part_start = edits.begins(part_item, spans.part_start[:n_parts])
    part_end = edits.ends(part_item, spans.part_end[:n_parts])
    touching = Touching.of(batch, units)
    untouched = np.ones(n_parts, bool)
    untouched[touching.part] = False
    within = np.flatnonzero(touching.covers)
    if len(within):
        unit, span, part = touching.unit[within], touching.span[within], touching.part[within]
        place = np.empty(len(units), np.int64)
        place[edits.unit[edits.unit >= 0]] = edits.places()[edits.unit >= 0]
        shift = place[unit] - candidates.start[unit]
        found = projected(batch, span, candidates.lang[unit], candidates.aligned[unit])
        start[span], end[span] = spans.start[found] + shift, spans.end[found] + shift
        # A span's parts in the other text need not be as many as here: the hull stands for a part then.
        same = np.diff(spans.parts)[found] == np.diff(spans.parts)[span]
        number = np.where(same, part - spans.parts[span], 0) + spans.parts[found]
        part_start[part] = np.where(same, spans.part_start[number], spans.start[found]) + shift
        part_end[part] = np.where(same, spans.part_end[number], spans.end[found]) + shift
    return _Spans(start, end, part_start, part_end), untouched


def _tags(batch: SwitchBatch, tokens: _Tokens, spans: _Spans) -> tuple[pa.Array, int]:
    """IOB2 tags of the outermost contiguous spans, and how many spans are not in them."""
    n = batch.spans.n_matrix
    whole_span = np.diff(batch.spans.parts[: n + 1]) == 1
    item = batch.spans.item[:n]
    # Offsets that rise over all items.
    base = offsets_of(_lengths(batch, tokens, item, spans))[:-1]
    here = np.flatnonzero(whole_span & (spans.end > spans.start))
    start, end = base[item[here]] + spans.start[here], base[item[here]] + spans.end[here]
    order = np.lexsort((here, -end, start))
    reach = np.r_[-1, np.maximum.accumulate(end[order])[:-1]] if len(order) else order
    order = order[start[order] >= reach]
    here, start, end = here[order], start[order], end[order]
    token_start, token_end = base[tokens.item] + tokens.start, base[tokens.item] + tokens.end
    first = np.searchsorted(token_start, start, "left")
    last = np.searchsorted(token_end, end, "right")
    exact = first < last
    if len(token_start):
        exact &= (token_start[np.minimum(first, len(token_start) - 1)] == start) & (
            token_end[np.maximum(last - 1, 0)] == end
        )
    here, first, last = here[exact], first[exact], last[exact]
    labels = fields(lists(_cells(batch)["spans"])[1])["label"].take(pa.array(batch.spans.place[here]))
    coded = labels.dictionary_encode()
    number = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    tag = np.zeros(len(tokens.item), np.int64)
    inside = expand(first, last - first)
    tag[inside] = np.repeat(number, last - first) * 2 + 2
    tag[first] -= 1
    names = ["O", *(f"{letter}-{label}" for label in coded.dictionary.to_pylist() for letter in "BI")]
    return _named(tag, names), n - len(here)


def _lengths(batch: SwitchBatch, tokens: _Tokens, item: Ints, spans: _Spans) -> Ints:
    found = np.zeros(len(batch.item_row), np.int64)
    np.maximum.at(found, tokens.item, tokens.end)
    np.maximum.at(found, item, spans.end)
    return found + 1


def _span_column(batch: SwitchBatch, spans: _Spans) -> pa.Array:
    n = batch.spans.n_matrix
    places = pa.array(batch.spans.place[:n])
    source = fields(lists(_cells(batch)["spans"])[1])
    parts = np.diff(batch.spans.parts[: n + 1])
    split = parts > 1
    owner = np.repeat(split, parts)
    ranges = pa.StructArray.from_arrays(
        [pa.array(spans.part_start[owner]), pa.array(spans.part_end[owner])], fields=list(RANGE)
    )
    values = [
        pa.array(spans.start),
        pa.array(spans.end),
        *(source[name].take(places) for name in ("label", "id", "field")),
        _list(ranges, np.where(split, parts, 0)),
        # Rows of earlier versions have no attributes.
        _attributes(source["attributes"].take(places)) if "attributes" in source else pa.nulls(n, pa.string()),
    ]
    per_row = np.bincount(batch.item_row[batch.spans.item[:n]], minlength=batch.table.num_rows)
    return _list(pa.StructArray.from_arrays(values, fields=list(SPAN)), per_row)


def without_stale_places(metas: pa.Array, switches: pa.ListArray) -> pa.Array:
    """``meta`` of each row, in JSON; where something was switched, without places in the text as it was."""
    return _cleaned(metas, pc.greater(pc.list_value_length(switches), 0), "{}")


def _attributes(values: pa.Array) -> pa.Array:
    return _cleaned(values, pa.array(np.ones(len(values), bool)), None)


def _cleaned(values: pa.Array, changed: pa.Array, empty: str | None) -> pa.Array:
    suspect = pc.and_(changed, pc.match_substring_regex(values, _MAY_BE_PLACE))
    rows = np.flatnonzero(pc.fill_null(suspect, False).to_numpy(zero_copy_only=False))
    if not len(rows):
        return values
    cleaned = values.to_pylist()
    for row in rows:
        left = without_places(json.loads(cleaned[row]))
        cleaned[row] = json.dumps(left) if left else empty
    return pa.array(cleaned, pa.string())


def _switch_column(batch: SwitchBatch, candidates: Candidates, edits: Edits, unit: str, counterpart: str) -> pa.Array:
    n = len(edits.item)
    real = edits.unit >= 0
    number = np.maximum(edits.unit, 0)
    lang = np.zeros(n, np.int64)
    origin = np.full(n, -1, np.int64)
    if len(candidates):
        lang = np.where(real, candidates.lang[number], 0)
        for code, name in enumerate(batch.languages, 1):
            view = batch.views.get(name)
            if view is not None:
                here = np.flatnonzero(real & (lang == code) & candidates.aligned[number])
                origin[here] = edits.new_start[here] - view.text_start[edits.item[here]]
    place = edits.places()
    size = edits.new_end - edits.new_start
    base = edits.out_start[edits.item] + place
    start = edits.start - batch.item_start[edits.item]
    values = [
        _named(real.astype(np.int64), [SPACE, unit]),
        _named(real.astype(np.int64), ["", counterpart]),
        _named(lang, ["", *batch.languages]),
        _named(batch.item_field[edits.item], list(batch.field_names)),
        pa.array(place),
        pa.array(place + size),
        strings(edits.out, base, base + size),
        pa.array(start),
        pa.array(start + edits.end - edits.start),
        strings(batch.pool, edits.start, edits.end),
        pa.array(origin, mask=origin < 0),
        pa.array(origin + size, mask=origin < 0),
    ]
    per_row = np.bincount(batch.item_row[edits.item], minlength=batch.table.num_rows)
    return _list(pa.StructArray.from_arrays(values, fields=list(SWITCH)), per_row)


def _measured(batch: SwitchBatch, tokens: _Tokens) -> tuple[pa.Array, pa.Array]:
    rows, n_langs = batch.table.num_rows, len(batch.languages) + 1
    bearing = np.flatnonzero(tokens.lang > 0)
    row, lang = batch.item_row[tokens.item[bearing]], tokens.lang[bearing] - 1
    counts = np.bincount(row * n_langs + lang, minlength=rows * n_langs).reshape(rows, n_langs)
    changes = (lang[1:] != lang[:-1]) & (row[1:] == row[:-1])
    points = np.bincount(row[1:][changes], minlength=rows)
    total = counts.sum(axis=1)
    spf = points / np.maximum(total - 1, 1)
    return pa.array(cmi_of(counts)), pa.array(spf, mask=total < 2)


def _broken(batch: SwitchBatch, edits: Edits, spans: _Spans, untouched: np.ndarray) -> np.ndarray:
    """Rows that undoing does not turn into their source, or whose spans are not where they must be."""
    broken = np.zeros(batch.table.num_rows, bool)
    n_items = len(batch.item_row)
    # Undo: the new text with every edit's place filled by what stood there.
    n = len(edits.item)
    place = edits.places() + edits.out_start[edits.item]
    begin = np.empty(2 * n + n_items, np.int64)
    end = np.empty_like(begin)
    own = 2 * np.arange(n) + edits.item + 1
    heads = 2 * edits.first[:-1] + np.arange(n_items)
    tails = 2 * edits.first[1:] + np.arange(n_items)
    both = np.concatenate([edits.out, batch.pool])
    begin[own], end[own] = edits.start + len(edits.out), edits.end + len(edits.out)
    begin[heads], begin[own + 1] = edits.out_start[:-1], place + edits.new_end - edits.new_start
    end[tails], end[own - 1] = edits.out_start[1:], place
    lengths = end - begin
    undone = both[expand(begin, lengths)]
    sizes = batch.item_end - batch.item_start
    source = batch.pool[expand(batch.item_start, sizes)]
    back = np.add.reduceat(np.r_[lengths, 0], heads) if n_items else sizes
    if (back != sizes).any():
        broken[batch.item_row[back != sizes]] = True
    elif (undone != source).any():
        item = np.repeat(np.arange(n_items), sizes)
        broken[batch.item_row[item[undone != source]]] = True
    # Spans: inside their text, and what no unit touched reads as before.
    m = batch.spans.n_matrix
    item = batch.spans.item[:m]
    out_sizes = np.diff(edits.out_start)
    bad = (spans.start < 0) | (spans.start >= spans.end) | (spans.end > out_sizes[item])
    broken[batch.item_row[item[bad]]] = True
    part_item = item[np.repeat(np.arange(m), np.diff(batch.spans.parts[: m + 1]))]
    part = np.flatnonzero(untouched)
    size = batch.spans.part_end[part] - batch.spans.part_start[part]
    same_size = spans.part_end[part] - spans.part_start[part] == size
    broken[batch.item_row[part_item[part[~same_size]]]] = True
    part, size = part[same_size], size[same_size]
    old = batch.pool[expand(batch.spans.part_start[part], size)]
    new = edits.out[
        np.minimum(expand(edits.out_start[part_item[part]] + spans.part_start[part], size), len(edits.out) - 1)
    ]
    differs = np.repeat(part, size)[old != new]
    broken[batch.item_row[part_item[differs]]] = True
    return broken


def _cells(batch: SwitchBatch) -> dict[str, pa.Array]:
    return fields(lists(whole(batch.table.column("examples")))[1])


def _named(codes: Ints, names: Sequence[str]) -> pa.Array:
    return pa.array(list(names), pa.string()).take(pa.array(codes))


def _list(values: pa.Array, counts: Ints) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets_of(counts).astype(np.int32)), values)
