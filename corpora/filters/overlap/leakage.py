"""Rows of training data that stand in a test set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import regex
from anyascii import anyascii
from pydantic import Field, field_validator

from spanferry.corpora.errors import InputError
from spanferry.corpora.files import content_hash
from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.words import words

# A name: words that begin with a capital, behind another word; numbers of two digits and more.
_CAPITAL = regex.compile(r"(?<=[\p{L}\p{N},;)\"”»] )\p{Lu}[\p{L}\p{M}'’-]+")
_NUMBER = regex.compile(r"\d[\d.,:/-]*\d")


class Leakage(FilterModel):
    """Rejects rows that repeat a row of a test set, in whatever language the test set is.

    Both sides of a row are compared with the texts of every given test set. ``leakage.source`` and ``leakage.target``
    are the share of the side's word n-grams that stand in a test text; a text with fewer words counts as a whole.
    ``leakage.names`` finds the same text in a language that neither side has: the share of the row's names and numbers
    that stand in one and the same test row, in Latin letters; None with fewer than ``min_names``.

    Only rows in ``splits`` are judged.

    Attributes:
        paths: Files or folders of test sets, as for ``--input``; without any nothing is judged.
        format: Their reader; None: guessed from the path.
        ngram: Words of an n-gram.
        min_words: Shorter texts do not count as leaks: everybody says "Yes, please".
        min_names: Names and numbers that a row needs to be judged by them.
        splits: Splits in which it looks.
        max_share: Larger shares of n-grams are rejected.
        max_names: Larger shares of names and numbers are.
    """

    name: ClassVar[str] = "leakage"
    scoring: ClassVar[tuple[str, ...]] = ("paths", "format", "ngram", "min_words", "min_names", "splits")

    paths: tuple[str, ...] = ()
    format: str | None = None
    ngram: int = Field(default=12, ge=1)
    min_words: int = Field(default=5, ge=1)
    min_names: int = Field(default=5, ge=1)
    splits: tuple[str, ...] = ("train",)
    max_share: float = Field(default=0.0, ge=0, le=1)
    max_names: float = Field(default=0.7, ge=0, le=1)

    @field_validator("paths")
    @classmethod
    def _there(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not Path(path).exists():
                raise InputError(
                    "no such test set", where=path, hint="--set 'filters.leakage={paths=[\"test.conll\"]}'"
                )
        return value

    @property
    def signature(self) -> Signature:
        """With a digest of the test sets."""
        files = [f for path in self.paths for f in _files(path)]
        own = self.model_copy(update={"paths": ()})
        return Signature(f"{FilterModel.signature.fget(own)}@{content_hash(files)}")  # type: ignore[attr-defined]

    @property
    def columns(self) -> tuple[Column, ...]:
        """``leakage.source``, ``leakage.target`` and ``leakage.names``; low is good."""
        return (
            Column("leakage.source", pl.Float64, high=self.max_share),
            Column("leakage.target", pl.Float64, high=self.max_share),
            Column("leakage.names", pl.Float64, high=self.max_names),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        digest = content_hash([f for path in self.paths for f in _files(path)])
        index = _index(self.paths, self.format, self.ngram, self.min_words, digest) if self.paths else None
        for pair in pairs:
            source, target, names = None, None, None
            if index is not None and pair.source.split in self.splits:
                source = index.share(pair.source)
                target = index.share(pair.target) if pair.target is not None else None
                sides = [example for example in (pair.source, pair.target) if example is not None]
                found = [index.names(one) for one in map(names_of, sides) if len(one) >= self.min_names]
                names = max(found, default=None)
            for column, value in zip(columns.values(), (source, target, names), strict=True):
                column.append(value)
        return columns

    def reject(self) -> list[Rule]:
        """``leakage:source``, ``leakage:target`` and ``leakage:names``."""
        return [
            ("leakage:source", pl.col("leakage.source") > self.max_share),
            ("leakage:target", pl.col("leakage.target") > self.max_share),
            ("leakage:names", pl.col("leakage.names") > self.max_names),
        ]


@dataclass(frozen=True)
class _Index:
    """What the test sets hold.

    Attributes:
        ngram: Words of an n-gram.
        least: Words of a text that counts.
        grams: Every n-gram of the long texts.
        wholes: The short texts.
        rows_by_name: Name or number to the test rows that have it.
    """

    ngram: int
    least: int
    grams: frozenset[tuple[str, ...]]
    wholes: frozenset[tuple[str, ...]]
    rows_by_name: dict[str, tuple[int, ...]]

    def share(self, example: Example) -> float | None:
        """The share of an example's n-grams that the test sets hold; None: it is too short."""
        found = total = 0
        for text in example.texts.values():
            own = tokens(text)
            if len(own) < self.least:
                continue
            if len(own) < self.ngram:
                found, total = found + (own in self.wholes), total + 1
                continue
            grams = _grams(own, self.ngram)
            found, total = found + sum(gram in self.grams for gram in grams), total + len(grams)
        return found / total if total else None

    def names(self, own: set[str]) -> float:
        """The largest share of ``own`` that one test row has."""
        counts: dict[int, int] = {}
        for name in own:
            for row in self.rows_by_name.get(name, ()):
                counts[row] = counts.get(row, 0) + 1
        return max(counts.values(), default=0) / len(own)


@lru_cache(maxsize=2)
def _index(paths: tuple[str, ...], format: str | None, ngram: int, least: int, digest: str) -> _Index:
    """The index of test sets; ``digest`` is of their contents, so that a changed one is read again."""
    grams: set[tuple[str, ...]] = set()
    wholes: set[tuple[str, ...]] = set()
    rows: dict[str, list[int]] = {}
    for number, example in enumerate(_examples(paths, format)):
        for text in example.texts.values():
            own = tokens(text)
            if len(own) >= ngram:
                grams.update(_grams(own, ngram))
            elif len(own) >= least:
                wholes.add(own)
        for name in names_of(example):
            rows.setdefault(name, []).append(number)
    return _Index(ngram, least, frozenset(grams), frozenset(wholes), {name: tuple(own) for name, own in rows.items()})


def _examples(paths: Sequence[str], format: str | None) -> Iterator[Example]:
    from spanferry.corpora.readers import open_reader

    for path in paths:
        # Words and names are found alike in every language.
        yield from (row for row in open_reader(path, format=format, lang="und").read() if isinstance(row, Example))


def _files(path: str) -> list[Path]:
    place = Path(path)
    return sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]


def _grams(own: tuple[str, ...], ngram: int) -> list[tuple[str, ...]]:
    return [own[i : i + ngram] for i in range(len(own) - ngram + 1)]


def tokens(text: str) -> tuple[str, ...]:
    """The lower-cased words of a text that hold a letter or a digit.

    >>> tokens("Don't go, 3.5 km!")
    ('don', "'t", 'go', '3.5', 'km')
    """
    plain = text.lower()
    found = (plain[a:b] for a, b in words(plain))
    return tuple(word for word in found if any(map(str.isalnum, word)))


def names_of(example: Example) -> set[str]:
    """Names and numbers of an example, in small Latin letters: capitalised words within a sentence, numbers, spans.

    >>> sorted(names_of(Example("1", "en", {"text": "In 2019 the mayor of Köln met Ana."})))
    ['2019', 'ana', 'koln']
    """
    found: list[str] = []
    for text in example.texts.values():
        found += _CAPITAL.findall(text) + _NUMBER.findall(text)
    for span in example.spans:
        own = tokens(example.quote(span))
        found += [word for word in own if len(own) <= 3]  # longer ones are clauses, not names
    return {anyascii(word).lower() for word in found}
