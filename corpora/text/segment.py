"""Long text: cut into sentences before it is translated, put together again with every offset afterwards.

White space between segments, paragraphs included, is never translated: it goes over to the target as it was.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Literal

from spanferry.corpora.placing import placed_span, with_projections, without_places
from spanferry.corpora.schema import Example, Pair, Projection, Span, Translation
from spanferry.corpora.text.scripts import UNSPACED_LANGUAGES

if TYPE_CHECKING:
    from spacy.language import Language

Mode = Literal["sentence", "none"]

_LOCK = Lock()  # spaCy's vocabulary grows while it reads, and flows call this from several threads
_CONTEXT = 100  # code points before and after a full stop that tell what it is
SOURCE_TOO_LONG = "source_too_long"

_PARAGRAPH = re.compile(r"[^\n\r\u2028\u2029]+")
# Without one of these there is one sentence, and no need for spaCy.
_MAY_END_INSIDE = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+\S|[。．！？｡؟۔।॥։።၊။៕]\s*\S|[^\W\d_][.!?][^\W\d_]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'«“„])(?:Dr|Dra|Mr|Mrs|Ms|Prof|Profa|St|Ste|Sr|Sra|Srta|Mme|Mlle|MM|Sig|Dott|Hr|Fr|Frl|Gen|Col|Capt|Lt"
    r"|Sgt|Rev|Hon|Pres|Gov|Sen|Rep|vs|cf|ca|bzw|approx|vol|vgl|resp|z\. ?B|u\. ?a|d\. ?h|e\.g|i\.e|p\. ?ej|\w)\.$",
    re.IGNORECASE,
)
# The sentencizer adds what punctuation follows to the sentence, also a quote that opens the next one.
_OPENS_NEXT = re.compile(r"(?:\s+[\"'“‘«„‚(\[{¿¡]+|[「『（〈《【¿¡(\[{]+)\s*$")
_NUMBERED = re.compile(r"(?:^|\s)(?:No|Nr|Nos|Art|Fig|Abs|Sec|Ch|pp?|n|núm|Nº)\.$", re.IGNORECASE)
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}\.$")
_ORDINAL_LANGUAGES = frozenset(
    {"de", "da", "nb", "nn", "no", "fi", "cs", "sk", "hu", "sl", "hr", "sr", "et", "lv", "pl", "is"}
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one field that is translated by itself.

    Attributes:
        field: The field.
        index: Its number among the field's segments.
        start: First code point in the field's text.
        end: One past the last.
        text: The field's text from start to end; no white space at its ends.
        spans: The spans in it, with offsets into ``text`` and their ids; the parts of a span that was split have ids
            ``<id>#0``, ``<id>#1`` … in the order of the text.
        reason: ``source_too_long`` if it is beyond the limit and can't be cut further, else None.
    """

    field: str
    index: int
    start: int
    end: int
    text: str
    spans: tuple[Span, ...] = ()
    reason: str | None = None


def segment(example: Example, *, length: Callable[[str], int], limit: int, mode: Mode = "sentence") -> list[Segment]:
    """Cuts the texts of ``example`` into segments, field by field.

    Neighbouring sentences that a span crosses are joined, shorter spans first, while they stay within the limit; a span
    that crosses further is split, and ``reassemble`` joins its parts again.

    Args:
        example: All its spans have ids.
        length: Length of a text in the unit of ``limit`` (the model's pieces); never above one per UTF-8 byte.
        limit: The longest segment to translate.
        mode: "sentence" (spaCy's rule-based sentencizer in paragraphs), or "none": each field is one segment.

    Returns:
        The segments, in the order of fields and text; a field of white space has none. No span is lost, except one
        that covers white space only, to which ``reassemble`` gives the reason ``no_segment``.
    """
    result: list[Segment] = []

    def fits(text: str) -> bool:
        return len(text.encode()) <= limit or length(text) <= limit

    for field, text in example.texts.items():
        spans = [span for span in example.spans if span.field == field]
        ranges = list(_sentences(text, example.lang) if mode == "sentence" else _stripped(text, 0, len(text)))
        for span in sorted(spans, key=lambda s: (s.end - s.start, s.start, s.id)):
            first, last = _touched(span, ranges)
            if last - first > 1:
                start, end = ranges[first][0], ranges[last - 1][1]
                if fits(text[start:end]):
                    ranges[first:last] = [(start, end)]
        inside = _spans_inside(spans, ranges, example)
        for i, (start, end) in enumerate(ranges):
            part = text[start:end]
            reason = None if fits(part) else SOURCE_TOO_LONG
            result.append(Segment(field, i, start, end, part, tuple(inside[i]), reason))
    return result


