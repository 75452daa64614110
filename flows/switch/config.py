"""Configuration of the flow that builds code-switched sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from spanferry.corpora.switching.languages import Policy
from spanferry.corpora.switching.presets import PRESETS
from spanferry.corpora.text.languages import check_language
from spanferry.flows.config import ExecutorConfig, Section, to_json
from spanferry.flows.sets.config import AlignConfig, RowsConfig

_KINDS = {"unit": "word", "counterpart": "alignment", "constraint": "none", "sampler": "probability"}


class SwitchConfig(Section):
    """Everything that a code-switched set depends on."""

    neutral_options: ClassVar[frozenset[str]] = frozenset({"out"})

    flow: Literal["code-switch"]
    preset: str | None = Field(default=None, description="defaults after a paper")
    rows: RowsConfig = RowsConfig()
    align: AlignConfig = AlignConfig()
    matrix: str | None = Field(
        default=None, description="the language that others are mixed into; by default the first"
    )
    languages: tuple[str, ...] = Field(default=(), description="the languages mixed in; empty: all others")
    unit: dict[str, Any] = Field(default_factory=dict, description="what is switched: kind and its options")
    counterpart: dict[str, Any] = Field(default_factory=dict, description="into what: kind and its options")
    constraint: dict[str, Any] = Field(default_factory=dict, description="where: kind and its options")
    sampler: dict[str, Any] = Field(default_factory=dict, description="how much: kind and its options")
    policy: Policy = Field(default="unit", description="what has one language: unit, row …")
    copies: int = Field(default=1, ge=1, le=1000, description="rows made from each row")
    fields: tuple[str, ...] = Field(default=(), description="text fields that may be switched; empty: all")
    unswitched: Literal["keep", "reject"] = Field(
        default="keep", description="what happens to rows in which nothing can be switched"
    )
    filters: tuple[dict[str, Any], ...] = Field(
        default=(), description="filters that judge each switched row beside its source"
    )
    max_words: int = Field(default=0, ge=0, description="longer rows are rejected; 0: no limit")
    min_probability: float = Field(default=0.0, ge=0, le=1, description="links below this probability are ignored")
    meta: dict[str, Any] = Field(default_factory=dict, description="added to the meta of every row")
    executor: ExecutorConfig = ExecutorConfig()
    out: Path = Field(default=Path("out"), description="the folder of the run")
    seed: int = Field(default=0, description="seed of everything that is drawn at random")

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, value: Any) -> Any:
        """The preset's settings under the user's own; options of another kind than the preset's are not mixed."""
        if not isinstance(value, Mapping):
            return value
        name = value.get("preset")
        if name is not None and name not in PRESETS:
            raise ValueError(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
        preset = PRESETS[name].settings if name is not None else {}
        merged = {**preset, **value}
        for key, kind in _KINDS.items():
            own, given = value.get(key, {}), preset.get(key, {"kind": kind})
            if isinstance(own, Mapping):
                merged[key] = dict(own) if own.get("kind", given["kind"]) != given["kind"] else {**given, **own}
        return merged

    @field_validator("matrix", "languages")
    @classmethod
    def _usual_tags(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return check_language(value) if isinstance(value, str) else value and tuple(map(check_language, value))

    @field_validator("unit", "counterpart", "constraint", "sampler")
    @classmethod
    def _kind(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("kind"), str):
            raise ValueError("has no kind")
        return value

    def to_json(self) -> str:
        """The resolved configuration, the same text for the same choices."""
        return to_json(self)
