"""``spanferry run parallel``."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.flows.cli.common import carry_out
from spanferry.flows.cli.completion.offers import components
from spanferry.flows.cli.run import AllowEmpty, ConfigFile, Executor, Json, Out, Overwrite, Seed, Settings, Workers

if TYPE_CHECKING:
    from spanferry.flows.engine.flow import Result

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", help="The folder of a run, LANG=FILE, FILE.tmx, FILE.tsv or a Moses prefix; may be repeated."
    ),
]
Languages = Annotated[list[str] | None, typer.Option("--language", "-l", help="The languages, in this order.")]
Format = Annotated[
    str | None,
    typer.Option(
        help="Reader of the inputs.",
        show_default="guessed",
        autocompletion=components("parallel-readers", "readers"),
    ),
]
Pairs = Annotated[
    str | None,
    typer.Option(
        help="Word links: auto, pivot, all or none.",
        show_default="auto",
        autocompletion=components(more=("auto", "pivot", "all", "none")),
    ),
]
Aligner = Annotated[
    str | None,
    typer.Option(
        help="Aligner; see spanferry list aligners.", show_default="lexical", autocompletion=components("aligners")
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--write",
        help="multiway, bilingual, translation, moses, tmx; may be repeated.",
        autocompletion=components("parallel-writers"),
    ),
]
Limit = Annotated[int | None, typer.Option(help="Most rows to join.", show_default=False)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, run some rows through all steps, write nothing.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row was rejected.")]


def parallel(
    input: Inputs = None,
    language: Languages = None,
    out: Out = None,
    format: Format = None,
    pairs: Pairs = None,
    aligner: Aligner = None,
    write: Formats = None,
    config: ConfigFile = None,
    set: Settings = None,
    limit: Limit = None,
    seed: Seed = None,
    executor: Executor = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    strict: Strict = False,
    allow_empty: AllowEmpty = False,
    json: Json = False,
) -> None:
    """Join runs and files into rows of several languages, with spans and word alignments."""
    options = {
        "rows.inputs": input or None,
        "rows.languages": language or None,
        "rows.format": format,
        "rows.limit": limit,
        "align.pairs": pairs,
        "align.aligner": aligner,
        "output.formats": write or None,
        "out": out,
        "seed": seed,
        "executor.kind": executor,
        "executor.workers": workers,
    }
    from spanferry.flows.config import build_config
    from spanferry.flows.sets.config import ParallelConfig

    resolved = build_config(ParallelConfig, "parallel", file=config, settings=set or (), options=options)
    from spanferry.flows.sets.parallel import parallel_flow

    carry_out(
        lambda: parallel_flow(resolved),
        show_set,
        out=resolved.out,
        minded=rejected_rows,
        overwrite=overwrite,
        dry_run=dry_run,
        strict=strict,
        allow_empty=allow_empty,
        as_json=json,
    )


def show_set(result: "Result", as_json: bool) -> None:
    """Prints what was written, as one line of JSON or for people."""
    if as_json:
        print(json_module.dumps(_as_dict(result), ensure_ascii=False, sort_keys=True))
    else:
        _print(result)


def rejected_rows(result: "Result") -> tuple[int, str]:
    """The rows that ``--strict`` minds."""
    return sum(counts["rejected"] for counts in result.counts.values()), "were rejected"


def _as_dict(result: "Result") -> dict[str, object]:
    return {
        "out": str(result.config.out),
        "seconds": round(result.seconds, 2),
        "computed": result.computed,
        "rows": result.counts,
        "reasons": result.reasons,
        **({"model_errors": result.model_errors} if result.model_errors else {}),
        **({"stopped": result.outcome.stopped} if result.outcome.stopped else {}),
        "failures": [
            {"stage": f.stage, "target": f.target, "shard": f.shard, "error": f.message} for f in result.failures
        ],
    }


def _print(result: "Result") -> None:
    console = Console(highlight=False)
    for name, counts in result.counts.items():
        table = Table(title=escape(name), title_justify="left", show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        table.add_column()
        for split, count in counts.items():
            table.add_row(
                split, f"{count:,}", "rows, by reason (a row may have several):" if split == "rejected" else ""
            )
        for reason, count in result.reasons[name].items():
            table.add_row("", f"{count:,}", escape(reason))
        for call, failed in result.facts[name].get("model_errors", {}).items():
            table.add_row("model failed", f"{failed['rows']:,}", escape(f"{call}: {failed['last']}"))
        console.print(table)
    for failure in result.failures:
        console.print(
            f"stage {failure.stage}, shard {failure.shard} failed: {failure.message}", style="red", markup=False
        )
    if result.failures:
        console.print("The other shards are kept; the same command resumes the run.", style="red")
    for name, place in result.written.items():
        if (place / "dataset_dict.json").exists():
            line = f"python -c \"import datasets; print(datasets.load_from_disk('{place}'))\""
            console.print(f"[dim]{escape(name):>14}[/]  {escape(line)}", soft_wrap=True)
        console.print(f"[dim]{'report':>14}[/]  less {escape(str(place))}/report.md", soft_wrap=True)
        console.print(f"[dim]{'in a browser':>14}[/]  {escape(str(place))}/report.html", soft_wrap=True)
    console.print(f"{result.seconds:.1f} s")
