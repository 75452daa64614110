"""Lines of a decision log that hold no decision that this version knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from spanferry.corpora.review.decisions import Unread

_LISTED = 20  # lines of a log that are named one by one


def print_unread(console: Console, path: Path, unread: "Sequence[Unread]") -> None:
    """Lists the lines that count for nothing; a newer version may have written them."""
    if not unread:
        return
    console.print(
        f"{path}: {len(unread)} lines can't be read and count for nothing; they stay in the file", markup=False
    )
    for line in unread[:_LISTED]:
        console.print(f"    line {line.number}: {line.reason}", markup=False)
    if len(unread) > _LISTED:
        console.print(f"    and {len(unread) - _LISTED} more", markup=False)
