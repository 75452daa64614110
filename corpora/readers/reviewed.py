"""Rows that people have reviewed, as gold: what ``spanferry run apply-decisions`` wrote."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.readers.common.checked import RowReader
from spanferry.corpora.review.applying import META
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.signature import Signature
from spanferry.corpora.stored.emitted import EmittedDataset


@dataclass(frozen=True)
class ReviewedReader(RowReader):
    """Reads either side of the reviewed rows of a corrected dataset: those on which a person has judged every span.

    The language chooses the side, so that one folder serves as ``--input`` and as ``--target-input``.

    Attributes:
        path: The folder, ``OUT/es-reviewed``.
        lang: BCP-47 tag of the side: the source's or the target's.
    """

    name: ClassVar[str] = "reviewed"

    path: Path
    lang: str

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        return Signature.of(("src", f"{self.name}.{self.lang}@{EmittedDataset(self.path).version}"))

    def _rows(self) -> Iterator[Example]:
        others: set[str] = set()
        found = False
        for batch in EmittedDataset(self.path).pairs():
            for pair in batch:
                if pair.target is None or not is_gold(pair):
                    continue
                sides = {pair.target.lang: pair.target, pair.source.lang: pair.source}
                if self.lang in sides:
                    found = True
                    yield _plain(sides[self.lang])
                others |= set(sides)
        if not found:
            raise ConfigError(
                f"no row with a side in {self.lang!r} has been reviewed to its last span",
                where=str(self.path),
                valid=sorted(others) or None,
                hint="spanferry inspect OUT, then spanferry run apply-decisions --out OUT",
            )


def is_gold(pair: Pair) -> bool:
    """Whether a person has judged every span of the row."""
    review: Any = pair.source.meta.get(META)
    return isinstance(review, dict) and review.get("complete") is True


def _plain(example: Example) -> Example:
    meta = {key: value for key, value in example.meta.items() if key != META}
    return replace(example, meta=meta)
