"""What the configuration of a parallel or derived set means: readers, languages, aligners, and its stages."""

import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from corpora.derive import open_derivation
from corpora.derive.base import Derivation, TranslatingDerivation
from corpora.errors import ConfigError, InputError, nearest
from corpora.filters.base import Filter
from corpora.filters.sets import row_filters
from corpora.multiway import Direction
from corpora.readers.multiway import ParallelReader, open_parallel
from corpora.writers.parallel import ParallelWriter, open_parallel_writer
from flows.parallel_config import DeriveConfig, ParallelConfig
from flows.plan import VERSION
from flows.store import Stage
from projectors.alignment import AlignmentProjector
from projectors.base import Aligner, FittedAligner
from translators.load import load_translator
from translators.wrap import wrap

_LOCK = threading.RLock()


class SetPlan:
    """A set's components and stages.

    Args:
        config: The resolved configuration.
        root: The run's ``stages`` directory.
    """

    def __init__(self, config: ParallelConfig | DeriveConfig, root: Path) -> None:
        self.config, self.root = config, root

    @cached_property
    def readers(self) -> list[ParallelReader]:
        """The readers of all inputs, in order; a run has one for each of its languages."""
        rows = self.config.rows
        return [
            reader
            for entry in rows.inputs
            for reader in open_parallel(
                entry, format=rows.format, options=rows.options, shared_ids=rows.shared_span_ids
            )
        ]

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The set's languages, in order: those chosen, else those of the inputs in order of appearance.

        Raises:
            ConfigError: A chosen language that no input has.
            InputError: The inputs have one language only, where a set needs two.
        """
        found = tuple(dict.fromkeys(lang for reader in self.readers for lang in reader.languages))
        chosen = self.config.rows.languages
        for lang in chosen:
            if lang not in found:
                close = nearest(lang, found, 1)
                hint = f"did you mean {close[0]!r}?" if close else "--input LANG=FILE adds one"
                raise ConfigError(f"no input has the language {lang!r}", valid=found, hint=hint)
        if len(chosen or found) < min(2, self.min_languages):
            raise InputError(
                f"all inputs together have one language, {found[0]!r}", hint="--input LANG=FILE adds another"
            )
        return chosen or found

    @property
    def min_languages(self) -> int:
        """How many cells a row needs."""
        return self.config.rows.min_languages or (
            2 if isinstance(self.config, ParallelConfig) else self.derivation.min_languages
        )

    @cached_property
    def directions(self) -> list[Direction]:
        """The pairs of languages whose words are linked."""
        pairs = self.config.align.pairs
        if pairs == "auto":
            pairs = "pivot" if isinstance(self.config, ParallelConfig) or "links" in self.derivation.needs else "none"
        if pairs == "none":
            return []
        return [(a, b) for a, b in combinations(self.languages, 2) if pairs == "all" or a == self.languages[0]]

    @cached_property
    def derivation(self) -> Derivation:
        """What makes the derived set's records."""
        config = self._derive
        return open_derivation(config.kind, config.options, seed=config.seed, translators=self.translator)

    @property
    def _derive(self) -> DeriveConfig:
        if not isinstance(self.config, DeriveConfig):
            raise ConfigError("the flow 'parallel' derives nothing", hint="spanferry run derive KIND")
        return self.config

    def writers(self) -> dict[str, ParallelWriter]:
        """The writers by format."""
        config = self.config
        if isinstance(config, DeriveConfig):
            return {}
        return {name: open_parallel_writer(name, config.output.options.get(name)) for name in config.output.formats}

    def translator(self, source: str, target: str) -> Any:
        """The model for ``source -> target``; one per process."""
        with _LOCK:
            return _load(self._derive.to_json(), source, target)

    def unfitted(self) -> Aligner:
        """The aligner as configured, before it has seen the rows."""
        section = self.config.align
        return AlignmentProjector(section.aligner, aligner_options=section.options).aligner

    def aligner(self, direction: Direction) -> Aligner:
        """The aligner for one direction, with its tables where it learns from the rows."""
        with _LOCK:
            return _fitted(self.config.to_json(), str(self.root), direction)

    @cached_property
    def filters(self) -> list[Filter]:
        """What the cells are judged by."""
        return row_filters(self.config.rows.filters)

    # Signatures and stages

    @cached_property
    def rows_signature(self) -> str:
        rows = self.config.rows
        parts = [reader.signature for reader in self.readers]
        parts += [f"join:{rows.join}", f"languages:{'+'.join(self.languages)}", f"min:{self.min_languages}"]
        parts += [f"filters:{'+'.join(f.signature + f.threshold_signature for f in self.filters)}"] * bool(self.filters)
        parts += [f"shard:{rows.shard_rows}", f"limit:{rows.limit or 'none'}", f"version:{VERSION}"]
        return "|".join(parts)

    @cached_property
    def align_signature(self) -> str:
        if not self.directions:
            return f"{self.rows_signature}|links:none"
        pairs = "+".join(f"{a}-{b}" for a, b in self.directions)
        return f"{self.rows_signature}|links:{self.unfitted().signature}.{pairs}.fit{self.config.align.fit_rows}"

    @cached_property
    def derive_signature(self) -> str:
        config = self._derive
        options = ",".join(f"{key}={value}" for key, value in sorted(config.options.items()))
        parts = [self.align_signature, f"derive:{config.kind}[{options}]", f"seed:{config.seed}"]
        if isinstance(self.derivation, TranslatingDerivation):
            section = config.translator
            parts.append(
                f"mt:{section.model}.{config.reverse or section.model}.beam{section.beam}.{section.compute_type}"
            )
        return "|".join(parts)

    @property
    def signature(self) -> str:
        """The whole set's signature, as it stands in report and card."""
        return self.derive_signature if isinstance(self.config, DeriveConfig) else self.align_signature

    def input_stage(self, number: int) -> Stage:
        """The rows of one input, as read."""
        rows = self.config.rows
        return Stage(f"input{number}", f"{self.readers[number].signature}|shard:{rows.shard_rows}", self.root)

    @property
    def rows_stage(self) -> Stage:
        """The joined rows."""
        return Stage("rows", self.rows_signature, self.root)

    def fit_stage(self, direction: Direction) -> Stage:
        """The tables of the aligner for one direction."""
        return Stage(f"fit-{direction[0]}-{direction[1]}", self.align_signature, self.root)

    @property
    def align_stage(self) -> Stage:
        """The joined rows with their word links."""
        return Stage("align", self.align_signature, self.root) if self.directions else self.rows_stage

    @property
    def derive_stage(self) -> Stage:
        """The records, shard by shard."""
        return Stage("derive", self.derive_signature, self.root)


