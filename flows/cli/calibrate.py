"""``spanferry calibrate OUT``: from reviewed decisions to a calibration for ``max_error``."""

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def calibrate(
    out: Annotated[Path, typer.Argument(help="A run's folder with decisions.jsonl.")],
    target: Annotated[str | None, typer.Option("--target", "-t", help="Only this dataset.", show_default=False)] = None,
    max_error: Annotated[
        float, typer.Option(help="Share of wrong spans for which the kept spans are shown.", min=0.0001, max=0.9999)
    ] = 0.05,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Fit the probabilities of max_error on the decisions of a review, and write OUT/calibration.json."""
    from spanferry.flows.review.calibrate import FILE
    from spanferry.flows.review.calibrate import calibrate as fit

    done = fit(out, target=target, error=max_error)
    path = out / FILE
    if json:
        facts = {one.language: {k: v for k, v in asdict(one).items() if k != "numbers"} for one in done}
        print(json_module.dumps({"calibration": str(path), "languages": facts}, sort_keys=True))
        return
    console = Console(highlight=False, soft_wrap=True)
    for one in done:
        wrong = one.spans - one.right
        console.print(f"{one.language}: {one.rows} rows with {one.spans} spans reviewed, {wrong} wrong", markup=False)
        console.print(f"    of all spans at most {one.bound:.1%} are wrong, with 95 % confidence", markup=False)
        console.print(f"    ECE           {one.ece[0]:.3f} before, {one.ece[1]:.3f} after (cross-fitted)", markup=False)
        before = f"{one.kept[0]:.1%} before" + ("" if one.holds else " (where the bound does not hold)")
        console.print(
            f"    --max-error {max_error:g} keeps of the spans {before}, {one.kept[1]:.1%} after", markup=False
        )
    console.print(f"use it: --set filters.max_error.calibration={path}", markup=False)
