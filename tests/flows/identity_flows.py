"""The flows as lists of steps for given settings, and small inputs for them: what the tests of signatures build."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from spanferry.corpora.signature import neutral_options
from spanferry.flows.config import RunConfig, Section, build_config
from spanferry.flows.engine.flow import Flow
from spanferry.flows.engine.step import Step, ordered
from spanferry.flows.sets.config import DeriveConfig, ParallelConfig
from spanferry.flows.sets.derive import derive_flow
from spanferry.flows.sets.parallel import parallel_flow
from spanferry.flows.switch.config import SwitchConfig
from spanferry.flows.switch.flow import switch_flow
from spanferry.flows.translate.flow import translate_flow
from spanferry.projectors import bundled
from spanferry.translators.families import DESCRIPTION

CONFIGS: dict[str, tuple[type[Section], Any]] = {
    "translate-train": (RunConfig, translate_flow),
    "project": (RunConfig, translate_flow),
    "parallel": (ParallelConfig, parallel_flow),
    "derive": (DeriveConfig, derive_flow),
    "code-switch": (SwitchConfig, switch_flow),
}
_TEXTS = {
    "en": ("Ann saw the old house.", "Tom has 3 dogs."),
    "es": ("Ann vio la casa vieja.", "Tom tiene 3 perros."),
    "de": ("Ann sah das alte Haus.", "Tom hat 3 Hunde."),
}


@dataclass(frozen=True)
class Built:
    """A flow that has been built and not run."""

    flow: Flow

    @cached_property
    def steps(self) -> dict[str, Step]:
        """Its steps by name, dependencies first."""
        return {step.name: step for step in ordered(self.flow.outputs)}

    def changed(self, other: "Built") -> set[str]:
        """The steps that both have and whose digests differ."""
        return {name for name in self.steps.keys() & other.steps.keys() if self.digest(name) != other.digest(name)}

    def digest(self, name: str) -> str:
        """Of a step."""
        return self.steps[name].digest

    def from_on(self, first: Sequence[str]) -> set[str]:
        """Those of the given steps that there are, and all steps that come after one."""
        found: set[str] = set()
        for name, step in self.steps.items():
            if name in first or any(before.name in found for before in step.after):
                found.add(name)
        return found


class Flows:
    """Flows over small inputs, each built once for its settings.

    Args:
        folder: For the inputs.
    """

    def __init__(self, folder: Path) -> None:
        self._known: dict[tuple[str, ...], Built] = {}
        self.inputs = write_inputs(folder)

    def build(self, flow: str, settings: Mapping[str, Any]) -> Built:
        """The flow ``flow`` with these keys; ``{name}`` in a value stands for an input."""
        key = (flow, json.dumps(settings, sort_keys=True, default=repr))
        if key not in self._known:
            model, make = CONFIGS[flow]
            options = {name: self._filled(value) for name, value in settings.items()}
            self._known[key] = Built(make(build_config(model, flow, options=options)))
        return self._known[key]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str) and "{" in value:
            return value.format_map(self.inputs)
        if isinstance(value, list):
            return [self._filled(part) for part in value]
        return {k: self._filled(v) for k, v in value.items()} if isinstance(value, dict) else value


def write_inputs(folder: Path) -> dict[str, Path]:
    """The same two rows in three languages, once more with other texts, and files that options name."""
    made = {}
    for lang, texts in _TEXTS.items():
        for name, rows in ((lang, texts), (f"{lang}_other", texts[::-1])):
            made[name] = folder / f"{name}.{lang}.jsonl"
            lines = [
                {"id": f"r{k}", "text": text, "spans": [{"start": 0, "end": 3, "label": "PER", "id": "p"}]}
                for k, text in enumerate(rows)
            ]
            made[name].write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    files = {
        "glossary": ("terms.tsv", "dog\tperro\n"),
        "dictionary": ("words.tsv", "house\tcasa\n"),
        "more_words": ("more.tsv", "house\tcasa\ndog\tperro\n"),
        "text": ("plain.txt", "Ann saw it.\n"),
        "entities": ("entities.tsv", "Q1\ten\tAnn\nQ1\tes\tAna\n"),
        "more_entities": ("more.entities.tsv", "Q1\ten\tAnn\nQ1\tes\tAnita\n"),
        "histogram": ("histogram.json", json.dumps({"cmi": {"counts": [3, 1]}, "spf": {"counts": [2, 2]}})),
        "histogram_other": ("other.json", json.dumps({"cmi": {"counts": [1, 3]}, "spf": {"counts": [2, 2]}})),
        "examples": ("examples.tsv", "A dog.\tUn perro.\n"),
    }
    for name, (file, text) in files.items():
        made[name] = folder / file
        made[name].write_text(text, encoding="utf-8")
    for name in ("tokenizer", "tokenizer_other"):
        made[name] = folder / f"{name}.json"
        Tokenizer(WordLevel({name: 0}, unk_token=name)).save(str(made[name]))
    made["calibration"] = folder / "calibration.json"
    made["calibration"].write_text(json.dumps({"format": "spanferry calibration 1", "languages": {"xx": {}}}))
    made["encoder"] = folder / "encoder"
    shutil.copytree(Path(bundled.__file__).parent / "weights", made["encoder"])
    facts = json.loads((made["encoder"] / DESCRIPTION).read_text(encoding="utf-8"))
    (made["encoder"] / DESCRIPTION).write_text(json.dumps({**facts, "name": "another"}), encoding="utf-8")
    return made


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, bool]:
    """Every key of a configuration to whether it changes no byte of the output, as its section declares."""
    found = {}
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if get_origin(annotation) is UnionType:
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found |= leaves(annotation, f"{prefix}{name}.")
        elif name != "flow":
            found[f"{prefix}{name}"] = name in neutral_options(model)
    return found
