"""Glossaries: a term of the source language and what it must be in the target language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from spanferry.corpora.errors import InputError
from spanferry.corpora.files import content_hash
from spanferry.corpora.text.scripts import is_unspaced


@dataclass(frozen=True)
class Entry:
    """One line of a glossary.

    Attributes:
        source: The source term as it is written in the file.
        targets: The target terms that are accepted; the first is the one to put.
        lang: Target language the line is for (BCP-47); empty: every one.
    """

    source: str
    targets: tuple[str, ...]
    lang: str = ""

    @cached_property
    def pattern(self) -> "re.Pattern[str]":
        """Finds the source term."""
        return term_pattern(self.source)

    def satisfied(self, text: str) -> bool:
        """Whether ``text`` holds one of the target terms."""
        return any(term_pattern(term).search(text) for term in self.targets)


@lru_cache(maxsize=65536)
def term_pattern(term: str) -> "re.Pattern[str]":
    """Finds a term as whole words: in any case where it is written in small letters, else just as it is written.

    A run of white space in the term stands for any; letters of scripts without spaces have no word edges.
    """
    edges = ["" if is_unspaced(char) or re.match(r"\W", char) else r"\b" for char in (term[0], term[-1])]
    body = r"\s+".join(map(re.escape, term.split()))
    return re.compile(f"{edges[0]}{body}{edges[1]}", re.IGNORECASE if term == term.lower() else 0)


@dataclass(frozen=True)
class Glossary:
    """The terms of one file.

    Attributes:
        entries: In the order of the file.
        digest: Hexadecimal digits that follow from the file's content.
    """

    entries: tuple[Entry, ...]
    digest: str

    def into(self, lang: str) -> "Glossary":
        """The entries for one target language: ``pt`` is also for ``pt-BR``, not the other way round."""
        tag = lang.lower()
        kept = tuple(e for e in self.entries if not e.lang or tag == e.lang.lower() or tag.startswith(f"{e.lang}-"))
        return Glossary(kept, self.digest)

    def found(self, text: str) -> list[tuple[int, int, Entry]]:
        """Where terms are in a source text: half-open code points, disjoint, ascending; the longer of two that meet."""
        folded = text.lower()
        possible = [entry for entry in self.entries if entry.source.split()[0].lower() in folded]
        candidates = [(*m.span(), entry) for entry in possible for m in entry.pattern.finditer(text)]
        taken: list[tuple[int, int, Entry]] = []
        for start, end, entry in sorted(candidates, key=lambda c: (c[0] - c[1], c[0])):
            if all(end <= a or b <= start for a, b, _ in taken):
                taken.append((start, end, entry))
        return sorted(taken, key=lambda place: place[0])

    def missing(self, source: str, target: str) -> list[str]:
        """Source terms of ``source`` whose target term ``target`` lacks, each once, in the order of the text."""
        entries = dict.fromkeys(entry for _, _, entry in self.found(source))
        return [entry.source for entry in entries if not entry.satisfied(target)]


def read_glossary(path: str | Path) -> Glossary:
    """Reads ``source<TAB>target[|target …][<TAB>language]``, one entry a line; empty lines and ``# …`` are skipped.

    Raises:
        InputError: The file can't be read, a line has no target, or a term is given twice for one language.
    """
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the glossary can't be read ({error})", where=str(path), hint="a TSV file in UTF-8"
        ) from error
    entries: dict[tuple[str, str], Entry] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("\t")]
        targets = tuple(term for term in (t.strip() for t in _second(columns).split("|")) if term)
        if not columns[0] or not targets or len(columns) > 3:
            raise InputError(
                f"no glossary entry: {line!r}",
                where=f"{path}:{number}",
                valid="source<TAB>target, source<TAB>target|other target, either with <TAB>language",
                hint="columns are parted by tabs, not by blanks",
            )
        entry = Entry(columns[0], targets, columns[2] if len(columns) == 3 else "")
        if entries.setdefault((entry.source, entry.lang), entry).targets != targets:
            raise InputError(
                f"the term {entry.source!r} is given twice with different targets",
                where=f"{path}:{number}",
                hint="put the accepted targets in one line, parted by |, the preferred one first",
            )
    return Glossary(tuple(entries.values()), content_hash([file]))


def _second(columns: Sequence[str]) -> str:
    return columns[1] if len(columns) > 1 else ""
