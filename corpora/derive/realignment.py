"""Aligned word pairs for realignment: training a model to give translations of a word the same representation."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field

from spanferry.corpora.derive.base import parse_direction, refused
from spanferry.corpora.multiway import MultiRow, WordLinks
from spanferry.corpora.stored.records import Record


@dataclass(frozen=True)
class Realignment:
    """Aligned word pairs, one to one, of words that are not the same in both languages.

    Attributes:
        directions: As ``en-es``; empty: as the links are stored.
        min_probability: Links below it are ignored, also where they would make a word's link ambiguous.
        words_only: Leaves out pairs of numbers and punctuation.
    """

    name: ClassVar[str] = "realignment"
    paper: ClassVar[str] = (
        "realignment data as in Gaschi et al. (2023, Exploring the Relationship between Alignment and Cross-lingual"
        " Transfer, Findings of ACL), after Cao et al. (2020, ICLR)"
    )
    differs: ClassVar[str] = "positions count Spanferry's words, whose ranges in the text are given too"
    task: ClassVar[str] = "feature-extraction"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"links"})
    min_languages: ClassVar[int] = 2

    directions: tuple[str, ...] = ()
    min_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    words_only: bool = True

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``.

        ``left_positions[i]`` and ``right_positions[i]`` are the numbers of the words of the i-th pair in
        ``left_tokens`` and ``right_tokens``, which are all the words of the texts.
        """
        strings, numbers = pa.list_(pa.string()), pa.list_(pa.int32())
        return pa.schema(
            [
                ("id", pa.string()),
                ("left_lang", pa.string()),
                ("right_lang", pa.string()),
                ("left_text", pa.string()),
                ("right_text", pa.string()),
                ("left_tokens", strings),
                ("right_tokens", strings),
                ("left_positions", numbers),
                ("right_positions", numbers),
                ("left_starts", numbers),
                ("right_starts", numbers),
            ]
        )

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``. Reasons: ``realignment:no_links``, ``realignment:no_pairs``."""
        chosen = [parse_direction(name) for name in self.directions]
        for row in rows:
            if not row.links:
                yield refused(row, "realignment:no_links")
            for stored in row.links:
                for links in (stored, stored.reversed()) if chosen else (stored,):
                    if not chosen or (links.source_lang, links.target_lang) in chosen:
                        yield self._record(row, links)

    def _record(self, row: MultiRow, links: WordLinks) -> Record:
        part = f"_{links.source_lang}-{links.target_lang}"
        if len(row.examples[links.source_lang].texts) > 1:
            part += f".{links.field}"
        left, right = (row.examples[lang].texts[links.field] for lang in (links.source_lang, links.target_lang))
        left_tokens = [left[a:b] for a, b in links.source_words]
        right_tokens = [right[a:b] for a, b in links.target_words]
        sure = [(a, b) for a, b, p in links.links if p >= self.min_probability]
        of_left, of_right = Counter(a for a, _ in sure), Counter(b for _, b in sure)
        pairs = [
            (a, b)
            for a, b in sure
            if of_left[a] == of_right[b] == 1
            and left_tokens[a] != right_tokens[b]
            and (not self.words_only or (_is_word(left_tokens[a]) and _is_word(right_tokens[b])))
        ]
        if not pairs:
            return refused(row, "realignment:no_pairs", part=part)
        values = {
            "left_lang": links.source_lang,
            "right_lang": links.target_lang,
            "left_text": left,
            "right_text": right,
            "left_tokens": left_tokens,
            "right_tokens": right_tokens,
            "left_positions": [a for a, _ in pairs],
            "right_positions": [b for _, b in pairs],
            "left_starts": [start for start, _ in links.source_words],
            "right_starts": [start for start, _ in links.target_words],
        }
        return Record(f"{row.id}{part}", values, row.split)


def _is_word(token: str) -> bool:
    return any(c.isalpha() for c in token)
