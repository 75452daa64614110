"""What is known of a projected span that speaks for or against its being right, as numbers.

The witnesses are independent of each other: the projection's own confidence, the translator's score, the tables of word
translations in both directions, spelling, and the bundled encoder, which sees the two spans and nothing around them.
All of them follow from the row alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray
from rapidfuzz import fuzz

from spanferry.corpora.filters.base import by_id
from spanferry.corpora.filters.translation_score import MT_SCORE
from spanferry.corpora.schema import Pair
from spanferry.projectors.aligners.encoder.context import bundled_encoder
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.filters.span_fidelity import Direction, content_words, rendered, spelled_alike, word_tables

Floats = NDArray[np.float64]

_SIDE = ("listed", "worst_listed", "spelled", "copied", "new_spelled", "new", "known", "worst")
NAMES = (
    "confidence",
    "mt_score",
    "forward",
    "backward",
    "spelling",
    "capital",
    "length",
    "words",
    "more_words",
    "text",
    *(f"forward_{name}" for name in _SIDE),
    *(f"backward_{name}" for name in _SIDE),
    "encoder_forward",
    "encoder_backward",
    "encoder_forward_least",
    "encoder_backward_least",
)
"""The witnesses, in the order of the columns.

``confidence`` (log-odds) and ``mt_score`` (nats per piece) are as in the row. ``forward`` and ``backward`` are those of
the filter ``span_fidelity``; of each direction ``listed`` is the share that the table has of it, ``spelled`` that which
is spelled alike, ``copied`` what is copied though its translation is known, ``new`` the words that the table lacks,
``known`` those that it has, ``worst`` the word that is translated least. ``spelling`` compares the whole spans in Latin
letters; ``capital`` is 1 where only the source begins with a capital, -1 where only the target does; ``length``,
``words`` and ``text`` are logarithms. The ``encoder``'s are the share of a span's words that it links into the other.
"""

_EDGE = 1e-3  # confidences nearer to 0 or 1 say no more
_SHORT, _SHORT_WEIGHT = 3, 0.3  # as in span_fidelity
_COPIED = 0.7  # likewise


@dataclass(frozen=True)
class Witnesses:
    """The witnesses of the placed spans of some pairs.

    Attributes:
        rows: Number of the pair of each span, ascending, (n_spans,).
        spans: Id of each span.
        values: nan where a witness has nothing to say, (n_spans, n_names).
    """

    rows: NDArray[np.int64]
    spans: tuple[str, ...]
    values: Floats

    def column(self, name: str) -> Floats:
        """One witness, (n_spans,)."""
        found: Floats = self.values[:, NAMES.index(name)]
        return found


def witnesses(pairs: Sequence[Pair]) -> Witnesses:
    """The witnesses of every placed span, row by row."""
    rows: list[int] = []
    spans: list[str] = []
    values: list[list[float]] = []
    quotes: list[tuple[str, str]] = []
    for number, pair in enumerate(pairs):
        if pair.target is None:
            continue
        sources, scores = by_id(pair.source.spans), {p.source_span_id: p.score for p in pair.projections}
        directions = word_tables(pair.source.lang, pair.target.lang)
        for span in pair.target.spans:
            if span.id not in sources:
                continue
            source, target = pair.source.quote(sources[span.id]), pair.target.quote(span)
            text = len(pair.source.texts[sources[span.id].field])
            rows.append(number)
            spans.append(span.id)
            quotes.append((source, target))
            values.append(
                [
                    _log_odds(scores.get(span.id)),
                    pair.scores.get(MT_SCORE, np.nan),
                    *_spans(source, target, directions, text),
                ]
            )
    table = np.array(values, dtype=np.float64).reshape(len(rows), len(NAMES) - 4)
    return Witnesses(np.array(rows, dtype=np.int64), tuple(spans), np.hstack([table, _encoded(quotes)]))


def _log_odds(score: float | None) -> float:
    if score is None or np.isnan(score):
        return float("nan")
    inside = min(max(score, _EDGE), 1.0 - _EDGE)
    return float(np.log(inside / (1.0 - inside)))


def _spans(source: str, target: str, directions: tuple[Direction, Direction] | None, text: int) -> list[float]:
    read, written = content_words(source), content_words(target)
    shape = [
        fuzz.ratio(anyascii(source).lower(), anyascii(target).lower()) / 100,
        float(source[:1].isupper()) - float(target[:1].isupper()),
        float(np.log1p(len(target)) - np.log1p(len(source))),
        float(np.log1p(len(read))),
        float(len(written) - len(read)),
        float(np.log1p(text)),
    ]
    if directions is None or not read or not written:
        return [np.nan, np.nan, *shape, *[np.nan] * (2 * len(_SIDE))]
    forward, backward = directions
    covered = (forward.covered(read, written), backward.covered(written, read))
    whole = [np.nan if one is None else one for one in covered]
    return [*whole, *shape, *_side(forward, read, written), *_side(backward, written, read)]


def _side(direction: Direction, read: Sequence[str], written: Sequence[str]) -> list[float]:
    """What one direction's table and the spelling say of the words of one side, in the order of ``_SIDE``."""
    facts = []
    for word in read:
        listed: Mapping[str, float] = direction.relative.get(word, {})
        own = max(rendered(listed, other) for other in written)
        spelled = max(spelled_alike(word, other) for other in written)
        known = float(word in direction.known)
        copied = float(word in written) * known * (1.0 - listed.get(word, 0.0))
        best = max(own, spelled * (_COPIED if known else 1.0))
        facts.append((own, spelled, copied, (1.0 - known) * spelled, (1.0 - known) * (1.0 - spelled), known, best))
    table = np.array(facts)
    weights = np.array([_SHORT_WEIGHT if len(word) <= _SHORT else 1.0 for word in read])
    mean = weights @ table / weights.sum()
    worst = float((weights * (1.0 - table[:, 6])).max())
    return [mean[0], float(table[:, 0].min()), *mean[1:6].tolist(), worst]


def _encoded(quotes: Sequence[tuple[str, str]]) -> Floats:
    """The encoder's links between the spans alone: mean and least share of a word's links, (n, 4)."""
    distinct = list(dict.fromkeys(quotes))
    inputs = [ProjectionInput("", source, target, (), "", "") for source, target in distinct]
    found: dict[tuple[str, str], list[float]] = {}
    for quote, links in zip(distinct, bundled_encoder().align(inputs) if inputs else (), strict=True):
        if links.reason or links.forward is None or links.backward is None:
            found[quote] = [np.nan] * 4
            continue
        made = np.clip(links.forward.sum(axis=0), 0.0, 1.0)
        making = np.clip(links.backward.sum(axis=1), 0.0, 1.0)
        found[quote] = [float(made.mean()), float(making.mean()), float(made.min()), float(making.min())]
    return np.array([found[quote] for quote in quotes], dtype=np.float64).reshape(len(quotes), 4)
