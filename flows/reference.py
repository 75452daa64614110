"""Every component and its options, for ``spanferry list`` and for the reference tables of the pages."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.options import Option, options_of, shown_value
from spanferry.corpora.registry import resolve
from spanferry.flows.components import KINDS
from spanferry.flows.configs import CONFIGS, GIVEN

# What a model has from its name.
NAMED = frozenset({"model", "directory", "facts", "vocabulary", "source", "target", "folder", "targets", "template"})

# What one component of a kind is called at the head of a table.
SINGULAR = {
    "flows": "flow",
    "readers": "reader",
    "writers": "writer",
    "parallel-readers": "reader",
    "parallel-writers": "writer",
    "derivations": "set",
    "units": "unit",
    "counterparts": "counterpart",
    "constraints": "constraint",
    "samplers": "sampler",
    "projectors": "projector",
    "aligners": "aligner",
    "filters": "filter",
    "translators": "translator",
}
_BLOCK = re.compile(r"(?P<open><!-- options:(?P<kind>[\w-]+) -->\n).*?(?P<close><!-- end -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Component:
    """A component, what it says of itself and what a user can set.

    Attributes:
        name: Its name in the table of its kind.
        about: The first paragraph of its docstring, on one line.
        options: Its options; of a flow, the keys of its configuration.
    """

    name: str
    about: str
    options: tuple[Option, ...]


def components(kind: str) -> list[Component]:
    """The components of a kind of ``KINDS``, in the order of their table."""
    return [_component(kind, name, path) for name, path in KINDS[kind].items()]


@lru_cache(maxsize=256)
def _component(kind: str, name: str, path: str) -> Component:
    if kind == "flows":
        config = resolve("flow", name, CONFIGS)
        return Component(name, path, tuple(_keys(config)))
    if ":" not in path or not path.startswith("spanferry."):
        return Component(name, path, ())
    try:
        cls = resolve(kind, name, {name: path})
    except ConfigError as error:
        return Component(name, f"not usable: {error.message}", ())
    about = plain((cls.__doc__ or "").strip().split("\n\n")[0])
    return Component(name, about, tuple(options_of(cls, GIVEN | NAMED)))


def _keys(config: type[BaseModel], prefix: str = "") -> Iterator[Option]:
    """The keys of a configuration and of its sections, dotted, as ``--set`` takes them."""
    sections: Mapping[str, Any] = {name: field.annotation for name, field in config.model_fields.items()}
    for option in options_of(config, ("flow",)):
        section = sections[option.name]
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _keys(section, f"{prefix}{option.name}.")
        else:
            yield replace(option, name=prefix + option.name)


def plain(text: str) -> str:
    """A docstring's text on one line, without its markup."""
    return " ".join(text.replace("``", "").split())


def with_tables(page: str) -> str:
    """A page with every table between ``<!-- options:KIND -->`` and ``<!-- end -->`` as the components declare it."""
    return _BLOCK.sub(lambda block: f"{block['open']}{table(block['kind'])}{block['close']}", page)


def table(kind: str) -> str:
    """The options of a kind as a Markdown table, and which components have none.

    Components that declare an option in the same way share its row.
    """
    found = components(kind)
    rows: dict[Option, list[str]] = {}
    for component in found:
        for option in component.options:
            key = replace(option, default=shown_value(option.default))  # a default may be a list or a table
            rows.setdefault(key, []).append(component.name)
    lines = [f"| {SINGULAR[kind]} | option | takes | default | meaning |", "|---|---|---|---|---|"]
    for option, names in rows.items():
        default = "required" if option.required else f"`{option.default}`" if option.default else ""
        takes = ", ".join(filter(None, [option.type.replace('"', "`"), option.limits]))
        cells = [_owners(names, len(found)), f"`{option.name}`", takes, default, _markdown(option.meaning)]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    bare = [f"`{component.name}`" for component in found if not component.options]
    note = f"\nWithout options: {', '.join(bare)}.\n" if bare else ""
    return "\n".join(lines) + "\n" + note


def _owners(names: list[str], all_of_them: int) -> str:
    return "all" if len(names) == all_of_them > 1 else ", ".join(f"`{name}`" for name in names)


def _markdown(text: str) -> str:
    # A tag would vanish from the page, but not from code.
    parts = " ".join(text.replace("``", "`").split()).split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)
