"""Word translation priors: expected link counts learned from parallel text, as small tables to load with numpy.

A table lists pairs of words (lower-cased words of ``words``, so single characters for Chinese
and for Japanese kanji and hiragana) with the number of times they were linked. ``python -m
spanferry.translators.bundled.learn_priors`` makes them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "weights" / "priors"
_STEPS = 16.0  # quantisation: sixteenths of a nat, at most 3.2 % off


@dataclass(frozen=True, slots=True)
class PriorTable:
    """Expected link counts of word pairs.

    Attributes:
        source_words: Lower-cased words, sorted.
        target_words: Lower-cased words, sorted.
        source_ids: (n,) int32 index into ``source_words``.
        target_ids: (n,) int32 index into ``target_words``.
        counts: (n,) float32 expected number of links of the pair, at least about 1.
    """

    source_words: list[str]
    target_words: list[str]
    source_ids: np.ndarray
    target_ids: np.ndarray
    counts: np.ndarray

    def reversed(self) -> PriorTable:
        """The table for the other direction."""
        order = np.lexsort((self.source_ids, self.target_ids))
        return PriorTable(
            self.target_words,
            self.source_words,
            self.target_ids[order],
            self.source_ids[order],
            self.counts[order],
        )


def table_from_counts(counts: dict[tuple[str, str], float]) -> PriorTable:
    """A table of the given pairs, sorted by source word, then target word."""
    sources = sorted({s for s, _ in counts})
    targets = sorted({t for _, t in counts})
    source_at = {word: i for i, word in enumerate(sources)}
    target_at = {word: i for i, word in enumerate(targets)}
    pairs = sorted(counts)
    return PriorTable(
        sources,
        targets,
        np.array([source_at[s] for s, _ in pairs], dtype=np.int32),
        np.array([target_at[t] for _, t in pairs], dtype=np.int32),
        np.array([counts[pair] for pair in pairs], dtype=np.float32),
    )


def save_prior(table: PriorTable, path: Path) -> None:
    """Write a table; the same table gives the same bytes. Counts are kept to a sixteenth of a nat."""
    grades = np.clip(np.rint(np.log(table.counts) * _STEPS), 0, 255).astype(np.uint8)
    # Rows are sorted by source word, so differences are small and compress well.
    steps = np.diff(table.source_ids, prepend=0).astype(np.uint16)
    arrays = {
        "source_words": np.frombuffer("\n".join(table.source_words).encode(), dtype=np.uint8),
        "target_words": np.frombuffer("\n".join(table.target_words).encode(), dtype=np.uint8),
        "source_steps": steps,
        "target_low": (table.target_ids & 0xFF).astype(np.uint8),
        "target_high": (table.target_ids >> 8).astype(np.uint16),
        "grades": grades,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def read_prior(path: Path) -> PriorTable:
    """Read a table written by :func:`save_prior`."""
    with np.load(path, allow_pickle=False) as file:
        words = [file[name].tobytes().decode() for name in ("source_words", "target_words")]
        low, high = file["target_low"].astype(np.int32), file["target_high"].astype(np.int32)
        source_ids = np.cumsum(file["source_steps"], dtype=np.int32)
        counts = np.exp(file["grades"].astype(np.float32) / np.float32(_STEPS))
    source_words, target_words = (text.split("\n") if text else [] for text in words)
    return PriorTable(source_words, target_words, source_ids, low + (high << 8), counts)


def available(folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Language pairs that have a table, sorted; each can be read in both directions."""
    return sorted((a, b) for a, _, b in (path.stem.partition("-") for path in folder.glob("*-*.npz")))


def load_prior(source: str, target: str, folder: Path = FOLDER) -> PriorTable:
    """The table of a language pair.

    Args:
        source: BCP-47 language of the source; only its first subtag counts.
        target: Likewise.
        folder: Where the tables lie.

    Returns:
        The table in the direction asked for; an empty one where there is none for the pair.
    """
    left, right = (language.replace("_", "-").split("-")[0].lower() for language in (source, target))
    if (folder / f"{left}-{right}.npz").exists():
        return read_prior(folder / f"{left}-{right}.npz")
    if (folder / f"{right}-{left}.npz").exists():
        return read_prior(folder / f"{right}-{left}.npz").reversed()
    return table_from_counts({})
