"""How far each word of a text is said by some word of its translation: by the bundled word tables and by spelling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from anyascii import anyascii
from rapidfuzz import fuzz, process

from spanferry.projectors.filters.span_fidelity import COPIED_THOUGH_KNOWN, FORM, Direction
from spanferry.translators.bundled.priors import PriorTable, load_prior

_SPELLED_ALIKE = 60.0  # As in span_fidelity, here in per cent.
_STEM = 5  # letters that another form of a listed translation begins with

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Stemmed:
    """Word translations of one direction, also by the beginnings of the translations."""

    words: Direction
    stems: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, table: PriorTable) -> "_Stemmed":
        words = Direction.of(table)
        stems: dict[str, dict[str, float]] = {}
        for word, found in words.relative.items():
            own = stems.setdefault(word, {})
            for other, share in found.items():
                if len(other) >= _STEM:
                    own[other[:_STEM]] = max(own.get(other[:_STEM], 0.0), FORM * share)
        return cls(words, stems)

    def support(self, read: Sequence[str], written: Sequence[str], alike: Floats) -> Floats:
        """The best support of each word of ``read``, from 0 to 1, (n_read,)."""
        found = np.zeros(len(read))
        for i, word in enumerate(read):
            listed, stems = self.words.relative.get(word, {}), self.stems.get(word, {})
            translated = max((max(listed.get(o, 0.0), stems.get(o[:_STEM], 0.0)) for o in written), default=0.0)
            copied = float(alike[i].max(initial=0.0)) * (COPIED_THOUGH_KNOWN if word in self.words.known else 1.0)
            found[i] = max(translated, copied)
        return found


@lru_cache(maxsize=16)
def _directions(source: str, target: str) -> tuple[_Stemmed, _Stemmed] | None:
    table = load_prior(source, target)
    if not len(table.counts):
        return None
    return _Stemmed.of(table), _Stemmed.of(table.reversed())


def word_support(read: Sequence[str], written: Sequence[str], source: str, target: str) -> tuple[Floats, Floats] | None:
    """The support of the words of both sides, (n_read,) and (n_written,); None without a table of the languages.

    Args:
        read: Words of the source, in small letters.
        written: Words of the target, likewise.
        source: BCP-47.
        target: BCP-47.
    """
    tables = _directions(source, target)
    if tables is None:
        return None
    sides = [[_latin(word) for word in words] for words in (read, written)]
    if not read or not written:
        return np.zeros(len(read)), np.zeros(len(written))
    ratios = process.cdist(*sides, scorer=fuzz.ratio, score_cutoff=_SPELLED_ALIKE, dtype=np.float32)
    alike: Floats = ratios.astype(np.float64) / 100
    # Words of one or two letters are alike or not.
    short = np.array([len(w) <= 2 for w in sides[0]])[:, None] | np.array([len(w) <= 2 for w in sides[1]])[None]
    alike[short & (alike < 1.0)] = 0.0
    return tables[0].support(read, written, alike), tables[1].support(written, read, alike.T)


@lru_cache(maxsize=1 << 16)
def _latin(word: str) -> str:
    return str(anyascii(word)).lower()
