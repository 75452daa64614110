"""Configuration of the flows that build parallel and derived sets."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import ExecutorConfig, Section, TranslatorConfig, WriteConfig, to_json


class AlignConfig(Section):
    """How words are linked."""

    aligner: str = Field(default="lexical", description="an aligner's name or package.module:Class")
    options: dict[str, Any] = Field(default_factory=dict)
    pairs: Literal["auto", "pivot", "all", "none"] = Field(
        default="auto", description="the first language with each other, all pairs, none; auto: pivot where needed"
    )
    fit_rows: int = Field(default=20_000, ge=1, description="rows that a corpus aligner is fitted on, at most")


class RowsConfig(Section):
    """The rows: where their cells come from and how they are joined."""

    inputs: tuple[str, ...] = Field(default=(), description="run directories, LANG=FILE, or parallel files")
    format: str | None = Field(default=None, description="a reader's name; guessed when absent")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the reader")
    join: Literal["id", "index"] = Field(default="id", description="index: the n-th rows of all inputs, no ids")
    shared_span_ids: bool = Field(
        default=False, description="LANG=FILE: spans with the same id are counterparts, also ids such as s0"
    )
    languages: tuple[str, ...] = Field(default=(), description="which, and in what order; empty: all")
    min_languages: int | None = Field(
        default=None, ge=1, description="a row with fewer cells is rejected; absent: 2, or what the derivation needs"
    )
    filters: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="filters of single rows, {kind=…}: what each cell is judged by beside the first language",
    )
    shard_rows: int = Field(default=1000, ge=1, le=1_000_000)
    limit: int | None = Field(default=None, ge=1)

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

    formats: tuple[str, ...] = ("multiway",)


class ParallelConfig(Section):
    """Everything that a parallel set depends on."""

    flow: Literal["parallel"]
    rows: RowsConfig = RowsConfig()
    align: AlignConfig = AlignConfig()
    output: SetOutputConfig = SetOutputConfig()
    executor: ExecutorConfig = ExecutorConfig()
    out: Path = Path("out")
    seed: int = 0

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

    flow: Literal["derive"]
    kind: str = Field(default="", description="a derivation's name or package.module:Class")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the derivation")
    rows: RowsConfig = RowsConfig()
    align: AlignConfig = AlignConfig()
    translator: TranslatorConfig = TranslatorConfig()
    reverse: str | None = Field(default=None, description="the model of the way back; the same if it is absent")
    filters: tuple[dict[str, Any], ...] = Field(
        default=(), description="filters, {kind=…}: what the records are judged by, all of them together"
    )
    executor: ExecutorConfig = ExecutorConfig()
    out: Path = Path("out")
    seed: int = 0

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)
