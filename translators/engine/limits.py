"""What a row must be to be given to a model, and how long its output may get."""

from __future__ import annotations

import re
from collections.abc import Sequence

from spanferry.translators.families.base import Frame, Limits

EMPTY_SOURCE = "empty_source"
ONLY_MARKUP = "only_markup"
BAD_UNICODE = "bad_unicode"
SOURCE_TOO_LONG = "source_too_long"
OUTPUT_TRUNCATED = "output_truncated"
BROKEN_OUTPUT = "broken_output"
MODEL_ERROR = "model_error"
EMPTY_TARGET = "empty_target"
TARGET_TOO_LONG = "target_too_long"
# A row over a limit is reported as truncated: its text or its translation would have been cut.
CUT = frozenset({SOURCE_TOO_LONG, TARGET_TOO_LONG, OUTPUT_TRUNCATED})

_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKUP = re.compile(r"<[^<>]+>|&#?\w+;")
# No translation is longer than so many pieces for each of its source's, and so many more: beyond that a model is caught
# in a loop. A step function of the row's own length, so that loops stop early, rows of similar length share a batch
# and yet a row's result never depends on the rows around it.
_CAP_PER_TOKEN, _CAP_MORE, _CAP_STEP = 3, 40, 8


def text_reason(text: str) -> str | None:
    """Why ``text`` can't be translated whatever the model, or None."""
    if _SURROGATE.search(text):
        return BAD_UNICODE
    # White space, controls and what only formats other characters say nothing.
    if not any(char.isprintable() and not char.isspace() for char in text):
        return EMPTY_SOURCE
    if "<" in text or "&" in text:
        bare, found = _MARKUP.subn(" ", text)
        if found and not any(char.isalnum() for char in bare):
            return ONLY_MARKUP
    return None


def is_verbatim(text: str) -> bool:
    """Whether ``text`` is the same in every language, as it has no letter: signs, digits, emoji.

    No model gets it: small ones make words of an emoji and lose a star of three.
    """
    return not any(map(str.isalpha, text))


def pieces_reason(pieces: Sequence[str], frame: Frame, limits: Limits) -> str | None:
    """Why these pieces can't be given to the model, or None."""
    if not any(piece != "▁" for piece in pieces):
        return EMPTY_SOURCE
    return SOURCE_TOO_LONG if len(pieces) + frame.source_length > limits.source else None


def output_cap(source_tokens: int, limits: Limits) -> int:
    """Longest output, in tokens, for a source of ``source_tokens``."""
    rounded = -(-source_tokens // _CAP_STEP) * _CAP_STEP
    return min(_CAP_MORE + _CAP_PER_TOKEN * rounded, limits.target)
