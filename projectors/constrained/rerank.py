"""The second look of constrained decoding: by spelling, and by a model that reads the other way.

CODEC (Le et al., ICLR 2024, section 3.4) re-ranks the five best places of each span by r, minus the log-probability of
the source span given the target span under a model of the other direction, and by the likeness of the target span to
the source span. Differences: likeness is rapidfuzz's ratio of romanised text, not Python's SequenceMatcher, and the
likeness to a translation of the span alone is not asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anyascii import anyascii
from rapidfuzz import fuzz

from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.placing.fragments import parts_of
from spanferry.projectors.placing.search import Candidate

BEST = 5
_WINS, _LIKE, _LIKELY = 0.9, 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Rescored:
    """One candidate with the scores of the second look.

    Attributes:
        candidate: (start, end, log posterior).
        reverse: Minus the log-probability of the source span given this stretch, in nats.
        likeness: Of the two as they are spelled, 0 to 1.
    """

    candidate: Candidate
    reverse: float
    likeness: float


def rerank(
    reverse: Any, inputs: Sequence[ProjectionInput], found: Sequence[Sequence[Sequence[Candidate]]]
) -> list[list[list[Candidate]]]:
    """The candidates of every part of a span of every input in their new order; none where no candidate will do.

    Args:
        reverse: A `spanferry.translators.base.ScoringTranslator` from the target language to the source language.
        inputs: The texts and spans.
        found: For each part of their spans (`projectors.placing.fragments.parts_of`) its candidates, best first.

    Raises:
        ModelError: The model lacks a language.
    """
    out: list[list[list[Candidate]]] = [[[] for _ in row] for row in found]
    quoted = [parts_of(item.spans) for item in inputs]
    groups: dict[tuple[str, str], list[tuple[int, int, Candidate]]] = {}
    for i, (item, row) in enumerate(zip(inputs, found, strict=True)):
        for k, candidates in enumerate(row):
            for candidate in candidates[:BEST]:
                groups.setdefault((item.target_lang, item.source_lang), []).append((i, k, candidate))
    rescored: dict[tuple[int, int], list[Rescored]] = {}
    for (target, source), tasks in groups.items():
        quotes = [inputs[i].source_text[slice(*quoted[i][k][1])] for i, k, _ in tasks]
        places = [inputs[i].target_text[c[0] : c[1]] for i, _, c in tasks]
        scores = reverse.score_pairs(places, quotes, target, source)
        for (i, k, candidate), quote, place, score in zip(tasks, quotes, places, scores, strict=True):
            cost = float("inf") if score.reason else -float(sum(score.logprobs))
            alike = fuzz.ratio(_form(quote), _form(place)) / 100.0
            rescored.setdefault((i, k), []).append(Rescored(candidate, cost, alike))
    for (i, k), its in rescored.items():
        out[i][k] = reordered(its, inputs[i].target_text)
    return out


def reordered(rescored: Sequence[Rescored], text: str) -> list[Candidate]:
    """The candidates of one span in their new order.

    One that is spelled as the source span wins outright; otherwise one of whole words inside the best, if it costs less
    in reverse, takes its place. Those that are neither like the source span nor likely in reverse are dropped.
    """
    if not rescored:
        return []
    order = list(rescored)
    alike = max(order, key=lambda c: (c.likeness, c.candidate[2]))
    if alike.likeness >= _WINS:
        order.remove(alike)
        order.insert(0, alike)
    else:
        a, b, _ = order[0].candidate
        inner = [c for c in order[1:] if a <= c.candidate[0] and c.candidate[1] <= b and c.reverse < order[0].reverse]
        if inner:
            best = min(inner, key=lambda c: (c.reverse, c.candidate))
            order.remove(best)
            order.insert(0, best)
    return [c.candidate for c in order if c.likeness > _LIKE or c.reverse < _LIKELY]


def _form(text: str) -> str:
    return " ".join(anyascii(text).lower().split())
