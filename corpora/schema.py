"""The words of the house: spans, examples, projections and pairs.

Offsets are Unicode code points of the raw text of one field, half-open: ``texts[span.field][span.start:span.end]``
is the quote. Everything here is a frozen value; stages make new ones.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spanferry.corpora.errors import RowError

# Half-open code points.
Range = tuple[int, int]
TEXT = "text"
# Fields and label of question answering.
QUESTION, CONTEXT, ANSWER = "question", "context", "answer"

# The shape of BCP-47 (RFC 5646, section 2.1); underscores, as in "pt_BR", are common in data.
_LANG = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of one field's text.

    Attributes:
        start: First code point.
        end: One past the last code point.
        label: The label as the data has it.
        id: Unique within its example; relations and projections refer to it.
        field: The text field it lies in.
        fragments: For a discontinuous span its parts as (start, end), ascending, disjoint; their hull is
            (start, end). Empty for a contiguous span.
        attributes: What the data says of it besides the label (ids in a knowledge base, a normal form, an annotator's
            note): JSON values by name. They go wherever the span goes.

    >>> Span(14, 20, "city").quote("Anna lives in Berlin.")
    'Berlin'
    """

    start: int
    end: int
    label: str
    id: str = ""
    field: str = TEXT
    fragments: tuple[tuple[int, int], ...] = ()
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    def quote(self, text: str) -> str:
        """The text it covers (the hull, for a discontinuous span)."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a code point of the same field."""
        return self.field == other.field and self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Whether ``other`` lies within this span (equal ones contain each other)."""
        return self.field == other.field and self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed link between two spans of one example (event argument, relation, coreference).

    >>> example = Example("1", "en", {"text": "Ann met Bob"}, (Span(0, 3, "P", "a"), Span(8, 11, "P", "b")))
    >>> validate(replace(example, relations=(Relation("a", "b", "met"),))).relations[0].label
    'met'
    """

    head: str
    tail: str
    label: str


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated example.

    Attributes:
        id: Unique within its dataset.
        lang: BCP-47 language tag of the texts.
        texts: Field name to raw text, in a fixed order: ``{"text": …}``, ``{"question": …, "context": …}``.
        spans: The labelled spans, in the order of the data.
        relations: Links between span ids.
        label: The label of the whole example (intent, class, a score), if there is one; a number stays one.
        meta: Whatever else the data carried; JSON values.
        tokens: For tokenised input, field name to the (start, end) of each token in the raw text.
        split: Dataset split it belongs to.

    >>> example = Example("1", "en", {"text": "Anna lives in Berlin."}, spans=(Span(14, 20, "city"),))
    >>> [example.quote(span) for span in example.spans]
    ['Berlin']
    """

    id: str
    lang: str
    texts: Mapping[str, str]
    spans: tuple[Span, ...] = ()
    relations: tuple[Relation, ...] = ()
    label: str | int | float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    tokens: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    split: str = "train"

    @property
    def text(self) -> str:
        """The only text of a one-field example, else the first field's."""
        return next(iter(self.texts.values()))

    def quote(self, span: Span) -> str:
        """The text that ``span`` covers."""
        return self.texts[span.field][span.start : span.end]

    def with_span_ids(self) -> "Example":
        """The same example in which every span has an id (``s0``, ``s1`` … where it had none)."""
        if all(span.id for span in self.spans):
            return self
        taken = {span.id for span in self.spans if span.id}
        fresh = (name for i in range(len(self.spans) * 2 + 1) if (name := f"s{i}") not in taken)
        return replace(self, spans=tuple(s if s.id else replace(s, id=next(fresh)) for s in self.spans))


