"""``spanferry list``: what there is to choose from, and every option of every component."""

import json as json_module
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.corpora.errors import ConfigError, unknown_name
from spanferry.corpora.options import Option, options_of
from spanferry.corpora.registry import resolve
from spanferry.flows.cli.completion.declared import TABLES
from spanferry.flows.cli.completion.offers import kinds

# What the flow gives to a component itself; everything else is the user's to set.
GIVEN = frozenset({"path", "lang", "translator", "translators", "seed", "source_lang", "target_lang"})
# What a model has from its name.
NAMED = frozenset({"model", "directory", "facts", "vocabulary", "source", "target", "folder", "targets", "template"})


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help="One kind: " + ", ".join(TABLES) + ".", autocompletion=kinds)
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", help="Type, default, limits and meaning of every option.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON, with the options.")] = False,
) -> None:
    """List flows, readers, writers, projectors, aligners, filters, model families and samples."""
    from spanferry.flows.components import KINDS

    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS), hint=f"spanferry list {next(iter(KINDS))}")
    chosen = {name: entries for name, entries in KINDS.items() if kind in (None, name)}
    if json:
        print(json_module.dumps({name: list(_facts(name, dict(entries))) for name, entries in chosen.items()}))
        return
    console = Console(highlight=False)
    for name, entries in chosen.items():
        table = Table(title=name, title_justify="left", show_header=False, box=None, padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        for entry, path in entries.items():
            cls, about = _component(name, entry, path)
            table.add_row(entry, escape(about))
            own = options_of(cls, GIVEN | NAMED) if cls is not None else []
            if options:
                for option in own:
                    table.add_row("", f"[bold]{escape(option.name)}[/]  [dim]{escape(_typed(option))}[/]")
                    table.add_row("", f"    {escape(_plain(option.meaning))}")
            elif kind == name and own:
                table.add_row("", f"[dim]{escape(', '.join(_short(option) for option in own))}[/]")
        console.print(table)


def _facts(kind: str, entries: dict[str, str]) -> Iterator[dict[str, Any]]:
    for entry, path in entries.items():
        cls, about = _component(kind, entry, path)
        options = [asdict(o) | {"default": repr(o.default)} for o in options_of(cls, GIVEN | NAMED)] if cls else []
        yield {"name": entry, "about": about, "options": options}


def _component(kind: str, name: str, path: str) -> tuple[Any, str]:
    """The class of an entry, None where it is not one, and the first paragraph of what it says of itself."""
    if ":" not in path or not path.startswith("spanferry."):
        return None, path
    try:
        cls = resolve(kind, name, {name: path})
    except ConfigError as error:
        return None, f"not usable: {error.message}"
    return cls, _plain((cls.__doc__ or "").strip().split("\n\n")[0])


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "").split())


def _short(option: Option) -> str:
    return option.name if option.required else f"{option.name}={option.default!r}"


def _typed(option: Option) -> str:
    default = "needed" if option.required else f"default {option.default!r}"
    return ", ".join(filter(None, [option.type, option.limits, default]))
