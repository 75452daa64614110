"""How far each word of a text is said by some word of its translation: by the bundled word tables and by spelling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from anyascii import anyascii
from rapidfuzz import fuzz, process

from spanferry.translators.bundled.priors import PriorTable, load_prior

# As in span_fidelity, where they were chosen.
_SPELLED_ALIKE, _COPIED_THOUGH_KNOWN, _FORM, _KNOWN = 60.0, 0.7, 0.8, 3.0
_STEM = 5  # letters that another form of a listed translation begins with

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Direction:
    """Word to its translations' counts relative to the most frequent one, by word and by the beginning of a word."""

    listed: Mapping[str, Mapping[str, float]]
    stems: Mapping[str, Mapping[str, float]]
    known: frozenset[str]

    @classmethod
    def of(cls, table: PriorTable) -> "_Direction":
        counts: dict[str, dict[str, float]] = {}
        for source, target, count in zip(table.source_ids, table.target_ids, table.counts, strict=True):
            counts.setdefault(table.source_words[source], {})[table.target_words[target]] = float(count)
        stems: dict[str, dict[str, float]] = {}
        for word, found in counts.items():
            most, own = max(found.values()), stems.setdefault(word, {})
            for other in found:
                found[other] /= most
                if len(other) >= _STEM:
                    own[other[:_STEM]] = max(own.get(other[:_STEM], 0.0), _FORM * found[other])
        totals: dict[int, float] = {}
        for source, count in zip(table.source_ids, table.counts, strict=True):
            totals[int(source)] = totals.get(int(source), 0.0) + float(count)
        known = frozenset(table.source_words[source] for source, total in totals.items() if total >= _KNOWN)
        return cls(counts, stems, known)

    def support(self, read: Sequence[str], written: Sequence[str], alike: Floats) -> Floats:
        """The best support of each word of ``read``, from 0 to 1, (n_read,)."""
        found = np.zeros(len(read))
        for i, word in enumerate(read):
            listed, stems = self.listed.get(word, {}), self.stems.get(word, {})
            translated = max((max(listed.get(o, 0.0), stems.get(o[:_STEM], 0.0)) for o in written), default=0.0)
            copied = float(alike[i].max(initial=0.0)) * (_COPIED_THOUGH_KNOWN if word in self.known else 1.0)
            found[i] = max(translated, copied)
        return found


@lru_cache(maxsize=16)
def _directions(source: str, target: str) -> tuple[_Direction, _Direction] | None:
    table = load_prior(source, target)
    if not len(table.counts):
        return None
    return _Direction.of(table), _Direction.of(table.reversed())


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
