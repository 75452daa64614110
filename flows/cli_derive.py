"""``spanferry run derive KIND``."""

from typing import Annotated

import typer
from rich.console import Console

from corpora.derive import DERIVATIONS
from corpora.errors import ConfigError
from flows.cli_parallel import Aligner, DryRun, Format, Inputs, Languages, Limit, Pairs, Strict, finish
from flows.cli_run import ConfigFile, Executor, Json, Out, Overwrite, Seed, Settings, Workers, forget
from flows.config import build_config
from flows.interrupt import watched
from flows.parallel_config import DeriveConfig

Kind = Annotated[str | None, typer.Argument(help=f"{', '.join(DERIVATIONS)}, or package.module:Class.")]
Translator = Annotated[str | None, typer.Option(help="For kinds that translate.", show_default="bundled")]
Reverse = Annotated[str | None, typer.Option(help="The model of the way back, for a round trip.", show_default=False)]


def derive(
    kind: Kind = None,
    input: Inputs = None,
    language: Languages = None,
    out: Out = None,
    format: Format = None,
    pairs: Pairs = None,
    aligner: Aligner = None,
    translator: Translator = None,
    reverse: Reverse = None,
    config: ConfigFile = None,
    set: Settings = None,
    limit: Limit = None,
    seed: Seed = None,
    executor: Executor = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Derive a training set from rows of several languages: instructions, prompts, a dictionary, word pairs …"""
    options = {
        "kind": kind,
        "rows.inputs": input or None,
        "rows.languages": language or None,
        "rows.format": format,
        "rows.limit": limit,
        "align.pairs": pairs,
        "align.aligner": aligner,
        "translator.model": translator,
        "reverse": reverse,
        "out": out,
        "seed": seed,
        "executor.kind": executor,
        "executor.workers": workers,
    }
    resolved = build_config(DeriveConfig, "derive", file=config, settings=set or (), options=options)
    if not resolved.kind:
        raise ConfigError("no kind", valid=list(DERIVATIONS), hint="spanferry run derive instructions --input …")
    from flows.derive import run_derive
    from flows.parallel_rehearsal import rehearse

    console = Console(stderr=True, highlight=False)
    if dry_run:
        rehearse(resolved, console)
        return
    if overwrite:
        forget(resolved.out)
    with watched(resolved.out):
        result = run_derive(resolved, console)
    finish(result, as_json=json, strict=strict)
