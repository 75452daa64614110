"""Moses text with Pharaoh alignments: a line per row in each language's file.

``<split>.<lang>`` holds the raw text, a blank line where the cell is missing; ``<split>.ids`` the ids. Where there are
word links, ``<split>.<source>-<target>.tok.<lang>`` holds the words of both texts between spaces and
``<split>.<source>-<target>.align`` the links between them, ``0-0 1-2``, counted from 0 (Pharaoh), a blank line where
there are none. Rejected rows are under the name ``rejected``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.multiway import Direction, MultiRow
from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import REJECTED, WriteReport, check_split, refuse_loss
from spanferry.corpora.writers.multiway import pharaoh
from spanferry.corpora.writers.parallel import languages_of, rows_of_pairs

_LINE_BREAK = re.compile(r"[\r\n]+")


@dataclass(frozen=True)
class MosesWriter:
    """Moses: one text file per language, line by line, with words and Pharaoh alignments where there are links.

    Attributes:
        field: The text field; empty: the first.
        allow_loss: Lets spans and other fields be left out, and line breaks in a text become spaces.
    """

    name: ClassVar[str] = "moses"
    holds: ClassVar[frozenset[str]] = frozenset()

    field: str = ""
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        with rows_of_pairs(batches, out) as rows:
            return self.write_rows(rows, out, languages_of(rows))

    def write_rows(self, rows: Iterable[MultiRow], out: Path, languages: Sequence[str]) -> WriteReport:
        """See ``ParallelWriter.write_rows``. ``rows`` are iterated twice: alignments are files of their own."""
        directions = sorted({(known.source_lang, known.target_lang) for row in rows for known in row.links})
        lost: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        with work_folder(out) as folder, ExitStack() as stack:
            new = folder / "new"
            new.mkdir()
            files: dict[str, IO[str]] = {}

            def put(name: str, line: str) -> None:
                if name not in files:
                    files[name] = stack.enter_context((new / name).open("w", encoding="utf-8", newline="\n"))
                files[name].write(f"{line}\n")

            for row in rows:
                group = REJECTED if row.reasons else check_split(row.split, "rows")
                counts[group] += 1
                put(f"{group}.ids", row.id)
                for lang in languages:
                    put(f"{group}.{lang}", self._line(row, lang, lost))
                for direction in directions:
                    self._aligned(row, direction, group, put)
            for file in files.values():
                file.close()
            (new / f"{REJECTED}.ids").touch()
            written = tuple(sorted({*files, f"{REJECTED}.ids"}))
            publish(new, out, index=f"{REJECTED}.ids")
        splits = [name for name in counts if name != REJECTED] or ["train"]
        return WriteReport({name: counts[name] for name in (*splits, REJECTED)}, dict(sorted(lost.items())), written)

    def _line(self, row: MultiRow, lang: str, lost: Counter[str]) -> str:
        example = row.examples.get(lang)
        if example is None:
            return ""
        field = self.field or next(iter(example.texts))
        text = example.texts.get(field, "")
        missing: Counter[str] = Counter()
        if not row.reasons:
            missing["spans"] = len(example.spans)
            missing["relations"] = len(example.relations)
            missing["fields"] = len(example.texts) - (field in example.texts)
        missing["line_breaks"] = len(_LINE_BREAK.findall(text))
        missing = +missing
        if not self.allow_loss and not row.reasons:
            refuse_loss(missing, f"{row.id} ({lang})", "moses", self.name)
        lost.update(missing)
        return _LINE_BREAK.sub(" ", text)

    def _aligned(self, row: MultiRow, direction: Direction, group: str, put: Callable[[str, str], None]) -> None:
        source, target = direction
        name = f"{group}.{source}-{target}"
        field = self.field or next(iter(next(iter(row.examples.values())).texts), "")
        known = row.links_of(source, target, field)
        put(f"{name}.align", pharaoh(known) if known else "")
        for lang, ranges in zip(
            direction, (known.source_words, known.target_words) if known else ((), ()), strict=True
        ):
            text = row.examples[lang].texts[field] if known else ""
            put(f"{name}.tok.{lang}", " ".join(text[a:b] for a, b in ranges))
