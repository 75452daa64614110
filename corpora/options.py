"""Options of components: one description and one check for all kinds.

A component declares its options where it declares its fields: as a pydantic model, a dataclass or the parameters of its
constructor, each with a type and a line in the docstring (``Attributes:`` or ``Args:``). Lists, help, completion and
reference tables are made from ``options_of``; ``checked_options`` takes what a user chose, ``build_component``
makes the component of it.
"""

import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticUndefined

from spanferry.corpora.errors import ConfigError, unknown_name

# Where the options of a kind stand in a configuration, for hints.
SECTIONS = {
    "reader": "read.options",
    "writer": "output.options.{name}",
    "derivation": "options",
    "filter": "filters.{name}",
    "projector": "projector.options",
    "aligner": "projector.options",
    "translator": "translator.options",
    "unit": "unit",
    "counterpart": "counterpart",
    "constraint": "constraint",
    "sampler": "sampler",
}
_REQUIRED = object()
_ENTRY = re.compile(r"(?P<indent> +)(?P<name>\*{0,2}\w+)(?: \([^)]*\))?:(?: (?P<text>.*))?$")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a component.

    Attributes:
        name: Its name.
        type: What it takes, as a user reads it: ``int``, ``true or false``, ``"auto" or "tab"``.
        required: Whether it has no default.
        default: Its default; None as well where it is required.
        limits: Bounds of its values, such as ``>= 0``; empty where there are none.
        meaning: What the component's docstring says of it.
    """

    name: str
    type: str
    required: bool
    default: Any
    limits: str
    meaning: str


@dataclass(frozen=True, slots=True)
class _Declared:
    annotation: Any
    default: Any


def options_of(cls: Any, given: Iterable[str] = ()) -> list[Option]:
    """The options that a component declares, in its order.

    Args:
        cls: Its class, or the function that makes it.
        given: Fields and parameters that the caller fills and a user does not.
    """
    meanings = _meanings(cls)
    return [
        Option(
            name,
            _type_name(declared.annotation),
            declared.default is _REQUIRED,
            None if declared.default is _REQUIRED else declared.default,
            _limits(declared.annotation),
            meanings.get(name, ""),
        )
        for name, declared in _declared(cls).items()
        if name not in set(given)
    ]


def option_defaults(cls: Any, given: Iterable[str] = ()) -> dict[str, Any]:
    """The options that have a default, and their defaults."""
    return {option.name: option.default for option in options_of(cls, given) if not option.required}


def checked_options(
    cls: Any, kind: str, name: str, options: Mapping[str, Any], given: Iterable[str] = ()
) -> dict[str, Any]:
    """The options a user chose, as ``cls`` takes them.

    A string becomes what the option takes: a number, true or false, or a list whose items are separated by commas.

    Args:
        cls: The class of a component, or the function that makes it.
        kind: Its kind (``reader``, ``filter`` …), for messages.
        name: Its name, for messages.
        options: What the user chose.
        given: Fields and parameters that the caller fills.

    Raises:
        ConfigError: An option it does not have, one it can't do without, or a value that the option does not take.
    """
    left_out = set(given)
    declared = {key: value for key, value in _declared(cls).items() if key not in left_out}
    for key in options:
        if key not in declared:
            if not declared:
                raise ConfigError(f"the {kind} {name!r} has no options; got {key!r}", hint=f"leave {key!r} out")
            raise unknown_name(f"option of the {kind} {name!r}", key, list(declared))
    for key, wanted in declared.items():
        if wanted.default is _REQUIRED and key not in options:
            raise ConfigError(
                f"the {kind} {name!r} needs the option {key!r}",
                valid=_type_name(wanted.annotation),
                hint=f"--set {_section(kind, name)}.{key}=VALUE",
            )
    return {key: _checked(declared[key], kind, name, key, value) for key, value in options.items()}


def build_component(
    cls: Any,
    kind: str,
    name: str,
    options: Mapping[str, Any],
    *args: Any,
    given: Mapping[str, Any] | None = None,
    filled: Iterable[str] = (),
) -> Any:
    """The component that a class makes of the options a user chose.

    Args:
        cls: Its class, or the function that makes it.
        kind: Its kind (``reader``, ``filter`` …), for messages.
        name: Its name, for messages.
        options: What the user chose.
        *args: Positional arguments that the caller fills.
        given: Keyword arguments that the caller fills.
        filled: Names of further parameters that are not the user's to set, those of ``args`` among them.

    Raises:
        ConfigError: As for ``checked_options``, or options that do not go together.
    """
    given = given or {}
    chosen = checked_options(cls, kind, name, options, {*given, *filled})
    try:
        return cls(*args, **given, **chosen)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise _refused(kind, name, reason) from error
    except (TypeError, ValueError) as error:
        raise _refused(kind, name, str(error)) from error


def _refused(kind: str, name: str, reason: str) -> ConfigError:
    return ConfigError(f"the {kind} {name!r} can't be made: {reason}", hint=f"spanferry list {kind}s --options")


def shown_value(value: Any) -> str:
    """A value as TOML writes it: ``true``, ``"auto"``, ``["en", "de"]``; "" for None, which none holds."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | PurePath):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {shown_value(item)}" for key, item in value.items()) + "}"
    return str(value)


def _section(kind: str, name: str) -> str:
    return SECTIONS.get(kind, kind).format(name=name)


