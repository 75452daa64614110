"""Interleaved documents: windows of chunks in one language and their counterparts in another."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from spanferry.corpora.derive.base import directions_of, refused
from spanferry.corpora.errors import InputError
from spanferry.corpora.multiway import Direction, MultiRow, pairs_of
from spanferry.corpora.schema import Example
from spanferry.corpora.stored.records import Record
from spanferry.corpora.text.segment import segment
from spanferry.corpora.text.word_breaks import words_of

SPLIT = "[SPLIT]"


@dataclass
class _Window:
    number: int = 0
    size: int = 0
    parts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Interleaved:
    """Documents on the same topic, interleaved chunk by chunk and cut to fit a window.

    A document pair that is too long is cut at sentence ends into the fewest chunks that fit, at the same share of both
    sides. A window holds chunk pairs, ``first chunk \\n\\n second chunk [SPLIT]`` each; a pair that would be cut
    starts a new window. Windows of different splits and directions are filled apart.

    Attributes:
        directions: ``en-es`` puts the English chunk first; empty: the first language of the row with each other.
        window: Size of a window in ``unit``, separators not counted.
        unit: What is counted: words, characters, or the pieces of ``tokenizer``.
        tokenizer: A ``tokenizer.json`` of the model that will be trained; needed for ``unit=pieces``.
    """

    name: ClassVar[str] = "interleaved"
    paper: ClassVar[str] = (
        "CrossIC-PT (Wu et al. 2025, Enhancing LLM Language Adaption through Cross-lingual In-Context Pre-training,"
        " EMNLP)"
    )
    differs: ClassVar[str] = (
        "documents are paired by id, not found by retrieval; chunks end at sentences, at the same share of both sides"
    )
    task: ClassVar[str] = "text-generation"
    local: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    window: int = 2048
    unit: Literal["words", "characters", "pieces"] = "words"
    tokenizer: str = ""

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``. ``ids`` are the rows in the window, ``size`` its length in ``unit``."""
        names = ("id", "text", "first_lang", "second_lang")
        rest = [("ids", pa.list_(pa.string())), ("size", pa.int32())]
        return pa.schema([*((name, pa.string()) for name in names), *rest])

    @cached_property
    def size_of(self) -> Callable[[str, str], int]:
        """The length of a text, in a language, in ``unit``.

        Raises:
            InputError: ``unit`` is ``pieces``, and ``tokenizer`` is not a tokenizer file.
        """
        if self.unit == "characters":
            return lambda text, _: len(text)
        if self.unit == "words":
            return lambda text, lang: len(words_of(text, lang))
        from tokenizers import Tokenizer

        if not Path(self.tokenizer).is_file():
            raise InputError(
                "unit=pieces needs a tokenizer file",
                where=self.tokenizer or None,
                valid="the tokenizer.json of a model",
                hint="--set options.tokenizer=MODEL/tokenizer.json, or --set options.unit=words",
            )
        loaded = Tokenizer.from_file(self.tokenizer)
        return lambda text, _: len(loaded.encode(text, add_special_tokens=False).ids)

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reason: ``interleaved:sentence_too_long``."""
        open_windows: dict[tuple[str, Direction], _Window] = {}
        for row in rows:
            directions = directions_of(self.directions, row.languages) if self.directions else _first_with_others(row)
            for first, second in pairs_of(row, directions):
                chunks = self._chunks(first, second)
                if chunks is None:
                    yield refused(row, "interleaved:sentence_too_long", part=f"_{first.lang}-{second.lang}")
                    continue
                key = (row.split, (first.lang, second.lang))
                window = open_windows.setdefault(key, _Window())
                for text, size in chunks:
                    if window.parts and window.size + size > self.window:
                        yield _record(key, window)
                        window = open_windows[key] = _Window(window.number + 1)
                    window.parts.append(text)
                    window.size += size
                    if row.id not in window.ids:
                        window.ids.append(row.id)
        for key, window in open_windows.items():
            yield _record(key, window)

    def _chunks(self, first: Example, second: Example) -> list[tuple[str, int]] | None:
        """The pair as (text, size) of each chunk pair; None: a sentence pair alone is too long."""
        sides = [_Side.of(example, self.size_of) for example in (first, second)]
        whole = sum(side.total for side in sides)
        most = max(len(side.ends) for side in sides)
        count = max(1, -(-whole // self.window))
        while count <= most:
            parts = [side.cut(count) for side in sides]
            texts = [(a, b) for a, b in zip(*parts, strict=True) if a or b]
            sizes = [self.size_of(a, first.lang) + self.size_of(b, second.lang) for a, b in texts]
            if all(size <= self.window for size in sizes):
                return [(f"{a}\n\n{b}", size) for (a, b), size in zip(texts, sizes, strict=True)]
            count += 1
        return None


@dataclass(frozen=True)
class _Side:
    """One document: its text, its sentences' ranges, and the running size at their ends."""

    text: str
    ranges: list[tuple[int, int]]
    ends: list[int]

    @classmethod
    def of(cls, example: Example, size_of: Callable[[str, str], int]) -> "_Side":
        only = Example(example.id, example.lang, {"text": example.text})
        ranges = [(s.start, s.end) for s in segment(only, length=len, limit=1 << 60)] or [(0, len(example.text))]
        return cls(example.text, ranges, list(accumulate(size_of(example.text[a:b], example.lang) for a, b in ranges)))

    @property
    def total(self) -> int:
        return self.ends[-1]

    def cut(self, count: int) -> list[str]:
        """``count`` stretches of whole sentences, as near to equal shares as sentences allow; some may be empty."""
        edges = [0]
        for i in range(1, count):
            goal = self.total * i / count
            nearest = min(range(len(self.ends) + 1), key=lambda k: (abs(([0, *self.ends])[k] - goal), k))
            edges.append(max(nearest, edges[-1]))
        edges.append(len(self.ranges))
        return [self.text[self.ranges[a][0] : self.ranges[b - 1][1]] if a < b else "" for a, b in pairwise(edges)]


def _first_with_others(row: MultiRow) -> list[Direction]:
    first, *others = row.languages
    return [(first, other) for other in others]


def _record(key: tuple[str, Direction], window: _Window) -> Record:
    split, (first, second) = key
    text = "".join(
        f"{part} {SPLIT}" if i == len(window.parts) - 1 else f"{part} {SPLIT}\n\n"
        for i, part in enumerate(window.parts)
    )
    values = {
        "text": text,
        "first_lang": first,
        "second_lang": second,
        "ids": window.ids,
        "size": window.size,
    }
    return Record(f"{split}_{first}-{second}_{window.number}", values, split)