def reassemble(
    example: Example,
    segments: Sequence[Segment],
    translations: Sequence[Translation],
    projections: Sequence[Sequence[Projection]],
    *,
    target_lang: str,
    signature: str = "",
) -> Pair:
    """Puts translated segments together: the target example, and one projection for each source span.

    The parts of a split span become one projection with the lowest score of its parts; it spans from the first part to
    the last (as fragments, if the source span is discontinuous). If one part was not placed, neither is the span.

    If a segment failed there is no translation of the example: the pair is rejected with ``translate:<reason>`` for
    each reason, its target is None, and so is each projection's span. A truncated translation is rejected as
    ``translate:truncated``, but keeps its target. ``scores["mt_score"]`` is the mean log-probability per piece, in
    nats, where the translator gave one for every segment. Terms that a repair put into a translation are in
    ``meta["repaired"]`` of the target.

    Args:
        example: What was cut.
        segments: All its segments, in the order in which ``segment`` returned them.
        translations: One for each segment; that of a segment which has a reason itself is not looked at.
        projections: For each segment one projection per span of the segment.
        target_lang: BCP-47 tag of the target.
        signature: Of the pair.
    """
    reasons = [_failure(s, t) for s, t in zip(segments, translations, strict=True)]
    failed = list(dict.fromkeys(f"translate:{reason}" for reason in reasons if reason))
    if failed:
        lost = tuple(Projection(span.id, None, 0.0, "none", failed[0]) for span in example.spans)
        return Pair(example, None, lost, kept=False, reasons=tuple(failed), signature=signature)
    texts, bases = _target_texts(example, segments, translations, target_lang)
    parts = _shifted(segments, translations, projections, bases)
    joined = tuple(_joined(span, parts, example) for span in example.spans)
    meta = without_places(example.meta)
    if terms := [list(term) for translation in translations for term in translation.terms]:
        meta["repaired"] = terms
    translated = replace(example, lang=target_lang, texts=texts, meta=meta, tokens={})
    target = with_projections(translated, example, joined)
    pair = Pair(example, target, joined, _scores(translations), signature=signature)
    return pair.rejected("translate:truncated") if any(t.truncated for t in translations) else pair


def _failure(part: Segment, translation: Translation) -> str | None:
    if part.reason or translation.reason:
        return part.reason or translation.reason
    return None if translation.text.strip() else "empty_translation"


def _scores(translations: Sequence[Translation]) -> dict[str, float]:
    scored = [(t.score, max(1, len(t.pieces))) for t in translations if t.score is not None]
    if not scored or len(scored) < len(translations):
        return {}
    return {"mt_score": sum(score * n for score, n in scored) / sum(n for _, n in scored)}


def _target_texts(
    example: Example, segments: Sequence[Segment], translations: Sequence[Translation], target_lang: str
) -> tuple[dict[str, str], list[int]]:
    """Target text by field, and where in it each segment's translation starts."""
    bases = []
    texts = {}
    rows = list(zip(segments, translations, strict=True))
    unspaced = target_lang.split("-")[0].lower() in UNSPACED_LANGUAGES
    for field, source in example.texts.items():
        target, at = "", 0
        for part, translation in rows:
            if part.field == field:
                gap = source[at : part.start]
                target += _gap(gap, unspaced) if part.index else gap
                bases.append(len(target))
                target += translation.text
                at = part.end
        texts[field] = target + source[at:]
    return texts, bases


def _gap(gap: str, unspaced: bool) -> str:
    """What separates two sentences in the target: paragraphs stay, blanks follow the target's custom."""
    if gap.strip(" "):
        return gap
    return "" if unspaced else gap or " "


def _shifted(
    segments: Sequence[Segment],
    translations: Sequence[Translation],
    projections: Sequence[Sequence[Projection]],
    bases: Sequence[int],
) -> dict[tuple[str, str], Projection]:
    """Projections by field and id of the segment's span, with offsets into the field's target text."""
    found = {}
    for part, translation, row, base in zip(segments, translations, projections, bases, strict=True):
        for projection in row:
            span = projection.span
            if span is not None and 0 <= span.start < span.end <= len(translation.text):
                fragments = tuple((a + base, b + base) for a, b in span.fragments)
                start, end = span.start + base, span.end + base
                span = replace(span, start=start, end=end, field=part.field, fragments=fragments)
                projection = replace(projection, span=span)
            elif span is not None:
                projection = replace(projection, span=None, score=0.0, reason="bad_offsets")
            found[part.field, projection.source_span_id] = projection
    return found


def _joined(span: Span, parts: Mapping[tuple[str, str], Projection], example: Example) -> Projection:
    whole = parts.get((span.field, span.id))
    if whole is not None:
        placed = whole.span and placed_span(replace(whole.span, id=span.id, label=span.label), span)
        return replace(whole, span=placed)
    prefix, found = _part_prefix(span.id, example), list[Projection]()
    while (part := parts.get((span.field, f"{prefix}{len(found)}"))) is not None:
        found.append(part)
    if not found:
        return Projection(span.id, None, 0.0, "none", "no_segment")
    method = "+".join(dict.fromkeys(p.method for p in found))
    spans = [p.span for p in found if p.span is not None]
    if len(spans) < len(found):
        reason = next(p.reason for p in found if p.span is None)
        return Projection(span.id, None, 0.0, method, f"split_part:{reason}")
    fragments = tuple(f for s in spans for f in s.fragments or ((s.start, s.end),)) if span.fragments else ()
    target = placed_span(replace(span, start=spans[0].start, end=spans[-1].end, fragments=fragments), span)
    return Projection(span.id, target, min(p.score for p in found), method)


