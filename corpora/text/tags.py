"""Token tags (BIO, BIOES, IOB1, IO) to spans over tokens, and back."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

Scheme = Literal["iob2", "bioes", "iob1"]
ReadScheme = Literal["iob2", "bioes", "iob1", "io"]  # io can't be written: spans side by side would become one
SCHEMES: tuple[str, ...] = get_args(Scheme)

_LETTERS = {"iob2": "BI", "iob1": "BI", "bioes": "BIESLU"}  # L and U: the same scheme's other letters (BILOU)
_SAME = {"L": "E", "U": "S"}
# Letters of BMES and BMEWO for the same.
_OTHER_LETTERS = {"M": "I", "W": "S"}
_FRONT = re.compile(r"([BIESLUMW])[-_](.+)|([biesl])[-_](.+)")
_PAIRS = re.compile(r"[\w.\[\]:-]+=[^|]*(?:\|[\w.\[\]:-]+=[^|]*)*")
_LABEL = re.compile(r"[A-Za-z_]{2,}(?:[-/.:]\w+)*")
_OF_COLUMNS = ("tag_column", "read.options.label=")  # in hints that belong to files of columns
_SUFFIXED = re.compile(r"(.+)-([BIESLU])")
_PAIR = re.compile(r"(?:.*\|)?[\w.:-]+=(O|[BIESLU]-[^|]+)(?:\|.*)?")
_SEVERAL = re.compile(r"(?:O|[BIESLU]-.+?)[|,; ](?:O|[BIESLU]-.+)")


class TokenSpan(NamedTuple):
    """Tokens ``start`` to ``end`` (half-open) carry ``label``."""

    start: int
    end: int
    label: str


class TagProblem(NamedTuple):
    """The tag at token ``at`` can't stand there."""

    at: int
    message: str
    hint: str


def read_tags(
    tags: Sequence[str], scheme: ReadScheme = "iob2", *, repair: bool = False
) -> tuple[list[TokenSpan], TagProblem | None]:
    """The spans that ``tags`` mark, and the first tag that breaks the scheme, if one does.

    With ``repair`` a tag that continues nothing starts a span, and a span that is not ended ends where the next one
    starts; only a tag that is not a tag of the scheme is still a problem.

    >>> read_tags(["B-PER", "I-PER", "O", "B-LOC"])[0]
    [TokenSpan(start=0, end=2, label='PER'), TokenSpan(start=3, end=4, label='LOC')]
    """
    if scheme == "io":
        tags = [tag if tag == "O" else f"I-{tag}" for tag in tags]
        scheme = "iob1"
    spans: list[TokenSpan] = []
    start, label = -1, ""  # the open span, if start >= 0
    for i, tag in enumerate([*tags, "O"]):
        letter, _, name = tag.partition("-")
        if tag != "O" and (letter not in tuple(_LETTERS[scheme]) or not name or _SEVERAL.fullmatch(tag)):
            return spans, _unknown(i, tag, scheme)
        letter = _SAME.get(letter, letter)
        continues = start >= 0 and letter in ("I", "E") and name == label
        allowed = _allowed(letter, continues, start >= 0, scheme)
        if not allowed and not repair:
            return spans, _misplaced(i, tags, scheme)
        if start >= 0 and not continues:
            spans.append(TokenSpan(start, i, label))
            start = -1
        if letter != "O" and not continues:
            start, label = i, name
        if letter in ("E", "S"):
            spans.append(TokenSpan(start, i + 1, label))
            start = -1
    return spans, None