@lru_cache(maxsize=8)
def set_plan(config_json: str, root: str) -> SetPlan:
    """The plan of a configuration, one per process."""
    model = DeriveConfig if '"flow": "derive"' in config_json else ParallelConfig
    return SetPlan(model.model_validate_json(config_json), Path(root))


def check(plan: SetPlan) -> Sequence[str]:
    """Builds every component, so that whatever is wrong is told before any work; returns the languages.

    Raises:
        SpanferryError: What is wrong.
    """
    if not plan.config.rows.inputs:
        raise InputError("no input", hint="--input RUN_DIRECTORY, --input en=FILE --input es=FILE, or --input FILE.tmx")
    plan.writers()
    if isinstance(plan.config, DeriveConfig):
        _ = plan.derivation
    _ = plan.languages, plan.signature
    if isinstance(plan.config, DeriveConfig) and isinstance(plan.derivation, TranslatingDerivation):
        for source, target in plan.derivation.translations(plan.languages):
            plan.translator(source, target)
    return plan.languages


@lru_cache(maxsize=8)
def _load(config_json: str, source: str, target: str) -> Any:
    config = DeriveConfig.model_validate_json(config_json)
    section = config.translator
    # A round trip comes back from the language that the derivation translates into.
    back = source == config.options.get("into")
    found = load_translator(
        config.reverse if back and config.reverse else section.model,
        source=source,
        target=target,
        device=section.device,
        compute_type=section.compute_type,
        beam=section.beam,
    )
    return wrap(found, protect=section.protect, glossary=section.glossary, memory_mb=section.memory_mb)


@lru_cache(maxsize=8)
def _fitted(config_json: str, root: str, direction: Direction) -> Aligner:
    plan = set_plan(config_json, root)
    aligner = plan.unfitted()
    if isinstance(aligner, FittedAligner):
        return aligner.with_state(plan.fit_stage(direction).path(0, ".bin").read_bytes())
    return aligner
