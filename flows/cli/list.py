"""``spanferry list``: what there is to choose from."""

import inspect
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.registry import resolve, unknown_name
from spanferry.flows.components import KINDS

# What the flow gives to a component itself; everything else is the user's to set.
_GIVEN = {"path", "lang", "translator", "translators", "seed", "source_lang", "target_lang"}
# What a model has from its name.
_NAMED = {"model", "directory", "facts", "vocabulary"}


def list_components(
    kind: Annotated[str | None, typer.Argument(help="One kind, with options: " + ", ".join(KINDS) + ".")] = None,
) -> None:
    """List flows, readers, writers, projectors, aligners, filters, model families and samples."""
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS), hint=f"spanferry list {next(iter(KINDS))}")
    console = Console(highlight=False)
    for name, entries in KINDS.items():
        if kind not in (None, name):
            continue
        table = Table(title=name, title_justify="left", show_header=False, box=None, padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        for entry, path in entries.items():
            about, options = _about(name, entry, path)
            table.add_row(entry, escape(about))
            if kind == name and options:
                table.add_row("", f"[dim]{escape(options)}[/]")
        console.print(table)


def _about(kind: str, name: str, path: str) -> tuple[str, str]:
    """The first paragraph of what a component says of itself, and its options with their defaults."""
    if ":" not in path:
        return path, ""
    try:
        cls = resolve(kind, name, {name: path})
    except ConfigError as error:
        return f"not usable: {error.message}", ""
    text = " ".join((cls.__doc__ or "").strip().split("\n\n")[0].replace("``", "").split())
    return text, ", ".join([*needed_of(cls), *(f"{option}={value!r}" for option, value in options_of(cls).items())])


def options_of(cls: Any) -> dict[str, Any]:
    """Option to default of a component, from its fields or its constructor."""
    if hasattr(cls, "model_fields"):
        return {name: field.default for name, field in cls.model_fields.items()}
    parameters = inspect.signature(cls).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in _GIVEN and p.default is not p.empty}


def needed_of(cls: Any) -> list[str]:
    """The options that a component can't do without."""
    if hasattr(cls, "model_fields"):
        return []
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.name not in _GIVEN | _NAMED and p.default is p.empty]
