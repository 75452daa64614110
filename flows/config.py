"""The configuration of a run: frozen pydantic models, filled from defaults, a TOML file, ``--set`` and options.

Later sources win: defaults < ``--config FILE`` < ``--set a.b=c`` < the command's own options. An unknown key is an
error that names the nearest valid one. The resolved configuration is written beside the data.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from spanferry.corpora.errors import ConfigError, InputError, nearest
from spanferry.corpora.filters import default_names
from spanferry.corpora.text.languages import check_language
from spanferry.translators.endpoints.secrets import refuse_secrets


class Section(BaseModel):
    """A part of the configuration: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
    # Keys that change no byte of the output; all others are in the flow's signature or in the key of an output.
    neutral_options: ClassVar[frozenset[str]] = frozenset()


Flow = TypeVar("Flow", bound=Section)


class ReadConfig(Section):
    """Where the rows come from."""

    path: str = Field(default="", description="a file, a folder, hf:ID of the hub, or sample:NAME")
    target: str | None = Field(default=None, description="project: the rows in the target language")
    format: str | None = Field(
        default=None, description="a reader's name; by default the path and the first lines decide"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="options of the reader")
    pair_by: Literal["index", "id"] = Field(
        default="index", description="project: whether rows are paired by position or by id"
    )


class TranslatorConfig(Section):
    """The model that translates and scores."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"memory_mb"})

    model: str = Field(
        default="bundled", description="bundled, none, a directory, a hub id, endpoint:MODEL or package.module:Class"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where the model runs")
    compute_type: str = Field(default="default", description="a CTranslate2 type: int8, float16, float32 …")
    beam: int = Field(default=4, ge=1, le=64, description="beam size")
    protect: bool = Field(default=False, description="keep placeholders, URLs, code and markup unchanged")
    glossary: str = Field(default="", description="a TSV file: source term, target term or terms, language")
    memory_mb: int = Field(default=512, ge=0, description="size of the translation memory in MB; 0 keeps none")
    options: dict[str, Any] = Field(default_factory=dict, description="further options of the model")

    @field_validator("options")
    @classmethod
    def _without_secrets(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)  # an error of our own, which pydantic lets through: its own would show the value
        return options


class SegmentConfig(Section):
    """How long texts are cut before they are translated."""

    mode: Literal["sentence", "none"] = Field(default="sentence", description="whether long texts are cut")


class ProjectorConfig(Section):
    """How labels are carried over."""

    kind: str = Field(default="default", description="a projector's name or package.module:Class")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the projector")
    fit_rows: int = Field(default=20_000, ge=1, description="most sentence pairs that a corpus aligner learns from")

    @field_validator("options")
    @classmethod
    def _without_secrets(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)  # a language model has options of its own
        return options


class WriteConfig(Section):
    """What is written."""

    formats: tuple[str, ...] = Field(default=(), description="names of writers")
    options: dict[str, dict[str, Any]] = Field(default_factory=dict, description="options of the writers, by name")

    @model_validator(mode="after")
    def _options_are_used(self) -> "WriteConfig":
        for name in self.options:
            if name not in self.formats:
                raise ConfigError(f"options of the writer {name!r}, which is not used", hint=f"--write {name}")
        return self


class OutputConfig(WriteConfig):
    """What is written, the Arrow dataset among it."""

    formats: tuple[str, ...] = Field(default=("arrow",), description="names of writers; arrow is always among them")

    @field_validator("formats")
    @classmethod
    def _with_arrow(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        # The dataset that the report, the card and the inspector open is always there.
        return formats if "arrow" in formats else ("arrow", *formats)


class RunOutputConfig(OutputConfig):
    """What a run with filters writes."""

    scores: bool = Field(default=False, description="write every score of the filters into the rows")


class ExecutorConfig(Section):
    """Where the tasks run. Nothing here changes a byte of the output."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"kind", "workers", "address", "slurm"})

    kind: Literal["threads", "dask"] = Field(default="threads", description="what runs the tasks")
    workers: int = Field(default=2, ge=1, description="tasks that run at the same time")
    address: str | None = Field(default=None, description="dask: address of a running scheduler")
    slurm: dict[str, Any] = Field(default_factory=dict, description="dask: options of dask_jobqueue.SLURMCluster")

    @model_validator(mode="after")
    def _options_are_used(self) -> "ExecutorConfig":
        if self.kind != "dask" and (self.address or self.slurm):
            name = "address" if self.address else "slurm"
            raise ConfigError(f"executor.{name} is not used by the executor {self.kind!r}", hint="--executor dask")
        if self.address and self.slurm:
            raise ConfigError("executor.address and executor.slurm are both set", hint="leave one of them out")
        return self


