"""``spanferry verify OUT``: whether everything in a run's folder is as it was written."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def verify(
    out: Annotated[Path, typer.Argument(help="A run's folder, or one dataset.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Compare datasets, stage files and manifests with their checksums; exit with 1 if something differs."""
    from spanferry.flows.review.verify import verify as verified

    found = verified(out)
    if as_json:
        problems = [{"path": p.path, "what": p.what} for p in found.problems]
        print(
            json.dumps(
                {"datasets": found.datasets, "stage_files": found.stage_files, "problems": problems}, ensure_ascii=False
            )
        )
    else:
        console = Console(highlight=False, soft_wrap=True)
        for problem in found.problems:
            console.print(f"{problem.path}: {problem.what}", markup=False)
        console.print(
            f"{_count(found.datasets, 'dataset')}, {_count(found.stage_files, 'stage file')}: "
            + (f"{len(found.problems)} changed or missing" if found.problems else "all unchanged")
        )
    if found.problems:
        raise typer.Exit(1)


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
