"""``spanferry models``: the models on this machine, how large they are, and whether they are what they should be."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.text.languages import check_language

app = typer.Typer(help="List, add, remove, find and check models.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="bundled, a hub id, a short name such as nllb-600m, or a directory.")]


def _tag(value: str | None) -> str | None:
    return value and check_language(value)


Source = Annotated[
    str | None,
    typer.Option(
        "--source", "-s", help="Language (BCP-47); opus-mt and firefox need it.", show_default=False, callback=_tag
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", help="Language (BCP-47); opus-mt and firefox need it.", show_default=False, callback=_tag
    ),
]


@app.callback()
def models(context: typer.Context) -> None:
    """List, add, remove, find and check models; alone it lists them."""
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """List the bundled models and those in the cache, with languages and size."""
    from spanferry.translators.loading.load import list_models
    from spanferry.translators.wrappers.memory import memory_path

    found = list_models()
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in found], ensure_ascii=False))
        return
    table = Table(show_edge=False, box=None, padding=(0, 2))
    for title in ("name", "family", "languages", "weights", "size", "where"):
        table.add_column(title, style="bold" if title == "name" else None, overflow="fold")
    for model in found:
        size = f"{model.megabytes:.1f} MB"
        table.add_row(model.name, model.family, model.languages, model.quantization, size, model.where)
    Console(highlight=False).print(table)
    if memory_path().is_file():
        size = f"{memory_path().stat().st_size / 1e6:.1f} MB"
        typer.echo(f"translations kept across runs: {size}, {memory_path()}", err=True)


@app.command()
def add(
    name: Name,
    source: Source = None,
    target: Target = None,
    device: Annotated[str, typer.Option(help="Device that it will run on: auto, cpu or cuda.")] = "auto",
    compute_type: Annotated[str, typer.Option(help="A CTranslate2 type; default is int8 on cpu.")] = "default",
    layer: Annotated[
        int | None, typer.Option(help="Last layer to keep, for an encoder that aligns.", show_default=False)
    ] = None,
) -> None:
    """Download and convert a model if necessary, and print its directory."""
    from spanferry.projectors.aligners.encoder.convert import encoder_directory, is_encoder
    from spanferry.translators.conversion.convert import quantization_for
    from spanferry.translators.engine import devices
    from spanferry.translators.loading.load import BUNDLED, FIREFOX, model_directory

    if name == FIREFOX:
        from spanferry.translators.firefox.download import obtain

        if source is None or target is None:
            raise ModelError("Firefox's models are made for one direction each", hint="-s en -t es")
        for leg in obtain(source, target, lambda line: typer.echo(line, err=True)):
            typer.echo(leg.model.parent)
        return
    if name == BUNDLED:
        raise ModelError("the bundled models are here already", hint="spanferry models path bundled")
    actual = devices.resolve_device(device)
    kind = compute_type if compute_type == "default" else devices.resolve_compute_type(compute_type, actual)
    quantization = quantization_for(actual, kind)
    if layer is not None or is_encoder(name):
        directory = encoder_directory(name, layer, quantization)
    else:
        directory = model_directory(name, source, target, quantization)
    size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
    typer.echo(f"{name}: {size / 1e6:.1f} MB", err=True)
    typer.echo(directory)


@app.command()
def remove(name: Name, source: Source = None, target: Target = None) -> None:
    """Remove a converted model from the cache; if several have the name, give the directory's name."""
    from spanferry.translators.loading.installed import find_models, remove_model

    found = find_models(_hub_name(name), source=source, target=target)
    if len(found) > 1:
        names = [Path(model.directory).name for model in found]
        raise ModelError(f"{len(found)} models are {name!r}", valid=names, hint=f"spanferry models remove {names[0]}")
    remove_model(found[0])
    typer.echo(f"removed {found[0].directory} ({found[0].megabytes:.1f} MB)", err=True)


