"""A calibration from reviewed decisions: probabilities corrected on the corpus at hand, and its own judged rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spanferry.corpora.errors import InputError
from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.corpora.review.applying import target_digests
from spanferry.corpora.review.decisions import RowState
from spanferry.corpora.schema import Pair
from spanferry.projectors.bound.bound import rows_of, threshold_for, upper_bound
from spanferry.projectors.bound.rightness import (
    Rightness,
    Text,
    bundled_rightness,
    describe,
    log_odds,
    row_covariates,
    sigmoid,
)
from spanferry.projectors.bound.witnesses import Witnesses, witnesses

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_SPANS = 20  # a slope and a shift of fewer say nothing
_RIDGE = 1.0  # holds slope and shift at 1 and 0 where little was reviewed
_FOLDS = 5
# Decisions after which the span is not what the projection said.
_WRONG = frozenset({"reject", "move", "label"})


@dataclass(frozen=True)
class Refit:
    """What a review made of the probabilities of one language.

    Attributes:
        language: BCP-47.
        rows: Rows of which every placed span was judged.
        spans: Their spans.
        right: Right ones among them.
        ece: Expected calibration error of the probabilities before and after; after is cross-fitted.
        bound: Upper bound, with 95 % confidence, of the share of wrong spans among all, by the reviewed rows alone.
        kept: Share of the corpus's spans that ``error`` lets pass before and after.
        holds: Whether the bound was proved for text like this, before; after, it is this text.
        numbers: What ``rightness.reviewed_rightness`` reads.
    """

    language: str
    rows: int
    spans: int
    right: int
    ece: tuple[float, float]
    bound: float
    kept: tuple[float, float]
    holds: bool
    numbers: Mapping[str, Any]


def judged_spans(pair: Pair, state: RowState) -> dict[str, bool] | None:
    """Whether each placed span is right, by id; None: one of them was not decided on, or the text has changed."""
    if pair.target is None or not pair.target.spans:
        return None
    digests = target_digests(pair)
    found = {}
    for span in pair.target.spans:
        if span.id not in state.verdicts:
            return None
        decision, verdict = state.verdicts[span.id]
        if decision.texts.get(span.field, digests[span.field]) != digests[span.field]:
            return None
        # A span that is kept as it was corrected before is judged by where it was.
        same = (verdict.start, verdict.end, verdict.label or span.label) == (span.start, span.end, span.label)
        found[span.id] = decision.action not in _WRONG and same
    return found


def refit(pairs: Sequence[Pair], states: Mapping[int, RowState], *, text: Text, language: str, error: float) -> Refit:
    """Slope and shift of the log-odds, by a logistic regression on the reviewed spans.

    Args:
        pairs: All rows of a dataset, as the flow made them.
        states: What was decided on, by number of the row.
        text: Whether a model made the translations.
        language: BCP-47 of the translations.
        error: Share of wrong spans for which the kept spans are counted.

    Raises:
        InputError: Too few spans were reviewed.
    """
    verdicts = {number: found for number, state in states.items() if (found := judged_spans(pairs[number], state))}
    count = sum(map(len, verdicts.values()))
    if count < LEAST_SPANS:
        raise InputError(
            f"{language}: {count} spans in rows of which every span was decided on",
            valid=f"{LEAST_SPANS} and more",
            hint="review 50 rows: spanferry inspect OUT",
        )
    bundled = bundled_rightness(text)
    seen = witnesses(pairs)
    before = bundled.probabilities(seen)
    judged = np.array([int(row) in verdicts for row in seen.rows])
    pairs_of = zip(seen.rows[judged], np.flatnonzero(judged), strict=True)
    right = np.array([verdicts[int(row)][seen.spans[k]] for row, k in pairs_of])
    odds, numbers = log_odds(before[judged]), seen.rows[judged]
    slope, shift = _platt(odds, right)
    after = np.zeros(len(odds))
    for fold in range(_FOLDS):
        out = numbers % _FOLDS == fold
        own = _platt(odds[~out], right[~out]) if (~out).any() else (1.0, 0.0)
        after[out] = sigmoid(own[0] * odds[out] + own[1])
    model = replace(bundled, slope=slope, shift=shift)
    covariates = row_covariates(seen, len(pairs))
    chosen = {name: [values[row] for row in verdicts] for name, values in covariates.items()}
    rows = rows_of(numbers, after, right)
    own_text = describe("review", language, len(pairs), rows, chosen)
    model = replace(model, texts=(own_text,))
    kept_before, holds = _kept(bundled, seen, before, language, covariates, error, len(pairs))
    kept_after, _ = _kept(model, seen, model.adjusted(before), language, covariates, error, len(pairs))
    return Refit(
        language,
        len(verdicts),
        count,
        int(right.sum()),
        (
            expected_calibration_error(before[judged].tolist(), right.tolist()),
            expected_calibration_error(after.tolist(), right.tolist()),
        ),
        upper_bound(count, count - int(right.sum())),
        (kept_before, kept_after),
        holds,
        {"slope": round(slope, 5), "shift": round(shift, 5), "text": own_text.numbers()},
    )


def _kept(
    model: Rightness,
    seen: Witnesses,
    probability: Floats,
    language: str,
    covariates: Mapping[str, Sequence[float | None]],
    error: float,
    rows: int,
) -> tuple[float, bool]:
    """The share of spans that a bound keeps, and whether it was proved for text like this."""
    if not len(probability):
        return 0.0, False
    means = {name: _mean(values) for name, values in covariates.items()}
    text, outside = model.nearest(language, means, rows)
    corpus = rows_of(seen.rows, probability, np.ones(len(probability), dtype=bool))
    threshold = threshold_for(text.rows, corpus.least, corpus.spans, error)
    if threshold is None:
        return 0.0, not outside
    return corpus.above(threshold)[0] / int(corpus.spans.sum()), not outside


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def _platt(odds: Floats, right: Flags) -> tuple[float, float]:
    """Slope and shift that make the log-odds likeliest (Platt, 1999), held at 1 and 0 by a ridge; never descending."""
    table, start = np.column_stack([odds, np.ones(len(odds))]), np.array([1.0, 0.0])

    def loss(weights: Floats) -> float:
        values = table @ weights
        return float(
            np.logaddexp(0.0, np.where(right, -values, values)).sum() + _RIDGE * ((weights - start) ** 2).sum()
        )

    found = start
    for _ in range(50):
        sure = sigmoid(table @ found)
        slope = table.T @ (right - sure) - 2.0 * _RIDGE * (found - start)
        bend = (table * (sure * (1.0 - sure))[:, None]).T @ table + 2.0 * _RIDGE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        # A whole step may lead past the minimum, where what was reviewed is all right or all wrong.
        while loss(found + step) > loss(found) and np.abs(step).max() > 1e-9:
            step = step / 2.0
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return max(float(found[0]), 0.0), float(found[1])
