"""Any number of texts in stretches that fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Texts that are cut into pieces and handed to CTranslate2 at a time; it works on one window while Python makes another.
_WINDOW_ROWS = 8192
_WINDOW_CHARACTERS = 1 << 21


def windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """``texts`` in stretches, bounded by rows and by characters."""
    window: list[str] = []
    size = 0
    for text in texts:
        if window and (len(window) == _WINDOW_ROWS or size + len(text) > _WINDOW_CHARACTERS):
            yield window
            window, size = [], 0
        window.append(text)
        size += len(text)
    if window:
        yield window
