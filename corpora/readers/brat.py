"""BRAT's standoff format: a text ``x.txt`` and its annotations ``x.ann``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.readers.common.base import Draft, FileReader, Note, source_signature
from spanferry.corpora.readers.common.encodings import check_encoding, decoded_bytes
from spanferry.corpora.readers.common.rows import RowKeys, row_to_example
from spanferry.corpora.schema import Example
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.offsets import Unit

_SPACE = re.compile(r"\s+")
_FIXED = frozenset({"id", "start", "end", "label", "fragments", "field", "quote", "text"})


@dataclass(frozen=True)
class BratReader(FileReader):
    """Reads documents, one example each: one file (either of the two), or all of a folder, by name.

    Text-bound annotations become spans, discontinuous ones with fragments. Relations become relations; an event becomes
    one relation from its trigger for each argument, labelled with the role; ``Equiv`` chains its members. Attributes,
    normalisations and notes go to the span, those of an event to its trigger. What belongs to a relation can't be
    held: it is counted and said. A line that is not an annotation makes its document a bad row.

    Attributes:
        offsets: What offsets count. BRAT counts code points.
        end: Whether a span's end is one past its last unit (exclusive, as BRAT has it) or that unit (inclusive).
        encoding: Encoding of the files.
    """

    name: ClassVar[str] = "brat"

    offsets: Unit = "codepoint"
    end: Literal["exclusive", "inclusive"] = "exclusive"
    encoding: str = "utf-8"

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        files = [file for pair in self._pairs() for file in pair if file.is_file()]
        # Rows are called by their files.
        root = self.path if self.path.is_dir() else self.path.parent
        return source_signature(self, content_hash(files, root=root), split=self.rows_split)

    def _rows(self) -> Iterator[Draft | Note]:
        check_encoding(self.encoding)
        pairs = self._pairs()
        if not pairs:
            raise InputError("no .ann file", where=str(self.path), hint="check the path that was given")
        for text, annotations in pairs:
            notes: list[Note] = []
            name = text.stem if text.parent == self.path or not self.path.is_dir() else _relative(text, self.path)
            made = partial(self._example, name, text, annotations, notes)
            yield Draft(name, str(annotations), partial(_raw, text), self.rows_split, made)
            yield from notes
        if self.path.is_dir():
            alone = sorted(p for p in self.path.rglob("*.txt") if not p.with_suffix(".ann").is_file())
            yield from (Note("a .txt file without an .ann file beside it is left out") for _ in alone)

    def _pairs(self) -> list[tuple[Path, Path]]:
        found = sorted(self.path.rglob("*.ann")) if self.path.is_dir() else [self.path.with_suffix(".ann")]
        return [(ann.with_suffix(".txt"), ann) for ann in found]

    def _example(self, name: str, place: Path, annotations: Path, notes: list[Note]) -> Example:
        text = self._content(place)
        lines = self._content(annotations)
        read, quotes = standoff(lines, notes)
        keys = RowKeys(offsets=self.offsets, inclusive=self.end == "inclusive")
        row = {"id": name, "text": text, **read}
        example = row_to_example(row, keys, number=1, lang=self.lang, split=self.rows_split)
        for span in example.spans:
            parts = span.fragments or ((span.start, span.end),)
            covered = " ".join(text[a:b] for a, b in parts)
            if _SPACE.sub(" ", covered).strip() != _SPACE.sub(" ", quotes[span.id]).strip():
                raise RowError(
                    "bad_offsets",
                    f"{span.id} covers {covered!r:.80}, the annotation says {quotes[span.id]!r:.80}",
                    hint="--set read.options.offsets=crlf, utf16 or byte, where another tool wrote the file",
                )
        return example

    def _content(self, path: Path) -> str:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RowError("no_text", f"{path.name} can't be read ({error.strerror})") from error
        return decoded_bytes(path, content, self.encoding)


def standoff(lines: str, notes: list[Note]) -> tuple[dict[str, Any], dict[str, str]]:
    """The spans and relations of an ``.ann`` file as rows have them, and the quotes of the spans by id.

    Raises:
        RowError: ``bad_annotation``: a line is not an annotation, with its number.
    """
    spans: dict[str, dict[str, Any]] = {}
    quotes: dict[str, str] = {}
    triggers: dict[str, str] = {}
    links: list[tuple[str, str, str]] = []
    about: list[tuple[str, str, Any]] = []
    for number, line in enumerate(lines.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        body = rest[0].split() if rest else []
        try:
            match name[:1]:
                case "T":
                    spans[name], quotes[name] = _span(name, rest[0]), rest[1]
                case "R":
                    label, *arguments = body
                    head, tail = (argument.partition(":")[2] for argument in arguments)
                    links.append((head, tail, label))
                case "E":
                    triggers[name] = body[0].partition(":")[2]
                    parts = [argument.partition(":") for argument in body[1:]]
                    links += [(name, tail, role) for role, _, tail in parts]
                case "*":
                    label, *members = body
                    links += [(a, b, label) for a, b in pairwise(members)]
                case "A" | "M":
                    label, target, *value = body
                    about.append((target, label, " ".join(value) or True))
                case "N":
                    label, target, reference = body
                    about.append((target, label, reference))
                case "#":
                    label, target = body
                    about.append((target, label, rest[1] if len(rest) > 1 else ""))
                case _:
                    raise ValueError("no annotation starts so")
        except (ValueError, IndexError) as error:
            raise RowError("bad_annotation", f"line {number}: {line[:80]!r} is not an annotation ({error})") from error
    for target, label, value in about:
        span = spans.get(triggers.get(target, target))
        if span is None:
            notes.append(Note(f"{label} of something that is not a span is left out"))
        elif label in _FIXED or label in span:
            held = span.setdefault(f"{label}_", [])
            held.append(value)
        else:
            span[label] = value
    relations = [
        {"head": triggers.get(head, head), "tail": triggers.get(tail, tail), "label": label}
        for head, tail, label in links
    ]
    return {"spans": list(spans.values()), "relations": relations}, quotes


def _span(name: str, body: str) -> dict[str, Any]:
    label, _, ranges = body.partition(" ")
    parts = [[int(edge) for edge in part.split()] for part in ranges.split(";")]
    if not all(len(part) == 2 for part in parts):
        raise ValueError("start and end are two numbers")
    parts.sort()
    made: dict[str, Any] = {"id": name, "label": label, "start": parts[0][0], "end": parts[-1][1]}
    return {**made, "fragments": parts} if len(parts) > 1 else made


def _relative(text: Path, folder: Path) -> str:
    return text.relative_to(folder).with_suffix("").as_posix()


def _raw(text: Path) -> str:
    try:
        return text.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