class BudgetConfig(Section):
    """What one run may take, over all its languages. Nothing here changes a byte of the output."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"max_cost", "max_requests", "max_time"})

    max_cost: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="in the currency of the prices; 0: any")
    max_requests: int = Field(default=0, ge=0, description="requests to endpoints, further tries included; 0: any")
    max_time: str = Field(default="", description="of one command: 90s, 30m, 1h30m; empty: any")

    @field_validator("max_time", mode="before")
    @classmethod
    def _as_time(cls, value: Any) -> str:
        text = str(value).strip()
        found = _TIME.fullmatch(text)
        if text and (found is None or not any(found.groups())):
            raise ValueError("is not a time such as 90s, 30m or 1h30m")
        return text

    @property
    def seconds(self) -> float:
        """``max_time`` in seconds; 0: any."""
        found = _TIME.fullmatch(self.max_time)
        hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
        return 3600 * hours + 60 * minutes + seconds


_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")


class VariantsConfig(Section):
    """Several translations of each row."""

    count: int = Field(default=1, ge=1, le=16, description="translations of a row, each a row with its own labels")
    by: Literal["nbest", "sample"] = Field(default="nbest", description="the best of the beam, or drawn at random")


class RunConfig(Section):
    """Everything that one run depends on."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"out"})

    flow: Literal["translate-train", "project"]
    read: ReadConfig = ReadConfig()
    source: str = Field(default="en", description="the source language, a BCP-47 tag")
    target: tuple[str, ...] = Field(default=(), description="the target languages")
    out: Path = Field(default=Path("out"), description="the folder of the run")
    translator: TranslatorConfig = TranslatorConfig()
    segment: SegmentConfig = SegmentConfig()
    variants: VariantsConfig = VariantsConfig()
    repair: bool = Field(
        default=False, description="translate again with the right words where a labelled span lost them"
    )
    best_of: int = Field(
        default=1,
        ge=1,
        le=64,
        description="where labelled words or numbers are missing, the best of so many translations is taken",
    )
    projector: ProjectorConfig = ProjectorConfig()
    filters: tuple[dict[str, Any], ...] | None = Field(
        default=None, description="a list of filters, or changes to the default ones"
    )
    output: RunOutputConfig = RunOutputConfig()
    executor: ExecutorConfig = ExecutorConfig()
    budget: BudgetConfig = BudgetConfig()
    shard_rows: int = Field(default=250, ge=1, le=1_000_000, description="rows of a shard, the unit of work")
    limit: int | None = Field(default=None, ge=1, description="most rows to read")
    seed: int = Field(default=0, description="seed of everything that is drawn at random")

    @field_validator("source")
    @classmethod
    def _source_tag(cls, value: str) -> str:
        return check_language(value)

    @field_validator("target")
    @classmethod
    def _target_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_language(tag) for tag in value)

    @field_validator("variants", mode="before")
    @classmethod
    def _number_of_variants(cls, value: Any) -> Any:
        return {"count": value} if isinstance(value, int) else value

    @field_validator("filters", mode="before")
    @classmethod
    def _changes_to_defaults(cls, value: Any, info: ValidationInfo) -> Any:
        """A list is taken as it is; a table of name -> options changes the default filters, name -> false drops one.

        An optional filter is added where the table names it.
        """
        if not isinstance(value, Mapping):
            return value
        for name, options in value.items():
            if options is not False and not isinstance(options, Mapping):
                raise ValueError(f"filters.{name} is a table of options, or false to drop the filter")
        names = dict.fromkeys([*default_names(given=info.data.get("flow") == "project"), *value])
        return tuple({"kind": n, **value.get(n, {})} for n in names if value.get(n) is not False)

    @model_validator(mode="after")
    def _complete(self) -> "RunConfig":
        if len(set(self.target)) < len(self.target):
            raise ValueError(f"target language named twice in {', '.join(self.target)}")
        if self.source in self.target:
            raise ValueError(f"target {self.source!r} is the source language")
        return self

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)


