"""What a configuration means: its components and, for every stage, the signature up to it.

A plan is rebuilt from the configuration's JSON wherever a task runs; models and fitted tables are loaded once per
process.
"""

import threading
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from corpora import filters as filtering
from corpora.errors import ConfigError
from corpora.filters.base import Filter
from corpora.readers import open_reader
from flows.config import RunConfig
from flows.store import Stage, digest
from projectors.aligners.beads import BEADS
from projectors.base import FittedProjector, Projector
from projectors.build import build_projector
from translators.load import load_translator
from translators.wrap import wrap

VERSION = "0.1.0"
_LOCK = threading.Lock()


class Plan:
    """A run's components and stages.

    Args:
        config: The resolved configuration.
        root: The run's ``stages`` directory.
    """

    def __init__(self, config: RunConfig, root: Path) -> None:
        self.config, self.root = config, root
        self.given = config.flow == "project"

    # Components

    @cached_property
    def reader(self) -> Any:
        """The reader of the source side."""
        read = self.config.read
        return open_reader(read.path, format=read.format, options=read.options, lang=self.config.source)

    @cached_property
    def target_reader(self) -> Any:
        """The reader of the given target side, in the flow ``project``."""
        read = self.config.read
        return open_reader(read.target or "", format=read.format, options=read.options, lang=self.config.target[0])

    def translator(self, target: str) -> Any:
        """The model for ``source -> target``; None when both sides are given and no model knows the pair."""
        return _translator(self.config.to_json(), target, self.given)

    @cached_property
    def filters(self) -> list[Filter]:
        """The filters, in order."""
        chosen = self.config.filters
        if not self.config.translator.glossary:
            return filtering.default_filters() if chosen is None else filtering.build(chosen)
        configs = [{"kind": kind} for kind in filtering.FILTERS] if chosen is None else chosen
        own = {"path": self.config.translator.glossary}
        return filtering.build([{**own, **c} if c.get("kind") == "glossary" else c for c in configs])

    def projector(self, target: str, *, fitted: bool = True) -> Projector:
        """The projector for one target language, with its tables where it learns from the corpus."""
        return _projector(self.config.to_json(), str(self.root), target, fitted)

    def unfitted(self, target: str) -> Projector:
        """The projector as configured, before it has seen the corpus."""
        section = self.config.projector
        return build_projector(section.kind, section.options, self.translator(target), self.config.source, target)

    # Signatures and stages

    @cached_property
    def read_signature(self) -> str:
        parts = [self.reader.signature, f"lang:{self.config.source}"]
        if self.given:
            parts += [f"target:{self.target_reader.signature}", f"by:{self.config.read.pair_by}"]
        parts += [f"shard:{self.config.shard_rows}", f"limit:{self.config.limit or 'none'}", f"version:{VERSION}"]
        return "|".join(parts)

    @cached_property
    def _model_signatures(self) -> dict[str, str]:
        return {t: self.translator(t).signature if self.translator(t) else "mt:none" for t in self.config.target}

    def segment_signature(self, target: str) -> str:
        limits = "none" if self.given else f"{self.translator(target).limits.source}@{self.piece_signature(target)}"
        return f"{self.read_signature}|seg:{self.config.segment.mode}.{limits}"

    def piece_signature(self, target: str) -> str:
        """The model that counts pieces; languages that share it share the segments."""
        return self._model_signatures[target].split("|")[0]

    def translate_signature(self, target: str) -> str:
        return f"{self.segment_signature(target)}|{self._model_signatures[target]}|to:{target}"

    def fit_signature(self, target: str) -> str:
        base = self.read_signature if self.given else self.translate_signature(target)
        return f"{base}|fit:{self.config.projector.fit_rows}|{self.unfitted(target).signature}|to:{target}"

    def project_signature(self, target: str) -> str:
        # What is fitted depends on all that the fit depends on, so its signature is the projection's too.
        return f"{self.fit_signature(target)}|{BEADS}"

    def score_signature(self, target: str) -> str:
        return f"{self.project_signature(target)}|score:{'+'.join(f.signature for f in self.filters)}"

    def filter_signature(self, target: str) -> str:
        return f"{self.score_signature(target)}|filt:{'+'.join(f.threshold_signature for f in self.filters)}"

    def signature(self, target: str) -> str:
        """The whole run's signature for one target language, as it stands in every row, report and card."""
        model = self._model_signatures[target]
        if self.given:
            sides = [f"target:{self.target_reader.signature}", f"by:{self.config.read.pair_by}"]
            model = f"mt:parallel|{model}"
        else:
            sides = [f"seg:{self.config.segment.mode}"]
        return "|".join(
            [
                self.reader.signature,
                *sides,
                model,
                self.unfitted(target).signature,
                f"fit:{self.config.projector.fit_rows}",
                f"filt:{digest('+'.join(f.signature + f.threshold_signature for f in self.filters), 8)}",
                f"lang:{self.config.source}-{target}",
                f"limit:{self.config.limit or 'none'}",
                f"seed:{self.config.seed}",
                f"version:{VERSION}",
            ]
        )

    def stage(self, name: str, target: str | None = None) -> Stage:
        """The stage ``name``; ``read`` has no target language, ``segment`` has it only to find its model."""
        if name == "read":
            return Stage("read", self.read_signature, self.root)
        if target is None:
            raise ConfigError(f"stage {name!r} needs a target language", valid=self.config.target)
        signature = getattr(self, f"{name}_signature")(target)
        return Stage("segment" if name == "segment" else f"{name}-{target}", signature, self.root)


@lru_cache(maxsize=8)
def plan_of(config_json: str, root: str) -> Plan:
    """The plan of a configuration, one per process."""
    return Plan(RunConfig.model_validate_json(config_json), Path(root))


@lru_cache(maxsize=8)
def _load(config_json: str, target: str, optional: bool) -> Any:
    config = RunConfig.model_validate_json(config_json)
    section = config.translator
    found = load_translator(
        section.model,
        source=config.source,
        target=target,
        device=section.device,
        compute_type=section.compute_type,
        beam=section.beam,
        optional=optional,
        **section.options,
    )
    return wrap(found, protect=section.protect, glossary=section.glossary, memory_mb=section.memory_mb)


def _translator(config_json: str, target: str, optional: bool) -> Any:
    with _LOCK:  # two threads must not load the same model twice
        return _load(config_json, target, optional)


@lru_cache(maxsize=8)
def _build(config_json: str, root: str, target: str, fitted: bool) -> Projector:
    plan = plan_of(config_json, root)
    projector = plan.unfitted(target)
    if fitted and isinstance(projector, FittedProjector):
        return projector.with_state(plan.stage("fit", target).path(0, ".bin").read_bytes())
    return projector


_BUILD_LOCK = threading.Lock()


def _projector(config_json: str, root: str, target: str, fitted: bool) -> Projector:
    with _BUILD_LOCK:
        return _build(config_json, root, target, fitted)
