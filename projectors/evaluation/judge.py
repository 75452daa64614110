"""Projections against gold: which are right, and the counts that every score is made of."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from spanferry.corpora.metrics.calibration import Bin, expected_calibration_error, reliability, selective_f1
from spanferry.corpora.metrics.spans import Labelled, Score, exact_score, overlap_score
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import Gold


@dataclass(frozen=True, slots=True)
class Verdict:
    """One source span, where it went, and whether that is right.

    Attributes:
        input: Number of its input.
        source: The source span.
        projection: What the method said.
        right: Whether a gold span has the same start, end and label.
        shared: Characters shared with the gold answer, as F1; only for answers, else 0.
    """

    input: int
    source: Span
    projection: Projection
    right: bool
    shared: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """All projections of one method on one gold.

    Attributes:
        gold: The gold.
        verdicts: One for each source span, in order.
        found: What was predicted, a list of (start, end, label) for each unit: a text, or a question.
        wanted: The gold of each unit.
        owners: Number of the input that each unit belongs to.
    """

    gold: Gold
    verdicts: tuple[Verdict, ...]
    found: tuple[tuple[Labelled, ...], ...]
    wanted: tuple[tuple[Labelled, ...], ...]
    owners: tuple[int, ...]

    @property
    def exact(self) -> Score:
        """Start, end and label."""
        return exact_score(self.found, self.wanted)

    @property
    def overlap(self) -> Score:
        """Characters under the same label."""
        return overlap_score(self.found, self.wanted)

    @property
    def coverage(self) -> float:
        """Share of the source spans that were placed."""
        placed = sum(v.projection.span is not None for v in self.verdicts)
        return placed / len(self.verdicts) if self.verdicts else 0.0

    @property
    def answer_f1(self) -> float | None:
        """Mean F1 of the characters shared with the gold answer, over the questions; None where there are none."""
        if not self.gold.answers or not self.verdicts:
            return None
        return sum(v.shared for v in self.verdicts) / len(self.verdicts)

    @property
    def answer_exact(self) -> float | None:
        """Share of the questions whose answer is exactly the gold one; None where there are none."""
        if not self.gold.answers or not self.verdicts:
            return None
        return sum(v.right for v in self.verdicts) / len(self.verdicts)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the placed spans, ten bins."""
        placed = [v for v in self.verdicts if v.projection.span is not None]
        return expected_calibration_error([v.projection.score for v in placed], [v.right for v in placed])

    def reliability(self) -> list[Bin]:
        """The placed spans by confidence, ten bins."""
        placed = [v for v in self.verdicts if v.projection.span is not None]
        return reliability([v.projection.score for v in placed], [v.right for v in placed])

    def f1_at(self, coverage: float) -> float:
        """F1 among the most confident source spans (``spanferry.corpora.metrics.calibration.selective_f1``)."""
        gold: Counter[object] = Counter()
        for owner, spans in zip(self.owners, self.wanted, strict=True):
            gold.update((owner, label) for _, _, label in set(spans))
        scores = [v.projection.score if v.projection.span is not None else -1.0 for v in self.verdicts]
        groups = [(v.input, v.source.label) for v in self.verdicts]
        return selective_f1(scores, [v.right for v in self.verdicts], groups, dict(gold), coverage)

    def reasons(self) -> dict[str, int]:
        """Why spans were not placed, most frequent first."""
        counts = Counter(v.projection.reason or "unknown" for v in self.verdicts if v.projection.span is None)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def counts(self) -> np.ndarray:
        """Correct, predicted and gold of each input, (n_inputs, 3)."""
        table = np.zeros((len(self.gold.inputs), 3))
        for owner, found, wanted in zip(self.owners, self.found, self.wanted, strict=True):
            p, g = set(found), set(wanted)
            table[owner] += (len(p & g), len(p), len(g))
        return table

    def by_label(self) -> dict[str, Score]:
        """Exact scores by label."""
        found = self._scored(lambda _, span: span[2])
        return {label: found[label] for label in sorted(found)}

    def by_length(self) -> dict[str, Score]:
        """Exact scores by how many words the target span has; what is right has the same length on both sides."""
        ranges = [item.target_words or words(item.target_text) for item in self.gold.inputs]
        found = self._scored(lambda owner, span: length_bucket(covered_words(ranges[owner], span[0], span[1])))
        return {name: found.get(name, Score()) for name in LENGTHS}

    def _scored(self, kind: Callable[[int, Labelled], str]) -> dict[str, Score]:
        """Exact scores of each kind of span, given the number of its input and the span."""
        counts: dict[str, list[float]] = {}
        for owner, found, wanted in zip(self.owners, self.found, self.wanted, strict=True):
            p, g = set(found), set(wanted)
            for k, spans in enumerate((p & g, p, g)):
                for span in spans:
                    counts.setdefault(kind(owner, span), [0.0, 0.0, 0.0])[k] += 1.0
        return {name: Score(*own) for name, own in counts.items()}


