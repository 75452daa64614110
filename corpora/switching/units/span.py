"""Units that are labelled spans: entities, slots, arguments."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from spanferry.corpora.switching.batches.arrays import codes_in, fields, lists
from spanferry.corpora.switching.batches.base import Units
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class SpanUnits:
    """Labelled spans, whole. A discontinuous span, or one that begins or ends inside a word, is not a unit.

    Attributes:
        labels: Labels whose spans are units; empty: all.
        nested: Whether the ``outermost`` or the ``innermost`` of nested spans are units.
    """

    name: ClassVar[str] = "span"
    grows: ClassVar[bool] = False

    labels: tuple[str, ...] = ()
    nested: Literal["outermost", "innermost"] = "outermost"

    def find(self, batch: SwitchBatch) -> Units:
        """See ``UnitFinder.find``."""
        spans, words = batch.spans, batch.words
        n = spans.n_matrix
        starts, ends = words.start[: batch.n_words], words.end[: batch.n_words]
        first = np.searchsorted(ends, spans.start[:n], "right")
        last = np.searchsorted(starts, spans.end[:n], "left")
        fits = (first < last) & (np.diff(spans.parts)[:n] == 1) & batch.open[spans.item[:n]]
        at, upto = np.minimum(first, len(starts) - 1), np.maximum(last - 1, 0)
        if len(starts):
            fits &= (starts[at] == spans.start[:n]) & (ends[upto] == spans.end[:n])
        if self.labels:
            cells = fields(lists(batch.table.column("examples"))[1])
            labels = fields(lists(cells["spans"])[1])["label"]
            fits &= (codes_in(labels, self.labels) >= 0)[spans.place[:n]]
        here = np.flatnonzero(fits)
        first, last = first[here], last[here]
        if self.nested == "outermost":
            order = np.lexsort((here, -last, first))
            reach = np.r_[-1, np.maximum.accumulate(last[order])[:-1]] if len(order) else order
            order = order[first[order] >= reach]
        else:
            order = np.lexsort((here, -first, last))
            reach = np.r_[-1, np.maximum.accumulate(first[order])[:-1]] if len(order) else order
            inner = order[first[order] > reach]
            # Spans that cross are not in one another: the first of them counts.
            inner = inner[np.argsort(first[inner], kind="stable")]
            ahead = np.r_[-1, np.maximum.accumulate(last[inner])[:-1]] if len(inner) else inner
            order = inner[first[inner] >= ahead]
        return Units.of(batch, first[order], last[order], here[order])
