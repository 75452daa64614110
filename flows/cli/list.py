"""``spanferry list``: what there is to choose from, and every option of every component."""

import json as json_module
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.corpora.errors import unknown_name
from spanferry.corpora.options import Option, shown_value
from spanferry.flows.cli.completion.declared import TABLES
from spanferry.flows.cli.completion.offers import kinds


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help="One kind: " + ", ".join(TABLES) + ".", autocompletion=kinds)
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", help="Print type, limits, default and meaning of every option.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON, with the options.")] = False,
) -> None:
    """List flows, readers, writers, projectors, aligners, filters, model families and samples."""
    from spanferry.flows.components import KINDS
    from spanferry.flows.reference import components, plain

    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS), hint=f"spanferry list {next(iter(KINDS))}")
    chosen = {name: entries for name, entries in KINDS.items() if kind in (None, name)}
    if json:
        print(json_module.dumps({name: list(_facts(name)) for name in chosen}))
        return
    console = Console(highlight=False)
    for name in chosen:
        table = Table(title=name, title_justify="left", show_header=False, box=None, padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        for component in components(name):
            table.add_row(component.name, escape(component.about))
            if options:
                for option in component.options:
                    table.add_row("", f"[bold]{escape(option.name)}[/]  [dim]{escape(_typed(option))}[/]")
                    table.add_row("", f"    {escape(plain(option.meaning))}")
            elif kind == name and component.options:
                table.add_row("", f"[dim]{escape(', '.join(_short(option) for option in component.options))}[/]")
        console.print(table)


def _facts(kind: str) -> Iterator[dict[str, Any]]:
    from spanferry.flows.reference import components

    for component in components(kind):
        options = [asdict(option) | {"default": repr(option.default)} for option in component.options]
        yield {"name": component.name, "about": component.about, "options": options}


def _short(option: Option) -> str:
    shown = shown_value(option.default)
    return f"{option.name}={shown}" if shown and not option.required else option.name


def _typed(option: Option) -> str:
    shown = shown_value(option.default)
    default = "required" if option.required else f"default {shown}" if shown else ""
    return ", ".join(filter(None, [option.type, option.limits, default]))
