"""The flows ``translate-train`` and ``project`` as lists of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spanferry.corpora.filters.base import Filter
from spanferry.corpora.readers import open_reader
from spanferry.corpora.writers import open_writer
from spanferry.flows import models
from spanferry.flows.config import RunConfig
from spanferry.flows.engine.flow import Flow
from spanferry.flows.engine.step import Step
from spanferry.flows.store import digest
from spanferry.flows.translate.emit import Emit
from spanferry.flows.translate.work import (
    Decide,
    Filters,
    Fit,
    Languages,
    Project,
    Read,
    Score,
    SegmentRows,
    Translate,
)
from spanferry.flows.version import VERSION
from spanferry.projectors.aligners.lexical.beads import BEADS
from spanferry.projectors.base import FittedProjector

_ONE_SIDE = ("path", "format", "options")  # of the input, where the target side is not given


@dataclass(frozen=True)
class _Components:
    """What the components say of themselves, for one target language; none of them is held."""

    model: str
    pieces: str  # the model that counts pieces and its limit; languages that share them share the segments
    projector: str
    fits: bool


@dataclass(frozen=True)
class Signatures:
    """Every choice that changes what a run makes, asked of the components once."""

    config: RunConfig

    @property
    def given(self) -> bool:
        """Whether both sides are given."""
        return self.config.flow == "project"

    @cached_property
    def source(self) -> str:
        """What is read of the source side."""
        read = self.config.read
        return str(open_reader(read.path, format=read.format, options=read.options, lang=self.config.source).signature)

    @cached_property
    def target(self) -> str:
        """What is read of the given target side."""
        read, lang = self.config.read, self.config.target[0]
        reader = open_reader(read.target or "", format=read.format, options=read.options, lang=lang)
        return f"target:{reader.signature}|by:{read.pair_by}"

    @cached_property
    def components(self) -> dict[str, _Components]:
        """By target language; the models are loaded one language after the other."""
        found = {}
        for target in self.config.target:
            model = models.translator(self.config.translator, self.config.source, target, optional=self.given)
            signature = model.signature if model else "mt:none"
            pieces = "none" if self.given else f"{model.limits.source}@{signature.split('|')[0]}"
            projector = models.unfitted(self.config.projector, model, self.config.source, target)
            fits = isinstance(projector, FittedProjector)
            found[target] = _Components(signature, pieces, projector.signature, fits)
        return found

    @property
    def chosen_filters(self) -> Filters:
        """Which filters."""
        return Filters(self.config.filters, self.config.translator.glossary, self.given)

    @cached_property
    def filters(self) -> list[Filter]:
        """The filters, in order."""
        return self.chosen_filters.build()

    def of(self, target: str) -> str:
        """The whole run's signature for one target language, as it stands in every row, report and card."""
        config, own = self.config, self.components[target]
        sides = [self.target, f"mt:parallel|{own.model}"] if self.given else [f"seg:{config.segment.mode}", own.model]
        return "|".join(
            [
                self.source,
                *sides,
                own.projector,
                f"fit:{config.projector.fit_rows}",
                filters_part(self.filters),
                f"lang:{config.source}-{target}",
                f"limit:{config.limit or 'none'}",
                f"seed:{config.seed}",
                f"version:{VERSION}",
            ]
        )


def translate_flow(config: RunConfig) -> Flow:
    """The flow of a configuration; every component has been built, so whatever is wrong has been raised.

    Raises:
        SpanferryError: What is wrong.
    """
    signatures = Signatures(config)
    if signatures.given:
        models.refuse_set(config.segment, "both sides are given", name="segment")
    else:
        models.refuse_set(config.read, "nothing is given to project on", name="read", except_for=_ONE_SIDE)
    for name in config.output.formats:
        open_writer(name, config.output.options.get(name, {}))
    parts = [signatures.source, f"lang:{config.source}", *([signatures.target] if signatures.given else [])]
    parts += [f"shard:{config.shard_rows}", f"limit:{config.limit or 'none'}", f"version:{VERSION}"]
    languages = Languages(config.source, config.target[0] if signatures.given else "")
    read = Step("read", "|".join(parts), Read(config.read, languages, config.shard_rows, config.limit), scope="read")
    outputs = [step for target in config.target for step in _language(signatures, read, target)]
    return Flow(
        config,
        outputs,
        title=f"{config.source} → {', '.join(config.target)}",
        signatures={target: signatures.of(target) for target in config.target},
        tags=[config.source, *config.target],
    )


def _language(signatures: Signatures, read: Step, target: str) -> list[Step]:
    config, own, given = signatures.config, signatures.components[target], signatures.given
    languages = Languages(config.source, target)
    model = config.translator
    before: tuple[Step, ...] = (read,)
    translated: tuple[Step, ...] = ()
    if not given:
        mode = config.segment.mode
        segment = Step(
            "segment", f"seg:{mode}.{own.pieces}", SegmentRows(model, languages, mode), (read,), group=target
        )
        translate = Step(
            f"translate-{target}", f"{own.model}|to:{target}", Translate(model, languages), (segment,), group=target
        )
        before, translated = (read, segment, translate), (translate,)
    key = f"fit:{config.projector.fit_rows}|{own.projector}|to:{target}"
    fits: tuple[Step, ...] = ()
    if own.fits:
        work = Fit(config.projector, model, languages, given)
        fits = (Step(f"fit-{target}", key, work, before, "whole", target),)
    project = Step(
        f"project-{target}",
        f"{key}|{BEADS}",
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

    signature: str
    model: str | None
    projector: str
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
    scoring = "score:" + "+".join(f.signature for f in filters)
    score = Step(f"score-{target}", scoring, Score(chosen), (project,), group=target)
    deciding = "filt:" + "+".join(f.threshold_signature for f in filters)
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
        outputs.append(Step(f"emit-{place}", f"emit:{emit.key}", emit, after, "emit", target, place))
    return outputs


def filters_part(filters: Sequence[Filter]) -> str:
    """The part of a run's signature that says which filters decided."""
    return f"filt:{digest('+'.join(f.signature + f.threshold_signature for f in filters), 8)}"
