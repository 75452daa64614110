"""Which columns of a CoNLL file hold the token and the tags, decided over many sentences."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from spanferry.corpora.errors import InputError
from spanferry.corpora.text.tags import holds_pairs, plain_tag

Line = tuple[int, list[str]]  # line number, columns

SAMPLE = 200  # sentences; columns are decided from these
_TAG = re.compile(r"O|[BIESLU]-.+")
_BARE = frozenset("BIESLU")
_ID = re.compile(r"(\d+)(?:-(\d+)|\.(\d+))?")
_MOST = 0.9  # of the lines; published files have a few that are broken
_DOUBT = 0.6  # below it column 0 is not an id; between the two nobody can say
_CONLLU = 10  # columns of CoNLL-U, whose second is the token
_SHOWN = 3
# Of CoNLL-2000, Tjong Kim Sang and Buchholz (2000), table 1.
_CHUNKS = frozenset({"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"})


class Columns(NamedTuple):
    """What was decided.

    Attributes:
        token: Column of the token.
        tags: Columns of the tags.
        numbered: Column of the word numbers, or None.
        pairs: Those of ``tags`` that hold a tag among other pairs, as the MISC column of CoNLL-U does.
        unread: Further columns that hold tags and are not read, with some of their labels.
    """

    token: int
    tags: tuple[int, ...]
    numbered: int | None
    pairs: frozenset[int] = frozenset()
    unread: tuple[tuple[int, str], ...] = ()


def decide(
    sentences: Sequence[Sequence[Line]], token: int | None, tags: Sequence[int], label: str | None, path: str
) -> Columns:
    """The columns of a file.

    Args:
        sentences: Its first sentences.
        token: The column of the token, if it was named.
        tags: The columns of the tags, if they were named.
        label: The label of tags without one, if it was named.
        path: Of the file, for messages.

    Raises:
        InputError: It is undecidable whether the first column numbers the words or is the words.
    """
    lines = [line for sentence in sentences for line in sentence]
    width = Counter(len(columns) for _, columns in lines).most_common(1)[0][0] if lines else 1
    found, unread = (tuple(tags), ()) if tags else _tag_columns([c for _, c in lines if len(c) == width], width, label)
    share, steps = _numbered(sentences)
    several = width > 2 and len({0, *(t % width for t in found)}) < width
    numbered = None
    if several and 0 not in {t % width for t in found}:
        if width == _CONLLU or (share >= _MOST and steps):
            numbered = 0
        elif token is None and share >= _DOUBT:
            shown = "\n".join("  " + "\t".join(columns) for _, columns in lines[:_SHOWN])
            raise InputError(
                f"can't decide whether column 0 holds word numbers or words:\n{shown}",
                where=path,
                hint="--set read.options.token_column=1 where it numbers them, =0 where it is the words",
            )
    if token is None:
        token = 0 if numbered is None else 1
    pairs = frozenset(at for at in found if any(_is_pair(cells, at) for _, cells in lines))
    return Columns(token, found, numbered, pairs, unread)


def without_ranges(lines: Sequence[Line], columns: Columns, label: str | None) -> tuple[list[Line], int]:
    """The surface tokens of a sentence, and how many tags of their words were lost.

    A multiword token ``2-3`` stands in the text, its words 2 and 3 do not; an empty node ``3.1`` does not either. A
    multiword token without a tag of its own gets the first of its words' tags.
    """
    if columns.numbered is None:
        return list(lines), 0
    kept: list[Line] = []
    lost, last, open_range = 0, -1, -1
    for number, cells in lines:
        match = _ID.fullmatch(cells[columns.numbered])
        if match is None:
            kept.append((number, cells))
            continue
        if match[3] is not None:
            continue
        first = int(match[1])
        if match[2] is not None:
            last, open_range = int(match[2]), len(kept)
            kept.append((number, list(cells)))
        elif first <= last and open_range >= 0:
            lost += _inherit(kept[open_range][1], cells, columns.tags, label)
        else:
            last, open_range = -1, -1
            kept.append((number, cells))
    return kept, lost


def _inherit(whole: list[str], word: list[str], tags: Sequence[int], label: str | None) -> int:
    lost = 0
    for tag in tags:
        if not (-len(word) <= tag < len(word) and -len(whole) <= tag < len(whole)):
            continue
        own, its = plain_tag(whole[tag], label), plain_tag(word[tag], label)
        if its == "O" or own[2:] == its[2:]:
            continue
        if own == "O":
            whole[tag] = word[tag]
        else:
            lost += 1
    return lost


def _tag_columns(
    rows: Sequence[Sequence[str]], width: int, label: str | None
) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
    """The columns of tags, and further ones that hold tags of another kind."""
    if not rows or width < 2:
        return (-1,), ()
    labels: dict[int, set[str]] = {}
    for at in range(1, width):
        cells = [plain_tag(row[at], label or "") for row in rows]
        pairs = any(_is_pair(row, at) for row in rows)
        fits = sum(bool(_TAG.fullmatch(c)) or c in _BARE or (pairs and holds_pairs(c)) for c in cells)
        blank = all(row[at] in ("_", "", "-") for row in rows)
        if fits >= _MOST * len(cells) and not blank:
            labels[at] = {cell[2:] for cell in cells if cell[1:2] == "-"}
    if not labels:
        return (-1,), ()
    main = max(labels)
    if not labels[main]:
        main = max((at for at in labels if labels[at]), default=main)
    # Nested entities lie in columns side by side (GermEval); chunks beside them are labels of another kind.
    nested = []
    for at in range(main - 1, 0, -1):
        if at not in labels or (labels[at] and labels[at] <= _CHUNKS):
            break
        nested.append(at)
    nested += [at for at in labels if at > main]
    unread = tuple((at, ", ".join(sorted(labels[at])[:_SHOWN])) for at in labels if at not in (main, *nested))
    return tuple(sorted((main, *nested))), unread


def _is_pair(cells: Sequence[str], at: int) -> bool:
    """Whether a cell holds a tag as a pair, ``NER=B-PER``."""
    return -len(cells) <= at < len(cells) and "=" in cells[at] and bool(_TAG.fullmatch(plain_tag(cells[at])))


def _numbered(sentences: Sequence[Sequence[Line]]) -> tuple[float, int]:
    """The share of lines whose first column goes on counting, and how many lines go on from another."""
    fits, total, steps = 0, 0, 0
    for sentence in sentences:
        expected: int | None = None
        for _, cells in sentence:
            total += 1
            match = _ID.fullmatch(cells[0])
            if match is None:
                continue
            at = int(match[1])
            if match[2] is not None or match[3] is not None:
                fits += expected is None or at in (expected, expected - 1)
                continue
            if expected is None:
                fits += at in (0, 1)
            else:
                fits += at == expected
                steps += at == expected
            expected = at + 1
    return (fits / total if total else 0.0), steps
