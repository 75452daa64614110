"""Long texts in parts: every method finds a span among the words of the sentences that its own went to, and no others.

A sentence in the middle of a paragraph is what models were trained on and what aligners take; in a paragraph there are
other occurrences of every word, in a document there is no end of them. Texts are cut where their sentences surely
belong together (``spanferry.projectors.aligners.lexical.beads``) and never inside a span.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.projectors.aligners.lexical.beads import beads
from spanferry.projectors.base import ProjectionInput, words_of_both

Project = Callable[[Sequence[ProjectionInput]], Sequence[Sequence[Projection]]]


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences of an input that belong together.

    Attributes:
        item: Their texts, with the spans that lie in them; offsets are those of the part, the id is the whole's.
        start: Code points of the target text before it.
        numbers: Which spans of the whole input it has.
    """

    item: ProjectionInput
    start: int
    numbers: tuple[int, ...]


def parts_of_text(item: ProjectionInput) -> list[Part]:
    """The parts of an input, in order; together they hold every code point of both texts and every span.

    An input of one sentence, or one whose sentences can't be matched, is its own only part.
    """
    cuts = _cuts(item, *words_of_both(item))
    if not cuts:
        return [Part(item, 0, tuple(range(len(item.spans))))]
    edges = [(0, 0), *cuts, (len(item.source_text), len(item.target_text))]
    held: list[list[int]] = [[] for _ in edges[1:]]
    starts = [a for a, _ in cuts]
    for k, span in enumerate(item.spans):
        held[bisect_right(starts, span.start)].append(k)
    parts = []
    for ((a, c), (b, d)), numbers in zip(pairwise(edges), held, strict=True):
        part = replace(
            item,
            source_text=item.source_text[a:b],
            target_text=item.target_text[c:d],
            spans=tuple(moved(item.spans[k], -a) for k in numbers),
            source_words=tuple((s - a, e - a) for s, e in item.source_words if a <= s and e <= b),
            target_words=tuple((s - c, e - c) for s, e in item.target_words if c <= s and e <= d),
        )
        parts.append(Part(part, c, tuple(numbers)))
    return parts


def project_in_parts(project: Project, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
    """Projects the parts of each input and puts them together: one projection per span, in the spans' order.

    Args:
        project: Projects whole inputs; is called once, with the parts that have spans.
        inputs: Texts of any length.

    Raises:
        ConfigError: The projector gives more or less than one projection for each span.
    """
    parts = [(k, part) for k, item in enumerate(inputs) for part in parts_of_text(item) if part.numbers]
    found: list[dict[int, Projection]] = [{} for _ in inputs]
    projected = project([part.item for _, part in parts])
    if len(projected) != len(parts):
        raise _miscounted(len(projected), f"lists of projections for {len(parts)} texts")
    for (k, part), own in zip(parts, projected, strict=True):
        if len(own) != len(part.numbers):
            raise _miscounted(len(own), f"projections for {len(part.numbers)} spans of {part.item.id!r}")
        for number, projection in zip(part.numbers, own, strict=True):
            span = projection.span
            found[k][number] = replace(projection, span=span and moved(span, part.start))
    return [[own[number] for number in range(len(item.spans))] for item, own in zip(inputs, found, strict=True)]


def _miscounted(count: int, what: str) -> ConfigError:
    return ConfigError(f"the projector gives {count} {what}", hint="one for each, in order: see projectors/base.py")


def _cuts(item: ProjectionInput, source: Sequence[Range], target: Sequence[Range]) -> list[Range]:
    """Code points of both texts before which they are cut: where words of both sides follow, and inside no span."""
    cuts: list[Range] = []
    rest = (len(source), len(target))
    # How far the spans that begin before each one reach, the longest of them.
    starts = sorted((span.start, span.end) for span in item.spans)
    reach = list(accumulate((end for _, end in starts), max))
    for (a, _), (c, _) in beads(item.source_text, source, item.target_text, target)[1:]:
        if a < rest[0] and c < rest[1]:
            place = source[a][0], target[c][0]
            before = cuts[-1] if cuts else (source[0][0], target[0][0])
            behind = bisect_left(starts, (place[0], 0))
            inside = behind > 0 and reach[behind - 1] > place[0]
            if place[0] > before[0] and place[1] > before[1] and not inside:
                cuts.append(place)
    return cuts


def moved(span: Span, distance: int) -> Span:
    """The span so many code points further on."""
    fragments = tuple((a + distance, b + distance) for a, b in span.fragments)
    return replace(span, start=span.start + distance, end=span.end + distance, fragments=fragments)
