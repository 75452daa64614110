"""Where the regions of one Label Studio task lie: in a text, in what a page of HTML shows, in paragraphs."""

import html
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeGuard

from spanferry.corpora.errors import RowError
from spanferry.corpora.text.offsets import Unit, code_points, in_unit

LABELS, HYPERTEXT, PARAGRAPHS = "labels", "hypertextlabels", "paragraphlabels"
# The editor writes line ends of a selection as a backslash and an n.
_SPACE = re.compile(r"\\n|\s+")
_TAG_START = re.compile(r"<(?:!--|[/!?A-Za-z])")
_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG_MARK = re.compile("[>\"']")
_LONGEST_TAG = 1 << 16  # characters; pictures that are written into a page are tags of some thousands
_TEXT = "text"


@dataclass(frozen=True)
class Shown:
    """What people saw of one field. Offsets are converted by functions that are made once for a text.

    Attributes:
        text: The text.
        unit: What the offsets of its regions count.
        source: The value as the data has it, where it is HTML.
        places: For each character of ``text`` its offset in ``source``, and the length of ``source`` last.
        starts: Offsets of the paragraphs in ``text``, and one past the last line end.
        about: What the paragraphs say beside their texts, such as the speaker.
    """

    text: str
    unit: Unit = "codepoint"
    source: str | None = None
    places: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    about: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def convert(self) -> Callable[[int], int]:
        """From ``unit`` to code points of ``text``."""
        return code_points(self.text, self.unit)

    @cached_property
    def convert_source(self) -> Callable[[int], int]:
        """From ``unit`` to code points of ``source``."""
        return code_points(self.source or "", self.unit)

    @cached_property
    def to_unit(self) -> Callable[[int], int]:
        """From code points of ``text`` to ``unit``."""
        return in_unit(self.text, self.unit)


def shown(value: Any, as_html: bool, unit: Unit, where: str) -> Shown:
    """What people see of a value of ``data``: a text, the text of HTML, or paragraphs with a line each.

    Raises:
        RowError: ``no_text``: it is none of these.
    """
    if isinstance(value, str):
        return _rendered(value, unit) if as_html else Shown(value, unit)
    if is_dialogue(value):
        key = _text_key(value)
        if key is None:
            raise RowError(
                "no_text",
                "which key of the paragraphs holds their text?",
                where=where,
                valid=", ".join(map(str, value[0])),
                hint=f"the paragraphs' text under the key {_TEXT!r}",
            )
        texts = [str(paragraph[key]) for paragraph in value]
        starts = tuple(accumulate((len(text) + 1 for text in texts), initial=0))
        about = tuple({k: v for k, v in paragraph.items() if k != key} for paragraph in value)
        return Shown("\n".join(texts), unit, starts=starts, about=about)
    raise RowError("no_text", f"{value!r:.60} is not a text", where=where)


def is_dialogue(value: Any) -> bool:
    """Whether a value of ``data`` is a list of paragraphs."""
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)


def region_range(region: Mapping[str, Any], field: Shown, where: str) -> tuple[Any, Any]:
    """Start and end of a region in ``field.text``, in ``field.unit``.

    Raises:
        RowError: ``unread_labels``: it is undecidable what the region's offsets count; ``bad_offsets``: it says that it
            covers another text.
    """
    value = region["value"]
    match region.get("type"):
        case "hypertextlabels":
            start, end = _of_page(value, field, where)
            return field.to_unit(start), field.to_unit(end)
        case "paragraphlabels":
            start, end = _of_paragraphs(value, field, where)
            return field.to_unit(start), field.to_unit(end)
    return value.get("start"), value.get("end")


def same_text(one: str, other: str) -> bool:
    """Whether two texts are alike but for blanks and line ends."""
    return _SPACE.sub("", one) == _SPACE.sub("", other)


def _of_page(value: Mapping[str, Any], field: Shown, where: str) -> tuple[int, int]:
    whole = value.get("globalOffsets")
    quote = value.get("text")
    given = whole if isinstance(whole, Mapping) else value
    start, end = given.get("start"), given.get("end")
    if not _is_offset(start) or not _is_offset(end):
        raise _unread(
            HYPERTEXT,
            f"start is {start!r:.60}, a path in the page, and there are no globalOffsets",
            where,
            "export from Label Studio 1.1 or later, which adds globalOffsets",
        )
    found = []
    shown_range = _converted(field.convert, start, end, len(field.text))
    if shown_range and _covers(field.text, shown_range, quote):
        found.append(shown_range)
    if not isinstance(whole, Mapping) and field.source is not None and field.source != field.text:
        in_source = _converted(field.convert_source, start, end, len(field.source))
        if in_source and _covers(field.source, in_source, quote):
            found.append(_from_source(in_source, field.places))
        if quote is None or len(set(found)) > 1:
            raise _unread(
                HYPERTEXT,
                f"start {start} and end {end} may count the HTML or the text that it shows",
                where,
                "a region with globalOffsets, or with its text",
            )
    if not found:
        raise RowError(
            "bad_offsets",
            f"the offsets {start} to {end} of the text without tags cover "
            f"{field.text[slice(*shown_range)] if shown_range else None!r:.80}, the region says {quote!r:.80}",
            where=where,
            hint="--set read.options.offsets=utf16, where the text has emoji",
        )
    return found[0]


