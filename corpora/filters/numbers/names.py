"""Digits at the end of a formula, unit or name: the 2 of CO2 and m2, the 3 of MP3, the 4 of A4."""

import re
import unicodedata

# Letters and the digits right behind them; small ones are those of formulas and powers.
_NAMED = re.compile(r"([^\W\d_]+)([0-9]+|[⁰¹²³⁴-⁹]+|[₀-₉]+)")
_LETTERS = re.compile(r"[^\W\d_]+$")
_UNIT = re.compile(r"(?:mm|cm|dm|m|km|ft|in|yd)[23]")


def name_before(text: str, start: int) -> str:
    """The letters right before a number, in lower case; "" where there are none."""
    found = _LETTERS.search(text[:start]) if start and text[start - 1].isalpha() else None
    return found.group().casefold() if found else ""


def named_digits(text: str) -> dict[str, set[str]]:
    """Letters in lower case to the digits that stand right behind them, ``CO₂`` as ``CO2``."""
    found: dict[str, set[str]] = {}
    for match in _NAMED.finditer(text):
        digits = unicodedata.normalize("NFKC", match.group(2))
        found.setdefault(match.group(1).casefold(), set()).add(digits)
    return found


def is_unit(name: str, digits: str) -> bool:
    """Whether it is a square or cubic measure, which may be words in a translation."""
    return _UNIT.fullmatch(name + digits) is not None
