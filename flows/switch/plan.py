"""What the configuration of a code-switched set means: its rows and its switcher."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.files import contents
from spanferry.corpora.filters.base import signature_of
from spanferry.corpora.filters.sets import row_filters
from spanferry.corpora.options import build_component
from spanferry.corpora.registry import resolve
from spanferry.corpora.signature import Signature, neutral_options, number_text, settings, value_text
from spanferry.corpora.switching import CONSTRAINTS, COUNTERPARTS, SAMPLERS, UNITS
from spanferry.corpora.switching.switcher import Switcher
from spanferry.corpora.text.languages import same_language
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.flows.models import Recent
from spanferry.flows.sets.plan import SetPlan
from spanferry.flows.switch.config import SwitchConfig
from spanferry.flows.version import VERSION

_switchers = Recent(4)
_TABLES = {"unit": UNITS, "counterpart": COUNTERPARTS, "constraint": CONSTRAINTS, "sampler": SAMPLERS}


@dataclass(frozen=True)
class SwitcherParts:
    """A switcher before its tables are loaded: what goes to the workers.

    Attributes:
        components: Settings of unit, counterpart, constraint and sampler, each with its ``kind``.
        options: The switcher's other arguments.
        files: What says that a file with the same name is another one now.
    """

    components: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, Any]
    files: str

    def build(self) -> Switcher:
        """The switcher, one per process.

        Raises:
            ConfigError: A kind or an option that there is not.
        """
        key = json.dumps([self.components, self.options, self.files], sort_keys=True, default=str)
        return _switchers.get((key,), lambda: Switcher(**self.options, **self._components()))

    def _components(self) -> dict[str, Any]:
        found = {}
        for name, chosen in self.components.items():
            kind = chosen["kind"]
            cls = resolve(name, kind, _TABLES[name])
            found[name] = build_component(cls, name, kind, {k: v for k, v in chosen.items() if k != "kind"})
        return found


@dataclass(frozen=True)
class SwitchPlan:
    """A code-switched set's rows and switcher.

    Attributes:
        config: The resolved configuration.
    """

    config: SwitchConfig

    @cached_property
    def rows(self) -> SetPlan:
        """The plan of the rows: read, joined, and linked where the counterpart needs it."""
        given = self._rows(())
        languages = given.languages
        matrix = same_language(self.config.matrix, languages) if self.config.matrix else languages[0]
        if matrix not in languages:
            raise ConfigError(
                f"no input has the language {matrix!r}", valid=languages, hint="--input LANG=FILE adds one"
            )
        asked = [same_language(lang, languages) for lang in self.config.languages]
        wanted = [lang for lang in asked or languages if lang != matrix and lang in languages]
        return self._rows((matrix, *wanted), given)

    def _rows(self, languages: tuple[str, ...], read: SetPlan | None = None) -> SetPlan:
        config = self.config
        rows = config.rows.model_copy(update={"languages": languages or config.rows.languages})
        if not rows.inputs:
            raise InputError("no input", hint="--input RUN_DIRECTORY, or --input en=FILE --input es=FILE")
        pairs: Literal["pivot", "none"] = "pivot" if self._linked else "none"
        plan = SetPlan(rows, config.align, config.rows.min_languages or 1, pairs)
        if read is not None:  # the inputs are opened and hashed once
            plan.__dict__.update(readers=read.readers, reader_signatures=read.reader_signatures, found=read.found)
        return plan

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
        return self.parts.build()

    @cached_property
    def parts(self) -> "SwitcherParts":
        """What the switcher is built from.

        Raises:
            ConfigError: A combination that can't do.
        """
        config = self.config
        matrix, *others = self.rows.languages
        aligned = config.counterpart["kind"] == "alignment"
        asked = tuple(same_language(lang, others) for lang in config.languages)
        languages = asked or (tuple(others) if aligned else ())
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
        return SwitcherParts(
            {name: getattr(config, name) for name in _TABLES},
            {
                "matrix": matrix,
                "languages": tuple(lang for lang in languages if lang != matrix),
                "policy": config.policy,
                "copies": config.copies,
                "fields": config.fields,
                "seed": config.seed,
                "unswitched": config.unswitched,
                "max_words": config.max_words,
                "min_probability": config.min_probability,
                "meta": config.meta,
            },
            self.files,
        )

    @cached_property
    def key(self) -> Signature:
        """Every choice that changes how the rows are switched and which of them are kept."""
        filters = row_filters(self.config.filters)
        return self._key(("filters", signature_of(filters)) if filters else "")

    @cached_property
    def assigning(self) -> Signature:
        """Every choice that changes what a sampler of the whole corpus assigns: rows are filtered later."""
        return self._key("")

    def _key(self, filtered: str | tuple[str, object]) -> Signature:
        config = self.config
        return Signature.of(
            ("matrix", self.switcher.matrix),
            ("into", "+".join(self.switcher.embedded)),
            *((name, self._stated(name)) for name in _TABLES),
            ("policy", config.policy),
            ("copies", config.copies),
            ("fields", value_text(config.fields) or "all"),
            ("unswitched", config.unswitched),
            ("max", config.max_words),
            ("links", number_text(config.min_probability)),
            ("meta", value_text(config.meta)),
            ("words", dictionaries()),
            filtered,
            ("seed", config.seed),
            ("columns", 2),
            ("version", VERSION),
        )

    def _stated(self, name: str) -> str:
        """``<kind>[<options>]@<what the component says of its files>``."""
        chosen, component = getattr(self.config, name), getattr(self.switcher, name)
        options = settings(dict(sorted(chosen.items())), {"kind", *neutral_options(component)}) or "[]"
        own = getattr(component, "signature", "")
        return f"{chosen['kind']}{options}{'@' + own if own else ''}"

    @cached_property
    def files(self) -> str:
        """The content of the files that options name; a file with the same name may be another one now."""
        return contents([getattr(self.config, name) for name in _TABLES])

    @cached_property
    def signature(self) -> Signature:
        """Every choice that changes the files, as it stands in report and card: they have a batch for each shard."""
        return Signature.of(self.rows.signature, ("shard", self.config.rows.shard_rows), self.key)
