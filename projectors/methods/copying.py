"""Projection by copying: the span's own text, found again in the target, exactly or nearly."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

import numpy as np
import regex
from rapidfuzz import fuzz

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range
from spanferry.corpora.signature import Signature, number_text
from spanferry.projectors.base import Alignment, ProjectionInput, single_words_of_both, words_in
from spanferry.projectors.placing.fragments import parts_of
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.search import choose
from spanferry.projectors.segments.posterior import SegmentScorer
from spanferry.projectors.segments.quotes import form, letters

# What must not be matched loosely: one digit or letter more is something else.
STRICT = regex.compile(r"\d|://|\b[\w.+-]+@[\w-]+\.\w|^www\.", regex.IGNORECASE)
_EXTRA_WORDS = 2


class CopyProjector:
    """Finds names, numbers, addresses and cognates by their spelling alone. Knows no languages and needs no model.

    Args:
        ratio: Least similarity of a near match, 0 to 1 (``rapidfuzz.fuzz.ratio`` of romanised lower-cased text); 1
            asks for the same spelling.

    Raises:
        ConfigError: ``ratio`` is out of range.
    """

    def __init__(self, ratio: float = 0.75) -> None:
        if not 0.0 < ratio <= 1.0:
            raise ConfigError(f"ratio = {ratio}", valid="0 < ratio <= 1", hint="0.75 finds most names")
        self.ratio = ratio

    @property
    def signature(self) -> Signature:
        """``copy.2.<ratio>`` and how words are cut where labels touch."""
        return Signature(f"copy.2.{number_text(self.ratio)}.{LABEL_EDGES}")

    def project(
        self, inputs: Sequence[ProjectionInput], alignments: Sequence[Alignment] | None = None
    ) -> list[list[Projection]]:
        """For each input one projection per span; the score is the similarity.

        Where a text occurs several times, the first in the source goes with the first in the target, and so on; an
        alignment, if there is one, decides first.

        Reasons: ``empty_target``, ``not_copied`` (nothing in the target is like it), ``overlap`` (what is like it went
        to another span).
        """
        inputs = [cut_at_labels(item, single_words_of_both) for item in inputs]
        given: Sequence[Alignment | None] = alignments if alignments is not None else [None] * len(inputs)
        return [self._project_one(item, alignment) for item, alignment in zip(inputs, given, strict=True)]

    def _project_one(self, item: ProjectionInput, alignment: Alignment | None) -> list[Projection]:
        if not item.target_text.strip():
            return [Projection(span.id, None, 0.0, "copy", "empty_target") for span in item.spans]
        parts = parts_of(item.spans)
        found = {part: copies(item, part, self.ratio) for _, part in parts}
        options = [_weighed(item, part, found[part], alignment) for _, part in parts]
        chosen = choose([part for _, part in parts], options, absent=0.0)
        out = []
        for k, span in enumerate(item.spans):
            own = [(part, index) for (n, part), index in zip(parts, chosen, strict=True) if n == k]
            missing = next((part for part, index in own if index is None), None)
            if missing is not None:
                reason = "overlap" if found[missing] else "not_copied"
                out.append(Projection(span.id, None, 0.0, "copy", reason))
                continue
            picked = [found[part][index] for part, index in own if index is not None]
            ranges = sorted({target for target, _ in picked})
            target = replace(
                span,
                start=ranges[0][0],
                end=max(end for _, end in ranges),
                fragments=tuple(ranges) if len(ranges) > 1 else (),
            )
            out.append(Projection(span.id, target, min(similar for _, similar in picked), "copy"))
        return out


def copies(item: ProjectionInput, span: Range, ratio: float = 0.75) -> list[tuple[Range, float]]:
    """Stretches of the target that are spelled like the span, with their similarity, in the order of the target.

    Text with digits, URLs and e-mail addresses must be the same up to case; other text may differ. Of stretches that
    overlap only the most similar is kept, so that each is one occurrence.

    Args:
        item: Source and target.
        span: Half-open code points of the source span (or fragment).
        ratio: Least similarity.
    """
    quote = item.source_text[span[0] : span[1]].strip()
    length = max(1, len(_within(item.source_words, span) or words_in(quote)))
    return list(_copies(quote, length, item.target_text, tuple(item.target_words), ratio))


# In a long text the same name is a span many times.
@lru_cache(maxsize=256)
def _copies(
    quote: str, length: int, text: str, target_words: tuple[Range, ...], ratio: float
) -> tuple[tuple[Range, float], ...]:
    """Of ``copies``, for a source span of so many words."""
    wanted = form(quote)
    if not wanted:
        return ()
    ranges, written, sizes = _letters_of(text, target_words)
    strict = bool(STRICT.search(quote))
    same = quote.casefold()
    scored: list[tuple[float, int, int]] = []
    for a, (start, first_end) in enumerate(ranges):
        for b in range(a + 1, min(len(ranges), a + _longest(length, wanted, first_end - start)) + 1):
            end = ranges[b - 1][1]
            candidate = text[start:end]
            if strict:
                similar = 1.0 if candidate.casefold() == same else 0.0
            else:
                # Two texts share no more letters than the shorter one has; the longer it gets, the less like it.
                size = sizes[end] - sizes[start]
                if size > len(wanted) and 2 * len(wanted) < ratio * (len(wanted) + size) - 1e-9:
                    break
                own = " ".join("".join(written[start:end]).split())
                similar = 1.0 if candidate == quote else fuzz.ratio(wanted, own, score_cutoff=100.0 * ratio) / 100.0
            if similar >= ratio:
                scored.append((similar, a, b))
    kept: list[tuple[float, int, int]] = []
    for similar, a, b in sorted(scored, key=lambda s: (-s[0], s[2] - s[1], s[1])):
        if all(b <= c or d <= a for _, c, d in kept):
            kept.append((similar, a, b))
    return tuple(((ranges[a][0], ranges[b - 1][1]), similar) for similar, a, b in sorted(kept, key=lambda s: s[1]))


@lru_cache(maxsize=4)
def _letters_of(
    text: str, target_words: tuple[Range, ...]
) -> tuple[tuple[Range, ...], tuple[str, ...], tuple[int, ...]]:
    """The words of a target, each of its letters romanised, and how many letters without spaces precede each place."""
    written = letters(text)
    sizes = tuple(accumulate(map(_size, written), initial=0))
    return target_words or words_in(text), written, sizes


def _longest(length: int, wanted: str, first: int) -> int:
    # In scripts without spaces a word is one character, and a name has about as many as its romanised form.
    if first == 1:
        return max(length + _EXTRA_WORDS, min(len(wanted), 24))
    return length + _EXTRA_WORDS


def _within(ranges: Sequence[Range], span: Range) -> list[Range]:
    return [r for r in ranges if r[0] < span[1] and span[0] < r[1]]


@lru_cache(maxsize=4096)
def _size(written: str) -> int:
    return len("".join(written.split()))


def _weighed(
    item: ProjectionInput, span: Range, found: Sequence[tuple[Range, float]], alignment: Alignment | None
) -> list[tuple[int, int, float]]:
    """The stretches with scores in which ties between equally similar ones are broken, in the same order."""
    if not found:
        return []
    bonus = np.zeros(len(found))
    if alignment is not None and not alignment.reason:
        scores = SegmentScorer(item, alignment).scores(span, [r for r, _ in found])
        bonus += 0.05 / (1.0 + np.exp(-scores))
    quote = item.source_text[span[0] : span[1]]
    place, total = _occurrence(item.source_text, quote, span[0])
    expected = place if total == len(found) else place * (len(found) - 1) / max(total - 1, 1)
    bonus -= 0.01 * np.abs(np.arange(len(found)) - expected) / len(found)
    return [(*r, similar + float(bonus[k])) for k, (r, similar) in enumerate(found)]


def _occurrence(text: str, quote: str, start: int) -> tuple[int, int]:
    """Which occurrence of ``quote`` begins at ``start``, and how many there are."""
    places = [m.start() for m in regex.finditer(regex.escape(quote), text)]
    return (places.index(start) if start in places else 0), max(len(places), 1)
