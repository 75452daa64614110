"""The flows ``translate-train`` and ``project`` as lists of steps."""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.options import shown_value
from spanferry.corpora.readers import open_reader
from spanferry.corpora.signature import NOTHING, Signature
from spanferry.corpora.writers import open_writer
from spanferry.flows import models
from spanferry.flows.config import RunConfig
from spanferry.flows.engine.budget import check_budget
from spanferry.flows.engine.estimate import Survey
from spanferry.flows.engine.flow import Flow
from spanferry.flows.engine.step import Step, Work
from spanferry.flows.translate.emit import Emit
from spanferry.flows.translate.variants import check_variants
from spanferry.flows.translate.work import (
    Decide,
    Filters,
    Fit,
    Languages,
    Project,
    Read,
    Repair,
    Score,
    SegmentRows,
    Translate,
)
from spanferry.flows.version import VERSION
from spanferry.projectors.aligners.lexical.beads import BEADS
from spanferry.projectors.base import FittableProjector, RetranslatingProjector, projector_entry
from spanferry.projectors.pipeline.stages import run_signature
from spanferry.projectors.repair.enforce import repair_signature
from spanferry.projectors.repair.tables import repair_tables

# Of a model that scores: the filters look at the glossary, and a memory that is not used does no harm.
_SCORING = ("model", "device", "compute_type", "glossary", "memory_mb", "options")
_ONE_SIDE = ("path", "format", "options")  # of the input, where the target side is not given


@dataclass(frozen=True)
class _Components:
    """What the components say of themselves, for one target language; none of them is held."""

    model: Signature
    pieces: str  # the model that counts pieces and its limit; languages that share them share the segments
    projector: Signature
    fits: bool
    retranslates: bool


@dataclass(frozen=True)
class Signatures:
    """Every choice that changes what a run makes, asked of the components once."""

    config: RunConfig

    @property
    def given(self) -> bool:
        """Whether both sides are given."""
        return self.config.flow == "project"

    @cached_property
    def source(self) -> Signature:
        """What is read of the source side."""
        read = self.config.read
        reader = open_reader(read.path, format=read.format, options=read.options, lang=self.config.source)
        return Signature.of(reader.signature)

    @cached_property
    def target(self) -> Signature:
        """What is read of the given target side."""
        read, lang = self.config.read, self.config.target[0]
        reader = open_reader(read.target or "", format=read.format, options=read.options, lang=lang)
        return Signature.of(("target", reader.signature), ("by", read.pair_by))

    @cached_property
    def components(self) -> dict[str, _Components]:
        """By target language; the models are loaded one language after the other."""
        found = {}
        for target in self.config.target:
            model = models.translator(self.config.translator, self.config.source, target, optional=self.given)
            signature = Signature.of(model.signature if model else ("mt", "none"))
            if self.config.variants.count > 1:
                check_variants(model, self.config.variants)
            pieces = "none" if self.given else f"{model.limits.source}@{Signature.of(*signature.entries[:1])}"
            if not self.given:
                self._check_repair(model, target)
            projector = models.unfitted(self.config.projector, model, self.config.source, target)
            fits = isinstance(projector, FittableProjector)
            entry = projector_entry(projector.signature)
            found[target] = _Components(signature, pieces, entry, fits, _retranslates(projector))
        return found

    def _check_repair(self, model: Any, target: str) -> None:
        config = self.config
        if config.repair or config.best_of > 1:
            repair_tables(config.source, target)
        if config.best_of > 1 and not hasattr(model, "translate_nbest"):
            raise ConfigError(
                f"best_of={config.best_of}: {model.signature} gives one translation of a text",
                valid="a model that CTranslate2 runs as an encoder-decoder, without --protect and --glossary",
                hint="leave best_of out",
            )

    @property
    def chosen_filters(self) -> Filters:
        """Which filters."""
        return Filters(self.config.filters, self.config.translator.glossary, self.given)

    @cached_property
    def filters(self) -> list[Filter]:
        """The filters, in order."""
        return self.chosen_filters.build()

    @property
    def variants(self) -> Signature:
        """How several translations of a row are made; nothing where there is one."""
        wanted = self.config.variants
        drawn = f".seed{self.config.seed}" if wanted.by == "sample" else ""
        return Signature.of(("variants", f"{wanted.count}.{wanted.by}{drawn}")) if wanted.count > 1 else NOTHING

    @property
    def repair(self) -> Signature:
        """How translations are repaired; nothing where they are not."""
        return repair_signature(self.config.best_of, self.config.repair)

    def of(self, target: str) -> Signature:
        """The whole run's signature for one target language, as it stands in every row, report and card."""
        config, own = self.config, self.components[target]
        if self.given:
            before = Signature.of(self.source, self.target, ("mt", "parallel"), own.model)
        else:
            before = Signature.of(self.source, ("seg", config.segment.mode), own.model, self.variants, self.repair)
        chain = run_signature(before, own.projector, config.projector.fit_rows, self.filters, config.source, target)
        return Signature.of(chain, ("limit", config.limit or "none"), ("seed", config.seed), ("version", VERSION))


