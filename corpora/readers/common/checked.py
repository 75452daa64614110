"""The one place where what a reader yields becomes a checked ``Example`` or a bad row.

A reader yields drafts: where a row stands, and how to make the example. Whatever happens while it is made, and whatever
types it holds, ends here; so no reader can forget a check.
"""

import logging
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.bad_row import BadRow, bad_row
from spanferry.corpora.readers.common.fit import Fit
from spanferry.corpora.readers.common.json_values import check_json
from spanferry.corpora.readers.common.rows import is_number
from spanferry.corpora.schema import Example, validate
from spanferry.corpora.signature import Signature

# What datasets accepts as the name of a split; it also names folders and files.
_SPLIT = re.compile(r"\w+(\.\w+)*", re.ASCII)
_LANG = re.compile(r"[A-Za-z0-9]{1,20}([-_][A-Za-z0-9]{1,20})*")
_LONGEST_SPLIT = 100
_MOST_NOTES, _LONGEST_NOTE = 10, 400
_LARGEST = 2**63 - 1  # what an Arrow column of offsets holds
# What code over data of unknown types raises; anything else is the environment's fault or ours.
_BY_TYPES = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError, RuntimeError)

_log = logging.getLogger("spanferry.readers")


@dataclass(frozen=True)
class Draft:
    """A row on its way.

    Attributes:
        id: Its id or its number, for messages.
        where: Its place in the file.
        raw: How to show the row as it stood in the file.
        split: Dataset split it would be in.
        make: Makes the example.
    """

    id: str
    where: str
    raw: Callable[[], str]
    split: str
    make: Callable[[], Example]


@dataclass(frozen=True)
class Note:
    """Something of the input that is not understood or left out; it is counted and said once.

    Attributes:
        message: What, and the option that helps.
    """

    message: str


Row = Draft | Example | BadRow | Note


class RowReader(ABC):
    """What all readers share: rows are drafts until they are checked."""

    def read(self) -> Iterator[Example | BadRow]:
        """Yields every row in the order of the data, as an example or as a bad row.

        Raises:
            InputError: The data as a whole can't be read.
        """
        return checked_rows(self._rows(), self._fit())

    @abstractmethod
    def _rows(self) -> Iterator[Row]:
        """The rows as they come, and notes between them."""

    def _fit(self) -> Fit | None:
        """What checks the offsets; None where the format has none of its own."""
        unit: Any = getattr(self, "offsets", None)
        end: Any = getattr(self, "end", None)
        return Fit(unit, end == "inclusive", with_end=end is not None) if unit is not None else None


@dataclass(frozen=True)
class CheckedReader(RowReader):
    """A reader from outside, with the checks of ours.

    Attributes:
        reader: It.
    """

    reader: Any

    @property
    def signature(self) -> Signature:
        """See ``Reader.signature``."""
        return Signature.of(self.reader.signature)

    def _rows(self) -> Iterator[Row]:
        yield from self.reader.read()


def checked_rows(rows: Iterable[Row], fit: Fit | None = None) -> Iterator[Example | BadRow]:
    """Every row, checked. What was not understood, and offsets that can't be right, is logged once, at the end."""
    notes: Counter[str] = Counter()
    hints: dict[str, str] = {}
    reasons: Counter[str] = Counter()
    try:
        for row in rows:
            if isinstance(row, Note):
                notes[_clean(row.message)] += 1
                continue
            made = checked(row)
            if isinstance(made, BadRow):
                reasons[made.reason] += 1
                hints.setdefault(made.reason, made.message)
            elif fit is not None:
                fit.add(made)
            yield made
    finally:
        for message, count in notes.most_common(_MOST_NOTES):
            _log.warning("%s%s", message, f" ({count} times)" if count > 1 else "")
        for reason, count in reasons.most_common(_MOST_NOTES):
            _log.warning("%d bad row(s) %s, the first: %s", count, reason, hints[reason][:_LONGEST_NOTE])
        if fit is not None and (said := fit.message()):
            _log.warning("%s", said)


def checked(row: Draft | Example | BadRow) -> Example | BadRow:
    """The example that ``row`` makes, or the bad row that says why it makes none."""
    if isinstance(row, BadRow):
        return BadRow(_clean(row.id), row.reason, _clean(row.message), _clean(row.raw), _split(row.split))
    if isinstance(row, Example):
        example = row
        row = Draft(str(row.id), str(row.id), lambda: repr(dict(example.texts)), str(row.split), lambda: example)
    try:
        made = row.make()
        _check_types(made)
        return validate(made)
    except RowError as error:
        found = error
    except _BY_TYPES as error:
        found = RowError("bad_types", f"the row can't be read ({type(error).__name__}: {str(error)[:200]})")
    bad = bad_row(found, row.id, row.where, row.raw(), row.split)
    return BadRow(_clean(bad.id), bad.reason, _clean(bad.message), _clean(bad.raw), _split(bad.split))


def _check_types(example: Example) -> None:
    where = str(example.id)
    _check_strings("bad_id", "the id", [example.id], where)
    if not isinstance(example.lang, str) or not _LANG.fullmatch(example.lang):
        raise RowError(
            "bad_lang", f"{example.lang!r:.60} is not a language tag", where=where, valid="en, pt-BR, zh-Hant …"
        )
    if not isinstance(example.split, str) or _split(example.split) != example.split:
        raise RowError(
            "bad_split",
            f"{example.split!r:.60} can't be the name of a split",
            where=where,
            valid="letters, digits, _ and single dots",
            hint="--set read.options.split=train puts all rows into one",
        )
    if not isinstance(example.texts, Mapping):
        raise RowError("no_text", "the texts are not a mapping", where=where)
    _check_strings("no_text", "a field or its text", [*example.texts, *example.texts.values()], where)
    if example.label is not None and not is_number(example.label):
        _check_strings("bad_label", "the label", [example.label], where)
    for span in example.spans:
        _check_strings("bad_span", "a span's label, id or field", [span.label, span.id, span.field], where)
        _check_numbers("bad_span", [span.start, span.end, *(e for part in span.fragments for e in part)], where)
        check_json(dict(span.attributes), where)
    for r in example.relations:
        _check_strings("bad_relation", "a relation's head, tail or label", [r.head, r.tail, r.label], where)
    for field, ranges in example.tokens.items():
        if field not in example.texts:
            raise RowError("unknown_field", f"tokens in field {field!r}", where=where, valid=", ".join(example.texts))
        _check_numbers("bad_tokens", [edge for pair in ranges for edge in pair], where)
    check_json(dict(example.meta), where)


def _check_strings(reason: str, what: str, values: Iterable[Any], where: str) -> None:
    for value in values:
        if not isinstance(value, str):
            raise RowError(reason, f"{what} is {value!r:.60}, not a string", where=where)
        if _has_surrogate(value) and reason != "no_text":
            raise RowError("bad_unicode", "an id or a label holds an unpaired surrogate", where=where)


def _check_numbers(reason: str, values: Iterable[Any], where: str) -> None:
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
            raise RowError(reason, f"{value!r:.60} is not an offset", where=where)


def _split(name: Any) -> str:
    """The name if a split may be called so, else ``train``."""
    good = isinstance(name, str) and len(name) <= _LONGEST_SPLIT and _SPLIT.fullmatch(name)
    return name if good else "train"


def _has_surrogate(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def _clean(value: str) -> str:
    """The string with unpaired surrogates written out, so that it can be stored."""
    return value.encode("utf-8", "backslashreplace").decode()
