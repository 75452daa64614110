"""Digits of every script."""

import re
import unicodedata

_DIGIT = re.compile(r"\d")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")


def has_digits(text: str) -> bool:
    """Whether there is any number in ``text``; quick."""
    return _DIGIT.search(text) is not None


def ascii_digits(text: str) -> str:
    """``text`` with the decimal digits of every script as ASCII; offsets stay."""
    return text if text.isascii() else _FOREIGN_DIGIT.sub(lambda m: str(unicodedata.decimal(m.group())), text)
