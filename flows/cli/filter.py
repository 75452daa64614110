"""``spanferry filter``: the filters of a run that is there, from its stored scores."""

import json as json_module
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import ConfigError, InputError, unknown_name

if TYPE_CHECKING:
    import polars as pl

    from spanferry.flows.filters.stored import StoredLanguage

app = typer.Typer(no_args_is_help=True, help="Look at a run's stored scores and choose other thresholds.")

Out = Annotated[Path, typer.Argument(help="The run's folder.")]
Targets = Annotated[list[str] | None, typer.Option("--target", "-t", help="Only this language; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON.")]


@app.command()
def scores(
    out: Out,
    target: Targets = None,
    table: Annotated[
        Path | None, typer.Option(help="Write all scores of all rows to FILE.parquet or FILE.csv.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show every score with its quantiles, and what each filter removes alone and together."""
    from dataclasses import asdict

    from spanferry.corpora.filters.table import removal_table
    from spanferry.corpora.filters.tuning.summary import summaries
    from spanferry.flows.filters import display

    if table is not None and table.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"--table {str(table)!r}", valid=("FILE.parquet", "FILE.csv"), hint="--table scores.parquet")
    console, values, frames = Console(highlight=False), {}, []
    for stored, frame in _frames(out, target):
        columns, removed = summaries(stored.filters, frame), removal_table(stored.filters, frame)
        values[stored.target] = {
            "columns": {c.column: {k: v for k, v in asdict(c).items() if k != "column"} for c in columns},
            **display.removal_values(removed),
        }
        if table is not None:
            from spanferry.corpora.filters.apply import decided

            frames.append(frame.with_columns(decided(stored.filters, frame).alias("reasons")))
        if not json:
            display.show_scores(console, stored.target, columns, removed)
    if table is not None:
        _write(frames, table)
    if json:
        print(json_module.dumps(values))


@app.command()
def hist(
    out: Out,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="Score or filter; may be repeated.", show_default="all")
    ] = None,
    target: Targets = None,
    bins: Annotated[int, typer.Option(min=1, max=200, help="Bars.")] = 20,
    json: Json = False,
) -> None:
    """Draw the histogram of each score with its threshold."""
    from dataclasses import asdict

    from spanferry.corpora.filters.table import histogram
    from spanferry.flows.filters import display

    console, values = Console(highlight=False), {}
    for stored, frame in _frames(out, target):
        columns = [c for one in stored.filters for c in one.columns if c.good is not None]
        known = list(dict.fromkeys([c.name for c in columns] + [c.name.partition(".")[0] for c in columns]))
        for name in column or ():
            if name not in known:
                raise unknown_name("score", name, known, hint=f"spanferry filter scores {out}")
        chosen = [c for c in columns if not column or {c.name, c.name.partition(".")[0]} & set(column)]
        found = [shown for c in chosen if (shown := histogram(frame[c.name], c, bins)) is not None]
        values[stored.target] = {shown.column: asdict(shown) for shown in found}
        for shown in found if not json else ():
            if any(shown.counts):
                display.show_histogram(console, stored.target, shown)
    if json:
        print(json_module.dumps(values))


@app.command()
def correlate(out: Out, target: Targets = None, json: Json = False) -> None:
    """Show how far scores, and the decisions of filters, say the same."""
    from spanferry.corpora.filters.table import removal_table
    from spanferry.corpora.filters.tuning.summary import rank_correlation
    from spanferry.flows.filters import display

    console, values = Console(highlight=False), {}
    for stored, frame in _frames(out, target):
        names, ranks = rank_correlation(stored.filters, frame)
        decisions = removal_table(stored.filters, frame).correlation
        filters = [one.name for one in stored.filters]
        values[stored.target] = {
            "scores": {"names": names, "spearman": ranks},
            "decisions": {"names": filters, "phi": decisions},
        }
        if not json:
            display.show_correlation(console, f"{stored.target}: scores, rank correlation (Spearman)", names, ranks)
            display.show_correlation(console, f"{stored.target}: decisions of filters (phi)", filters, decisions)
    if json:
        print(json_module.dumps(values))


