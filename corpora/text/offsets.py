"""The one place where offsets in other units than Unicode code points occur.

UTF-16 units (JavaScript, Java), UTF-8 bytes, grapheme clusters (UAX 29; doccano counts so on request), and code points
with a Windows line end counted as one (tools that normalise line ends before they count).
"""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Literal, get_args

import regex

Unit = Literal["codepoint", "utf16", "byte", "crlf", "grapheme"]
UNITS: tuple[Unit, ...] = get_args(Unit)

_WIDTHS: dict[str, Callable[[str], int]] = {
    "utf16": lambda c: 1 + (c > "\uffff"),
    "byte": lambda c: len(c.encode("utf-8")),
}
_CLUSTERS = {"grapheme": regex.compile(r"\X"), "crlf": regex.compile(r"\r\n|.", regex.DOTALL)}


def code_points(text: str, unit: Unit) -> Callable[[int], int]:
    """The function that turns an offset into ``text`` in ``unit`` into code points.

    It raises KeyError for an offset inside a character or outside the text. Making it takes time linear in the text:
    make one for a text, not one for a span.
    """
    if unit == "codepoint":
        return lambda offset: offset
    if unit in _CLUSTERS:
        return dict(enumerate(_cluster_edges(text, unit))).__getitem__
    return {offset: i for i, offset in enumerate(_edges(text, unit))}.__getitem__


def in_unit(text: str, unit: Unit) -> Callable[[int], int]:
    """The function that turns an offset into ``text`` in code points, 0 to ``len(text)``, into ``unit``.

    An offset inside a cluster becomes that of the cluster's start.
    """
    if unit == "codepoint" or (unit == "utf16" and text.isascii()):
        return lambda offset: offset
    if unit in _CLUSTERS:
        edges = set(_cluster_edges(text, unit))
        inner = accumulate(int(i in edges) for i in range(1, len(text) + 1))
        return [0, *inner].__getitem__
    return list(_edges(text, unit)).__getitem__


def _edges(text: str, unit: Unit) -> "accumulate[int]":
    return accumulate(map(_WIDTHS[unit], text), initial=0)


def _cluster_edges(text: str, unit: Unit) -> Iterator[int]:
    yield 0
    for match in _CLUSTERS[unit].finditer(text):
        yield match.end()
