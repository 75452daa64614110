"""What filters ask an encoder: word links of a row, and a vector for each of its sides."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from spanferry.corpora.schema import Pair, Span
from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
from spanferry.projectors.base import Alignment, ProjectionInput


@lru_cache(maxsize=2)
def encoder(model: str) -> EncoderAligner:
    """An encoder on the CPU, so that every machine gives the same scores.

    Args:
        model: As for ``EncoderAligner``.

    Raises:
        ModelError: There is no such encoder.
    """
    return EncoderAligner(model, device="cpu", compute_type="int8")


def inputs_of(pairs: Sequence[Pair]) -> list[dict[str, ProjectionInput]]:
    """The fields that each pair has on both sides, by name; none for a pair without a target."""
    return [
        {
            name: ProjectionInput(
                f"{pair.source.id}/{name}",
                text,
                pair.target.texts[name],
                tuple(s for s in pair.source.spans if s.field == name),
                pair.source.lang,
                pair.target.lang,
                source_words=tuple(pair.source.tokens.get(name, ())),
                target_words=tuple(pair.target.tokens.get(name, ())),
            )
            for name, text in pair.source.texts.items()
            if pair.target is not None and text.strip() and pair.target.texts.get(name, "").strip()
        }
        for pair in pairs
    ]


def aligned_fields(pairs: Sequence[Pair], model: str) -> list[dict[str, Alignment]]:
    """The word links of each pair by field; fields that the encoder can't read are left out."""
    rows = inputs_of(pairs)
    found = iter(encoder(model).align([item for row in rows for item in row.values()]))
    return [{name: one for name in row if (one := next(found)).reason is None} for row in rows]


def inside(words: Sequence[tuple[int, int]], span: Span) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which words lie in a span, wholly or in part, (n_words,)."""
    parts = span.fragments or ((span.start, span.end),)
    return np.array([any(a < end and start < b for start, end in parts) for a, b in words], dtype=bool)


def content(text: str, words: Sequence[tuple[int, int]]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which words hold a letter or a digit, (n_words,)."""
    return np.array([any(map(str.isalnum, text[a:b])) for a, b in words], dtype=bool)
