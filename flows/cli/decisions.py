"""``spanferry decisions``: the way out of a review, to other tools and back."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import unknown_name
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.review.decisions import DecisionLog, require_log
from spanferry.corpora.schema import Example
from spanferry.corpora.writers import open_writer
from spanferry.flows.cli.unread import print_unread
from spanferry.flows.inspector.runs import Corpus, find_corpora

app = typer.Typer(no_args_is_help=True, help="Export and import the decisions of a review.")

Run = Annotated[Path, typer.Argument(help="The run's folder.")]
Target = Annotated[str | None, typer.Option("--target", "-t", help="Dataset, if there are several.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Option of the format as key=value.")]


@app.command("export")
def export_rows(
    run: Run,
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")],
    format: Annotated[str, typer.Option(help="A writer, such as label_studio or doccano.")] = "label_studio",
    target: Target = None,
    set: Settings = None,
) -> None:
    """Write a dataset for correction in another tool."""
    corpus = _corpus(run, target)
    report = open_writer(format, _options(set)).write(corpus.open().pairs(), to)
    console = Console(highlight=False, soft_wrap=True)
    rows = sum(report.rows.values())
    console.print(f"{rows} rows of {corpus.name} as {format}, in {to}:", ", ".join(report.files))
    for kind, count in report.lost.items():
        console.print(f"    lost: {count} {kind}")


@app.command("import")
def import_rows(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="Files that the other tool exported.")],
    format: Annotated[str, typer.Option(help="A reader, such as label_studio or doccano.")] = "label_studio",
    target: Target = None,
    who: Annotated[str, typer.Option(help="Name recorded with every decision.")] = "import",
    set: Settings = None,
) -> None:
    """Turn corrections from another tool into decisions, for spanferry run apply-decisions."""
    from spanferry.flows.inspector.importing import import_corrections

    corpus = _corpus(run, target)
    data = corpus.open()
    pairs = (pair for batch in data.pairs() for pair in batch)
    lang = next((p.target.lang for batch in data.pairs() for p in batch if p.target), "und")
    rows = [row for path in files for row in _read(path, format, lang, set)]
    examples = [row for row in rows if not isinstance(row, BadRow)]
    log = DecisionLog(corpus.log)
    done = import_corrections(pairs, examples, corpus.key, who, log)
    console = Console(highlight=False, soft_wrap=True)
    what = ", ".join(f"{count} {action}" for action, count in done.actions.items()) or "nothing new"
    console.print(f"{done.examples} corrected rows of {corpus.name}: {what}")
    refused = done.refused + [(row.id, row.reason) for row in rows if isinstance(row, BadRow)]
    for reason, count in Counter(reason for _, reason in refused).items():
        first = next(name for name, why in refused if why == reason)
        console.print(f"    not taken: {count} {reason}, such as {first!r}", markup=False)
    print_unread(console, corpus.log, log.unread)


@app.command("stale")
def stale_decisions(run: Run, target: Target = None) -> None:
    """List the decisions that no longer fit the data, one line of JSON each."""
    from spanferry.corpora.review.applying import ReviewCounts, apply_decisions
    from spanferry.flows.review.apply import stale_lines, twins_of

    corpus = _corpus(run, target)
    log = require_log(corpus.log)
    decisions = [d for d in log.decisions if d.corpus == corpus.key]
    print_unread(Console(stderr=True, highlight=False, soft_wrap=True), corpus.log, log.unread)
    data, counts = corpus.open(), ReviewCounts()
    for _ in apply_decisions(data.pairs(), corpus.key, decisions, counts, twins_of(data, corpus.key, decisions)):
        pass
    for line in stale_lines(counts):
        print(line, end="")


def _corpus(run: Path, target: str | None) -> Corpus:
    corpora = [c for c in find_corpora(run) if not c.reviewed]
    if target is None and len(corpora) == 1:
        return corpora[0]
    found = [c for c in corpora if target in (c.name, c.key)]
    if len(found) != 1:
        names = [c.name for c in corpora]
        raise unknown_name("dataset", target or "", names, hint=f"--target {names[0]}")
    return found[0]


def _read(path: Path, format: str, lang: str, settings: list[str] | None) -> Iterator[Example | BadRow]:
    yield from open_reader(path, lang=lang, format=format, options=_options(settings)).read()


def _options(settings: list[str] | None) -> dict[str, Any]:
    return dict(s.partition("=")[::2] for s in settings or ())
