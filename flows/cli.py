"""The command line: ``spanferry run|list|models``. Data goes to standard output, everything else to standard error."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from corpora.errors import SpanferryError
from flows import (
    cli_apply,
    cli_decisions,
    cli_derive,
    cli_evaluate,
    cli_evaluate_switching,
    cli_inspect,
    cli_list,
    cli_models,
    cli_parallel,
    cli_run,
    cli_switch,
    cli_verify,
)

app = typer.Typer(
    name="spanferry",
    help="Carry span labels across languages: translate, project, filter, and write Arrow datasets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_run.app, name="run")
cli_run.app.command("parallel")(cli_parallel.parallel)
cli_run.app.command("derive")(cli_derive.derive)
cli_run.app.command("code-switch")(cli_switch.code_switch)
app.add_typer(cli_evaluate.app, name="evaluate")
cli_evaluate.app.command("switching")(cli_evaluate_switching.switching)
cli_run.app.command("apply-decisions")(cli_apply.apply_decisions)
app.command("inspect")(cli_inspect.inspect)
app.command("verify")(cli_verify.verify)
app.add_typer(cli_decisions.app, name="decisions")
app.command("list")(cli_list.list_components)
app.add_typer(cli_models.app, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        from flows.version import VERSION

        typer.echo(f"spanferry {VERSION}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Version.")] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: an error of the user's kind is printed without a traceback and exits with 2."""
    try:
        app()
    except SpanferryError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print("error:", style="bold red", end=" ")
        console.print(str(error), markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: the finished shards are kept; the same command goes on from there", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
