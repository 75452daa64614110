"""Configuration of the flows that build parallel and derived sets."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import BudgetConfig, ExecutorConfig, Section, TranslatorConfig, WriteConfig, to_json


class AlignConfig(Section):
    """How words are linked."""

    aligner: str = Field(default="lexical", description="an aligner's name or package.module:Class")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the aligner")
    pairs: Literal["auto", "pivot", "all", "none"] = Field(
        default="auto",
        description="which languages are linked: the first with each other one, all, none, or what is needed",
    )
    fit_rows: int = Field(default=20_000, ge=1, description="most sentence pairs that a corpus aligner learns from")


class RowsConfig(Section):
    """The rows: where their cells come from and how they are joined."""

    inputs: tuple[str, ...] = Field(default=(), description="folders of runs, LANG=FILE, or parallel files")
    format: str | None = Field(
        default=None, description="a reader's name; by default the path and the first lines decide"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="options of the reader")
    join: Literal["id", "index"] = Field(default="id", description="by id, or the n-th rows of all inputs")
    shared_span_ids: bool = Field(
        default=False, description="LANG=FILE: whether ids that a reader made up (s0) are shared too"
    )
    languages: tuple[str, ...] = Field(default=(), description="which languages, in this order; empty: all")
    min_languages: int | None = Field(
        default=None, ge=1, description="rows with fewer are rejected; by default 2, or what the set needs"
    )
    filters: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="filters that judge each cell as a translation of the first language",
    )
    shard_rows: int = Field(default=1000, ge=1, le=1_000_000, description="rows of a shard, the unit of work")
    limit: int | None = Field(default=None, ge=1, description="most rows to read")

    @field_validator("languages")
    @classmethod
    def _usual_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_language(tag) for tag in value)

    @field_validator("inputs", "languages")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"named twice: {', '.join(sorted({v for v in value if value.count(v) > 1}))}")
        return value


class SetOutputConfig(WriteConfig):
    """What is written of a set."""

    formats: tuple[str, ...] = Field(default=("multiway",), description="names of parallel writers")


class ParallelConfig(Section):
    """Everything that a parallel set depends on."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"out"})

    flow: Literal["parallel"]
    rows: RowsConfig = RowsConfig()
    align: AlignConfig = AlignConfig()
    output: SetOutputConfig = SetOutputConfig()
    executor: ExecutorConfig = ExecutorConfig()
    out: Path = Field(default=Path("out"), description="the folder of the run")
    seed: int = Field(default=0, description="seed of everything that is drawn at random")

    @field_validator("output")
    @classmethod
    def _something(cls, output: SetOutputConfig) -> SetOutputConfig:
        if not output.formats:
            raise ValueError("no format to write")
        return output

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)


class DeriveConfig(Section):
    """Everything that a derived set depends on."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"out"})

    flow: Literal["derive"]
    kind: str = Field(default="", description="a derivation's name or package.module:Class")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the set")
    rows: RowsConfig = RowsConfig()
    align: AlignConfig = AlignConfig()
    translator: TranslatorConfig = TranslatorConfig()
    reverse: str | None = Field(default=None, description="the model that translates back; by default the same one")
    filters: tuple[dict[str, Any], ...] = Field(
        default=(), description="filters, {kind=…}: what the records are judged by, all of them together"
    )
    executor: ExecutorConfig = ExecutorConfig()
    budget: BudgetConfig = BudgetConfig()
    out: Path = Field(default=Path("out"), description="the folder of the run")
    seed: int = Field(default=0, description="seed of everything that is drawn at random")

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)
