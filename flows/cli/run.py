"""``spanferry run FLOW``: options become a configuration, progress is shown while it works, a table ends it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import InputError
from spanferry.corpora.samples import sample_path
from spanferry.flows.cli.common import carry_out
from spanferry.flows.cli.completion.offers import components, setting

if TYPE_CHECKING:
    from spanferry.flows.config import RunConfig

Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        help="A file, a folder, hf:ID or sample:NAME.",
        show_default=False,
        autocompletion=components("samples", prefix="sample:"),
    ),
]
TargetInput = Annotated[
    str | None, typer.Option("--target-input", help="The same rows in the target language.", show_default=False)
]
Source = Annotated[str | None, typer.Option("--source", "-s", help="Source language (BCP-47).", show_default="en")]
Targets = Annotated[
    list[str] | None, typer.Option("--target", "-t", help="Target language; may be repeated.", show_default=False)
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run.", show_default="out")]
Format = Annotated[
    str | None,
    typer.Option(
        help="Reader; by default the path and the first lines decide.",
        show_default="guessed",
        autocompletion=components("readers"),
    ),
]
Translator = Annotated[
    str | None,
    typer.Option(
        help="bundled, none (run project), a directory, a hub id, endpoint:MODEL or package.module:Class.",
        show_default="bundled",
        autocompletion=components("translators", more=("bundled", "none")),
    ),
]
Protect = Annotated[
    bool, typer.Option("--protect", help="Carry placeholders, URLs, code and markup through the translation.")
]
Glossary = Annotated[
    str | None, typer.Option(help="TSV: source term, target term(s), language.", show_default=False, metavar="FILE")
]
Repair = Annotated[
    bool,
    typer.Option("--repair", help="Translate again with the right words where a labelled span lost them."),
]
BestOf = Annotated[
    int | None,
    typer.Option(
        "--best-of",
        help="Of so many translations the one with the labelled words and numbers.",
        show_default="1",
        min=1,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="auto, cpu or cuda.", show_default="auto", autocompletion=components(more=("auto", "cpu", "cuda"))
    ),
]
Projector = Annotated[
    str | None,
    typer.Option(
        help="Projector; see spanferry list projectors.",
        show_default="default",
        autocompletion=components("projectors"),
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--write",
        help="Further formats; may be repeated.",
        show_default="arrow",
        autocompletion=components("writers"),
    ),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file.", show_default=False)]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Any key of the configuration as section.key=value; may be repeated.",
        show_default=False,
        autocompletion=setting,
    ),
]
MaxError = Annotated[
    float | None,
    typer.Option(
        help="Keep the most rows of which at most this share of spans is wrong, with 95 % confidence.",
        show_default=False,
        min=0.0001,
        max=0.9999,
    ),
]
Limit = Annotated[int | None, typer.Option(help="Most rows to read.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Seed of everything drawn at random.", show_default="0")]
Executor = Annotated[
    str | None,
    typer.Option(help="threads or dask.", show_default="threads", autocompletion=components(more=("threads", "dask"))),
]
Workers = Annotated[int | None, typer.Option(help="Tasks that run at the same time.", show_default="2")]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", help="Stop where endpoints have cost so much; needs prices.", show_default=False),
]
MaxRequests = Annotated[
    int | None, typer.Option("--max-requests", help="Stop after so many requests to endpoints.", show_default=False)
]
MaxTime = Annotated[
    str | None, typer.Option("--max-time", help="Stop after 90s, 30m, 1h30m.", show_default=False, metavar="TIME")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Start again: delete what an earlier run made in the folder.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, run 64 rows through all steps, write nothing.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row could not be read or failed.")]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Exit with 0 even if no row was kept or no label was carried over.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the closing table as one line of JSON.")]


def translate_train(
    input: Input = None,
    source: Source = None,
    target: Targets = None,
    out: Out = None,
    format: Format = None,
    translator: Translator = None,
    protect: Protect = False,
    glossary: Glossary = None,
    repair: Repair = False,
    best_of: BestOf = None,
    device: Device = None,
    projector: Projector = None,
    max_error: MaxError = None,
    write: Formats = None,
    config: ConfigFile = None,
    set: Settings = None,
    limit: Limit = None,
    seed: Seed = None,
    executor: Executor = None,
    workers: Workers = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_time: MaxTime = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    strict: Strict = False,
    allow_empty: AllowEmpty = False,
    json: Json = False,
) -> None:
    """Translate annotated data and carry its labels over: a training set in each target language."""
    options = _options(
        input, format, source, target, out, translator, device, projector, write, limit, seed, executor, workers
    )
    options |= {"translator.protect": protect or None, "translator.glossary": glossary, "repair": repair or None}
    options["best_of"] = best_of
    options["filters.max_error.error"] = max_error
    options |= budget_options(max_cost, max_requests, max_time)
    from spanferry.flows.config import RunConfig, build_config

    resolved = build_config(RunConfig, "translate-train", file=config, settings=set or (), options=options)
    _run(resolved, overwrite=overwrite, dry_run=dry_run, strict=strict, allow_empty=allow_empty, as_json=json)


def project(
    input: Input = None,
    target_input: TargetInput = None,
    source: Source = None,
    target: Targets = None,
    out: Out = None,
    format: Format = None,
    translator: Translator = None,
    device: Device = None,
    projector: Projector = None,
    max_error: MaxError = None,
    write: Formats = None,
    config: ConfigFile = None,
    set: Settings = None,
    limit: Limit = None,
    seed: Seed = None,
    executor: Executor = None,
    workers: Workers = None,
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_time: MaxTime = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    strict: Strict = False,
    allow_empty: AllowEmpty = False,
    json: Json = False,
) -> None:
    """Carry labels over to a given translation. Where the target side is labelled too, reports F1 against it."""
    options = _options(
        input, format, source, target, out, translator, device, projector, write, limit, seed, executor, workers
    )
    options["read.target"] = _input(target_input)
    options |= budget_options(max_cost, max_requests, max_time)
    options["filters.max_error.error"] = max_error
    from spanferry.flows.config import RunConfig, build_config

    resolved = build_config(RunConfig, "project", file=config, settings=set or (), options=options)
    if not resolved.read.target:
        raise InputError("flow 'project' needs both sides", hint="--target-input FILE with the same rows translated")
    if len(resolved.target) > 1:
        raise InputError(
            f"flow 'project' takes one target language, not {len(resolved.target)}", hint="one run per language"
        )
    _run(resolved, overwrite=overwrite, dry_run=dry_run, strict=strict, allow_empty=allow_empty, as_json=json)


_KEYS = (
    "read.path",
    "read.format",
    "source",
    "target",
    "out",
    "translator.model",
    "translator.device",
    "projector.kind",
    "output.formats",
    "limit",
    "seed",
    "executor.kind",
    "executor.workers",
)


def _options(input: str | None, *others: Any) -> dict[str, Any]:
    """The command's options by configuration key; what was not given stays None."""
    return {key: None if value == [] else value for key, value in zip(_KEYS, (_input(input), *others), strict=True)}


def budget_options(max_cost: float | None, max_requests: int | None, max_time: str | None) -> dict[str, Any]:
    """The options of the budget by configuration key."""
    return {"budget.max_cost": max_cost, "budget.max_requests": max_requests, "budget.max_time": max_time}


def _input(path: str | None) -> str | None:
    """``sample:<name>`` stands for a file that comes with the package."""
    return str(sample_path(path.removeprefix("sample:"))) if path and path.startswith("sample:") else path


def _run(config: "RunConfig", **how: Any) -> None:
    if not config.read.path:
        raise InputError("no input", hint="--input FILE, or --input sample:sentences to try it")
    if not config.target:
        raise InputError("no target language", hint="--target es")
    from spanferry.flows.translate.flow import translate_flow
    from spanferry.flows.translate.run import as_run
    from spanferry.flows.translate.summary import print_summary

    def show(result: Any, as_json: bool) -> None:
        print_summary(as_run(config, result), as_json=as_json, console=Console(highlight=False))

    def minded(result: Any) -> tuple[int, str]:
        return as_run(config, result).failed_rows, "could not be read or translated"

    carry_out(lambda: translate_flow(config), show, out=config.out, minded=minded, **how)
