"""Rows that are nearly an earlier row."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.errors import MissingExtraError
from spanferry.corpora.filters.base import Column, FilterModel, Rule, Scope
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature

_PERMUTATIONS = 128
_BAND = 4  # values that must be equal for two rows to be compared: of pairs with Jaccard .6 all but one in 80 are
_SEED = 1


class NearDuplicates(FilterModel):
    """Rejects all rows but the first whose texts share most character n-grams with an earlier row's.

    Texts are compared in lower case and without white space, by MinHash (128 permutations; package ``rensa``): rows
    that share a band of the sketch are compared, and the share of equal values estimates the Jaccard similarity of
    their n-grams, to about .04. Labels do not count. Sketches of a million rows are 512 MB.

    Attributes:
        side: Which side's texts: ``target``, ``source``, or ``both``.
        splits: Splits in which it looks. Not in test data by default, as for ``duplicates``.
        ngram: Characters of an n-gram.
        max_similarity: Rows with a higher Jaccard similarity go.
    """

    name: ClassVar[str] = "near_duplicates"
    scope: ClassVar[Scope] = "corpus"
    scoring: ClassVar[tuple[str, ...]] = ("side", "splits", "ngram")

    side: Literal["target", "source", "both"] = "target"
    splits: tuple[str, ...] = ("train",)
    ngram: int = Field(default=5, ge=1)
    max_similarity: float = Field(default=0.8, ge=0, le=1)

    @property
    def signature(self) -> Signature:
        """With the version of the package, which makes the sketches.

        Raises:
            MissingExtraError: The package is not installed.
        """
        _min_hash()
        options = f"side={self.side},splits={'/'.join(self.splits)},ngram={self.ngram}"
        return Signature(f"near_duplicates({options},rensa={version('rensa')})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``near_duplicates.sketch``: the MinHash of the row."""
        return (Column("near_duplicates.sketch", pl.List(pl.UInt32)),)

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None for a row that is rejected already, or in another split.

        Raises:
            MissingExtraError: The package is not installed.
        """
        return {"near_duplicates.sketch": [self._sketch(pair) for pair in pairs]}

    def reject(self) -> list[Rule]:
        """``near_duplicates:row``."""
        sketch = pl.col("near_duplicates.sketch")

        def repeated(values: pl.Series) -> pl.Series:
            return pl.Series(values.name, repeats(values, self.max_similarity))

        return [("near_duplicates:row", sketch.map_batches(repeated, return_dtype=pl.Boolean))]

    def _sketch(self, pair: Pair) -> list[int] | None:
        if pair.target is None or not pair.kept or pair.target.split not in self.splits:
            return None
        sides = {"target": (pair.target,), "source": (pair.source,), "both": (pair.source, pair.target)}[self.side]
        grams: set[str] = set()
        for number, example in enumerate(sides):
            for name, text in example.texts.items():
                plain = "".join(text.lower().split())
                last = max(len(plain) - self.ngram, 0)
                # A field's n-grams are its own: a question that stands in a context is not a repetition.
                grams |= {f"{number}{name}\t{plain[i : i + self.ngram]}" for i in range(last + 1)}
        hashed = _min_hash()(num_perm=_PERMUTATIONS, seed=_SEED)
        hashed.update(sorted(grams))
        digest: list[int] = hashed.digest()
        return digest


def repeats(sketches: pl.Series, threshold: float) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which rows are more alike an earlier row than ``threshold``, Boolean (n_rows,).

    Args:
        sketches: Lists of ``_PERMUTATIONS`` numbers; null for rows that do not count.
        threshold: Estimated Jaccard similarity.
    """
    found = np.zeros(len(sketches), dtype=bool)
    rows = sketches.is_not_null().arg_true().to_numpy()
    if not len(rows):
        return found
    matrix = sketches.gather(rows).explode().to_numpy().reshape(len(rows), _PERMUTATIONS)
    for start in range(0, _PERMUTATIONS, _BAND):
        band = np.ascontiguousarray(matrix[:, start : start + _BAND]).view(f"V{4 * _BAND}").ravel()
        # The first row of each band stands for all that share it.
        _, first, group = np.unique(band, return_index=True, return_inverse=True)
        earlier = first[group]
        later = np.flatnonzero(earlier < np.arange(len(rows)))
        alike = (matrix[later] == matrix[earlier[later]]).mean(axis=1)
        found[rows[later[alike > threshold]]] = True
    return found


def _min_hash() -> Any:
    try:
        from rensa import RMinHash
    except ImportError as error:
        raise MissingExtraError.of("rensa", "filters", "the filter near_duplicates") from error
    return RMinHash
