"""Precision, recall and F1 of labelled spans: exact, by label, and by characters shared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Labelled = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts and what follows from them.

    Attributes:
        correct: Predicted and in the gold.
        predicted: All that was predicted.
        gold: All that is in the gold.
    """

    correct: float = 0.0
    predicted: float = 0.0
    gold: float = 0.0

    @property
    def precision(self) -> float:
        """Share of the predicted that is right; 0 where nothing was predicted."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold that was found; 0 where there is no gold."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.predicted + self.gold
        return 2.0 * self.correct / total if total else 0.0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.correct + other.correct, self.predicted + other.predicted, self.gold + other.gold)


def exact_score(predicted: Sequence[Iterable[Labelled]], gold: Sequence[Iterable[Labelled]]) -> Score:
    """Spans that agree in start, end and label, over all texts (micro average).

    Args:
        predicted: For each text its spans (start, end, label), in any unit; duplicates within a text count once.
        gold: For each text its gold spans, in the same unit.

    Raises:
        ValueError: The two have different lengths.

    >>> s = exact_score([[(0, 4, "LOC"), (8, 9, "PER")]], [[(0, 4, "LOC"), (7, 9, "PER"), (11, 12, "ORG")]])
    >>> s.correct, s.precision, round(s.recall, 3), s.f1
    (1.0, 0.5, 0.333, 0.4)
    """
    total = Score()
    for found, wanted in zip(predicted, gold, strict=True):
        p, g = set(found), set(wanted)
        total += Score(float(len(p & g)), float(len(p)), float(len(g)))
    return total


def exact_by_label(predicted: Sequence[Iterable[Labelled]], gold: Sequence[Iterable[Labelled]]) -> dict[str, Score]:
    """``exact_score`` for each label that occurs on either side, labels sorted.

    >>> scores = exact_by_label([[(0, 4, "LOC"), (8, 9, "PER")]], [[(0, 4, "LOC"), (7, 9, "PER")]])
    >>> {label: s.f1 for label, s in scores.items()}
    {'LOC': 1.0, 'PER': 0.0}
    """
    predicted, gold = [list(spans) for spans in predicted], [list(spans) for spans in gold]
    labels = sorted({span[2] for spans in (*predicted, *gold) for span in spans})
    return {
        label: exact_score(
            [[span for span in spans if span[2] == label] for spans in predicted],
            [[span for span in spans if span[2] == label] for spans in gold],
        )
        for label in labels
    }


def overlap_score(predicted: Sequence[Iterable[Labelled]], gold: Sequence[Iterable[Labelled]]) -> Score:
    """Characters (or whatever the unit is) that carry the same label on both sides: partly right counts in part.

    Raises:
        ValueError: The two have different lengths.

    >>> s = overlap_score([[(0, 10, "LOC")]], [[(5, 10, "LOC"), (12, 17, "PER")]])
    >>> s.precision, s.recall, s.f1
    (0.5, 0.5, 0.5)
    """
    total = Score()
    for found, wanted in zip(predicted, gold, strict=True):
        p, g = _units(found), _units(wanted)
        total += Score(float(len(p & g)), float(len(p)), float(len(g)))
    return total


def _units(spans: Iterable[Labelled]) -> set[tuple[int, str]]:
    return {(unit, label) for start, end, label in spans for unit in range(start, end)}