@dataclass(frozen=True, slots=True)
class Translation:
    """What a translator returns for one text.

    Attributes:
        text: The translation, detokenised.
        pieces: Its subword pieces, without language tokens and end markers.
        score: Mean log-probability per piece, in nats; None where the translator gives none.
        truncated: Whether the input or the output hit the model's limit.
        reason: Why there is no usable translation, or None. ``text`` is then "".
        terms: Words of spans that a repair put into it: (source, target).

    >>> Translation("", reason="source_too_long").reason
    'source_too_long'
    """

    text: str
    pieces: tuple[str, ...] = ()
    score: float | None = None
    truncated: bool = False
    reason: str | None = None
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Projection:
    """Where one source span went. Exactly one for every source span; a failure has a reason and no span.

    Attributes:
        source_span_id: Id of the source span.
        span: The target span with the source's id and label, or None.
        score: Confidence in [0, 1]; 0.0 where span is None.
        method: The method that placed it.
        reason: Why it was not placed, or None.

    >>> Projection("s0", None, 0.0, "default", "unaligned").reason
    'unaligned'
    """

    source_span_id: str
    span: Span | None
    score: float
    method: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An example and its translation.

    Attributes:
        source: The annotated example.
        target: The example in the target language; its spans are those projected. None where there is none.
        projections: One for each source span, in the source's order.
        scores: Filter and model scores by name.
        kept: Whether no filter rejected it.
        reasons: Every reason it was rejected for, ``filter:detail``.
        signature: The choices that made it.

    >>> pair = Pair(Example("1", "en", {"text": "Hello."}), Example("1", "es", {"text": "Hola."}))
    >>> pair.rejected("length_ratio:long").reasons
    ('length_ratio:long',)
    """

    source: Example
    target: Example | None
    projections: tuple[Projection, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    kept: bool = True
    reasons: tuple[str, ...] = ()
    signature: str = ""

    def rejected(self, *reasons: str) -> "Pair":
        """The same pair, rejected for ``reasons`` on top of those it had."""
        new = tuple(r for r in reasons if r not in self.reasons)
        return replace(self, kept=False, reasons=self.reasons + new)


def validate(example: Example) -> Example:
    """Checks offsets, fields and relations; returns the example with span ids filled in.

    Raises:
        RowError: ``bad_lang`` (no language tag), ``bad_offsets`` (start or end outside the text, or not ascending),
            ``unknown_field``, ``empty_text``, ``duplicate_span_id``, ``bad_relation`` or ``bad_unicode`` (unpaired
            surrogates).

    >>> [span.id for span in validate(Example("1", "en", {"text": "Anna"}, spans=(Span(0, 4, "P"),))).spans]
    ['s0']
    """
    if not _LANG.fullmatch(example.lang):
        raise RowError(
            "bad_lang",
            f"{example.lang!r} is not a language tag",
            where=example.id,
            valid="a BCP-47 tag such as es, pt-BR",
        )
    for name, text in example.texts.items():
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise RowError("bad_unicode", f"field {name!r} holds an unpaired surrogate", where=example.id)
    if not example.texts or not any(text.strip() for text in example.texts.values()):
        raise RowError("empty_text", "no field holds any text", where=example.id)
    for span in example.spans:
        _check_span(span, example)
    example = example.with_span_ids()
    ids = [span.id for span in example.spans]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise RowError("duplicate_span_id", f"span id {twice!r} occurs twice", where=example.id)
    known = set(ids)
    for relation in example.relations:
        for end in (relation.head, relation.tail):
            if end not in known:
                raise RowError(
                    "bad_relation",
                    f"relation {relation.label!r} names span {end!r}",
                    where=example.id,
                    valid=", ".join(ids),
                )
    return example


def _check_span(span: Span, example: Example) -> None:
    if span.field not in example.texts:
        raise RowError(
            "unknown_field", f"span in field {span.field!r}", where=example.id, valid=", ".join(example.texts)
        )
    length = len(example.texts[span.field])
    parts: Sequence[tuple[int, int]] = span.fragments or ((span.start, span.end),)
    bounds = [edge for part in parts for edge in part]
    ascending = all(a < b for a, b in parts) and bounds == sorted(bounds)
    if not ascending or bounds[0] != span.start or bounds[-1] != span.end or span.start < 0 or span.end > length:
        raise RowError(
            "bad_offsets",
            f"span {span.label!r} [{span.start}, {span.end}) in a text of {length} code points",
            where=example.id,
            valid=f"0 <= start < end <= {length}",
            hint="offsets are Unicode code points, end exclusive; see the reader's option 'offsets'",
        )
