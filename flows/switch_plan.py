"""What the configuration of a code-switched set means: its rows, its switcher, its stages."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from corpora.errors import ConfigError, InputError
from corpora.filters.base import Filter
from corpora.filters.sets import row_filters
from corpora.options import checked_options
from corpora.registry import resolve
from corpora.switching import CONSTRAINTS, COUNTERPARTS, SAMPLERS, UNITS
from corpora.switching.switcher import Switcher
from corpora.word_breaks import dictionaries
from flows.parallel_config import ParallelConfig
from flows.parallel_plan import SetPlan, set_plan
from flows.plan import VERSION
from flows.store import Stage
from flows.switch_config import SwitchConfig

_TABLES = {"unit": UNITS, "counterpart": COUNTERPARTS, "constraint": CONSTRAINTS, "sampler": SAMPLERS}


class SwitchPlan:
    """A code-switched set's components and stages.

    Args:
        config: The resolved configuration.
        root: The run's ``stages`` directory.
    """

    def __init__(self, config: SwitchConfig, root: Path) -> None:
        self.config, self.root = config, root

    @cached_property
    def rows(self) -> SetPlan:
        """The plan of the rows: read, joined, and linked where the counterpart needs it."""
        given = SetPlan(self._rows(()), self.root).languages
        matrix = self.config.matrix or given[0]
        if matrix not in given:
            raise ConfigError(f"no input has the language {matrix!r}", valid=given, hint="--input LANG=FILE adds one")
        wanted = [lang for lang in self.config.languages or given if lang != matrix and lang in given]
        return set_plan(self._rows((matrix, *wanted)).to_json(), str(self.root))

    def _rows(self, languages: tuple[str, ...]) -> ParallelConfig:
        config = self.config
        rows = config.rows.model_copy(
            update={"languages": languages or config.rows.languages, "min_languages": config.rows.min_languages or 1}
        )
        if not rows.inputs:
            raise InputError("no input", hint="--input RUN_DIRECTORY, or --input en=FILE --input es=FILE")
        align = config.align.model_copy(update={"pairs": "pivot" if self._linked else "none"})
        return ParallelConfig(
            flow="parallel", rows=rows, align=align, executor=config.executor, out=config.out, seed=config.seed
        )

    @property
    def _linked(self) -> bool:
        counterpart = self.config.counterpart
        needed = counterpart["kind"] == "alignment" or bool(counterpart.get("translate"))
        return (needed or self.config.constraint["kind"] != "none") and self.config.align.pairs != "none"

    @cached_property
    def switcher(self) -> Switcher:
        """What switches the rows.

        Raises:
            ConfigError: A kind, an option or a combination that can't do.
        """
        config = self.config
        parts = {name: self._component(name) for name in _TABLES}
        matrix, *others = self.rows.languages
        aligned = config.counterpart["kind"] == "alignment"
        languages = config.languages or (tuple(others) if aligned else ())
        if aligned:
            for lang in languages:
                if lang not in others:
                    raise ConfigError(f"no input has the language {lang!r}", valid=others, hint=f"--input {lang}=FILE")
            if not languages:
                raise InputError("there is no other language to mix in", hint="--input LANG=FILE adds one")
        if config.counterpart["kind"] == "entities" and config.unit["kind"] != "span":
            raise ConfigError("entities are spans", valid="span", hint="--unit span")
        if config.counterpart["kind"] == "transliteration" and config.unit["kind"] != "word":
            raise ConfigError("words are transliterated one by one", valid="word", hint="--unit word")
        if config.constraint["kind"] == "matrix" and config.unit["kind"] not in ("span", "word", "phrase"):
            raise ConfigError(
                "the matrix constraint is about words and phrases",
                valid=["span", "word", "phrase"],
                hint="--unit phrase",
            )
        return Switcher(
            matrix=matrix,
            languages=tuple(lang for lang in languages if lang != matrix),
            policy=config.policy,
            copies=config.copies,
            fields=config.fields,
            seed=config.seed,
            unswitched=config.unswitched,
            max_words=config.max_words,
            min_probability=config.min_probability,
            meta=config.meta,
            **parts,
        )

    @cached_property
    def filters(self) -> list[Filter]:
        """What the switched rows are judged by."""
        return row_filters(self.config.filters)

    def _component(self, name: str) -> Any:
        settings = getattr(self.config, name)
        kind = settings["kind"]
        cls = resolve(name, kind, _TABLES[name])
        return cls(**checked_options(cls, name, kind, {k: v for k, v in settings.items() if k != "kind"}))

    @cached_property
    def signature(self) -> str:
        """Every choice that changes the rows."""
        config, switcher = self.config, self.switcher
        parts = [self.rows.align_signature, f"matrix:{switcher.matrix}", f"into:{'+'.join(switcher.embedded)}"]
        for name in _TABLES:
            settings = getattr(config, name)
            told = ",".join(f"{key}={value}" for key, value in sorted(settings.items()) if key != "kind")
            own = getattr(getattr(switcher, name), "signature", "")
            parts.append(f"{name}:{settings['kind']}[{told}]{'@' + own if own else ''}")
        parts += [
            f"policy:{config.policy}",
            f"copies:{config.copies}",
            f"fields:{'+'.join(config.fields) or 'all'}",
            f"unswitched:{config.unswitched}",
            f"max:{config.max_words}",
            f"links:{config.min_probability:g}",
            f"meta:{config.meta}",
            f"words:{dictionaries()}",
            *[f"filters:{'+'.join(f.signature + f.threshold_signature for f in self.filters)}"] * bool(self.filters),
            f"seed:{config.seed}",
            f"version:{VERSION}",
        ]
        return "|".join(parts)

    @property
    def switch_stage(self) -> Stage:
        """The switched rows, shard by shard."""
        return Stage("switch", self.signature, self.root)

    @property
    def rejected_stage(self) -> Stage:
        """The rejected rows likewise."""
        return Stage("switch-rejected", self.signature, self.root)

    @property
    def assign_stage(self) -> Stage:
        """For samplers that need the whole corpus: the bin of every row."""
        return Stage("assign", self.signature, self.root)


@lru_cache(maxsize=4)
def switch_plan(config_json: str, root: str) -> SwitchPlan:
    """The plan of a configuration, one per process."""
    return SwitchPlan(SwitchConfig.model_validate_json(config_json), Path(root))
