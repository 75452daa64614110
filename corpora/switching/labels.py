"""Units and the spans they touch: a switch must leave every label in one place."""

from dataclasses import dataclass

import numpy as np

from spanferry.corpora.switching.batches.arrays import Ints, expand, offsets_of
from spanferry.corpora.switching.batches.base import REASON, Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class Touching:
    """Pairs of a span's part and a unit that share a code point.

    Attributes:
        part: Number of the part, (n_pairs,).
        span: Its span, (n_pairs,).
        unit: (n_pairs,).
        inside: Whether the unit lies in the part (or is the same), (n_pairs,).
        covers: Whether the unit holds the whole span and more, (n_pairs,).
    """

    part: Ints
    span: Ints
    unit: Ints
    inside: np.ndarray
    covers: np.ndarray

    @classmethod
    def of(cls, batch: SwitchBatch, units: Units) -> "Touching":
        """All such pairs."""
        spans = batch.spans
        n_parts = int(spans.parts[spans.n_matrix])
        starts = batch.words.start[units.first] if len(units) else units.first
        ends = batch.words.end[units.last - 1] if len(units) else units.last
        low = np.searchsorted(ends, spans.part_start[:n_parts], "right")
        high = np.searchsorted(starts, spans.part_end[:n_parts], "left")
        counts = np.maximum(high - low, 0)
        part = np.repeat(np.arange(n_parts), counts)
        unit = expand(low, counts)
        span = np.repeat(np.arange(spans.n_matrix), np.diff(spans.parts[: spans.n_matrix + 1]))[part]
        inside = (starts[unit] >= spans.part_start[part]) & (ends[unit] <= spans.part_end[part])
        covers = (starts[unit] <= spans.start[span]) & (ends[unit] >= spans.end[span]) & ~inside
        return cls(part, span, unit, inside, covers)


def fitting(batch: SwitchBatch, units: Units, candidates: Candidates) -> tuple[np.ndarray, Ints]:
    """Which candidates leave all labels in one place, and for each unit the number of a reason why some don't.

    A unit may lie in a span: then its counterpart must lie in the projected span, if there is one. A unit may hold a
    span: then the projected span must lie in its counterpart. It may not cut a span.
    """
    touching = Touching.of(batch, units)
    keep = np.ones(len(candidates), bool)
    reasons = np.zeros(len(units), np.int64)
    crossing = touching.unit[~touching.inside & ~touching.covers]
    bad = np.zeros(len(units), bool)
    bad[crossing] = True
    reasons[crossing] = REASON["crosses_span"]
    if not len(candidates):
        return keep, reasons
    keep &= ~bad[candidates.unit]
    per_unit = np.bincount(candidates.unit, minlength=len(units))
    firsts = offsets_of(per_unit)[:-1]
    counts = per_unit[touching.unit]
    pair = np.repeat(np.arange(len(touching.unit)), counts)
    candidate = expand(firsts[touching.unit], counts)
    found = projected(batch, touching.span[pair], candidates.lang[candidate], candidates.aligned[candidate])
    start, end = batch.spans.start[found], batch.spans.end[found]
    holds = (found >= 0) & (start >= candidates.start[candidate]) & (end <= candidates.end[candidate])
    within = (found < 0) | ((start <= candidates.start[candidate]) & (end >= candidates.end[candidate]))
    lost = touching.covers[pair] & ~holds
    outside = touching.inside[pair] & ~within
    keep[candidate[lost | outside]] = False
    reasons[candidates.unit[candidate[lost]]] = REASON["span_lost"]
    reasons[candidates.unit[candidate[outside]]] = REASON["outside_span"]
    return keep, reasons


def projected(batch: SwitchBatch, span: Ints, lang: Ints, aligned: np.ndarray) -> Ints:
    """The projection of each span into each language, where the candidate comes from the row's own text; -1: none."""
    found = np.full(len(span), -1, np.int64)
    for name, view in batch.views.items():
        here = (lang == batch.languages.index(name) + 1) & aligned
        found[here] = view.span_of[span[here]]
    return found
