"""What comes back when the target is translated into the source language again."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field
from rapidfuzz import fuzz

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.metrics.chrf import chrf
from spanferry.corpora.schema import Pair
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.filters.encoded import encoder, inputs_of
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.translators.loading.load import load_translator


class RoundTrip(FilterModel):
    """Rejects rows whose translation back is too far from the source, in its text or under its labels.

    ``round_trip.chrf`` is the chrF of the translation back against the source, the mean over the fields.
    ``round_trip.labels`` is the agreement of the labels: the target's spans are projected onto the translation back (by
    links of the bundled encoder), and what they cover there is compared with the source spans, token-sorted ratio of
    their spellings; the row's worst span counts. Only for pairs of languages of which ``model`` knows the way back;
    None elsewhere. It costs as much as the translation did.

    Attributes:
        model: A model for the way back, as for ``--translator``.
        device: ``auto``, ``cpu`` or ``cuda``.
        beam: Beam of the search.
        min_chrf: Least chrF, from 0 to 1.
        min_labels: Least agreement of a label, from 0 to 1.
    """

    name: ClassVar[str] = "round_trip"
    scoring: ClassVar[tuple[str, ...]] = ("model", "device", "beam")

    model: str = "bundled"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    beam: int = Field(default=1, ge=1, le=64)
    min_chrf: float = Field(default=0.2, ge=0, le=1)
    min_labels: float = Field(default=0.4, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``round_trip.chrf`` and ``round_trip.labels``; high is good."""
        return (
            Column("round_trip.chrf", pl.Float64, low=self.min_chrf),
            Column("round_trip.labels", pl.Float64, low=self.min_labels),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        rows = inputs_of(pairs)
        back = self._translated([item for row in rows for item in row.values()])
        similar: list[float | None] = []
        labels: list[float | None] = []
        for pair, row in zip(pairs, rows, strict=True):
            texts = {name: back[item.target_lang, item.source_lang, item.target_text] for name, item in row.items()}
            known = {name: text for name, text in texts.items() if text is not None}
            values = [chrf(text, row[name].source_text) for name, text in known.items()]
            similar.append(sum(values) / len(values) if values else None)
            labels.append(_labels(pair, row, known))
        return {"round_trip.chrf": similar, "round_trip.labels": labels}

    def reject(self) -> list[Rule]:
        """``round_trip:text`` and ``round_trip:labels``."""
        return [
            ("round_trip:text", pl.col("round_trip.chrf") < self.min_chrf),
            ("round_trip:labels", pl.col("round_trip.labels") < self.min_labels),
        ]

    def _translated(self, items: Sequence[ProjectionInput]) -> dict[tuple[str, str, str], str | None]:
        """Each distinct target text in its source language; None where there is no translation."""
        found: dict[tuple[str, str, str], str | None] = {}
        for way in dict.fromkeys((item.target_lang, item.source_lang) for item in items):
            texts = list(dict.fromkeys(i.target_text for i in items if (i.target_lang, i.source_lang) == way))
            model = _loaded(self.model, *way, self.device, self.beam)
            made = model.translate(texts, *way) if model is not None else [None] * len(texts)
            for text, one in zip(texts, made, strict=True):
                found[(*way, text)] = None if one is None or one.reason else one.text
        return found


@lru_cache(maxsize=2)
def _loaded(model: str, source: str, target: str, device: str, beam: int) -> Any:
    return load_translator(model, source=source, target=target, device=device, beam=beam, optional=True)


@lru_cache(maxsize=1)
def _projector() -> AlignmentProjector:
    return AlignmentProjector(encoder("bundled"))


def _labels(pair: Pair, row: dict[str, ProjectionInput], back: dict[str, str]) -> float | None:
    if pair.target is None or not pair.target.spans:
        return None
    sources = {span.id: span for span in pair.source.spans}
    found = []
    for name, text in back.items():
        spans = tuple(s for s in pair.target.spans if s.field == name and s.id in sources)
        if not spans or not text.strip():
            continue
        item = row[name]
        way = ProjectionInput(item.id, item.target_text, text, spans, item.target_lang, item.source_lang)
        for projection in _projector().project([way])[0]:
            wanted = pair.source.quote(sources[projection.source_span_id]).lower()
            got = projection.span.quote(text).lower() if projection.span is not None else ""
            found.append(fuzz.token_sort_ratio(got, wanted) / 100)
    return min(found, default=None)
