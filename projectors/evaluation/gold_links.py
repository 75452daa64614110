"""Gold word alignments: pairs of tokenised texts with the links people drew."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import regex

from spanferry.corpora.errors import InputError, unknown_name
from spanferry.corpora.files import content_hash
from spanferry.corpora.metrics.links import Link
from spanferry.corpora.readers.common.base import BadRow, Reader
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.schema import Example, Range
from spanferry.corpora.signature import NOTHING, Signature
from spanferry.corpora.text.detokenise import detokenise
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import data_folder
from spanferry.projectors.evaluation.gold_names import LINK_FOLDERS, LINK_SETS

_NON_SPACE = regex.compile(r"\S+")
_PHARAOH = regex.compile(r"(\d+)([-p])(\d+)")


@dataclass(frozen=True)
class LinkGold:
    """Texts in two languages with the links between their words.

    Attributes:
        name: Short name, or the file's.
        source_lang: BCP-47.
        target_lang: BCP-47.
        inputs: Texts with their words; no spans.
        sure: For each input its links.
        possible: For each input the links that are only possible; empty where the gold does not distinguish them.
        signature: Of the files.
        skipped: What could not be used, by reason.
    """

    name: str
    source_lang: str
    target_lang: str
    inputs: tuple[ProjectionInput, ...]
    sure: tuple[tuple[Link, ...], ...]
    possible: tuple[tuple[Link, ...], ...]
    signature: Signature = NOTHING
    skipped: Mapping[str, int] = field(default_factory=dict)


def load_link_gold(name: str, folder: Path | None = None, *, limit: int | None = None) -> LinkGold:
    """A data set of ``LINK_SETS``: all that is annotated, whichever part it was put in.

    Args:
        name: Such as ``align-multi-es``.
        folder: Where the shared data lies; None: ``spanferry.projectors.evaluation.gold.data_folder``.
        limit: At most so many pairs.

    Raises:
        ConfigError: No such name.
        InputError: Its files are not there or can't be read.
    """
    if name not in LINK_SETS:
        raise unknown_name("gold", name, LINK_SETS)
    lang = name.rpartition("-")[2]
    place = (folder or data_folder()) / "align-multi"
    files = sorted(place.glob(f"*/{LINK_FOLDERS[lang]}/*.jsonl"))
    if not files:
        raise InputError(
            f"no data for gold {name!r}", where=str(place), hint="SPANFERRY_DATA=FOLDER names where the gold lies"
        )
    return read_link_files(files, name=name, source_lang="en", target_lang=lang, limit=limit)


def read_link_files(
    files: Sequence[Path], *, name: str, source_lang: str, target_lang: str, limit: int | None = None
) -> LinkGold:
    """JSON Lines of ``{"src_words", "tgt_words", "alignment": [[i, j]], "possible": [[i, j]]}``; words count from 0.

    Raises:
        InputError: A file is missing, or a line is no such object.
    """
    build = _Builder(name, source_lang, target_lang)
    for where, row in _rows(files):
        if limit is not None and len(build.inputs) >= limit:
            break
        sides = [row.get("src_words"), row.get("tgt_words")]
        links = [row.get("alignment"), row.get("possible", [])]
        if not all(_is_list(side, str) for side in sides) or not all(_are_links(given) for given in links):
            raise InputError(
                "no aligned pair",
                where=where,
                valid='{"src_words": ["…"], "tgt_words": ["…"], "alignment": [[0, 0]]}',
                hint="plain texts are given as --input FILE --target-input FILE --links FILE",
            )
        (source, source_words), (target, target_words) = (
            detokenise(list(words or ()), lang) for words, lang in zip(sides, (source_lang, target_lang), strict=True)
        )
        sure, possible = ([(int(i), int(j)) for i, j in given] for given in links)
        build.add(where.rpartition("/")[2], (source, target), (source_words, target_words), sure, possible)
    return build.done(Signature(f"{name}@{content_hash(files)}" + (f".limit{limit}" if limit else "")))


def read_link_gold(source: Reader, target: Reader, links: Path, *, name: str, limit: int | None = None) -> LinkGold:
    """Any reader's texts on both sides and a file of links in Pharaoh format, a line for each row: ``0-0 1p2``.

    ``-`` is a sure link, ``p`` one that is only possible; words count from 0. They are the data's tokens, or what
    stands between blanks where it has none. Only the first field of a row is aligned.

    Raises:
        InputError: The sides or the lines can't be paired, or a link is not written so.
    """
    build = _Builder(name, getattr(source, "lang", ""), getattr(target, "lang", ""))
    lines = list(read_lines(links))
    sources, targets = list(source.read()), list(target.read())
    if not len(sources) == len(targets) == len(lines):
        raise InputError(
            f"{len(lines)} lines of links for {len(sources)} source and {len(targets)} target texts",
            where=str(links),
            hint="a line of links for each pair; an empty line where a pair has none",
        )
    pairs = zip(sources, targets, strict=True)
    for (left, right), (number, line) in islice(zip(pairs, lines, strict=True), limit):
        found = [_PHARAOH.fullmatch(part) for part in line.split()]
        if None in found:
            bad = line.split()[found.index(None)]
            raise InputError(
                f"{bad!r} is not a link",
                where=f"{links}:{number}",
                valid="0-0 for a sure link, 0p0 for a possible one",
                hint="words count from 0, on both sides; links have a blank between them",
            )
        kinds = {kind: [(int(m[1]), int(m[3])) for m in found if m and m[2] == kind] for kind in "-p"}
        if isinstance(left, BadRow) or isinstance(right, BadRow):
            build.skipped["bad_row"] += 1
            continue
        build.add(left.id, (left.text, right.text), (_words(left), _words(right)), kinds["-"], kinds["p"])
    limited = f".limit{limit}" if limit else ""
    return build.done(Signature(f"{source.signature}+{target.signature}+links@{content_hash([links])}{limited}"))


class _Builder:
    def __init__(self, name: str, source_lang: str, target_lang: str) -> None:
        self.name, self.source_lang, self.target_lang = name, source_lang, target_lang
        self.inputs: list[ProjectionInput] = []
        self.sure: list[tuple[Link, ...]] = []
        self.possible: list[tuple[Link, ...]] = []
        self.skipped: Counter[str] = Counter()

    def add(
        self,
        row_id: str,
        texts: tuple[str, str],
        words: tuple[Sequence[Range], Sequence[Range]],
        sure: Sequence[Link],
        possible: Sequence[Link],
    ) -> None:
        langs = (self.source_lang, self.target_lang)
        self.inputs.append(ProjectionInput(row_id, *texts, (), *langs, tuple(words[0]), tuple(words[1])))
        for given, kept in ((sure, self.sure), (possible, self.possible)):
            inside = [(i, j) for i, j in given if i < len(words[0]) and j < len(words[1])]
            # No aligner can find a link to a word that is not there.
            self.skipped["link_out_of_range"] += len(given) - len(inside)
            kept.append(tuple(sorted(set(inside))))

    def done(self, signature: Signature) -> LinkGold:
        if not any(self.sure):
            raise InputError(
                f"no sure link in gold {self.name!r}", where=signature, hint="--links FILE with lines as 0-0 1-2"
            )
        return LinkGold(
            self.name,
            self.source_lang,
            self.target_lang,
            tuple(self.inputs),
            tuple(self.sure),
            tuple(self.possible),
            signature,
            {reason: n for reason, n in sorted(self.skipped.items()) if n},
        )


def _rows(files: Sequence[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in files:
        for number, line in read_lines(path):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(
                    f"not JSON ({error})",
                    where=where,
                    hint="links in Pharaoh format are given as --input FILE --target-input FILE --links FILE",
                ) from error
            yield where, row if isinstance(row, dict) else {}


def _words(example: Example) -> tuple[Range, ...]:
    text_field = next(iter(example.texts))
    given = tuple(example.tokens.get(text_field, ()))
    return given or tuple(m.span() for m in _NON_SPACE.finditer(example.text))


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value)


def _are_links(value: Any) -> bool:
    return isinstance(value, list) and all(_is_list(link, int) and len(link) == 2 and min(link) >= 0 for link in value)
