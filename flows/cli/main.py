"""The command line: ``spanferry run|list|models``. Data goes to standard output, everything else to standard error.

A command's module is imported when the command is called, so that help and completion load none of them.
"""

import sys
from contextlib import nullcontext
from importlib import import_module
from os import environ
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from spanferry.corpora.errors import SpanferryError
from spanferry.flows.cli.interrupt import left_by, watched

# Name to where the command or group is and the first line of its help.
RUN = {
    "translate-train": (
        "spanferry.flows.cli.run:translate_train",
        "Translate annotated data and carry its labels over: a training set in each target language.",
    ),
    "project": ("spanferry.flows.cli.run:project", "Carry labels over to a given translation."),
    "parallel": ("spanferry.flows.cli.parallel:parallel", "Join runs and files into rows of several languages."),
    "derive": ("spanferry.flows.cli.derive:derive", "Make a training set of rows in several languages."),
    "code-switch": ("spanferry.flows.cli.switch:code_switch", "Mix languages within texts and keep the labels."),
    "apply-decisions": (
        "spanferry.flows.cli.apply:apply_decisions",
        "Write the corrected dataset from the decisions made in the inspector.",
    ),
}
EVALUATE = {
    "projection": (
        "spanferry.flows.cli.evaluate.methods:projection",
        "Carry the gold spans of the source side over and compare them with those of the target side.",
    ),
    "alignment": (
        "spanferry.flows.cli.evaluate.methods:alignment",
        "Align the words of gold pairs and compare the links.",
    ),
    "switching": (
        "spanferry.flows.cli.evaluate.switching:switching",
        "Measure how much, how often and how regularly corpora switch.",
    ),
}
COMMANDS = {
    "run": ("spanferry.flows.cli.main:run_app", "Run a flow."),
    "evaluate": ("spanferry.flows.cli.main:evaluate_app", "Measure methods on gold."),
    "filter": (
        "spanferry.flows.cli.filter:app",
        "Look at a run's stored scores and choose other thresholds.",
    ),
    "inspect": ("spanferry.flows.cli.inspect:inspect", "Look at projected labels and correct them in a browser."),
    "convert": ("spanferry.flows.cli.convert:convert", "Write annotated data in another format."),
    "verify": ("spanferry.flows.cli.verify:verify", "Check that the files of a run are unchanged."),
    "calibrate": ("spanferry.flows.cli.calibrate:calibrate", "Fit probabilities of right spans on a review."),
    "decisions": ("spanferry.flows.cli.decisions:app", "Export and import the decisions of a review."),
    "list": (
        "spanferry.flows.cli.list:list_components",
        "List flows, readers, writers, projectors, aligners, filters, model families and samples.",
    ),
    "models": ("spanferry.flows.cli.models:app", "List, add, remove, find and check models."),
}


class _LazyGroup(TyperGroup):
    """A group of commands that are imported when they are called; its help comes from the table."""

    table: dict[str, tuple[str, str]]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.table:
            return None
        return TyperCommand(cmd_name, help=self.table[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name not in self.table:
            return super().resolve_command(ctx, args)
        return name, _load(name, self.table[name][0]), args[1:]


class _Root(_LazyGroup):
    table = COMMANDS


class _Run(_LazyGroup):
    table = RUN


class _Evaluate(_LazyGroup):
    table = EVALUATE


app = typer.Typer(
    cls=_Root,
    name="spanferry",
    help="Carry span labels across languages: translate, project, filter, and write Arrow datasets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run_app = typer.Typer(cls=_Run, no_args_is_help=True, help="Run a flow.", add_completion=False)


evaluate_app = typer.Typer(cls=_Evaluate, no_args_is_help=True, help="Measure methods on gold.", add_completion=False)


@run_app.callback()
@evaluate_app.callback()
def _group() -> None:
    pass


def _load(name: str, place: str) -> Any:
    module_name, attribute = place.split(":")
    found = getattr(import_module(module_name), attribute)
    if isinstance(found, typer.Typer):
        group = found
    else:
        group = typer.Typer(add_completion=False)
        group.command(name)(found)
    group.pretty_exceptions_enable = False
    group._add_completion = False
    command = typer.main.get_command(group)
    command.name = name
    return command


def _version(wanted: bool) -> None:
    if wanted:
        from spanferry.flows.version import VERSION

        typer.echo(f"spanferry {VERSION}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Version.")] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: an error of the user's kind is printed without a traceback and exits with 2."""
    arguments = sys.argv[1:]
    # Help and the version are there before anybody could interrupt them.
    brief = not arguments or not {"-h", "--help", "--version"}.isdisjoint(arguments) or "_SPANFERRY_COMPLETE" in environ
    try:
        with nullcontext() if brief else watched(left_by(arguments)):
            app()
    except SpanferryError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print("error:", style="bold red", end=" ")
        console.print(str(error), markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
