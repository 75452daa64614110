"""Several files as one input: a folder of files of one format, or a pattern such as ``data/*.jsonl``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from spanferry.corpora.readers.common.bad_row import BadRow
from spanferry.corpora.readers.common.checked import RowReader
from spanferry.corpora.readers.common.fit import Fit
from spanferry.corpora.schema import Example
from spanferry.corpora.signature import Signature

PATTERN = frozenset("*?[")
# Beside data there is text about it.
_ABOUT = ("readme", "license", "licence", "changelog", "citation", "notice", "sha256sums")


@dataclass(frozen=True)
class ChainedReader(RowReader):
    """Reads files one after the other. A row is called by its file and its id there.

    Attributes:
        path: The folder, or the pattern.
        files: Each file's name in row ids, and its reader.
    """

    path: Path
    files: tuple[tuple[str, Any], ...]

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        inner = ";".join(f"{name}:{reader.signature}" for name, reader in self.files)
        first = self.files[0][1]
        content = blake2b(inner.encode(), digest_size=4).hexdigest()
        return Signature.of(("src", f"{first.name}.{first.lang}.{len(self.files)}@{content}"))

    def _rows(self) -> Iterator[Example | BadRow]:
        for name, reader in self.files:
            for row in reader.read():
                yield replace(row, id=f"{name}/{row.id}")

    def _fit(self) -> Fit | None:
        return None  # each file has been looked at


def matching(pattern: Path) -> list[Path]:
    """The files that a pattern names, by name."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if PATTERN & set(part))
    start = Path(*parts[:first]) if first else Path()
    return sorted(path for path in start.glob(str(Path(*parts[first:]))) if path.is_file())


def data_files(folder: Path) -> list[Path]:
    """The files of a folder and of those in it, without hidden ones and those that are about the data."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not path.name.lower().startswith(_ABOUT)
    )


def names_of(files: list[Path], start: Path) -> list[str]:
    """What to call each file in row ids: its path from ``start`` without its suffix, or with it where two are alike."""
    short = [path.relative_to(start).with_suffix("").as_posix() for path in files]
    return short if len(set(short)) == len(short) else [path.relative_to(start).as_posix() for path in files]
