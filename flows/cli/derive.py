"""``spanferry run derive KIND``."""

from typing import Annotated

import typer

from spanferry.corpora.errors import ConfigError
from spanferry.flows.cli.common import carry_out
from spanferry.flows.cli.completion.declared import table
from spanferry.flows.cli.completion.offers import components
from spanferry.flows.cli.parallel import (
    Aligner,
    DryRun,
    Format,
    Inputs,
    Languages,
    Limit,
    Pairs,
    Strict,
    rejected_rows,
    show_set,
)
from spanferry.flows.cli.run import (
    AllowEmpty,
    ConfigFile,
    Executor,
    Json,
    MaxCost,
    MaxRequests,
    MaxTime,
    Out,
    Overwrite,
    Seed,
    Settings,
    Workers,
    budget_options,
)

Kind = Annotated[
    str | None,
    typer.Argument(
        help=f"{', '.join(table('derivations'))}, or package.module:Class.", autocompletion=components("derivations")
    ),
]
Translator = Annotated[
    str | None,
    typer.Option(
        help="Model, for sets that need translations.",
        show_default="bundled",
        autocompletion=components("translators", more=("bundled",)),
    ),
]
Reverse = Annotated[str | None, typer.Option(help="Model that translates back, for a round trip.", show_default=False)]


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
    max_cost: MaxCost = None,
    max_requests: MaxRequests = None,
    max_time: MaxTime = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    strict: Strict = False,
    allow_empty: AllowEmpty = False,
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
        **budget_options(max_cost, max_requests, max_time),
    }
    from spanferry.flows.config import build_config
    from spanferry.flows.sets.config import DeriveConfig

    resolved = build_config(DeriveConfig, "derive", file=config, settings=set or (), options=options)
    if not resolved.kind:
        raise ConfigError("no kind", valid=table("derivations"), hint="spanferry run derive instructions --input …")
    from spanferry.flows.sets.derive import derive_flow

    carry_out(
        lambda: derive_flow(resolved),
        show_set,
        out=resolved.out,
        minded=rejected_rows,
        overwrite=overwrite,
        dry_run=dry_run,
        strict=strict,
        allow_empty=allow_empty,
        as_json=json,
    )
