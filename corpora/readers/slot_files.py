"""Slot-filling corpora in three files, line by line: ``seq.in``, ``seq.out`` and ``label``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import ClassVar, NamedTuple

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.files import content_hash
from spanferry.corpora.readers.common.base import AUTO_SPLIT, Draft, FileReader, source_signature, split_of
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.tagged import tagged_example
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.schema import Example
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.tags import ReadScheme, plain_tag, read_tags, row_hint

WORDS, TAGS, LABELS = "seq.in", "seq.out", "label"
_TRAIN = "train"  # also the split of a name that has none


class Files(NamedTuple):
    """The files of one part of a corpus; the labels may be missing."""

    words: Path
    tags: Path
    labels: Path | None


@dataclass(frozen=True)
class SlotFilesReader(FileReader):
    """Reads words, tags and labels of sentences from three files, a sentence on each line (SlotGated, JointBERT).

    The path is one of the three, ``seq.in``, ``seq.out`` or ``label``, also with something in front
    (``atis.test.seq.in``), or a folder of them, also of a folder for each split. Words and tags are separated by
    blanks. A sentence with another number of tags than words is a bad row. There may be no file ``label``.

    Attributes:
        scheme: Of the tags: ``iob2``, ``iob1``, ``bioes`` or ``io``.
        repair: Takes a tag that continues nothing as the start of a span, instead of rejecting the row.
        encoding: Of the files.
    """

    name: ClassVar[str] = "slot_files"

    scheme: ReadScheme = "iob2"
    repair: bool = False
    encoding: str = "utf-8"

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        files = [file for part in slot_files(self.path) for file in part if file is not None and file.is_file()]
        return source_signature(self, content_hash(files))

    def _rows(self) -> Iterator[Draft]:
        parts = slot_files(self.path)
        if not parts:
            raise InputError(
                f"no file {WORDS!r}", where=str(self.path), valid=f"a folder with {WORDS}, {TAGS} and {LABELS}"
            )
        number = 0
        for part in parts:
            split = self._split(part)
            files = [file for file in part if file is not None]
            streams = [(text for _, text in read_lines(file, self.encoding)) for file in files]
            for line, cells in enumerate(zip_longest(*streams), 1):
                if None in cells:
                    raise _different(files, [cell is None for cell in cells], line)
                number += 1
                lines = [str(cell) for cell in cells]
                made = partial(self._made, str(number), lines, split)
                yield Draft(str(number), f"{part.words}:{line}", partial("\n".join, lines), split, made)

    def _split(self, part: Files) -> str:
        if self.split != AUTO_SPLIT:
            return self.split
        # The file's own name gives the split (test.seq.in), else its folder's.
        found = split_of(part.words)
        return found if found != _TRAIN else split_of(Path(part.words.parent.name))

    def _made(self, name: str, lines: list[str], split: str) -> Example:
        for text in lines:
            check_decoded(text, self.encoding)
        words, tags, *label = lines
        tokens, slots = words.split(), tags.split()
        if not tokens:
            raise RowError("empty_text", "no words on the line")
        if len(tokens) != len(slots):
            raise RowError("bad_tags", f"{len(tokens)} words and {len(slots)} tags")
        if self.scheme != "io":
            slots = [plain_tag(slot) for slot in slots]
        found, problem = read_tags(slots, self.scheme, repair=self.repair)
        if problem:
            raise RowError("bad_tags", f"word {problem.at + 1}: {problem.message}", hint=row_hint(problem))
        whole = label[0].strip() if label else ""
        return tagged_example(name, self.lang, tokens, found, label=whole or None, split=split)


def slot_files(path: Path) -> list[Files]:
    """The parts of a corpus of slot files that ``path`` is in or holds, by name; empty where it holds none."""
    if path.is_dir():
        found = sorted(chain(path.glob(f"*{WORDS}"), path.glob(f"*/*{WORDS}")))
    else:
        name = next((name for name in (WORDS, TAGS, LABELS) if _is_called(path.name, name)), None)
        found = [path.with_name(path.name.removesuffix(name) + WORDS)] if name else []
    parts = []
    for words in found:
        front = words.name.removesuffix(WORDS)
        tags, labels = words.with_name(front + TAGS), words.with_name(front + LABELS)
        if words.is_file() and tags.is_file():
            parts.append(Files(words, tags, labels if labels.is_file() else None))
    return parts


def _is_called(name: str, ending: str) -> bool:
    return name == ending or name.endswith((f".{ending}", f"_{ending}", f"-{ending}"))


def _different(files: Sequence[Path], ended: Sequence[bool], line: int) -> InputError:
    short = ", ".join(str(file) for file, end in zip(files, ended, strict=True) if end)
    return InputError(
        f"ends before line {line}, where the others go on: it is undecidable which words and tags belong together",
        where=short,
        hint=f"wc -l {' '.join(map(str, files))}",
    )
