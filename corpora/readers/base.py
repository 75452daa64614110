"""What a reader is, and the row that can't become an example."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from spanferry.corpora.errors import RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.schema import TEXT, Example, Pair

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


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be an example; it is emitted among the rejected rows.

    Attributes:
        id: The row's id, or its number, counted from 1.
        reason: Stable snake_case name under which it is counted.
        message: What is wrong, with the place.
        raw: The row as it stood in the file.
        split: Dataset split it would have been in.
    """

    id: str
    reason: str
    message: str
    raw: str
    split: str = "train"

    def as_pair(self, lang: str, signature: str = "") -> Pair:
        """The rejected pair that stands for it: the raw row as text, the message in ``meta``."""
        source = Example(self.id, lang, {TEXT: self.raw}, meta={"error": self.message}, split=self.split)
        return Pair(source, None, kept=False, reasons=(f"read:{self.reason}",), signature=signature)


@runtime_checkable
class Reader(Protocol):
    """Annotated data as a stream of examples. Every call of ``read`` starts from the beginning."""

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
class FileReader:
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
    def signature(self) -> str:
        """See ``Reader.signature``."""
        return f"src:{self.name}.{self.lang}{options_part(self)}@{content_hash([self.path])}"

    @property
    def rows_split(self) -> str:
        """The split of the rows."""
        return split_of(self.path) if self.split == AUTO_SPLIT else self.split


def split_of(path: Path) -> str:
    """The split that a file's name tells (``train``, ``dev``, ``test`` … between dots, dashes and the like)."""
    words = "".join(c if c.isalnum() else " " for c in path.name.lower()).split()
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), "train")


def options_part(reader: Any) -> str:
    """The options of a dataclass that differ from their defaults, ``[a=1,b=x]`` in the order of the fields, or ""."""
    chosen = [
        f"{f.name}={_plain(getattr(reader, f.name))}"
        for f in fields(reader)
        if f.name not in ("path", "lang") and getattr(reader, f.name) != f.default
    ]
    return f"[{','.join(chosen)}]" if chosen else ""


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def bad_row(error: RowError, row_id: str, where: str, raw: str, split: str) -> BadRow:
    """The bad row that ``error`` makes of a row; ``where`` is its place in the file."""
    message = f"{where}: {error.message}" + (f" (valid: {error.valid})" if error.valid else "")
    # The row may be bad for its surrogates, and the message must still be one that can be stored.
    return BadRow(row_id, error.reason, message.encode("utf-8", "backslashreplace").decode(), raw, split)