def to_json(config: Section) -> str:
    """A configuration as JSON, the same text for the same choices."""
    return json.dumps(config.model_dump(mode="json"), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def build_config(
    model: type[Flow],
    flow: str,
    *,
    file: Path | None = None,
    settings: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Flow:
    """The resolved configuration of ``flow``.

    Args:
        model: The flow's configuration; it has a field ``flow`` that takes the name.
        flow: The flow's name.
        file: A TOML file with the same keys.
        settings: ``a.b=value`` strings; values are read as TOML, and as plain strings where that fails.
        options: Dotted key to value, from the command's own options; None means "not given".

    Raises:
        ConfigError: An unknown key, a value of the wrong kind, or a file that can't be read.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        tree = _read_toml(file)
    for setting in settings:
        key, sign, raw = setting.partition("=")
        if not sign:
            raise ConfigError(f"--set {setting!r} has no '='", hint="--set translator.beam=2")
        put_value(tree, key.strip(), parse_value(raw.strip()))
    for key, value in (options or {}).items():
        if value is not None:
            put_value(tree, key, value)
    if tree.get("flow", flow) != flow:
        raise ConfigError(
            f"the configuration is for flow {tree['flow']!r}, the command is {flow!r}",
            where=str(file) if file else None,
            hint=f"spanferry run {tree['flow']} …",
        )
    try:
        return model.model_validate({**tree, "flow": flow})
    except ValidationError as error:
        raise _explain(error, file, model) from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("no such configuration file", where=str(file), hint="--config FILE.toml") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", where=str(file), hint="see config.toml of an earlier run") from error


def parse_value(raw: str) -> Any:
    """What a value on the command line means: TOML, or the plain string where it is none."""
    try:
        return tomllib.loads(f"x = {raw}")["x"]
    except tomllib.TOMLDecodeError:
        return raw


def put_value(tree: dict[str, Any], dotted: str, value: Any) -> None:
    """Sets ``a.b`` in nested tables.

    Raises:
        ConfigError: A part of the path holds a value.
    """
    *path, last = dotted.split(".")
    node = tree
    for part in path:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ConfigError(f"--set {dotted}: {part!r} holds a value, not a section", hint="spanferry run … --help")
    node[last] = value


def _fields_at(path: tuple[Any, ...], model: type[BaseModel]) -> list[str]:
    """Valid keys of the section of ``model`` that ``path`` (a pydantic error location) ends in."""
    for part in path[:-1]:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if get_origin(annotation) is UnionType:
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _explain(error: ValidationError, file: Path | None, model: type[BaseModel]) -> ConfigError:
    """The first of pydantic's complaints, in our words."""
    first = error.errors()[0]
    path = first["loc"]
    key = ".".join(str(part) for part in path)
    valid = _fields_at(path, model)
    where = str(file) if file else None
    if first["type"] == "extra_forbidden":
        close = nearest(str(path[-1]), valid, 1)
        prefix = ".".join(str(part) for part in path[:-1])
        best = ".".join(filter(None, [prefix, close[0]])) if close else None
        hint = f"did you mean {best!r}?" if best else "see config.json of an earlier run"
        return ConfigError(f"unknown key {key!r}", where=where, valid=valid, hint=hint)
    message = first["msg"].removeprefix("Value error, ")
    got = "" if not path else f" (got {first['input']!r})"
    hint = f"--set {key}=VALUE" if key else "--source LANGUAGE --target OTHER_LANGUAGE"
    return ConfigError(f"{key or 'configuration'}: {message}{got}", where=where, hint=hint)
