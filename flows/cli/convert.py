"""``spanferry convert INPUT OUT --to FORMAT``: annotated data in another format, without a translation."""

import json as json_module
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import ConfigError
from spanferry.flows.cli.completion.offers import components, reader_setting

if TYPE_CHECKING:
    from spanferry.corpora.readers import BadRow
    from spanferry.corpora.schema import Example, Pair

_ROWS = 1000  # of a batch
# Formats that hold a source beside the text; in all others a row is its own text.
_OF_PAIRS = frozenset({"arrow", "parquet", "jsonl"})


def convert(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A file, a folder, hf:ID or sample:NAME.")],
    out: Annotated[Path, typer.Argument(help="Folder to write into.")],
    to: Annotated[str, typer.Option(help="Writer; see spanferry list writers.", autocompletion=components("writers"))],
    lang: Annotated[str, typer.Option("--lang", "-l", help="Language of the texts (BCP-47).")] = "en",
    format: Annotated[
        str | None,
        typer.Option(
            help="Reader; by default the path and the first lines decide.",
            show_default="guessed",
            autocompletion=components("readers"),
        ),
    ] = None,
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Option of the reader as key=value; may be repeated.",
            show_default=False,
            autocompletion=reader_setting,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--write-option", help="Option of the writer as key=value; may be repeated.", show_default=False),
    ] = None,
    allow_loss: Annotated[
        bool, typer.Option("--allow-loss", help="Leave out what the format can't hold, and count it.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Most rows to read.", show_default=False, min=1)] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row could not be read.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Write annotated data in another format. Spans that it can't hold are an error, or counted with --allow-loss.

    Attributes of spans are counted where they are lost; a row's other data is written only where the format has a place
    for it, as jsonl, arrow and parquet do.
    """
    from spanferry.corpora.readers import open_reader
    from spanferry.corpora.samples import sample_path
    from spanferry.corpora.stored.base import REJECTED
    from spanferry.corpora.text.languages import check_language
    from spanferry.corpora.writers import open_writer, writer_options
    from spanferry.flows.store import make_folder

    place = str(sample_path(source.removeprefix("sample:"))) if source.startswith("sample:") else source
    reader = open_reader(place, lang=check_language(lang), format=format, options=_options(set, "--set"))
    chosen = _options(option, "--write-option")
    if allow_loss and "allow_loss" in writer_options(to):
        chosen["allow_loss"] = True
    writer = open_writer(to, chosen)
    make_folder(out)
    report = writer.write(_batches(islice(reader.read(), limit), lang, to in _OF_PAIRS), out)
    rejected = report.rows.get(REJECTED, 0)
    if json:
        facts = {"rows": report.rows, "lost": report.lost, "files": list(report.files)}
        print(json_module.dumps(facts, ensure_ascii=False))
    else:
        _print(Console(highlight=False, soft_wrap=True), report.rows, report.lost, rejected, out, report.files)
    if strict and rejected:
        raise typer.Exit(1)


def _print(
    console: Console, rows: dict[str, int], lost: dict[str, int], rejected: int, out: Path, files: tuple[str, ...]
) -> None:
    kept = {split: count for split, count in rows.items() if split != "rejected"}
    console.print(", ".join(f"{split} {count:,}" for split, count in kept.items()) + (" rows" if kept else "no rows"))
    for kind, count in lost.items():
        console.print(f"left out: {kind} {count:,}", markup=False)
    if rejected:
        where = next((name for name in files if "rejected" in name), "rejected")
        console.print(f"not read: {rejected:,} rows, with their reasons in {out / where}", markup=False)


def _batches(rows: "Iterable[Example | BadRow]", lang: str, both: bool) -> "Iterator[list[Pair]]":
    from spanferry.corpora.readers import BadRow
    from spanferry.corpora.schema import Pair

    left = iter(rows)
    while batch := list(islice(left, _ROWS)):
        yield [
            row.as_pair(lang)
            if isinstance(row, BadRow)
            else Pair(row.with_span_ids(), row.with_span_ids() if both else None)
            for row in batch
        ]


def _options(settings: list[str] | None, name: str) -> dict[str, Any]:
    from spanferry.flows.config import parse_value, put_value

    chosen: dict[str, Any] = {}
    for setting in settings or ():
        key, sign, value = setting.partition("=")
        if not sign:
            raise ConfigError(f"{name} {setting!r} has no '='", hint=f"{name} KEY=VALUE")
        put_value(chosen, key.strip().removeprefix("read.options."), parse_value(value.strip()))
    return chosen
