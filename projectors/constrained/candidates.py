"""What constrained decoding lets the model choose from: the marked source, and where markers may go in the target."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from spanferry.corpora.schema import Range

OPEN, CLOSE = "▁[", "▁]"
# Brackets of the text itself would be read as markers; parentheses of the same length keep every offset.
_BRACKETS = str.maketrans("[]", "()")
_CLOSING = re.compile(r"[)\]}»”’.,;:!?…]+")
_OPENING = re.compile(r"[(\[{«¿¡“‘]+")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a span may open and close in a target of n pieces.

    Attributes:
        opens: Piece positions, ascending: the marker goes before that piece.
        starts: For each the code point the span then starts at.
        closes: Piece positions, ascending: the marker goes before that piece (n: at the end).
        ends: For each the code point the span then ends before.
    """

    opens: tuple[int, ...]
    starts: tuple[int, ...]
    closes: tuple[int, ...]
    ends: tuple[int, ...]


def without_brackets(text: str) -> str:
    """``text`` with its square brackets as parentheses; as long as before."""
    return text.translate(_BRACKETS)


def marked(text: str, start: int, end: int) -> str:
    """``text`` with ``[ `` and `` ]`` around [start, end), as marker-aware models were trained; other brackets gone."""
    text = without_brackets(text)
    return f"{text[:start]}[ {text[start:end].strip()} ]{text[end:]}"


def places(text: str, words: Sequence[Range], ranges: Sequence[Range]) -> Places:
    """Piece positions for the starts and ends of words.

    A word that starts inside a piece opens before that piece, one that ends inside a piece closes after it; where
    several words share a position, the first (for ends the last) that holds a letter or digit gives the code point.

    Args:
        text: The target text.
        words: Its words, ascending and disjoint.
        ranges: Code points that each piece covers, (n_pieces,); neither starts nor ends descend.
    """
    opens: dict[int, Range] = {}
    closes: dict[int, Range] = {}
    first, after = 0, 0
    for word in words:
        while first < len(ranges) and ranges[first][1] <= word[0]:
            first += 1
        while after < len(ranges) and ranges[after][0] < word[1]:
            after += 1
        if first >= len(ranges) or after <= first:
            continue  # a word that the tokeniser dropped
        opening = first
        # The blank before a word can be a piece of its own, and the marker goes before it.
        while opening and not text[ranges[opening - 1][0] : ranges[opening - 1][1]].strip():
            opening -= 1
        string = text[word[0] : word[1]]
        if not _CLOSING.fullmatch(string) and (opening not in opens or not _solid(text, opens[opening])):
            opens[opening] = word
        if not _OPENING.fullmatch(string) and (_solid(text, word) or after not in closes):
            closes[after] = word
    return Places(
        tuple(opens),
        tuple(word[0] for word in opens.values()),
        tuple(closes),
        tuple(word[1] for word in closes.values()),
    )


def length_bound(span: Range, source_length: int, n_pieces: int) -> int:
    """The most target pieces a span may take: three times its share of the source, and eight.

    Args:
        span: In code points of the source.
        source_length: Code points of the source.
        n_pieces: Pieces of the target.
    """
    share = (span[1] - span[0]) / max(1, source_length)
    return math.ceil(3 * share * n_pieces) + 8


def _solid(text: str, word: Range) -> bool:
    return any(unicodedata.category(c)[0] in "LNS" for c in text[word[0] : word[1]])
