"""The datasets below a folder: what the inspector has to show."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import InputError
from spanferry.corpora.review.decisions import LOG
from spanferry.corpora.stored.emitted import INDEX, EmittedDataset, is_readable

REVIEWED = "review.json"  # lies in a dataset that decisions were applied to
_DEPTH = 2


@dataclass(frozen=True)
class Corpus:
    """One emitted dataset.

    Attributes:
        name: Its folder relative to where the search began: ``es``, or ``run1/es``.
        folder: Where it lies.
    """

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """The file of decisions beside it."""
        return self.folder.parent / LOG

    @property
    def key(self) -> str:
        """What decisions call it: the name of its folder."""
        return self.folder.name

    @property
    def reviewed(self) -> bool:
        """Whether it is the outcome of a review, and not to be reviewed itself."""
        return (self.folder / REVIEWED).exists()

    @property
    def state(self) -> tuple[int, int]:
        """Changes when the dataset is written anew."""
        found = (self.folder / INDEX).stat()
        return found.st_ino, found.st_mtime_ns

    @cached_property
    def report(self) -> dict[str, Any]:
        """What the run's report counted for it; empty where there is none."""
        try:
            languages = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))["languages"]
            return dict(next(iter(languages.values())))
        except (OSError, ValueError, KeyError, StopIteration, AttributeError, TypeError):
            return {}

    def open(self) -> EmittedDataset:
        """The dataset."""
        return EmittedDataset(self.folder)


def find_corpora(out: Path) -> list[Corpus]:
    """Every dataset with spans in ``out``, at most two folders deep, by name; ``out`` may be a dataset itself.

    Raises:
        InputError: There is none, or a link in one leads out of ``out``.
    """
    if (out / INDEX).is_file():
        corpus = Corpus(out.resolve().name, out.resolve())
        _check_links(corpus, corpus.folder.parent)
        return [corpus]
    found = []
    for depth in range(1, _DEPTH + 1):
        for index in sorted(out.glob("*/" * depth + INDEX)):
            folder = index.parent
            parts = folder.relative_to(out).parts
            hidden = any(part.startswith(".") or part == "stages" for part in parts)
            if not hidden and is_readable(folder):
                corpus = Corpus("/".join(parts), folder)
                _check_links(corpus, out)
                found.append(corpus)
    if not found:
        raise InputError(
            "no dataset with spans here",
            where=str(out),
            valid="a run's folder, which holds a folder per target language",
            hint="spanferry run translate-train --input sample:sentences --target es --out OUT",
        )
    return sorted(found, key=lambda c: c.name)


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path, links followed, lies outside a folder."""
    return not path.resolve().is_relative_to(root.resolve())


def _check_links(corpus: Corpus, root: Path) -> None:
    """A run may come from a stranger: what it links to elsewhere is neither shown nor written to."""
    inside = (path for path in corpus.folder.rglob("*") if path.is_symlink())
    # Made files beside the dataset: the log, and the index.
    for path in (
        corpus.folder,
        corpus.log,
        corpus.folder.parent / ".inspect",
        corpus.folder.parent / "stages",
        *inside,
    ):
        if leads_out(path, root):
            raise InputError(
                "a link that leads out of the run",
                where=str(path),
                valid="files in the run's own folder",
                hint=f"spanferry inspect {path.resolve() if path == corpus.folder else root}, with a copy in its place",
            )