def plain_tag(cell: str, label: str | None = None) -> str:
    """The tag that a cell of a file holds, with its letter in front.

    ``PER-B``, ``B_PER`` and ``b-PER`` are ``B-PER``, ``M-PER`` (of BMES) is ``I-PER``, ``SpaceAfter=No|NER=B-PER`` (a
    MISC column of CoNLL-U) is ``B-PER``; a bare ``B`` gets ``label``. A cell that is none of these comes back as it is.

    >>> plain_tag("B", "Disease"), plain_tag("PER-B"), plain_tag("name=B-PER"), plain_tag("_"), plain_tag("M_LOC")
    ('B-Disease', 'B-PER', 'B-PER', 'O', 'I-LOC')
    """
    if cell in ("_", "", "o"):
        return "O"
    if label and cell in _LETTERS["bioes"]:
        return f"{cell}-{label}"
    if cell[1:2] != "-" or cell[0] not in _LETTERS["bioes"]:
        if match := _SUFFIXED.fullmatch(cell):
            return f"{match[2]}-{match[1]}"
        if match := _PAIR.fullmatch(cell):
            return match[1]
        if match := _FRONT.fullmatch(cell):
            letter = (match[1] or match[3]).upper()
            return f"{_OTHER_LETTERS.get(letter, letter)}-{match[2] or match[4]}"
    return cell


def holds_pairs(cell: str) -> bool:
    """Whether a cell is ``key=value|key=value``, as the MISC column of CoNLL-U has it."""
    return bool(_PAIRS.fullmatch(cell))


def row_hint(problem: TagProblem, option: str | None = None) -> str | None:
    """The hint of a problem for rows that have no columns; ``option`` names the key of their tags."""
    parts = [part for part in problem.hint.split("; ") if not any(name in part for name in _OF_COLUMNS)]
    if not parts and option is not None:
        return f"--set read.options.{option}=NAME names what holds the tags"
    return "; ".join(parts) or None


def write_tags(count: int, spans: Sequence[TokenSpan], scheme: Scheme = "iob2") -> list[str]:
    """The tags of ``count`` tokens, of which ``spans`` (disjoint) carry labels."""
    tags = ["O"] * count
    ends = {span.end: span.label for span in spans}
    for start, end, label in spans:
        tags[start:end] = [f"I-{label}"] * (end - start)
        if scheme == "iob2" or (scheme == "iob1" and ends.get(start) == label):
            tags[start] = f"B-{label}"
        elif scheme == "bioes":
            tags[start] = f"B-{label}"
            tags[end - 1] = f"E-{label}" if end - start > 1 else f"S-{label}"
    return tags


def _allowed(letter: str, continues: bool, inside: bool, scheme: str) -> bool:
    if scheme == "iob1":
        return True
    if scheme == "iob2":
        return letter in ("O", "B") or continues
    return continues if letter in ("I", "E") else not inside


def _unknown(index: int, tag: str, scheme: str) -> TagProblem:
    letters = ", ".join(f"{letter}-<label>" for letter in _LETTERS[scheme])
    message = f"{tag!r} is not a tag of the scheme {scheme} (O, {letters})"
    if _SEVERAL.fullmatch(tag):
        message, hint = (
            f"{tag!r} is several tags in one cell",
            "one tag a column; --set read.options.tag_columns=N,M reads several",
        )
    elif scheme != "bioes" and tag[:1] in tuple("ESLU") and tag[1:2] == "-":
        hint = "--set read.options.scheme=bioes"
    elif tag in tuple(_LETTERS["bioes"]):
        hint = "--set read.options.label=NAME gives tags without a label one"
    elif _LABEL.fullmatch(tag):
        hint = "--set read.options.scheme=io reads labels without a letter in front; "
        hint += "--set read.options.tag_column=N picks another column, from 0"
    else:
        hint = "--set read.options.tag_column=N picks the column of the tags, from 0"
    return TagProblem(index, message, hint)


def _misplaced(index: int, tags: Sequence[str], scheme: str) -> TagProblem:
    before = f"{tags[index - 1]!r}" if index else "the start of the sentence"
    if index == len(tags):
        index, message = index - 1, f"{tags[index - 1]!r} is not ended by an E- tag at the end of the sentence"
    else:
        message = f"tag {tags[index]!r} follows {before}, which scheme {scheme} does not allow"
    hint = "--set read.options.repair=true starts or ends the span there"
    if scheme == "iob2":
        hint += "; --set read.options.scheme=iob1 if the file marks B- only between neighbours"
    return TagProblem(index, message, hint)
