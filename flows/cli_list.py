"""``spanferry list`` and ``spanferry models``: what there is to choose from."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from corpora.errors import ConfigError
from corpora.registry import resolve, unknown_name
from flows.components import KINDS


def list_components(
    kind: Annotated[str | None, typer.Argument(help="One kind only: " + ", ".join(KINDS) + ".")] = None,
) -> None:
    """List readers, writers, filters, projectors, aligners, model families and samples."""
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS), hint=f"spanferry list {next(iter(KINDS))}")
    console = Console(highlight=False)
    for name, table_of in KINDS.items():
        if kind in (None, name):
            table = Table(title=name, title_justify="left", show_header=False, box=None, padding=(0, 2))
            for entry, path in table_of.items():
                table.add_row(entry, _first_line(name, entry, path))
            console.print(table)


def _first_line(kind: str, name: str, path: str) -> str:
    """The first sentence of what the component says of itself."""
    if ":" not in path:
        return path
    try:
        text = resolve(kind, name, {name: path}).__doc__ or ""
    except ConfigError as error:
        return f"not usable: {error.message}"
    return text.strip().split("\n")[0]


def models() -> None:
    """List the models that are here: bundled ones and those in the cache."""
    from translators.load import list_models

    table = Table(show_edge=False, box=None, padding=(0, 2))
    for title in ("name", "family", "languages", "size", "where"):
        table.add_column(title, style="bold" if title == "name" else None)
    for model in list_models():
        table.add_row(model.name, model.family, model.languages, f"{model.megabytes:.1f} MB", model.where)
    Console(highlight=False).print(table)
