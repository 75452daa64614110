"""The work of the steps of ``translate-train`` and ``project``: stage files in, one shard out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl
import pyarrow as pa

from spanferry.corpora import filters as filtering
from spanferry.corpora.arrow import pairs_from_table, pairs_to_table
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.parallel import zip_examples
from spanferry.corpora.schema import Pair, Translation
from spanferry.corpora.text.segment import Mode, Segment
from spanferry.flows import models
from spanferry.flows.config import ProjectorConfig, ReadConfig, TranslatorConfig, VariantsConfig
from spanferry.flows.engine.read import write_shards
from spanferry.flows.engine.step import Job, Made
from spanferry.flows.engine.store import Stage
from spanferry.flows.translate.variants import Variants, multiplied
from spanferry.projectors.base import FittableProjector, ProjectionInput
from spanferry.projectors.pipeline import stages
from spanferry.projectors.repair.tables import repair_tables

_BATCH = 64  # segments between two reports of how far a shard is; Ctrl-C waits for one of them


@dataclass(frozen=True)
class Languages:
    """BCP-47 tags of both sides; of a reading whose target side is not given the target is empty."""

    source: str
    target: str


@dataclass(frozen=True)
class Filters:
    """Which filters, with their options; None: the default ones. With a glossary, its filter looks at that."""

    configs: tuple[dict[str, Any], ...] | None
    glossary: str
    given: bool = False

    def options(self) -> dict[str, dict[str, Any]]:
        """The options of each filter by its name, in order."""
        if self.configs is not None:
            return {str(c.get("kind")): {k: v for k, v in c.items() if k != "kind"} for c in self.configs}
        # The terms of a glossary are given too: they are right whatever a table of translations says.
        return {kind: {} for kind in filtering.default_names(given=self.given or bool(self.glossary))}

    def build(self) -> list[Filter]:
        """The filters, in order.

        Raises:
            ConfigError: There is no such filter, or it does not take an option.
        """
        configs = [{"kind": kind} for kind in self.options()] if self.configs is None else self.configs
        own: dict[str, dict[str, Any]] = {"max_error": {"text": "given" if self.given else "translated"}}
        if self.glossary:
            own["glossary"] = {"path": self.glossary}
        return filtering.build([{**own.get(str(c.get("kind")), {}), **c} for c in configs])


@dataclass(frozen=True)
class Read:
    """The rows of the input as pairs; with a target language, those of both sides."""

    read: ReadConfig
    languages: Languages
    shard_rows: int
    limit: int | None
    variants: int = 1

    def __call__(self, job: Job) -> Made:
        # A row's variants are in one shard, so that which variant a row is follows from its place.
        rows = multiplied(islice(self.pairs(), self.limit), self.variants)
        return write_shards(
            job, rows, pairs_to_table, shard_rows=self.shard_rows, together=self.variants, count=_count_read
        )

    def pairs(self) -> Iterator[Pair]:
        """All rows, in order, each once."""
        read, source, target = self.read, self.languages.source, self.languages.target
        reader = open_reader(read.path, format=read.format, options=read.options, lang=source)
        if not target:
            yield from (stages.as_pair(row, source) for row in reader.read())
            return
        other = open_reader(read.target or "", format=read.format, options=read.options, lang=target)
        for row, partner in zip_examples(reader, other, by=read.pair_by):
            yield stages.as_pair(row, source, partner)


def _count_read(pairs: Sequence[Pair]) -> dict[str, int]:
    return {
        "rejected": sum(not pair.kept for pair in pairs),
        "spans": sum(len(pair.source.spans) for pair in pairs),
        # Rows that a training set may be made of without a span: with a class, or of several texts.
        "labelled": sum(pair.source.label is not None or len(pair.source.texts) > 1 for pair in pairs),
    }


@dataclass(frozen=True)
class SegmentRows:
    """Texts into pieces that the model takes."""

    model: TranslatorConfig
    languages: Languages
    mode: Mode

    def __call__(self, job: Job) -> Made:
        (read,) = job.inputs
        translator = models.translator(self.model, self.languages.source, self.languages.target)
        pairs = pairs_from_table(read.read(job.shard))
        found = stages.segment_rows(pairs, translator, self.languages.source, self.mode)
        return Made(stages.segments_to_table(found), len(found))


@dataclass(frozen=True)
class Translate:
    """Segments into the target language."""

    model: TranslatorConfig
    languages: Languages
    variants: VariantsConfig
    seed: int

    def __call__(self, job: Job) -> Made:
        (stage,) = job.inputs
        source, target = self.languages.source, self.languages.target
        segments = stages.segments_from_table(stage.read(job.shard))
        translator = models.translator(self.model, source, target)
        distinct = list(dict.fromkeys(piece.text for _, piece in segments if not piece.reason))
        count = self.variants.count
        several = Variants(translator, self.variants, f"{self.seed}.{target}.{job.shard}") if count > 1 else None
        found: dict[str, list[Translation]] = {}
        rows = segments[-1][0] + 1 if segments else 0
        for at in range(0, len(distinct), _BATCH):
            job.tick(rows * at // len(distinct))
            batch = distinct[at : at + _BATCH]
            if several is not None:
                made = several.translate(batch, source, target)
            else:
                made = [[one] for one in translator.translate(batch, source, target)]
            found.update(zip(batch, made, strict=True))
        done = [Translation("", reason=p.reason) if p.reason else found[p.text][row % count] for row, p in segments]
        counts = {"failed": sum(t.reason is not None for t in done)}
        if hasattr(translator, "take_usage"):  # what is paid for is counted
            counts |= translator.take_usage().counts()
        return Made(stages.translations_to_table(done), len(done), counts)


@dataclass(frozen=True)
class Repair:
    """Translations with the words of labelled spans put right: other hypotheses, then terms."""

    model: TranslatorConfig
    languages: Languages
    count: int
    terms: bool

    def __call__(self, job: Job) -> Made:
        segmented, translated = job.inputs
        source, target = self.languages.source, self.languages.target
        segments = stages.segments_from_table(segmented.read(job.shard))
        before = stages.translations_from_table(translated.read(job.shard))
        translator, tables = models.translator(self.model, source, target), repair_tables(source, target)
        done: list[Translation] = []
        for at in range(0, len(before), _BATCH):
            job.tick(segments[at][0])
            batch = segments[at : at + _BATCH], before[at : at + _BATCH]
            done += stages.repair_translations(
                *batch, translator, tables, source, target, count=self.count, terms=self.terms
            )
        rows = {row for (row, _), one in zip(segments, done, strict=True) if one.terms}
        counts = {"repaired": len(rows), "terms": sum(len(one.terms) for one in done)}
        if hasattr(translator, "take_usage"):
            counts |= translator.take_usage().counts()
        return Made(stages.translations_to_table(done), len(done), counts)


@dataclass(frozen=True)
class Fit:
    """What a projector learns from all pairs of texts."""

    section: ProjectorConfig
    model: TranslatorConfig
    languages: Languages
    given: bool

    def __call__(self, job: Job) -> Made:
        def every() -> Iterator[ProjectionInput]:
            for shard in range(job.shards):
                job.tick(0)
                rows = _inputs(job.inputs, shard, self.languages, self.given)[1]
                yield from (item for row in rows for item in row if item is not None)

        source, target = self.languages.source, self.languages.target
        translator = models.translator(self.model, source, target, optional=self.given)
        projector = models.unfitted(self.section, translator, source, target)
        assert isinstance(projector, FittableProjector)
        sample = stages.fit_sample(every(), self.section.fit_rows)
        return Made(projector.fit(sample).state(), len(sample))


@dataclass(frozen=True)
class Project:
    """Labels onto the translations, and the rows put together again."""

    section: ProjectorConfig
    model: TranslatorConfig
    languages: Languages
    given: bool

    def __call__(self, job: Job) -> Made:
        source, target = self.languages.source, self.languages.target
        translator = models.translator(self.model, source, target, optional=self.given)
        fitted = job.inputs[1 if self.given else 3 :]
        state = fitted[0].path(0, ".bin") if fitted else None
        projector = models.projector(self.section, translator, source, target, state)
        pairs, rows, (segments, translations) = _inputs(job.inputs, job.shard, self.languages, self.given)
        flat = [item for row in rows for item in row]
        if self.given:
            found = iter(stages.project_some(projector, flat))
            grouped = [[p for _ in row for p in next(found)] for row in rows]
            done = stages.assemble_given(pairs, grouped, "")
        else:
            translations, projections = stages.project_translated(projector, flat, translations)
            done = stages.assemble_translated(pairs, segments, translations, projections, target, "")
        return Made(pairs_to_table(done), len(done), stages.count_pairs(done))


@dataclass(frozen=True)
class Score:
    """The filters' scores of every row."""

    filters: Filters

    def __call__(self, job: Job) -> Made:
        (stage,) = job.inputs
        frame = stages.score_rows(pairs_from_table(stage.read(job.shard)), self.filters.build())
        return Made(frame.to_arrow(), frame.height)


