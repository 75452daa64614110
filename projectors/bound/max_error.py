"""A bound on the share of wrong spans among the rows that are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from spanferry.corpora.filters.base import Column, Filter, FilterModel, Rule, Scope
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature
from spanferry.projectors.bound.bound import CONFIDENCE, threshold_for
from spanferry.projectors.bound.rightness import (
    COVARIATES,
    Text,
    read_review,
    review_digest,
    reviewed_rightness,
    row_covariates,
)
from spanferry.projectors.bound.witnesses import witnesses

LEAST, RIGHT, THRESHOLD = "max_error.min", "max_error.right", "max_error.threshold"
_REPAIRED = "max_error.repaired"  # 1 for a row whose translation was repaired
_COVARIATE = {name: f"max_error.{name}" for name in COVARIATES}


@dataclass(frozen=True)
class Bound:
    """What is promised of the kept rows of one language.

    Attributes:
        language: BCP-47 of the translations.
        error: Share of wrong spans that was asked for.
        confidence: With which it holds.
        threshold: Least probability of a kept row's spans; None: no threshold keeps the promise.
        spans: Spans that the threshold keeps.
        text: The judged text that it was proved with.
        judged: Its spans above the threshold.
        wrong: Wrong ones among them.
        outside: In what the corpus is unlike every judged text of its language, in standard deviations; ``rows``: how
            many times smaller it is; ``language``: no judged text is in that language; ``repaired``: the share of
            repaired rows, of which none was judged. The promise holds where empty.
    """

    language: str
    error: float
    confidence: float
    threshold: float | None
    spans: int
    text: str
    judged: int
    wrong: int
    outside: Mapping[str, float]

    @property
    def holds(self) -> bool:
        """Whether the promise was proved for text like this."""
        return self.threshold is not None and not self.outside

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "error": self.error,
            "confidence": self.confidence,
            "threshold": self.threshold,
            "spans": self.spans,
            "text": self.text,
            "judged": self.judged,
            "wrong": self.wrong,
            "outside": dict(self.outside),
            "holds": self.holds,
        }


class MaxError(FilterModel):
    """Keeps the most rows of which, with ``confidence``, at most a share ``error`` of the spans is wrong.

    Each span has a probability of being right, from its witnesses: projection confidence, the translator's score,
    tables of word translations in both directions, spelling, and the bundled encoder. A row is as sure as its least
    sure span. The threshold follows from rows that were judged against human translations and come with the project,
    or from a review (``spanferry calibrate``). Where no threshold keeps the promise all rows with spans are rejected.
    Where the corpus is unlike the judged rows, the report says that the bound does not hold.

    Attributes:
        error: Largest share of wrong spans.
        confidence: With which it holds.
        text: ``translated`` by a model or ``given``; runs fill it in.
        calibration: What ``spanferry calibrate`` wrote; empty: what comes with the project.
    """

    name: ClassVar[str] = "max_error"
    scope: ClassVar[Scope] = "corpus"
    scoring: ClassVar[tuple[str, ...]] = ("text", "calibration")

    error: float = Field(default=0.05, gt=0, lt=1)
    confidence: float = Field(default=CONFIDENCE, gt=0, lt=1)
    text: Text = "translated"
    calibration: str = ""

    def model_post_init(self, context: Any) -> None:
        """Reads the calibration, so that a bad one is reported before any work."""
        if self.calibration:
            read_review(self.calibration)

    @property
    def signature(self) -> Signature:
        """With the digest of the calibration, wherever the file lies."""
        own = f",{review_digest(self.calibration)}" if self.calibration else ""
        return Signature(f"{self.name}({self.text}{own})")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``max_error.min`` decides, ``max_error.right`` has a probability per span; the others describe the corpus."""
        return (
            # The threshold is known only where all rows are, so that the histogram shows what the grid ends with.
            Column(LEAST, pl.Float64),
            Column(RIGHT, pl.List(pl.Float64)),
            *(Column(column, pl.Float64) for column in _COVARIATE.values()),
            Column(_REPAIRED, pl.Float64),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class; None for a row without placed spans."""
        seen = witnesses(pairs)
        probability = np.zeros(len(seen.rows))
        languages = np.array([pairs[row].target.lang for row in seen.rows])
        for language in np.unique(languages):
            own = languages == language
            model = reviewed_rightness(self.text, self.calibration, str(language))
            part = replace(seen, rows=seen.rows[own], values=seen.values[own])
            probability[own] = model.probabilities(part).round(6)
        spans: list[list[float]] = [[] for _ in pairs]
        for row, value in zip(seen.rows, probability.tolist(), strict=True):
            spans[row].append(value)
        return {
            LEAST: [min(values, default=None) for values in spans],
            RIGHT: [values or None for values in spans],
            **{_COVARIATE[name]: values for name, values in row_covariates(seen, len(pairs)).items()},
            _REPAIRED: [float(pair.target is not None and "repaired" in pair.target.meta) for pair in pairs],
        }

    def reject(self) -> list[Rule]:
        """``max_error:low``: the least sure span is below the threshold; ``max_error:no_bound``: there is none."""
        columns = pl.struct("target_lang", LEAST, RIGHT, *_COVARIATE.values())

        def decide(bounded: bool) -> pl.Expr:
            return columns.map_batches(
                lambda rows: self._rejected(rows.struct.unnest(), bounded),
                return_dtype=pl.Boolean,
                is_elementwise=False,
            )

        return [("max_error:low", decide(True)), ("max_error:no_bound", decide(False))]

    def bounds(self, frame: pl.DataFrame) -> dict[str, Bound]:
        """The promise by target language.

        Args:
            frame: The filter's columns and ``target_lang``; rows that do not count have null in ``max_error.min``.
        """
        judged = frame.filter(pl.col(LEAST).is_not_null())
        languages = [str(one) for one in judged["target_lang"].drop_nulls().unique().sort()]
        return {
            language: self._bound(language, judged.filter(pl.col("target_lang") == language)) for language in languages
        }

    def _bound(self, language: str, rows: pl.DataFrame) -> Bound:
        model = reviewed_rightness(self.text, self.calibration, language)
        means: dict[str, float] = {}
        for name, column in _COVARIATE.items():
            mean = rows[column].mean()
            if isinstance(mean, float):
                means[name] = mean
        text, outside = model.nearest(language, means, rows.height)
        # A repair puts in what the witnesses look for, and no row that comes with the project was repaired.
        repaired = rows[_REPAIRED].mean() if _REPAIRED in rows.columns and not self.calibration else None
        if isinstance(repaired, float) and repaired > 0:
            outside = {**outside, "repaired": round(repaired, 3)}
        least = rows[LEAST].to_numpy()
        spans = rows[RIGHT].list.len().cast(pl.Int64).to_numpy()
        threshold = threshold_for(text.rows, least, spans, self.error, self.confidence)
        kept = int(spans[least >= threshold].sum()) if threshold is not None else 0
        own = text.rows.above(threshold) if threshold is not None else (0, 0)
        return Bound(language, self.error, self.confidence, threshold, kept, text.name, *own, outside)

    def _rejected(self, frame: pl.DataFrame, bounded: bool) -> pl.Series:
        thresholds = {language: bound.threshold for language, bound in self.bounds(frame).items()}
        found = []
        for language, least in zip(frame["target_lang"], frame[LEAST], strict=True):
            threshold = thresholds.get(language)
            found.append(
                least is not None and (threshold is not None and least < threshold if bounded else threshold is None)
            )
        return pl.Series(found, dtype=pl.Boolean)


def bound_filter(filters: Sequence[Filter]) -> MaxError | None:
    """The filter that promises something, if there is one."""
    return next((one for one in filters if isinstance(one, MaxError)), None)


def with_probabilities(pairs: Sequence[Pair], frame: pl.DataFrame, bounds: Mapping[str, Bound]) -> list[Pair]:
    """The pairs with the probability of each span, the least of them and the threshold among their scores.

    Args:
        pairs: Rows.
        frame: What the filter scored of them.
        bounds: Of the whole corpus, see ``MaxError.bounds``.
    """
    done = []
    for pair, least, right in zip(pairs, frame[LEAST], frame[RIGHT], strict=True):
        if least is None or pair.target is None:
            done.append(pair)
            continue
        sources = {span.id for span in pair.source.spans}
        spans = [span.id for span in pair.target.spans if span.id in sources]
        scores = {LEAST: float(least), **{f"{RIGHT}.{name}": float(p) for name, p in zip(spans, right, strict=True)}}
        bound = bounds.get(pair.target.lang)
        if bound is not None and bound.threshold is not None:
            scores[THRESHOLD] = bound.threshold
        done.append(replace(pair, scores={**pair.scores, **scores}))
    return done
