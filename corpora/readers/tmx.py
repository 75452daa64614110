"""TMX translation memories."""

import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree.ElementTree import Element, ParseError, iterparse

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.readers.common.base import AUTO_SPLIT, source_signature, split_of
from spanferry.corpora.readers.common.packed import open_bytes
from spanferry.corpora.readers.common.text import check_file
from spanferry.corpora.schema import TEXT, Example, Span, validate
from spanferry.corpora.signature import Signature

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FIELD = "x-field"
_DEEPEST = 200  # elements; segments nest a few levels
# Inline elements that hold codes of the original format, not text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})


@dataclass(frozen=True)
class TmxReader:
    """Reads TMX 1.1 to 1.4b, with a namespace or without, also ``.gz``, one unit at a time.

    ``hi`` elements become spans, other inline codes are dropped.

    Units that follow each other with the same ``tuid`` and different fields (as our writer leaves them) are one row. A
    unit without ``tuid`` is called by its number. Of several segments in one language the first is taken.

    Attributes:
        path: The file.
        langs: Languages to take, in any case; empty: all that the file has, in order of appearance.
        split: Dataset split of its rows; "auto" takes it from the file's name.
    """

    name: ClassVar[str] = "tmx"

    path: Path
    langs: tuple[str, ...] = ()
    split: str = AUTO_SPLIT

    @property
    def languages(self) -> tuple[str, ...]:
        """See ``ParallelReader.languages``. Without ``langs`` the file is read once for them."""
        if self.langs:
            return self.langs
        found = tuple(dict.fromkeys(lang for _, _, cells in self._units() for lang in cells))
        if not found:
            raise self._nothing()
        return found

    @property
    def signature(self) -> Signature:
        """See ``ParallelReader.signature``."""
        check_file(self.path)
        split = split_of(self.path) if self.split == AUTO_SPLIT else self.split
        return source_signature(self, content_hash([self.path]), language="", split=split)

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
        if not fields:
            raise self._nothing()
        yield self._row(name, fields, split)

    def _nothing(self) -> InputError:
        langs = f" in {', '.join(self.langs)}" if self.langs else ""
        return InputError(
            f"no <tu> unit with a segment{langs}",
            where=str(self.path),
            valid="<tmx><body><tu><tuv xml:lang=…><seg>",
            hint="is this the right file? --set read.options.langs=… picks other languages"
            if langs
            else "is this the right file?",
        )

    def _units(self) -> Iterator[tuple[str, str, dict[str, Element]]]:
        check_file(self.path)
        asked = {_tag_of(lang): lang for lang in self.langs}
        number = depth = 0
        try:
            with open_bytes(self.path) as stream:
                for event, element in iterparse(stream, ("start", "end")):
                    depth += 1 if event == "start" else -1
                    if depth > _DEEPEST:
                        raise InputError(
                            f"elements nested more than {_DEEPEST} deep", where=str(self.path), hint="xmllint FILE"
                        )
                    if event == "start" or _local(element) != "tu":
                        continue
                    number += 1
                    field = next((p.text or "" for p in _named(element, "prop") if p.get("type") == _FIELD), TEXT)
                    cells: dict[str, Element] = {}
                    for variant in _named(element, "tuv"):
                        lang = _tag_of(variant.get(_LANG) or variant.get("lang") or "")
                        segment = next(_named(variant, "seg"), None)
                        if lang and segment is not None and (not asked or lang in asked):
                            cells.setdefault(asked.get(lang, lang), segment)
                    yield element.get("tuid") or str(number), field, cells
                    element.clear()
        except ParseError as error:
            raise InputError(
                f"no XML: {error}", where=str(self.path), hint="xmllint --noout FILE shows where"
            ) from error
        except (LookupError, ValueError) as error:
            raise InputError(
                f"the file is not in the encoding that it declares, or nobody knows that encoding ({error})",
                where=str(self.path),
                hint='iconv -t utf-8 FILE, and encoding="utf-8" in its first line',
            ) from error
        except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise InputError(
                f"can't be read to its end ({error})", where=str(self.path), hint="gunzip -t shows where"
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


def _local(element: Element) -> str:
    """The element's name without its namespace; files come with and without one."""
    return element.tag.rpartition("}")[2]


def _named(element: Element, name: str) -> Iterator[Element]:
    return (found for found in element.iter() if _local(found) == name)


def _tag_of(lang: str) -> str:
    """The language tag as BCP 47 writes it: ``EN_us`` is ``en-US``; files mix the two."""
    first, *rest = lang.strip().replace("_", "-").split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in rest]
    return "-".join([first.lower(), *cased])


def _text(segment: Element, field: str, spans: list[Span]) -> str:
    """The segment's text; its ``hi`` elements go to ``spans``, outer ones first."""
    parts: list[str] = []
    length = 0

    def add(text: str | None) -> None:
        nonlocal length
        parts.append(text or "")
        length += len(text or "")

    def walk(element: Element) -> None:
        add(element.text)
        for child in element:
            start = length
            place = len(spans)
            if _local(child) not in _CODES:
                if _local(child) == "hi":
                    spans.append(Span(0, 0, "", field=field))
                walk(child)
                if _local(child) == "hi":
                    number = child.get("x")
                    label, name = child.get("type") or "hi", f"x{number}" if number else ""
                    spans[place] = Span(start, length, label, name, field)
            add(child.tail)

    walk(segment)
    return "".join(parts)
