"""Pairs to one text file per split, a few lines for each pair."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import REJECTED, WriteReport, group_of, replayable, survey


@contextmanager
def split_files(
    batches: Iterable[list[Pair]], out: Path, suffix: str
) -> Iterator[tuple[Iterable[list[Pair]], dict[str, TextIO], dict[str, int]]]:
    """Open text files ``<split><suffix>`` and ``rejected<suffix>``, which replace those of ``out`` at the end.

    Args:
        batches: The pairs.
        out: The folder.
        suffix: ``.jsonl``.

    Returns:
        The pairs once more, the file of each group and how many pairs it has.
    """
    with work_folder(out) as folder, replayable(batches, folder) as rows, ExitStack() as stack:
        groups = survey(rows).groups()
        new = folder / "new"
        new.mkdir()
        files: dict[str, TextIO] = {
            group: stack.enter_context((new / f"{group}{suffix}").open("w", encoding="utf-8", newline="\n"))
            for group, _, _ in groups
        }
        yield rows, files, {group: count for group, _, count in groups}
        stack.close()
        publish(new, out, index=f"{REJECTED}{suffix}")


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
    with split_files(batches, out, suffix) as (rows, files, counts):
        for batch in rows:
            for pair in batch:
                files[group_of(pair)].writelines(f"{line}\n" for line in lines(pair, lost))
    return WriteReport(counts, dict(sorted(lost.items())), tuple(sorted(f"{group}{suffix}" for group in counts)))
