"""TMX 1.4b: ``<split>.tmx``, a ``tu`` per row and text field, a ``tuv`` per language.

Spans are ``<hi type="LABEL" x="N">`` elements, which the standard has for terms and proper names; ``x`` is the same
number in every language for spans of one id. They may nest, but not cross. ``tuid`` is the row's id; the field is a
``prop`` of the type ``x-field``. Rejected rows are in ``rejected.tmx`` with their reasons as ``note`` elements.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar
from xml.sax.saxutils import escape, quoteattr

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.corpora.stored.base import REJECTED, WriteReport, check_split, lost_attributes, refuse_loss
from spanferry.corpora.writers.parallel import languages_of, rows_of_pairs

FIELD_PROP = "x-field"
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4">
<header creationtool="spanferry" creationtoolversion="1" segtype="block" o-tmf="spanferry" adminlang="en" \
srclang={source} datatype="plaintext"/>
<body>
"""
_TAIL = "</body>\n</tmx>\n"
# What XML 1.0 has no way to write, escaped or not.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class TmxWriter:
    """TMX 1.4b translation memories; spans are ``hi`` elements, which nest.

    Attributes:
        spans: Whether to write spans.
        allow_loss: Lets spans that cross others, relations and control characters be left out.
    """

    name: ClassVar[str] = "tmx"
    holds: ClassVar[frozenset[str]] = frozenset({"fields"})

    spans: bool = True
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        with rows_of_pairs(batches, out) as rows:
            return self.write_rows(rows, out, languages_of(rows))

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """See ``ParallelWriter.write_rows``."""
        lost: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        source = next(iter(languages), "*all*")
        with work_folder(out) as folder, ExitStack() as stack:
            new = folder / "new"
            new.mkdir()
            files: dict[str, IO[str]] = {}

            def file_of(group: str) -> IO[str]:
                if group not in files:
                    path = new / f"{group}.tmx"
                    files[group] = stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                    files[group].write(_HEAD.format(source=quoteattr(source)))
                return files[group]

            for row in rows:
                group = REJECTED if row.reasons else check_split(row.split, "rows")
                counts[group] += 1
                file_of(group).writelines(self._units(row, lost))
            file_of(REJECTED)
            for file in files.values():
                file.write(_TAIL)
                file.close()
            publish(new, out, index=f"{REJECTED}.tmx")
        splits = [name for name in counts if name != REJECTED] or ["train"]
        rows_by_split = {name: counts[name] for name in (*splits, REJECTED)}
        return WriteReport(rows_by_split, dict(sorted(lost.items())), tuple(sorted(f"{g}.tmx" for g in files)))

    def _units(self, row: MultiRow, lost: Counter[str]) -> list[str]:
        missing: Counter[str] = Counter()
        names = dict.fromkeys(s.id for e in row.examples.values() for s in e.spans)
        numbers = {name: number for number, name in enumerate(names, 1)}
        fields = dict.fromkeys(name for e in row.examples.values() for name in e.texts)
        lines = []
        for field in fields:
            lines.append(f"<tu tuid={quoteattr(_clean(row.id, missing))}>")
            lines += [f"<note>{escape(reason)}</note>" for reason in row.reasons]
            lines.append(f"<prop type={quoteattr(FIELD_PROP)}>{escape(field)}</prop>")
            for lang, example in row.examples.items():
                if field in example.texts:
                    segment = self._segment(example, field, numbers, missing)
                    lines.append(f"<tuv xml:lang={quoteattr(lang)}><seg>{segment}</seg></tuv>")
            lines.append("</tu>")
        missing["relations"] = max((len(e.relations) for e in row.examples.values()), default=0)
        missing = +missing
        if not self.allow_loss and not row.reasons:
            refuse_loss(missing, row.id, "TMX", self.name)
        lost.update(missing + lost_attributes(s for e in row.examples.values() for s in e.spans))
        return [f"{line}\n" for line in lines]

    def _segment(self, example: Example, field: str, numbers: dict[str, int], missing: Counter[str]) -> str:
        text = example.texts[field]
        spans = [span for span in example.spans if span.field == field] if self.spans else []
        missing["spans"] += 0 if self.spans else sum(span.field == field for span in example.spans)
        nested = _nested(spans, missing)
        parts, at = [], 0
        for place, _, mark in sorted(_marks(nested, numbers), key=lambda mark: mark[:2]):
            parts += [_escaped(text[at:place], missing), mark]
            at = place
        return "".join([*parts, _escaped(text[at:], missing)])


def _nested(spans: Sequence[Span], missing: Counter[str]) -> list[Span]:
    """The spans without those that cross an earlier, longer one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        if any(span.overlaps(o) and not o.contains(span) for o in kept):
            missing["overlap"] += 1
            continue
        missing["discontinuous"] += bool(span.fragments)
        kept.append(span)
    return kept


def _marks(spans: Sequence[Span], numbers: dict[str, int]) -> list[tuple[int, tuple[int, int, int], str]]:
    """(place, order, mark): at one place ends come before starts, inner ends and outer starts first."""
    marks = []
    for depth, span in enumerate(spans):
        length = span.end - span.start
        opening = f"<hi type={quoteattr(span.label)} x={quoteattr(str(numbers[span.id]))}>"
        marks.append((span.start, (1, -length, depth), opening))
        marks.append((span.end, (0, length, -depth), "</hi>"))
    return marks


def _escaped(text: str, missing: Counter[str]) -> str:
    # A parser turns a bare carriage return into a line feed.
    return escape(_clean(text, missing), {"\r": "&#13;"})


def _clean(text: str, missing: Counter[str]) -> str:
    clean, count = _NOT_XML.subn("", text)
    missing["control"] += count
    return clean