def translate_flow(config: RunConfig) -> Flow:
    """The flow of a configuration; every component has been built, so whatever is wrong has been raised.

    Raises:
        SpanferryError: What is wrong.
    """
    check_budget(config.budget, [config.translator.model], config.translator.options, config.projector.options)
    signatures = Signatures(config)
    if signatures.given:
        models.refuse_set(config.segment, "both sides are given", name="segment")
        models.refuse_set(config.variants, "both sides are given", name="variants")
        for key, value in (("repair", config.repair), ("best_of", config.best_of > 1)):
            if value:
                shown = getattr(config, key)
                raise ConfigError(
                    f"{key}={shown_value(shown)} is not used: both sides are given", hint=f"leave {key} out"
                )
        if not any(own.retranslates for own in signatures.components.values()):
            why = f"both sides are given, and the projector {config.projector.kind!r} translates nothing"
            models.refuse_set(config.translator, why, except_for=_SCORING)
    else:
        models.refuse_set(config.read, "nothing is given to project on", name="read", except_for=_ONE_SIDE)
    if not any(own.fits for own in signatures.components.values()):
        why = f"the projector {config.projector.kind!r} learns nothing"
        models.refuse_set(config.projector, why, name="projector", except_for=("kind", "options"))
    for name in config.output.formats:
        open_writer(name, config.output.options.get(name, {}))
    sides = Signature.of(signatures.source, ("lang", config.source), signatures.target if signatures.given else "")
    variants = ("variants", config.variants.count) if config.variants.count > 1 else ""
    limit = ("limit", config.limit or "none")
    key = Signature.of(sides, variants, ("shard", config.shard_rows), limit, ("version", VERSION))
    languages = Languages(config.source, config.target[0] if signatures.given else "")
    reading = Read(config.read, languages, config.shard_rows, config.limit, config.variants.count)
    read = Step("read", key, reading, scope="read")
    outputs = [step for target in config.target for step in _language(signatures, read, target)]
    return Flow(
        config,
        outputs,
        title=f"{config.source} → {', '.join(config.target)}",
        signatures={target: signatures.of(target) for target in config.target},
        tags=[config.source, *config.target],
        survey=partial(_survey, reading, config),
    )


def _retranslates(projector: object) -> bool:
    members = getattr(projector, "members", {})
    return isinstance(projector, RetranslatingProjector) or any(map(_retranslates, members.values()))


def _survey(read: Read, config: RunConfig) -> Survey:
    rows = islice(read.pairs(), config.limit)
    texts = (tuple(pair.source.texts.values()) for pair in rows)
    return Survey.of(texts, config.shard_rows, remembered=config.translator.memory_mb > 0)


def _language(signatures: Signatures, read: Step, target: str) -> list[Step]:
    config, own, given = signatures.config, signatures.components[target], signatures.given
    languages = Languages(config.source, target)
    model = config.translator
    before: tuple[Step, ...] = (read,)
    translated: tuple[Step, ...] = ()
    if not given:
        mode = config.segment.mode
        cutting = Signature.of(("seg", f"{mode}.{own.pieces}"))
        segment = Step("segment", cutting, SegmentRows(model, languages, mode), (read,), group=target)
        translating = Signature.of(own.model, ("to", target), signatures.variants)
        work: Work = Translate(model, languages, config.variants, config.seed)
        translate = Step(f"translate-{target}", translating, work, (segment,), group=target)
        before, translated = (read, segment, translate), (translate,)
        if config.repair or config.best_of > 1:
            repairing = Signature.of(own.model, signatures.repair, ("to", target))
            repair = Step(
                f"repair-{target}",
                repairing,
                Repair(model, languages, config.best_of, config.repair),
                (segment, translate),
                group=target,
            )
            before, translated = (read, segment, repair), (translate, repair)
    key = Signature.of(("fit", config.projector.fit_rows), own.projector, ("to", target))
    fits: tuple[Step, ...] = ()
    if own.fits:
        fit = Fit(config.projector, model, languages, given)
        fits = (Step(f"fit-{target}", key, fit, before, "whole", target),)
    project = Step(
        f"project-{target}",
        Signature.of(key, BEADS),
        Project(config.projector, model, languages, given),
        (*before, *fits),
        group=target,
    )
    made = MadeBy(signatures.of(target), None if given else own.model, own.projector, Path(config.read.path).name)
    return closing_steps(config, target, signatures.chosen_filters, (read, project, *translated), made)


@dataclass(frozen=True)
class MadeBy:
    """What the rows of one language were made by.

    Attributes:
        signature: Every choice, as it stands in every row.
        model: Signature of the model; None: both sides were given.
        projector: Signature of the projector.
        input: Name of what was read.
    """

    signature: Signature
    model: Signature | None
    projector: Signature
    input: str


def closing_steps(
    config: RunConfig, target: str, chosen: Filters, before: tuple[Step, ...], made: MadeBy
) -> list[Step]:
    """The steps behind the projection: scores, decisions, and one output per format, which are returned.

    Args:
        config: The run's configuration.
        target: BCP-47.
        chosen: The filters.
        before: The steps ``read``, ``project`` and, where a model translated, ``translate``.
        made: What the rows were made by.
    """
    read, project, *translated = before
    filters = chosen.build()
    scoring = Signature.of(("score", "+".join(f.signature for f in filters)))
    score = Step(f"score-{target}", scoring, Score(chosen), (project,), group=target)
    deciding = Signature.of(("filt", "+".join(f.threshold_signature for f in filters)))
    decide = Step(f"filter-{target}", deciding, Decide(chosen), (score,), "whole", target)
    outputs = []
    for name in config.output.formats:
        emit = Emit(
            config.flow,
            config.source,
            target,
            name,
            config.output.options.get(name, {}),
            chosen,
            config.seed,
            made.input,
            made.signature,
            made.model,
            made.projector,
            config.output.scores,
        )
        place = target if name == "arrow" else f"{target}-{name}"
        after = (read, project, score, decide, *translated)
        outputs.append(Step(f"emit-{place}", emit.key, emit, after, "emit", target, place))
    return outputs
