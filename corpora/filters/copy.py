"""What must be the same in every language: numbers, addresses, placeholders, code, markup, emoji, mentions, tags."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from typing import Any, ClassVar, Literal

import polars as pl
import regex
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule, by_id
from spanferry.corpora.filters.numbers.survival import has_digits, strayed, surviving
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.corpora.text.copied_items import DOMAIN, EMOJI, ENTITY, MENTION, TAG

Kind = Literal["number", "url", "email", "placeholder", "code", "markup", "emoji", "mention", "tag", "domain"]
KINDS: tuple[Kind, ...] = (
    "number",
    "url",
    "email",
    "placeholder",
    "code",
    "markup",
    "emoji",
    "mention",
    "tag",
    "domain",
)

# ASCII only, here and below: in Japanese and Chinese the words around an address touch it.
_URL = re.compile(r"(?:(?:https?|ftp)://|www\.)[A-Za-z0-9._~:/?#@!$&()*+,;=%|-]+", re.IGNORECASE)
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Format fields of Python, C, JavaScript templates and message catalogues; `100 % sure` and `50% off` are none.
_PLACEHOLDER = re.compile(
    r"\$?\{\{?\s*[\w.$-]*(?:![rsa])?(?::[^{}\s]*)?\s*\}\}?"
    r"|%\(\w+\)[-+0#]*\d*(?:\.\d+)?[a-zA-Z]"
    r"|(?<![\d%])%(?:\d+\$)?[-+0#]*\d*(?:\.\d+)?(?:l{0,2}[diuxX]|[sfgeEcr@])(?![A-Za-z])"
)
_CODE = re.compile(r"(`{1,3})([^`]+)\1")
_AIM = re.compile(r"\s<([^<>]+)>$")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)(?:\s[^<>]*)?/?>")
_ENTITY = re.compile(ENTITY)
_EMOJI, _MENTION, _ASCII_TAG, _DOMAIN = (regex.compile(pattern) for pattern in (EMOJI, MENTION, TAG, DOMAIN))
_VARIANTS = str.maketrans("", "", "\ufe0e\ufe0f")
_MARKS = regex.compile(rf"[`<{{%@&#]|://|www\.|\.[A-Za-z]|{EMOJI}")


def _urls(text: str) -> list[str]:
    return [u.rstrip(".,;:!?)]}") for u in _URL.findall(text)]


def _tags(text: str) -> list[str]:
    # Attributes may hold text that is rightly translated; the elements must stay.
    return [slash + name.lower() for slash, name in _TAG.findall(text)]


def _emoji(text: str) -> list[str]:
    # With and without the selector of its coloured form it is the same.
    return [found.translate(_VARIANTS) for found in _EMOJI.findall(text)]


def _domains(text: str) -> list[str]:
    return [found.lower() for found in _DOMAIN.findall(text)]


def _codes(text: str) -> list[str]:
    # In reStructuredText `shown text <target>` only the target must stay.
    return [aim.group(1) if (aim := _AIM.search(code)) else code for _, code in _CODE.findall(text)]


_FIND: Mapping[str, Callable[[str], list[str]]] = {
    "url": _urls,
    "email": _EMAIL.findall,
    "placeholder": _PLACEHOLDER.findall,
    "code": _codes,
    "markup": _tags,
    "emoji": _emoji,
    "mention": _MENTION.findall,
    "tag": _ASCII_TAG.findall,
    "domain": _domains,
}


def _entities(source: str, target: str) -> tuple[int, int]:
    """How many HTML entities had to survive, and how many did: as they are, or as the character they stand for.

    An ampersand may become the word for "and", a hard space a plain one; what is left of a broken entity (``yamp;``) is
    no word.
    """
    wanted = [m.group() for m in _ENTITY.finditer(source)]
    there, kept = Counter(m.group() for m in _ENTITY.finditer(target)), 0
    for entity in wanted:
        character = unescape(entity)
        if there[entity] > 0:
            there[entity] -= 1
            kept += 1
        elif character == "&" or character.isspace() or character == entity:
            name = entity[1:]
            kept += re.search(rf"(?<!&)\w*{re.escape(name)}|{re.escape(name[:-1])}\b", target) is None
        else:
            kept += character in target
    return len(wanted), kept


class Copy(FilterModel):
    """Rejects a row that lost what had to be copied.

    Two columns per kind, each the share that survived, None where there was nothing to copy. ``copy.<kind>`` looks at
    the whole text: what the translation lost (``copy:<kind>``). ``copy.span_<kind>`` looks at what survived in the
    text but lies outside the span that it lay in at the source: a misplaced label (``copy:span_<kind>``).

    Attributes:
        kinds: What the filter compares.
        words_up_to: An integer up to this may be written as a word in the target.
        min_number: Share of numbers that must survive in the text; half is usual for bitext without labels.
        min_share: Share of everything else that must survive in the text.
        min_span_share: Share of the surviving that must lie within its span.
    """

    name: ClassVar[str] = "copy"
    version: ClassVar[int] = 3
    scoring: ClassVar[tuple[str, ...]] = ("kinds", "words_up_to")

    kinds: tuple[Kind, ...] = KINDS
    words_up_to: int = Field(default=20, ge=0)
    min_number: float = Field(default=1.0, ge=0, le=1)
    min_share: float = Field(default=1.0, ge=0, le=1)
    min_span_share: float = Field(default=1.0, ge=0, le=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``copy.<kind>`` and ``copy.span_<kind>``; high is good. Markup has no span column."""
        text = [Column(f"copy.{k}", pl.Float64, low=self._least(k)) for k in self.kinds]
        spans = [Column(f"copy.span_{k}", pl.Float64, low=self.min_span_share) for k in self.kinds if k != "markup"]
        return (*text, *spans)

    def _least(self, kind: str) -> float:
        return self.min_number if kind == "number" else self.min_share

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        columns: dict[str, list[Any]] = {c.name: [None] * len(pairs) for c in self.columns}
        for row, pair in enumerate(pairs):
            if pair.target is None:
                continue
            for name, (needed, kept) in self._counts(pair.source, pair.target).items():
                if needed:
                    columns[name][row] = kept / needed
        return columns

    def reject(self) -> list[Rule]:
        """``copy:<kind>`` and ``copy:span_<kind>``."""
        return [(c.name.replace(".", ":"), pl.col(c.name) < c.low) for c in self.columns]

    def _counts(self, source: Example, target: Example) -> dict[str, tuple[int, int]]:
        """Column name to (what had to be there, what is)."""
        counts: dict[str, tuple[int, int]] = {}

        def add(name: str, found: tuple[int, int]) -> None:
            needed, kept = counts.get(name, (0, 0))
            counts[name] = (needed + found[0], kept + found[1])

        langs = source.lang, target.lang
        placed: Mapping[str, Span] | None = None
        for field, text in source.texts.items():
            digits, marks = has_digits(text), _MARKS.search(text) is not None
            if not digits and not marks:
                continue
            other = target.texts.get(field, "")
            placed = by_id(target.spans) if placed is None else placed
            both = [(s, placed[s.id]) for s in source.spans if s.field == field and s.id in placed]
            for kind in self.kinds:
                if kind == "number" and digits:
                    add("copy.number", surviving(text, other, self.words_up_to, *langs))
                    for span, end in both:
                        if has_digits(span.quote(text)):
                            ranges = (span.start, span.end), (end.start, end.end)
                            add("copy.span_number", strayed(text, other, *ranges, self.words_up_to, *langs))
                elif kind != "number" and marks:
                    find = _FIND[kind]
                    wanted = Counter(find(text))
                    if kind == "markup" and "&" in text:
                        add("copy.markup", _entities(text, other))
                    if wanted:
                        add(f"copy.{kind}", (wanted.total(), (wanted & Counter(find(other))).total()))
                        if kind != "markup":
                            for span, end in both:
                                held = [w for w in find(span.quote(text)) if w in other]
                                add(f"copy.span_{kind}", (len(held), sum(w in end.quote(other) for w in held)))
        return counts
