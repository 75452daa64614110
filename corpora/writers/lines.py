"""Pairs to one text file per split, a few lines for each pair."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from corpora.files import publish, work_folder
from corpora.schema import Pair
from corpora.writers.base import REJECTED, WriteReport, group_of, replayable, survey


def write_lines(
    batches: Iterable[list[Pair]], out: Path, suffix: str, lines: Callable[[Pair, Counter[str]], Iterable[str]]
) -> WriteReport:
    """Writes ``OUT/<split><suffix>`` and ``OUT/rejected<suffix>``; see ``Writer.write``.

    Args:
        batches: The pairs.
        out: The folder.
        suffix: ``.jsonl``.
        lines: The lines of a pair, without their ends; counts in its second argument what the format can't hold.
    """
    lost: Counter[str] = Counter()
    with work_folder(out) as folder, replayable(batches, folder) as rows, ExitStack() as stack:
        groups = survey(rows).groups()
        new = folder / "new"
        new.mkdir()
        files = {
            group: stack.enter_context((new / f"{group}{suffix}").open("w", encoding="utf-8", newline="\n"))
            for group, _, _ in groups
        }
        for batch in rows:
            for pair in batch:
                files[group_of(pair)].writelines(f"{line}\n" for line in lines(pair, lost))
        for file in files.values():
            file.close()
        publish(new, out, index=f"{REJECTED}{suffix}")
    names = tuple(sorted(f"{group}{suffix}" for group, _, _ in groups))
    return WriteReport({group: count for group, _, count in groups}, dict(sorted(lost.items())), names)
