"""``spanferry run apply-decisions``."""

import json as json_module
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from spanferry.flows.cli.common import carry_out
from spanferry.flows.cli.run import ConfigFile, Executor, Formats, Json, Settings, Workers
from spanferry.flows.cli.unread import print_unread

Out = Annotated[str | None, typer.Option("--out", "-o", help="The run's folder.", show_default="out")]
Targets = Annotated[list[str] | None, typer.Option("--target", "-t", help="Only this dataset; may be repeated.")]
Limit = Annotated[int | None, typer.Option(help="Most rows to read of each dataset.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Apply the decisions to some rows and write nothing.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a decision no longer fits the data.")]


def apply_decisions(
    out: Out = None,
    target: Targets = None,
    write: Formats = None,
    config: ConfigFile = None,
    set: Settings = None,
    limit: Limit = None,
    executor: Executor = None,
    workers: Workers = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Write the corrected dataset OUT/<target>-reviewed from the decisions made in the inspector."""
    options = {
        "out": out,
        "target": target or None,
        "output.formats": write or None,
        "limit": limit,
        "executor.kind": executor,
        "executor.workers": workers,
    }
    from spanferry.flows.config import build_config
    from spanferry.flows.review.apply import ApplyConfig, applied_of, apply_flows, summary, unread_lines

    resolved = build_config(ApplyConfig, "apply-decisions", file=config, settings=set or (), options=options)
    for path, unread in unread_lines(resolved.out).items():
        print_unread(Console(stderr=True, highlight=False, soft_wrap=True), path, unread)
    found: list[Any] = []
    flows = apply_flows(resolved)
    for flow in flows:
        carry_out(
            lambda flow=flow: flow,  # type: ignore[misc]
            lambda result, as_json: found.extend(applied_of(result)) if as_json else _show(result),
            out=resolved.out,
            minded=_stale,
            dry_run=dry_run,
            strict=strict,
            as_json=json,
        )
    if json and not dry_run:
        facts = {a.corpus: {"directory": str(a.directory), **summary(a.counts)} for a in found}
        print(json_module.dumps(facts, sort_keys=True))
    if not flows:
        Console(highlight=False).print("no decision on any dataset here")


def _stale(result: Any) -> tuple[int, str]:
    from spanferry.flows.review.apply import applied_of

    return sum(len(a.counts.stale) for a in applied_of(result)), "have decisions that no longer fit the data"


def _show(result: Any) -> None:
    from spanferry.flows.review.apply import STALE, applied_of

    console = Console(highlight=False, soft_wrap=True)
    for applied in applied_of(result):
        counts = applied.counts
        what = ", ".join(f"{n} {name}" for name, n in sorted(counts.applied.items())) or "nothing"
        decided = f"{counts.reviewed} of {counts.rows} rows decided on, {counts.gold} gold"
        console.print(f"[bold]{escape(applied.corpus)}[/]  {decided}; applied: {what}")
        if counts.stale:
            listed = applied.directory / STALE
            console.print(f"    [yellow]{len(counts.stale)} decisions no longer fit the data:[/] {escape(str(listed))}")
        console.print(f"    the dataset  {escape(str(applied.directory))}")
    for failure in result.failures:
        console.print(f"{failure.stage} failed: {failure.message}", style="red", markup=False)