def _spans_inside(spans: Sequence[Span], ranges: Sequence[tuple[int, int]], example: Example) -> list[list[Span]]:
    """For each range the spans or parts of spans in it, relative to it."""
    inside: list[list[Span]] = [[] for _ in ranges]
    for span in spans:
        parts = [(i, part) for i in range(*_touched(span, ranges)) if (part := _clipped(span, *ranges[i], example))]
        prefix = _part_prefix(span.id, example) if len(parts) > 1 else ""
        for k, (i, part) in enumerate(parts):
            inside[i].append(part if len(parts) == 1 else replace(part, id=f"{prefix}{k}"))
    return inside


def _touched(span: Span, ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first range that ``span`` shares a code point with, and one past the last; ``ranges`` ascend."""
    return (
        bisect_right(ranges, span.start, key=lambda r: r[1]),
        bisect_left(ranges, span.end, key=lambda r: r[0]),
    )


def _clipped(span: Span, start: int, end: int, example: Example) -> Span | None:
    """The part of ``span`` in the range, relative to it, without white space at cut ends; None if there is none."""
    text = example.texts[span.field]
    pieces = [
        (a - start, b - start)
        for first, last in span.fragments or ((span.start, span.end),)
        for a, b in _stripped_if_cut(text, (first, last), (max(first, start), min(last, end)))
    ]
    if not pieces:
        return None
    return replace(
        span,
        start=pieces[0][0],
        end=pieces[-1][1],
        fragments=tuple(pieces) if span.fragments and len(pieces) > 1 else (),
    )


def _stripped_if_cut(text: str, whole: tuple[int, int], part: tuple[int, int]) -> Iterator[tuple[int, int]]:
    if whole == part:
        yield part
    elif part[0] < part[1]:
        yield from _stripped(text, *part)


def _part_prefix(span_id: str, example: Example) -> str:
    """What the parts' ids of a split span start with; no span of the example has an id of that kind."""
    prefix = f"{span_id}#"
    while any(span.id.startswith(prefix) for span in example.spans):
        prefix += "#"
    return prefix


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The range without white space at its ends, if anything is left."""
    part = text[start:end]
    if stripped := part.strip():
        first = start + len(part) - len(part.lstrip())
        yield first, first + len(stripped)


def _sentences(text: str, lang: str) -> Iterator[tuple[int, int]]:
    for paragraph in _PARAGRAPH.finditer(text):
        base = paragraph.start()
        if not _may_be_several(paragraph[0], lang):
            yield from _stripped(text, base, paragraph.end())
            continue
        start = base
        with _LOCK:
            ends = [sentence.end_char for sentence in _sentencizer(lang)(paragraph[0]).sents]
        for end in ends:
            if opener := _OPENS_NEXT.search(paragraph[0], start - base, end):
                end = opener.start() if end < ends[-1] else end
            if end < ends[-1] and _goes_on(paragraph[0], end, lang):
                continue
            yield from _stripped(text, start, base + end)
            start = base + end


def _may_be_several(paragraph: str, lang: str) -> bool:
    """Whether a sentence may end inside the paragraph; most examples are one sentence and need no spaCy."""
    return any(not _goes_on(paragraph, match.end() - 1, lang) for match in _MAY_END_INSIDE.finditer(paragraph))


def _goes_on(paragraph: str, end: int, lang: str) -> bool:
    """Whether what looks like the end of a sentence is none: an abbreviation, an ordinal, or no new start after it."""
    before, after = paragraph[max(0, end - _CONTEXT) : end].rstrip(), paragraph[end : end + _CONTEXT].lstrip()
    if not after or after[0].islower() or not any(c.isalnum() for c in after):
        return True
    if _ABBREVIATION.search(before) or (_NUMBERED.search(before) and after[0].isdigit()):
        return True
    return bool(_ORDINAL.search(before)) and lang.split("-")[0].lower() in _ORDINAL_LANGUAGES


@lru_cache(maxsize=32)
def _sentencizer(lang: str) -> "Language":
    import spacy

    code = lang.split("-")[0].lower()
    # Chinese cuts into characters, which also finds the full stops of Japanese without a Japanese tokeniser.
    code = "zh" if code in ("ja", "yue", "cmn", "wuu", "lzh") else code
    try:
        nlp = spacy.blank(code)
    except ImportError:
        nlp = spacy.blank("xx")  # a language spaCy does not know, or one whose tokeniser is another package
    nlp.add_pipe("sentencizer")
    nlp.max_length = 1 << 40  # the guard is for the parser's memory, and there is no parser
    return nlp