@app.command()
def suggest(
    source: Annotated[str, typer.Option("--source", "-s", help="BCP-47.")],
    target: Annotated[str, typer.Option("--target", "-t", help="BCP-47.")],
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """List the models for a pair of languages, with size, memory, licence, measured quality and the command."""
    from spanferry.translators.loading.suggest import suggest as suggested

    if device not in ("cpu", "cuda"):
        raise ConfigError(f"unknown device {device!r}", valid=["cpu", "cuda"], hint="--device cpu")
    found = suggested(check_language(source), check_language(target), device)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    table = Table(show_edge=False, box=None, padding=(0, 2))
    for title in ("name", "download", "memory", "chrF", "licence", ""):
        table.add_column(
            title, style="bold" if title == "name" else None, no_wrap=title in ("name", "download", "memory")
        )
    for one in found:
        size = f"{one.download:,} MB" if one.download else "here"
        quality = f"{one.chrf:.1f}" if one.chrf is not None else "–"
        table.add_row(one.name, size, f"{one.memory:,} MB", quality, one.licence, one.note)
    console = Console(highlight=False)
    console.print(table)
    console.print("chrF: on news (ntrex128), where we measured it. The cheapest to start with:", style="dim")
    first = next((one for one in found if one.download), found[0])
    for command in first.commands:
        console.print(f"    {command}", markup=False, soft_wrap=True)


@app.command()
def path(name: Name, source: Source = None, target: Target = None) -> None:
    """Print the directory of a model, one line for each model of that name."""
    from spanferry.translators.loading.installed import find_models

    for model in find_models(_hub_name(name), source=source, target=target):
        typer.echo(model.directory)


@app.command()
def pieces(
    name: Name,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Plain text in that language.")],
    language: Annotated[
        str, typer.Option("--language", "-l", help="Target language of the model (BCP-47).", callback=_tag)
    ],
) -> None:
    """Count the pieces that a language uses, which makes constrained decoding with the model cheaper."""
    from spanferry.translators.engine.language_pieces import learn_pieces
    from spanferry.translators.loading.installed import find_models
    from spanferry.translators.loading.load import BUNDLED

    for model in find_models(name):
        if model.where == BUNDLED:
            raise ModelError("the bundled model has its lists", hint="spanferry models path bundled")
        typer.echo(learn_pieces(Path(model.directory), language, files))


@app.command()
def check(name: Name) -> None:
    """Compare a model with its origin (tokens, scores, output); exit with 1 if it differs."""
    from spanferry.projectors.aligners.encoder.convert import is_encoder
    from spanferry.translators.checking.check import check_model
    from spanferry.translators.loading.load import FIREFOX

    if name == FIREFOX:
        _check_firefox()
        return

    if is_encoder(name):
        raise ModelError(
            f"{name!r} is an encoder, which has no translations to check", hint="spanferry evaluate alignment"
        )
    results = check_model(name)
    table = Table(show_header=False, box=None, padding=(0, 2))
    words = {True: "[green]passed[/]", False: "[bold red]failed[/]", None: "[yellow]not checked[/]"}
    for result in results:
        table.add_row(words[result.passed], result.name, result.detail)
    Console(highlight=False).print(table)
    if any(result.passed is False for result in results):
        raise typer.Exit(1)


def _hub_name(name: str) -> str:
    """The hub id of an encoder's short name; any other name as it is."""
    from spanferry.projectors.aligners.encoder.convert import NAMES

    return NAMES.get(name.lower(), name)


def _check_firefox() -> None:
    """Every file of Firefox's models against the checksums of its download."""
    from spanferry.translators.firefox.download import firefox_root
    from spanferry.translators.firefox.files import check_files, legs_in

    legs = legs_in(firefox_root())
    if not legs:
        raise ModelError("no model of Firefox is here", hint="spanferry models add firefox -s en -t es")
    for leg in legs:
        check_files(leg)
        typer.echo(f"passed  {leg.source} > {leg.target}")
