"""Precision, recall, F1 and, where sure and possible links are distinguished, the error rate of word alignments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LinkScore:
    """Counts over all pairs and what follows from them (Och and Ney, CL 2003).

    Attributes:
        predicted: Links that were predicted.
        sure: Gold links that are sure.
        sure_hits: Predicted links that are sure.
        possible_hits: Predicted links that are sure or possible.
        graded: Whether the gold distinguishes sure from possible links at all.
    """

    predicted: int = 0
    sure: int = 0
    sure_hits: int = 0
    possible_hits: int = 0
    graded: bool = False

    @property
    def precision(self) -> float:
        """Share of the predicted links that is sure or possible."""
        return self.possible_hits / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the sure links that was predicted."""
        return self.sure_hits / self.sure if self.sure else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0

    @property
    def aer(self) -> float | None:
        """Alignment error rate; None where sure and possible links were not distinguished."""
        total = self.predicted + self.sure
        return 1.0 - (self.sure_hits + self.possible_hits) / total if self.graded and total else None

    def __add__(self, other: "LinkScore") -> "LinkScore":
        return LinkScore(
            self.predicted + other.predicted,
            self.sure + other.sure,
            self.sure_hits + other.sure_hits,
            self.possible_hits + other.possible_hits,
            self.graded or other.graded,
        )


def link_score(predicted: Iterable[Link], sure: Iterable[Link], possible: Iterable[Link] = ()) -> LinkScore:
    """The score of one pair; ``possible`` are the links that are only possible.

    >>> s = link_score([(0, 0), (1, 2)], [(0, 0), (2, 2)], [(1, 2)])
    >>> s.precision, s.recall, round(s.aer, 3)
    (1.0, 0.5, 0.25)
    """
    found, certain, maybe = set(predicted), set(sure), set(possible)
    return LinkScore(len(found), len(certain), len(found & certain), len(found & (certain | maybe)), bool(maybe))


def link_counts(scores: Sequence[LinkScore]) -> np.ndarray:
    """Correct, predicted and gold of each pair for the bootstrap, (n_pairs, 3); possible links count as right."""
    return np.array(
        [(s.possible_hits, s.predicted, s.sure + s.possible_hits - s.sure_hits) for s in scores], dtype=float
    )
