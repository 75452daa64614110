"""Projection by translating the text with its spans in brackets (EasyProject, Chen et al., Findings of ACL 2023).

The method makes a translation of its own. `MarkersProjector.translate_marked` hands that out with its spans;
`MarkersProjector.project` leaves a given target as it is and looks up in it what the brackets held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz import fuzz

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range, Span, Translation
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import ProjectionInput, single_words_of_both, words_in
from spanferry.projectors.markers.tags import tag, tag_names, untag
from spanferry.projectors.markers.text import mark, match_labels, unmark
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.search import Candidate, choose

METHOD = "markers"
STYLES = ("brackets", "tags")
# A stretch of the given target counts as what the brackets held if it is at least this much like it.
_LIKE = 0.75
# How much a stretch at the other end of the text counts less than one where the brackets stood.
_FAR = 0.3
_KEPT = 8
# Translations of a marked text that are looked at where the best has not as many brackets as the text.
_NEXT = 8


@dataclass(frozen=True, slots=True)
class _Read:
    """A translation without its markers, the range that each of its pairs held, and what is wrong with them."""

    translation: Translation
    ranges: Sequence[Range | None] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Marked:
    """What came of translating one marked text: for each span a range of ``translation.text``, or a reason."""

    translation: Translation
    found: tuple[tuple[Range, float] | str, ...]


class MarkersProjector:
    """Projection by markers in the source.

    Reasons: ``crossing`` (spans that cross can't be marked), those of the translator for the marked text,
    ``marker_count`` (none of the best translations has as many pairs of brackets as the source; of tags, the span's own
    pair), ``marker_unmatched`` (it is unclear which brackets belong to the span), and for a given target
    ``empty_target``, ``not_in_target`` (what the markers held does not occur in it) and ``conflict`` (it occurs only
    where another span went).

    With brackets, square brackets of the text itself become parentheses on the way.

    The score is the likeness by which the brackets were matched (1 where order decides), for a given target times the
    likeness of the stretch found, less up to 0.3 for a place far from where the brackets stood.

    Args:
        translator: A `spanferry.translators.base.Translator`; one that never saw markers loses many of them.
        retranslates: In a flow that translates, the marked text's translation takes the place of the plain one, as in
            the paper, wherever its markers came out right.
        markers: ``brackets``, all alike, or ``tags``, a pair of its own for every span (``projectors.markers.tags``),
            for models that were tuned for them; then spans may cross and each is found or lost by itself.

    Raises:
        ConfigError: Other markers.
    """

    def __init__(self, translator: Any, *, retranslates: bool = False, markers: str = "brackets") -> None:
        if markers not in STYLES:
            raise ConfigError(f"markers={markers!r}", valid=STYLES, hint="leave markers out for brackets")
        self.translator, self.retranslates, self.tags = translator, retranslates, markers == "tags"

    @property
    def signature(self) -> Signature:
        """``markers.2`` and the model."""
        aware = "" if getattr(self.translator, "marker_aware", False) else ".markers:unknown"
        aware = ".tags" if self.tags else aware
        own = ".own" if self.retranslates else ""
        return Signature(f"{METHOD}.2.{LABEL_EDGES}{aware}{own}({self.translator.signature})")

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """One projection per span onto the given targets.

        Raises:
            ModelError: The model lacks a language.
        """
        return [
            _onto_given(given, marked) for given, marked in zip(inputs, self._translate_marked(inputs), strict=True)
        ]

    def translate_marked(self, inputs: Sequence[ProjectionInput]) -> list[tuple[Translation, list[Projection]]]:
        """Translations of the marked texts without their brackets, and the spans in them; given targets are ignored.

        Raises:
            ModelError: The model lacks a language.
        """
        results = []
        for given, marked in zip(inputs, self._translate_marked(inputs), strict=True):
            projections = [
                _lost(span, found) if isinstance(found, str) else _placed(span, found[0], found[1])
                for span, found in zip(given.spans, marked.found, strict=True)
            ]
            results.append((marked.translation, projections))
        return results

    def _translate_marked(self, inputs: Sequence[ProjectionInput]) -> list[_Marked]:
        results: list[_Marked | None] = [None] * len(inputs)
        for direction in sorted({(given.source_lang, given.target_lang) for given in inputs}):
            rows = [i for i, given in enumerate(inputs) if (given.source_lang, given.target_lang) == direction]
            texts, crossing = [], set()
            for i in rows:
                try:
                    texts.append(self._mark(inputs[i]))
                except ValueError:
                    texts.append(inputs[i].source_text)
                    crossing.add(i)
            translated = self.translator.translate(texts, *direction)
            quotes = _Quotes(self.translator, direction)
            read = [
                self._read(inputs[i], "crossing" if i in crossing else t.reason, t)
                for i, t in zip(rows, translated, strict=True)
            ]
            self._look_further(inputs, rows, texts, read, direction)
            if self.tags:
                for i, found in zip(rows, read, strict=True):
                    results[i] = _named(inputs[i], found)
                continue
            for i, found in zip(rows, read, strict=True):
                if found.reason is None and len({s.label for s in inputs[i].spans}) > 1 and found.ranges:
                    quotes.want([_quote(inputs[i], r) for r in _distinct(inputs[i].spans)])
            quotes.translate()
            for i, found in zip(rows, read, strict=True):
                results[i] = _matched(inputs[i], found, quotes)
        return [result for result in results if result is not None]

    def _mark(self, given: ProjectionInput) -> str:
        ranges = _distinct(given.spans)
        return tag(given.source_text, ranges) if self.tags else mark(given.source_text, ranges)

    def _read(self, given: ProjectionInput, reason: str | None, t: Translation) -> _Read:
        if not t.text or reason is not None:
            return _Read(t, reason=reason or "marker_count")
        marked = _distinct(given.spans)
        ranges: Sequence[Range | None]
        if self.tags:
            text, ranges = untag(t.text, tag_names(given.source_text, len(marked)))
        else:
            text, ranges = unmark(t.text, len(marked))
        whole = len(ranges) == len(marked) and None not in ranges
        # Pieces of the marked text are not pieces of the clean one.
        return _Read(replace(t, text=text, pieces=()), ranges, None if whole else "marker_count")

    def _look_further(
        self,
        inputs: Sequence[ProjectionInput],
        rows: Sequence[int],
        texts: Sequence[str],
        read: list[_Read],
        direction: tuple[str, str],
    ) -> None:
        """Where the best translation lost a marker, the best of the next ones that kept them all takes its place."""
        lost = [k for k, found in enumerate(read) if found.reason == "marker_count"]
        if not lost or not hasattr(self.translator, "translate_nbest"):
            return
        lists = self.translator.translate_nbest([texts[k] for k in lost], *direction, _NEXT)
        for k, hypotheses in zip(lost, lists, strict=True):
            others = (self._read(inputs[rows[k]], t.reason, t) for t in hypotheses)
            read[k] = next((found for found in others if found.reason is None), read[k])


class _Quotes:
    """Translations of spans on their own, all of one direction asked for at once."""

    def __init__(self, translator: Any, direction: tuple[str, str]) -> None:
        self._translator, self._direction = translator, direction
        self._known: dict[str, str] = {}

    def want(self, quotes: Sequence[str]) -> None:
        self._known.update(dict.fromkeys(quotes, ""))

    def translate(self) -> None:
        wanted = list(self._known)
        translated = self._translator.translate(wanted, *self._direction) if wanted else []
        self._known = {q: t.text for q, t in zip(wanted, translated, strict=True)}

    def of(self, quotes: Sequence[str]) -> list[str]:
        return [self._known[q] for q in quotes]


def _quote(given: ProjectionInput, span: Range) -> str:
    """The source text of a range."""
    return given.source_text[span[0] : span[1]].strip()


def _distinct(spans: Sequence[Span]) -> list[Range]:
    """The ranges that were marked, in the order of their opening brackets."""
    return sorted({(s.start, s.end) for s in spans}, key=lambda r: (r[0], -r[1]))


def _matched(given: ProjectionInput, read: _Read, quotes: _Quotes) -> _Marked:
    """The ranges of brackets by what they hold."""
    if read.reason is not None:
        return _Marked(read.translation, (read.reason,) * len(given.spans))
    ranges = [r for r in read.ranges if r is not None]
    marked = _distinct(given.spans)
    sources = [_quote(given, r) for r in marked]
    labels = ["\n".join(sorted({s.label for s in given.spans if (s.start, s.end) == r})) for r in marked]
    held = [read.translation.text[a:b] for a, b in ranges]
    chosen = match_labels(held, sources, labels, lambda: quotes.of(sources))
    by_range: dict[Range, tuple[Range, float] | str] = {
        source: "marker_unmatched" if match is None else (ranges[match[0]], match[1])
        for source, match in zip(marked, chosen, strict=True)
    }
    return _Marked(read.translation, tuple(by_range[s.start, s.end] for s in given.spans))


def _named(given: ProjectionInput, read: _Read) -> _Marked:
    """The ranges of tags, which say themselves whose they are."""
    if not read.ranges:
        return _Marked(read.translation, (read.reason or "marker_count",) * len(given.spans))
    by_range = dict(zip(_distinct(given.spans), read.ranges, strict=True))
    found = (by_range[s.start, s.end] for s in given.spans)
    return _Marked(read.translation, tuple("marker_count" if place is None else (place, 1.0) for place in found))


def _onto_given(given: ProjectionInput, marked: _Marked) -> list[Projection]:
    if not given.target_text.strip():
        return [_lost(span, "empty_target") for span in given.spans]
    own = marked.translation.text
    candidates: list[list[Candidate]] = []
    target_words = single_words_of_both(cut_at_labels(given, single_words_of_both))[1]
    for found in marked.found:
        candidates.append([] if isinstance(found, str) else _occurrences(given.target_text, target_words, own, *found))
    ranges = [(s.start, s.end) for s in given.spans]
    chosen = choose(ranges, candidates, absent=0.0)
    results = []
    for span, found, listed, choice in zip(given.spans, marked.found, candidates, chosen, strict=True):
        if choice is not None:
            start, end, score = listed[choice]
            results.append(_placed(span, (start, end), score))
        else:
            results.append(_lost(span, found if isinstance(found, str) else "conflict" if listed else "not_in_target"))
    return results


def _occurrences(target: str, target_words: Sequence[Range], own: str, place: Range, sure: float) -> list[Candidate]:
    """Stretches of whole words of the target that are like what the brackets held, best first."""
    held = own[place[0] : place[1]]
    count = max(1, len(words_in(held)))
    middle = (place[0] + place[1]) / 2 / max(1, len(own))
    listed: list[Candidate] = []
    for first in range(len(target_words)):
        for last in range(first + max(0, count - 2), min(first + count + 1, len(target_words))):
            start, end = target_words[first][0], target_words[last][1]
            alike = fuzz.ratio(held, target[start:end], score_cutoff=100 * _LIKE) / 100
            if alike:
                away = abs((start + end) / 2 / max(1, len(target)) - middle)
                listed.append((start, end, round(sure * alike * (1 - _FAR * away), 4)))
    return sorted(listed, key=lambda c: (-c[2], c[0], c[1]))[:_KEPT]


def _placed(span: Span, place: Range, score: float) -> Projection:
    return Projection(span.id, replace(span, start=place[0], end=place[1], fragments=()), round(score, 4), METHOD)


def _lost(span: Span, reason: str) -> Projection:
    return Projection(span.id, None, 0.0, METHOD, reason)
