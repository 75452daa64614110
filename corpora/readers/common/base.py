"""What a reader is, and what readers of files share."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from spanferry.corpora.files import content_hash
from spanferry.corpora.readers.common.bad_row import BadRow, bad_row
from spanferry.corpora.readers.common.checked import Draft, Note, RowReader
from spanferry.corpora.schema import Example
from spanferry.corpora.signature import Signature, neutral_options, settings

__all__ = [
    "AUTO_SPLIT",
    "BadRow",
    "Draft",
    "FileReader",
    "Note",
    "Reader",
    "bad_row",
    "source_signature",
    "split_of",
    "split_word",
]

AUTO_SPLIT = "auto"
_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "test",
    "test": "test",
}


@runtime_checkable
class Reader(Protocol):
    """Annotated data as a stream of examples. Every call of ``read`` starts from the beginning.

    >>> from spanferry.corpora.readers import open_reader
    >>> from spanferry.corpora.samples import sample_path
    >>> sum(1 for _ in open_reader(sample_path("documents"), lang="en").read())
    20
    """

    @property
    def signature(self) -> str:
        """Format, language, options that are not the defaults, content: ``src:conll.en[repair=true]@ab12cd34``."""
        ...

    def read(self) -> Iterator[Example | BadRow]:
        """Yields every row in the order of the data, as an example or as a bad row; memory does not grow with the data.

        Raises:
            InputError: The data as a whole can't be read.
        """
        ...


@dataclass(frozen=True)
class FileReader(RowReader):
    """What the readers of one file share: where it is, its language, its split and its signature.

    Attributes:
        path: The file.
        lang: BCP-47 tag of its texts.
        split: Dataset split of its rows; "auto" takes it from the file's name (``en.test.conll``), else "train".
    """

    name: ClassVar[str]

    path: Path
    lang: str
    split: str = AUTO_SPLIT

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        return source_signature(self, content_hash([self.path]), split=self.rows_split)

    @property
    def rows_split(self) -> str:
        """The split of the rows."""
        return split_of(self.path) if self.split == AUTO_SPLIT else self.split


def split_of(path: Path) -> str:
    """The split that a file's name gives (``train``, ``dev``, ``test`` … between dots, dashes and the like)."""
    words = "".join(c if c.isalnum() else " " for c in path.name.lower()).split()
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), "train")


def split_word(word: str) -> str | None:
    """The split that a word stands for (``dev`` is ``validation``), or None."""
    return _SPLIT_WORDS.get(word.lower())


def source_signature(reader: Any, content: str, *, language: str | None = None, split: str = "train") -> Signature:
    """``src:<format>.<language>[<options that are not the defaults>]@<content>``.

    Args:
        reader: A dataclass with a ``name``.
        content: Hash of what is read.
        language: Instead of the reader's own; empty: none.
        split: That its rows get: one that was taken from the name of a file is stated like one that was asked for.
    """
    chosen = {
        f.name: getattr(reader, f.name)
        for f in fields(reader)
        if f.name not in ("path", "lang") and getattr(reader, f.name) != f.default
    }
    if split != "train":
        chosen = {"split": split, **chosen}
    own = language if language is not None else reader.lang
    stated = settings(chosen, neutral_options(reader))
    return Signature.of(("src", f"{reader.name}{'.' * bool(own)}{own}{stated}@{content}"))