def _of_paragraphs(value: Mapping[str, Any], field: Shown, where: str) -> tuple[int, int]:
    edges = []
    for index_key, offset_key in (("start", "startOffset"), ("end", "endOffset")):
        index, offset = value.get(index_key), value.get(offset_key)
        number = int(index) if isinstance(index, str) and index.isascii() and index.isdigit() else index
        if not _is_offset(number) or not _is_offset(offset) or not field.starts or number >= len(field.starts) - 1:
            raise _unread(
                PARAGRAPHS,
                f"{index_key} is {index!r:.60} and {offset_key} {offset!r:.60}, which is not a place in "
                f"{max(len(field.starts) - 1, 0)} paragraph(s)",
                where,
                "data with a list of paragraphs, and regions with their number and the offset in it",
            )
        first, last = field.starts[number], field.starts[number + 1] - 1
        place = _converted(field.convert, field.to_unit(first) + offset, field.to_unit(first) + offset, last)
        edges.append(place[0] if place else -1)
    start, end = edges
    if start < 0 or not start < end or not _covers(field.text, (start, end), value.get("text")):
        raise RowError(
            "bad_offsets",
            f"the region covers {field.text[max(start, 0) : max(end, 0)]!r:.80}, it says {value.get('text')!r:.80}",
            where=where,
            hint="--set read.options.offsets=utf16, where the text has emoji",
        )
    return start, end


def _converted(convert: Callable[[int], int], start: int, end: int, length: int) -> tuple[int, int] | None:
    try:
        first, last = convert(start), convert(end)
    except KeyError:
        return None
    return (first, last) if 0 <= first <= last <= length else None


def _covers(text: str, place: tuple[int, int], quote: Any) -> bool:
    return not isinstance(quote, str) or same_text(text[slice(*place)], quote)


def _from_source(place: tuple[int, int], places: tuple[int, ...]) -> tuple[int, int]:
    """A range of the HTML as one of the text: the characters that stand in it."""
    return bisect_left(places, place[0], hi=len(places) - 1), bisect_left(places, place[1], hi=len(places) - 1)


def _rendered(source: str, unit: Unit) -> Shown:
    """The text of HTML: its text nodes one after the other, a line end for ``<br>``, as Label Studio counts them."""
    parts: list[str] = []
    places: list[int] = []
    at, size = 0, len(source)
    while at < size:
        tag = _TAG_START.search(source, at)
        stop = tag.start() if tag else size
        _add_text(source, at, stop, parts, places)
        if tag is None:
            break
        comment = source.startswith("<!--", stop)
        closed = source.find("-->", stop) if comment else _tag_end(source, stop)
        if closed < 0:
            _add_text(source, stop, size, parts, places)
            break
        if _BREAK.match(source, stop):
            parts.append("\n")
            places.append(stop)
        at = closed + (3 if comment else 1)
    return Shown("".join(parts), unit, source, (*places, size))


def _tag_end(source: str, start: int) -> int:
    """Where the tag that starts at ``start`` ends; a ``>`` within quotes does not end it. -1 where nothing does."""
    limit = start + _LONGEST_TAG
    at = start
    while (mark := _TAG_MARK.search(source, at, limit)) is not None:
        if mark[0] == ">":
            return mark.start()
        at = source.find(mark[0], mark.end(), limit) + 1
        if not at:
            break  # the quote is not closed: it is none
    return source.find(">", start, limit)


def _add_text(source: str, start: int, stop: int, parts: list[str], places: list[int]) -> None:
    at = start
    for entity in _ENTITY.finditer(source, start, stop):
        plain = html.unescape(entity[0])
        parts += [source[at : entity.start()], plain]
        places += [*range(at, entity.start()), *[entity.start()] * len(plain)]
        at = entity.end()
    parts.append(source[at:stop])
    places.extend(range(at, stop))


def _text_key(paragraphs: list[Mapping[str, Any]]) -> str | None:
    shared = [key for key in paragraphs[0] if all(isinstance(part.get(key), str) for part in paragraphs)]
    return _TEXT if _TEXT in shared else shared[0] if len(shared) == 1 else None


def _is_offset(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _unread(kind: str, why: str, where: str, valid: str) -> RowError:
    return RowError(
        "unread_labels",
        f"a region of the type {kind!r} can't be placed: {why}",
        where=where,
        valid=valid,
        hint="remove these regions, or their task",
    )
