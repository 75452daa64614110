"""What the commands of all flows share: run or rehearse, print, and the exit status."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from spanferry.flows.cli.interrupt import Left, watched

if TYPE_CHECKING:
    from spanferry.flows.engine.flow import Flow, Result


def carry_out(
    flow_of: Callable[[], "Flow"],
    show: Callable[["Result", bool], None],
    *,
    out: Path,
    minded: Callable[["Result"], tuple[int, str]],
    overwrite: bool = False,
    dry_run: bool = False,
    strict: bool = False,
    allow_empty: bool = False,
    as_json: bool = False,
    prefect: bool = True,
) -> None:
    """Runs a flow as the command line does, and leaves with 1 where a shard failed or nothing came out.

    Args:
        flow_of: Builds the flow; whatever is wrong is raised here, before any work.
        show: Prints the result, as JSON or for people.
        out: The run's folder, from which the same command goes on.
        minded: Rows that ``strict`` minds, and what became of them.
        overwrite: Forget what an earlier run has done.
        dry_run: Push some rows through and write nothing.
        strict: Leave with 1 also where ``minded`` counts a row, or a model failed on one.
        allow_empty: Leave with 0 also where no row was kept or no label was carried over.
        as_json: One line of JSON.
        prefect: Whether it is a Prefect flow run.
    """
    from spanferry.flows.engine.flow import rehearse, run

    errors = Console(stderr=True, highlight=False)
    if dry_run:
        rehearse(flow_of(), errors)
        return
    with watched(Left(f"finished shards are kept in {out}", goes_on=True)):
        result = run(flow_of(), errors, overwrite=overwrite, prefect=prefect)
    show(result, as_json)
    if result.outcome.stopped:
        errors.print(result.outcome.stopped, style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(1)
    if result.failures:
        raise typer.Exit(1)
    if result.empty and not allow_empty:
        errors.print(result.empty, style="red", markup=False, soft_wrap=True)
        errors.print("Hint: --allow-empty, if that is intended", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)
    count, what = minded(result)
    failed = sum(one["rows"] for one in result.model_errors.values())
    if strict and (count or failed):
        if count:
            errors.print(f"--strict: {count} rows {what}", style="red")
        if failed:
            errors.print(f"--strict: a model failed on {failed} rows", style="red")
        raise typer.Exit(1)
