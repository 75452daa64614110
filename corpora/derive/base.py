"""What a derived set is made by: rows of several languages in, records out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import permutations
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.multiway import Direction, MultiRow
from spanferry.corpora.stored.records import Record
from spanferry.corpora.text.languages import check_language


@runtime_checkable
class Derivation(Protocol):
    """Rows of several languages to the records of one derived set.

    Attributes:
        name: Its name in ``DERIVATIONS``.
        paper: Where the set comes from, for the card.
        differs: What is done otherwise here, for the card.
        task: The hub's task category of such a set.
        local: Whether a record follows from one row alone; the rows of a shard can then be derived apart from others.
        needs: What the rows must have: ``links`` (word links between the languages), or nothing.
        min_languages: How many cells a row needs for anything to be derived from it.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    differs: ClassVar[str]
    task: ClassVar[str]
    local: ClassVar[bool]
    needs: ClassVar[frozenset[str]]
    min_languages: ClassVar[int]

    @property
    def schema(self) -> pa.Schema:
        """The columns of the records, ``id`` first."""
        ...

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """The records of ``rows``, kept and rejected, in the order of the rows.

        A derivation that is not ``local`` may iterate ``rows`` more than once. Rows that were rejected before are not
        given to it.
        """
        ...


@runtime_checkable
class TranslatingDerivation(Derivation, Protocol):
    """A derivation that translates; it takes ``translators``, see ``open_derivation``."""

    def translations(self, languages: Sequence[str]) -> list[Direction]:
        """The directions it translates in, for a set of these languages."""
        ...


@runtime_checkable
class SideFiles(Protocol):
    """A derivation that writes more than the dataset."""

    def side_files(self, kept: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """(file name, line with its end) from the kept records' values, in their order; names come in groups."""
        ...


def key_of(seed: int, *parts: str) -> int:
    """A number that follows from the seed and the parts alone: 64 bits, the same on every machine."""
    return int.from_bytes(
        blake2b("\0".join((str(seed), *parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    )


def chance_of(seed: int, *parts: str) -> float:
    """Like ``key_of``, as a number in [0, 1)."""
    return (key_of(seed, *parts) >> 11) / (1 << 53)


def directions_of(chosen: Sequence[str], languages: Sequence[str]) -> list[Direction]:
    """The directions that were asked for, ``en-es``; all ordered pairs of ``languages`` if none was.

    Raises:
        ConfigError: Not two languages with a ``-`` (or, for tags with a script, a ``>``) between them.
    """
    return [parse_direction(name) for name in chosen] or list(permutations(languages, 2))


def parse_direction(name: str) -> Direction:
    """``en-es`` or ``en>zh-Hant`` as a pair of languages.

    Raises:
        ConfigError: It is neither.
    """
    parts = name.split(">") if ">" in name else name.split("-")
    if len(parts) != 2 or not all(parts):
        raise ConfigError(
            f"{name!r} is not a direction",
            valid="two languages, as in en-es; with a '>' where a tag has a '-' of its own: en>zh-Hant",
            hint='--set options.directions=["en-es", "es-en"]',
        )
    return check_language(parts[0]), check_language(parts[1])


def texts_of(row: MultiRow) -> dict[str, Any]:
    """The row's texts by language, for a rejected record."""
    return {lang: e.text if len(e.texts) == 1 else dict(e.texts) for lang, e in row.examples.items()}


def refused(row: MultiRow, reason: str, *, part: str = "", **about: Any) -> Record:
    """A rejected record of ``row``; ``part`` goes to the id, as in ``7_en-es``."""
    return Record(f"{row.id}{part}", {}, row.split, (reason,), {**texts_of(row), **about})