@dataclass(frozen=True)
class Decide:
    """The filters' decisions over all shards at once: duplicates and conflicts are found only so."""

    filters: Filters

    def __call__(self, job: Job) -> Made:
        (stage,) = job.inputs
        frame = pl.DataFrame(pa.concat_tables([stage.read(shard) for shard in range(job.shards)]))
        reasons = filtering.decide(self.filters.build(), frame)
        counts: dict[str, int] = {}
        for reason in (r for row in reasons for r in row):
            counts[reason] = counts.get(reason, 0) + 1
        decided = pl.DataFrame({"reasons": pl.Series(list(reasons), dtype=pl.List(pl.String))})
        return Made(decided.to_arrow(), decided.height, dict(sorted(counts.items())))


def _inputs(
    inputs: Sequence[Stage], shard: int, languages: Languages, given: bool
) -> tuple[list[Pair], list[list[ProjectionInput | None]], tuple[list[tuple[int, Segment]], list[Any]]]:
    """A shard's pairs, the projection inputs of each row (given) or of each segment (translated), and the segments."""
    pairs = pairs_from_table(inputs[0].read(shard))
    source, target = languages.source, languages.target
    if given:
        return pairs, [list(row) for row in stages.given_inputs(pairs, source, target)], ([], [])
    segments = stages.segments_from_table(inputs[1].read(shard))
    translations = stages.translations_from_table(inputs[2].read(shard))
    found = stages.projection_inputs(pairs, segments, translations, source, target)
    return pairs, [[item] for item in found], (segments, translations)
