"""TMX translation memories."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree.ElementTree import Element, ParseError, iterparse

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.readers.base import AUTO_SPLIT, options_part, split_of
from spanferry.corpora.readers.text import check_file
from spanferry.corpora.schema import TEXT, Example, Span, validate

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FIELD = "x-field"
# Inline elements that hold codes of the original format, not text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})


@dataclass(frozen=True)
class TmxReader:
    """Reads TMX 1.1 to 1.4b, one unit at a time; ``hi`` elements become spans, other inline codes are dropped.

    Units that follow each other with the same ``tuid`` and different fields (as our writer leaves them) are one row. A
    unit without ``tuid`` is called by its number. Of several segments in one language the first is taken.

    Attributes:
        path: The file.
        langs: Languages to take; empty: all that the file has, in order of appearance.
        split: Of its rows; "auto" takes it from the file's name.
    """

    name: ClassVar[str] = "tmx"

    path: Path
    langs: tuple[str, ...] = ()
    split: str = AUTO_SPLIT

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``. Without ``langs`` the file is read once for them."""
        return self.langs or tuple(dict.fromkeys(lang for _, _, cells in self._units() for lang in cells))

    @property
    def signature(self) -> str:
        """See ``ParallelReader.signature``."""
        check_file(self.path)
        return f"src:tmx{options_part(self)}@{content_hash([self.path])}"

    def read(self) -> Iterator[MultiRow]:
        """See ``ParallelReader.read``.

        Raises:
            InputError: The file is missing, empty or no XML.
        """
        split = split_of(self.path) if self.split == AUTO_SPLIT else self.split
        name, fields = "", dict[str, dict[str, Element]]()
        for unit, field, cells in self._units():
            if fields and (unit != name or field in fields):
                yield self._row(name, fields, split)
                fields = {}
            name = unit
            fields[field] = cells
        if fields:
            yield self._row(name, fields, split)

    def _units(self) -> Iterator[tuple[str, str, dict[str, Element]]]:
        check_file(self.path)
        number = 0
        try:
            for _, element in iterparse(self.path):
                if element.tag != "tu":
                    continue
                number += 1
                field = next((p.text or "" for p in element.iter("prop") if p.get("type") == _FIELD), TEXT)
                cells: dict[str, Element] = {}
                for variant in element.iter("tuv"):
                    lang = variant.get(_LANG) or variant.get("lang") or ""
                    segment = variant.find("seg")
                    if lang and segment is not None and (not self.langs or lang in self.langs):
                        cells.setdefault(lang, segment)
                yield element.get("tuid") or str(number), field, cells
                element.clear()
        except ParseError as error:
            raise InputError(
                f"no XML: {error}", where=str(self.path), hint="xmllint --noout FILE tells more"
            ) from error

    def _row(self, name: str, fields: dict[str, dict[str, Element]], split: str) -> MultiRow:
        examples: dict[str, Example] = {}
        missing: dict[str, tuple[str, ...]] = {}
        for lang in dict.fromkeys(lang for cells in fields.values() for lang in cells):
            texts, spans = dict[str, str](), list[Span]()
            for field, cells in fields.items():
                if lang in cells:
                    texts[field] = _text(cells[lang], field, spans)
            try:
                examples[lang] = validate(Example(name, lang, texts, tuple(spans), split=split))
            except RowError as error:
                missing[lang] = (f"read:{error.reason}",)
        return MultiRow(name, examples, missing=missing, split=split)


def _text(segment: Element, field: str, spans: list[Span]) -> str:
    """The segment's text; its ``hi`` elements go to ``spans``, outer ones first."""
    parts: list[str] = []

    def walk(element: Element) -> None:
        parts.append(element.text or "")
        for child in element:
            start = sum(map(len, parts))
            place = len(spans)
            if child.tag not in _CODES:
                if child.tag == "hi":
                    spans.append(Span(0, 0, "", field=field))
                walk(child)
                if child.tag == "hi":
                    number = child.get("x")
                    label, name = child.get("type") or "hi", f"x{number}" if number else ""
                    spans[place] = Span(start, sum(map(len, parts)), label, name, field)
            parts.append(child.tail or "")

    walk(segment)
    return "".join(parts)
