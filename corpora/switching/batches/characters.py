"""What a code point is, looked up for whole arrays; pages of the table are filled when a text first needs them."""

import threading
import unicodedata
from functools import lru_cache

import numpy as np
import regex

from spanferry.corpora.text import scripts

LETTER, DIGIT, SPACE, UPPER, LOWER, UNSPACED = 1, 2, 4, 8, 16, 32
WORD = LETTER | DIGIT
_PAGE = 256
_UNSPACED = regex.compile(f"[{scripts.UNSPACED}、。，．！？「」『』（）：；]")
_SENTENCE_END = frozenset("。！？｡؟۔।॥")


class _Table:
    """Classes, upper and lower case of every code point; a page is there once its text was seen."""

    def __init__(self) -> None:
        self.classes = np.zeros(0x110000, np.uint8)
        self.upper = np.arange(0x110000, dtype=np.uint32)
        self.lower = np.arange(0x110000, dtype=np.uint32)
        self._known = np.zeros(0x110000 // _PAGE, bool)
        self._lock = threading.Lock()

    def learn(self, text: np.ndarray) -> None:
        pages = np.flatnonzero(np.bincount(text // _PAGE, minlength=1))
        if self._known[pages].all():
            return
        with self._lock:
            for page in pages[~self._known[pages]]:
                for code in range(page * _PAGE, (page + 1) * _PAGE):
                    self._fill(code)
                self._known[page] = True

    def _fill(self, code: int) -> None:
        character = chr(code)
        kind = unicodedata.category(character)
        found = LETTER if kind[0] in "LM" else DIGIT if kind[0] == "N" else 0
        found |= SPACE if character.isspace() else 0
        upper, lower = character.upper(), character.lower()
        if len(upper) == len(lower) == 1 and upper != lower:
            found |= UPPER if character == upper else LOWER
            self.upper[code], self.lower[code] = ord(upper), ord(lower)
        found |= UNSPACED if _UNSPACED.match(character) else 0
        self.classes[code] = found


@lru_cache(maxsize=1)
def _table() -> _Table:
    return _Table()


def classes_of(text: np.ndarray) -> np.ndarray:
    """The classes of code points as bits, uint8 (n,)."""
    table = _table()
    table.learn(text)
    result: np.ndarray = table.classes[text]
    return result


def upper_of(text: np.ndarray) -> np.ndarray:
    """Upper case of code points whose classes were looked up; those whose upper case is not a single one stay."""
    result: np.ndarray = _table().upper[text]
    return result


def lower_of(text: np.ndarray) -> np.ndarray:
    """Lower case likewise."""
    result: np.ndarray = _table().lower[text]
    return result
