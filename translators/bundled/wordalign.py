"""Word links for a whole training text: eflomal in both directions.

eflomal (Östling and Tiedemann 2016, "Efficient Word Alignment with Markov Chain Monte Carlo") samples without a
seed of ours, so links of rare words may differ from one run to the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from spanferry.corpora.text.abjad import bare
from spanferry.corpora.text.words import word_strings, words

Link = tuple[int, int]


def tokens(text: str) -> list[str]:
    """Words of a text as prior tables have them: lower-cased, Arabic ones in one spelling and without their article."""
    return [bare(word) for word in word_strings(text, words(text))]


def _read_links(path: Path) -> Iterator[set[Link]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield {(int(a), int(b)) for a, b in (pair.split("-") for pair in line.split())}


def align_texts(sources: Sequence[str], targets: Sequence[str]) -> Iterator[tuple[set[Link], set[Link]]]:
    """Links of every pair in both directions, (source word, target word), 0-based by ``words``.

    Args:
        sources: Texts, none of them without a word.
        targets: As many texts.

    Yields:
        The links of the forward and of the backward model for each pair.

    Raises:
        ImportError: eflomal is not installed.
    """
    from eflomal import Aligner

    left = [" ".join(tokens(text)) + "\n" for text in sources]
    right = [" ".join(tokens(text)) + "\n" for text in targets]
    with tempfile.TemporaryDirectory() as folder:
        forward, backward = Path(folder) / "forward", Path(folder) / "backward"
        Aligner().align(left, right, links_filename_fwd=str(forward), links_filename_rev=str(backward))
        yield from zip(_read_links(forward), _read_links(backward), strict=True)
