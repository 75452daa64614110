"""Prompts that ask a language model for a translation: one table of templates, filled without surprises."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, unknown_name
from spanferry.corpora.signature import Signature

SHIPPED = Path(__file__).with_name("prompts.toml")
_FIELD = re.compile(r"\{(\w+)\}")
_FIELDS = {
    "message": {"source", "target", "text", "examples"},
    "example": {"source", "target", "example_source", "example_target"},
}
_KEYS = ("message", "example", "models", "chat", "stop")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """How one kind of model is asked.

    Attributes:
        name: Its name in the table.
        message: The prompt, with ``{source}``, ``{target}``, ``{examples}`` and ``{text}``.
        example: One example within it, with ``{source}``, ``{target}``, ``{example_source}``, ``{example_target}``.
        models: Parts of model names that it is chosen for, in lower case.
        chat: Whether it goes into the model's chat format.
        stop: Strings that end the answer.
    """

    name: str
    message: str
    example: str
    models: tuple[str, ...] = ()
    chat: bool = True
    stop: tuple[str, ...] = ()

    @property
    def signature(self) -> Signature:
        """``<name>@<first 6 of the SHA-256 of all that enters a prompt>``."""
        parts = "\0".join([self.message, self.example, str(self.chat), *self.stop])
        return Signature(f"{self.name}@{hashlib.sha256(parts.encode()).hexdigest()[:6]}")

    def fill(self, text: str, source: str, target: str, examples: Sequence[tuple[str, str]] = ()) -> str:
        """The prompt for one text. What stands in braces in the text or in an example stays as it is.

        Args:
            text: One line.
            source: Name of its language.
            target: Name of the language to translate into.
            examples: Pairs of a source and its translation, one line each.
        """
        names = {"source": source, "target": target}
        shown = "".join(_filled(self.example, {**names, "example_source": a, "example_target": b}) for a, b in examples)
        return _filled(self.message, {**names, "text": text, "examples": shown}).strip()


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: values[match[1]], template)


def choose_template(chosen: str, model: str, *, has_chat: bool) -> PromptTemplate:
    """The template of a model.

    Args:
        chosen: A name of the shipped table, a TOML file with one template, or ``auto``: by the model's name, else
            ``instruct`` for a model with a chat format and ``plain`` for one without.
        model: The model's name.
        has_chat: Whether it has a chat format.

    Raises:
        ConfigError: No such template, or the file holds none.
    """
    if chosen.endswith(".toml"):
        path = Path(chosen).expanduser()
        return _template(path.stem, _read(path), str(path))
    table = _shipped()
    if chosen == "auto":
        fit = [name for name, found in table.items() if any(part in model.lower() for part in found.models)]
        return table[fit[0] if fit else "instruct" if has_chat else "plain"]
    if chosen not in table:
        raise unknown_name(
            "prompt template", chosen, ["auto", *table], hint="or a TOML file: message, example, chat, stop"
        )
    return table[chosen]


@lru_cache(maxsize=1)
def _shipped() -> dict[str, PromptTemplate]:
    return {name: _template(name, fields, str(SHIPPED)) for name, fields in _read(SHIPPED).items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"no prompt template can be read ({error})", where=str(path), hint="see prompts.toml"
        ) from error


def _template(name: str, fields: Mapping[str, Any], where: str) -> PromptTemplate:
    for key in fields:
        if key not in _KEYS:
            raise unknown_name(f"key of the prompt template {where}", key, list(_KEYS))
    for key, known in _FIELDS.items():
        text = fields.get(key)
        if not isinstance(text, str) or not isinstance(fields.get("chat", True), bool):
            raise ConfigError(
                f"{key!r} is not text, or chat is not true or false", where=where, valid=_KEYS, hint="see prompts.toml"
            )
        for field in _FIELD.findall(text):
            if field not in known:
                raise unknown_name(f"field in {key!r} of {where}", field, sorted(known))
    if "{text}" not in fields["message"]:
        raise ConfigError("the message has no {text}", where=where, hint="put {text} where the text to translate goes")
    models, stop = (tuple(str(part) for part in fields.get(key, ())) for key in ("models", "stop"))
    return PromptTemplate(name, fields["message"], fields["example"], models, fields.get("chat", True), stop)
