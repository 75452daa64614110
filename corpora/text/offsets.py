"""The one place where offsets in other units than Unicode code points occur: UTF-16 units and UTF-8 bytes."""

from collections.abc import Callable
from itertools import accumulate
from typing import Literal

Unit = Literal["codepoint", "utf16", "byte"]

_WIDTHS: dict[str, Callable[[str], int]] = {
    "utf16": lambda c: 1 + (c > "\uffff"),
    "byte": lambda c: len(c.encode("utf-8")),
}


def code_points(text: str, unit: Unit) -> Callable[[int], int]:
    """The function that turns an offset into ``text`` in ``unit`` into code points.

    It raises KeyError for an offset inside a character or outside the text.
    """
    if unit == "codepoint":
        return lambda offset: offset
    return {offset: i for i, offset in enumerate(_edges(text, unit))}.__getitem__


def in_unit(text: str, unit: Unit) -> Callable[[int], int]:
    """The function that turns an offset into ``text`` in code points, 0 to ``len(text)``, into ``unit``."""
    if unit == "codepoint" or (unit == "utf16" and text.isascii()):
        return lambda offset: offset
    return list(_edges(text, unit)).__getitem__


def _edges(text: str, unit: Unit) -> "accumulate[int]":
    return accumulate(map(_WIDTHS[unit], text), initial=0)