def _checked(declared: _Declared, kind: str, name: str, key: str, value: Any) -> Any:
    takes = _adapter(declared.annotation)
    own = ""
    for candidate, strict in _readings(declared.annotation, value):
        try:
            return takes.validate_python(candidate, strict=strict)
        except ValidationError as error:
            first = error.errors()[0]
            # A check of the component's own says more than the type.
            own = own or (first["msg"].removeprefix("Value error, ") if first["type"] == "value_error" else "")
    limits = _limits(declared.annotation)
    raise ConfigError(
        f"the {kind} {name!r} does not take {key}={value!r}",
        valid=own or ", ".join(filter(None, [_type_name(declared.annotation), limits])),
        hint=f"--set {_section(kind, name)}.{key}={_example(declared)}",
    )


def _example(declared: _Declared) -> str:
    """The default as it is typed; VALUE where there is none to type."""
    default = declared.default
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, str | int | float) and default != "" else "VALUE"


def _readings(annotation: Any, value: Any) -> Iterable[tuple[Any, bool]]:
    """What a value may mean, the likeliest first: as it is; a list; then a string read as a number or the like."""
    if _is_sequence(annotation):
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if isinstance(value, list | tuple):
            yield value, True
            yield value, False
            yield tuple(value), True
            return
    yield value, True
    # From TOML and JSON come lists and tables where a field is a tuple or a mapping; bools are never numbers.
    if isinstance(value, str | list | tuple | dict):
        yield value, False


@lru_cache(maxsize=1024)
def _cached_adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a dataclass or a model brings a configuration of its own
        return TypeAdapter(annotation)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return _cached_adapter(annotation)
    except TypeError:  # an annotation that can't be hashed
        return _cached_adapter.__wrapped__(annotation)


def _declared(cls: Any) -> dict[str, _Declared]:
    if isinstance(cls, type) and issubclass(cls, BaseModel):
        return {
            name: _Declared(
                Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation,
                _REQUIRED if field.is_required() else _default(field.get_default(call_default_factory=True)),
            )
            for name, field in cls.model_fields.items()
        }
    if is_dataclass(cls) and isinstance(cls, type):
        hints = _hints(cls)
        return {
            f.name: _Declared(
                hints.get(f.name, Any),
                f.default
                if f.default is not MISSING
                else f.default_factory()
                if f.default_factory is not MISSING
                else _REQUIRED,
            )
            for f in fields(cls)
            if f.init
        }
    hints = _hints(cls if inspect.isfunction(cls) else cls.__init__)
    return {
        p.name: _Declared(hints.get(p.name, Any), _REQUIRED if p.default is p.empty else p.default)
        for p in inspect.signature(cls).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }


def _default(value: Any) -> Any:
    return None if value is PydanticUndefined else value


def _hints(of: Any) -> dict[str, Any]:
    try:
        return get_type_hints(of, include_extras=True)
    except NameError:  # a class from outside whose types are imported for a type checker alone
        return {}


def _is_sequence(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_sequence(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_sequence(part) for part in get_args(annotation))
    origin = get_origin(annotation) or annotation
    return (
        isinstance(origin, type) and issubclass(origin, Sequence | AbstractSet) and not issubclass(origin, str | bytes)
    )


def _type_name(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(args[0])
    if origin is Literal:
        return " or ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_name(a) for a in args)
    if annotation is bool:
        return "true or false"
    if annotation in (None, type(None)):
        return "none"
    if _is_sequence(annotation) and args:
        return f"list of {_type_name(next(a for a in args if a is not Ellipsis))}"
    if args and isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {_type_name(args[-1])}"
    if annotation is Any:
        return "any"
    return getattr(annotation, "__name__", str(annotation))


def _limits(annotation: Any) -> str:
    if get_origin(annotation) is not Annotated:
        return ""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    flat: list[Any] = []
    for item in get_args(annotation)[1:]:
        flat += getattr(item, "metadata", None) or [item]
    found = [f"{sign} {getattr(item, key)}" for item in flat for key, sign in signs.items() if hasattr(item, key)]
    return " and ".join(found)


@lru_cache(maxsize=512)
def _meanings(cls: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in reversed(getattr(cls, "__mro__", (cls,))):
        for text in (
            base.__doc__,
            getattr(vars(base).get("__init__"), "__doc__", None) if isinstance(base, type) else None,
        ):
            found.update(_entries(inspect.cleandoc(text or "")))
    if isinstance(cls, type) and issubclass(cls, BaseModel):
        found.update({n: f.description for n, f in cls.model_fields.items() if f.description})
    return found


def _entries(text: str) -> dict[str, str]:
    """``name: meaning`` of the sections ``Attributes`` and ``Args`` of a docstring in Google's style."""
    found: dict[str, str] = {}
    inside, current, indent = False, "", 0
    for line in text.splitlines():
        if line and not line[0].isspace():
            inside, current = line.strip() in ("Attributes:", "Args:", "Options:"), ""
            continue
        entry = _ENTRY.match(line)
        if inside and entry and (not current or len(entry["indent"]) <= indent):
            current, indent = entry["name"].lstrip("*"), len(entry["indent"])
            found[current] = entry["text"] or ""
        elif inside and current and line.strip():
            found[current] = f"{found[current]} {line.strip()}".strip()
    return found
