"""Options of readers and writers: the fields of a dataclass, checked before it is made."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from corpora.errors import ConfigError, unknown_name

# Of the configuration.
_SECTIONS = {"reader": "read.options", "writer": "output.options.{name}", "derivation": "options"}


def option_defaults(cls: Any, fixed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The options of a dataclass and their defaults; ``fixed`` are fields that are no options."""
    return {f.name: f.default for f in fields(cls) if f.name not in fixed}


def checked_options(
    cls: Any, kind: str, name: str, options: Mapping[str, Any], fixed: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The options as the dataclass ``cls`` takes them; strings become what is asked for (``"true"``, ``"2"``).

    Args:
        cls: The dataclass of a reader, writer …
        kind: ``reader`` or ``writer``, for messages.
        name: Its name, for messages.
        options: What the user chose.
        fixed: Fields that are no options.

    Raises:
        ConfigError: An option it does not have, or a value that option does not take.
    """
    types = get_type_hints(cls, include_extras=True)
    valid = list(option_defaults(cls, fixed))
    checked = {}
    for key, value in options.items():
        if key not in valid:
            raise unknown_name(f"option of the {kind} {name!r}", key, valid)
        if isinstance(value, str) and str(types[key]).startswith("tuple"):
            value = tuple(value.split(","))
        try:
            checked[key] = TypeAdapter(types[key]).validate_python(value)
        except ValidationError as error:
            raise ConfigError(
                f"the {kind} {name!r} does not take {key}={value!r}",
                valid=error.errors()[0]["msg"],
                hint=f"--set {_SECTIONS.get(kind, kind).format(name=name)}.{key}={_shown(option_defaults(cls)[key])}",
            ) from error
    return checked


def _shown(default: Any) -> str:
    """A value that the option takes, as it is typed: its default. A hint that repeats the bad choice helps nobody."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "[]"
    return "VALUE" if default is None or default == "" or not isinstance(default, str | int | float) else str(default)