LENGTHS = ("1", "2", "3", "4-5", "6-10", "11+")


def length_bucket(count: int) -> str:
    """The bucket of ``LENGTHS`` for a number of words."""
    if count <= 3:
        return str(max(count, 1))
    return "4-5" if count <= 5 else "6-10" if count <= 10 else "11+"


def covered_words(ranges: Sequence[Range], start: int, end: int) -> int:
    """How many of the words, which are disjoint and ascending, share a code point with [start, end)."""
    return max(0, bisect_left(ranges, end, key=itemgetter(0)) - bisect_right(ranges, start, key=itemgetter(1)))


def judge(gold: Gold, projections: Sequence[Sequence[Projection]]) -> Judgement:
    """Compares the projections of all inputs with the gold.

    Args:
        gold: The gold.
        projections: For each input one projection for each span, as a projector returns them.

    Raises:
        ValueError: The numbers of inputs or spans differ.
    """
    verdicts: list[Verdict] = []
    found: list[tuple[Labelled, ...]] = []
    wanted: list[tuple[Labelled, ...]] = []
    owners: list[int] = []
    for k, (item, own, spans) in enumerate(zip(gold.inputs, projections, gold.spans, strict=True)):
        if gold.answers:
            for source, projection in zip(item.spans, own, strict=True):
                verdict, answer = _answer(k, source, projection, spans)
                verdicts.append(verdict)
                found.append(_labelled([projection]))
                wanted.append(answer)
                owners.append(k)
            continue
        targets = {(s.start, s.end, s.label) for s in spans}
        verdicts += [
            Verdict(k, s, p, set(_labelled([p])) <= targets and p.span is not None)
            for s, p in zip(item.spans, own, strict=True)
        ]
        found.append(_labelled(own))
        wanted.append(tuple((s.start, s.end, s.label) for s in spans))
        owners.append(k)
    return Judgement(gold, tuple(verdicts), tuple(found), tuple(wanted), tuple(owners))


def _labelled(projections: Sequence[Projection]) -> tuple[Labelled, ...]:
    return tuple((p.span.start, p.span.end, p.span.label) for p in projections if p.span is not None)


def _answer(
    number: int, source: Span, projection: Projection, gold: Sequence[Span]
) -> tuple[Verdict, tuple[Labelled, ...]]:
    """The verdict on an answer, and the gold answer to the same question that it is nearest to."""
    row = source.id.rpartition("/")[0]
    choices = [s for s in gold if s.id.rpartition("/")[0] == row]
    if not choices:
        return Verdict(number, source, projection, False), ()
    placed = projection.span

    def shared(answer: Span) -> float:
        if placed is None:
            return 0.0
        common = max(0, min(placed.end, answer.end) - max(placed.start, answer.start))
        return 2.0 * common / (placed.end - placed.start + answer.end - answer.start)

    best = max(choices, key=lambda answer: (shared(answer), -answer.start))
    right = placed is not None and (placed.start, placed.end) == (best.start, best.end)
    return Verdict(number, source, projection, right, shared(best)), ((best.start, best.end, source.label),)


def inputs_to_fit(gold: Gold) -> list[ProjectionInput]:
    """What a corpus aligner learns from: the texts of the gold and those that came with it, each pair once."""
    seen: dict[tuple[str, str], ProjectionInput] = {}
    for item in (*gold.inputs, *gold.more):
        seen.setdefault((item.source_text, item.target_text), item)
    return list(seen.values())