@app.command()
def tune(
    out: Out,
    precision: Annotated[
        float | None, typer.Option(min=0, max=1, help="Wanted share of right spans.", show_default=False)
    ] = None,
    error: Annotated[
        float | None, typer.Option(min=0, max=1, help="Or the share of wrong ones.", show_default=False)
    ] = None,
    gold: Annotated[
        Path | None, typer.Option(help="The rows labelled in the target language.", show_default=False)
    ] = None,
    format: Annotated[str | None, typer.Option(help="Reader of the gold.", show_default="guessed")] = None,
    sure: Annotated[
        bool, typer.Option("--sure", help="The lower end of the 95 % interval must reach it, not the share itself.")
    ] = False,
    target: Targets = None,
    json: Json = False,
) -> None:
    """Propose thresholds for a wanted precision or error, from gold or from decisions of a review.

    Without --gold: the run's own gold, if its target side was labelled; else the decisions of spanferry inspect.
    """
    from spanferry.corpora.filters.tuning.proposals import propose
    from spanferry.flows.filters import display
    from spanferry.flows.filters.judged import from_decisions, from_gold, has_gold

    if (precision is None) == (error is None):
        raise ConfigError("what is wanted?", valid="--precision P or --error E", hint="--precision 0.95")
    wanted = precision if precision is not None else 1 - (error or 0.0)
    console, values = Console(highlight=False), {}
    languages = list(_frames(out, target))
    if gold is not None and len(languages) > 1:
        raise InputError(
            f"the gold is in one language, the run has {len(languages)}",
            where=str(gold),
            valid=", ".join(stored.target for stored, _ in languages),
            hint=f"--target {languages[0][0].target}",
        )
    best = None
    for stored, frame in languages:
        labelled = gold is not None or has_gold(stored)
        judging = from_gold(stored, frame, gold, format) if labelled else from_decisions(stored, frame)
        found = propose(stored.filters, frame, judging.judged, wanted, sure=sure)
        values[stored.target] = {"by": judging.how, "judged_rows": judging.rows, **display.proposal_values(found)}
        if not json:
            display.show_proposals(console, stored.target, found, wanted, judging.how, judging.rows)
        best = best or next((p for p in found.proposals if p.reached), None)
    if json:
        print(json_module.dumps(values))
    elif best is not None:
        console.print(f"[dim]try it[/]  spanferry filter apply {out} --set {best.setting} --dry-run", soft_wrap=True)


@app.command()
def apply(
    out: Out,
    set: Annotated[
        list[str] | None,
        typer.Option("--set", help="filters.NAME.OPTION=VALUE, filters.NAME=false; may be repeated."),
    ] = None,
    scores: Annotated[bool, typer.Option("--scores", help="Write every score into the rows.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Languages at a time.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be kept and write nothing.")] = False,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Exit with 0 also when no row was kept.")] = False,
    json: Json = False,
) -> None:
    """Write the run's sets anew with other filters; nothing is translated or projected again."""
    from spanferry.flows.cli.common import carry_out
    from spanferry.flows.filters import display
    from spanferry.flows.filters.apply import apply_flow, changed, effect
    from spanferry.flows.filters.stored import open_run
    from spanferry.flows.translate.run import as_run
    from spanferry.flows.translate.summary import print_summary

    console = Console(highlight=False)
    if dry_run:
        languages = open_run(out)
        config = changed(languages[0].config, set or (), scores=scores)
        effects = [effect(stored, config) for stored in languages]
        if json:
            print(json_module.dumps({e.target: display.effect_values(e) for e in effects}))
        for one in effects if not json else ():
            display.show_effect(console, one)
        return

    flow = apply_flow(out, set or (), scores=scores, workers=workers)

    def show(result: Any, as_json: bool) -> None:
        print_summary(as_run(flow.config, result), as_json=as_json, console=console)

    carry_out(
        lambda: flow,
        show,
        out=out,
        minded=lambda result: (0, ""),
        allow_empty=allow_empty,
        as_json=json,
        prefect=False,
    )


def _frames(out: Path, targets: list[str] | None) -> Iterator[tuple["StoredLanguage", "pl.DataFrame"]]:
    from spanferry.flows.filters.stored import open_run

    return ((stored, stored.frame()) for stored in open_run(out, targets or ()))


def _write(frames: "list[pl.DataFrame]", table: Path) -> None:
    import polars as pl

    from spanferry.corpora.files import atomic_path
    from spanferry.flows.filters.display import plain_columns

    whole = pl.concat(frames)
    with atomic_path(table) as temporary:
        if table.suffix == ".csv":
            plain_columns(whole).write_csv(temporary)
        else:
            whole.write_parquet(temporary)
