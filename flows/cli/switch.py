"""``spanferry run code-switch``."""

from typing import Annotated

import typer

from spanferry.flows.cli.common import carry_out
from spanferry.flows.cli.completion.declared import table
from spanferry.flows.cli.completion.offers import components
from spanferry.flows.cli.parallel import Aligner, DryRun, Format, Inputs, Limit, Strict, rejected_rows, show_set
from spanferry.flows.cli.run import AllowEmpty, ConfigFile, Executor, Json, Out, Overwrite, Seed, Settings, Workers


def _names(kind: str) -> str:
    return ", ".join(table(kind)) + "."


PresetName = Annotated[
    str | None,
    typer.Option("--preset", "-p", help=_names("presets"), show_default=False, autocompletion=components("presets")),
]
Matrix = Annotated[
    str | None,
    typer.Option("--matrix", "-m", help="Language that the others are mixed into.", show_default="the first"),
]
Languages = Annotated[list[str] | None, typer.Option("--language", "-l", help="A language to mix in; may be repeated.")]
Unit = Annotated[
    str | None, typer.Option(help=_names("units"), show_default="word", autocompletion=components("units"))
]
Counterpart = Annotated[
    str | None,
    typer.Option(help=_names("counterparts"), show_default="alignment", autocompletion=components("counterparts")),
]
ConstraintName = Annotated[
    str | None,
    typer.Option(
        "--constraint", help=_names("constraints"), show_default="none", autocompletion=components("constraints")
    ),
]
SamplerName = Annotated[
    str | None,
    typer.Option(
        "--sampler", help=_names("samplers"), show_default="probability", autocompletion=components("samplers")
    ),
]
Cmi = Annotated[
    float | None, typer.Option(help="Target CMI: short for --sampler cmi --set sampler.target=…", show_default=False)
]
Copies = Annotated[int | None, typer.Option(help="Rows made from each row.", show_default="1")]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        help="What has one language: unit, row, row_all, field, or each (a copy per language).",
        show_default="unit",
        autocompletion=components(more=("unit", "row", "row_all", "field", "each")),
    ),
]


def code_switch(
    input: Inputs = None,
    preset: PresetName = None,
    matrix: Matrix = None,
    language: Languages = None,
    unit: Unit = None,
    counterpart: Counterpart = None,
    constraint: ConstraintName = None,
    sampler: SamplerName = None,
    cmi: Cmi = None,
    policy: PolicyName = None,
    copies: Copies = None,
    out: Out = None,
    format: Format = None,
    aligner: Aligner = None,
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
    """Mix languages within texts and keep the labels: units of one language replaced by their counterparts."""
    options = {
        "rows.inputs": input or None,
        "preset": preset,
        "matrix": matrix,
        "languages": language or None,
        "unit.kind": unit,
        "counterpart.kind": counterpart,
        "constraint.kind": constraint,
        "sampler.kind": sampler or ("cmi" if cmi is not None else None),
        "sampler.target": cmi,
        "policy": policy,
        "copies": copies,
        "out": out,
        "rows.format": format,
        "rows.limit": limit,
        "align.aligner": aligner,
        "seed": seed,
        "executor.kind": executor,
        "executor.workers": workers,
    }
    from spanferry.flows.config import build_config
    from spanferry.flows.switch.config import SwitchConfig

    resolved = build_config(SwitchConfig, "code-switch", file=config, settings=set or (), options=options)
    from spanferry.flows.switch.flow import switch_flow

    carry_out(
        lambda: switch_flow(resolved),
        show_set,
        out=resolved.out,
        minded=rejected_rows,
        overwrite=overwrite,
        dry_run=dry_run,
        strict=strict,
        allow_empty=allow_empty,
        as_json=json,
    )
