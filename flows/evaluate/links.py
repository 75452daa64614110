"""Aligners against gold word alignments."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spanferry.corpora.metrics.bootstrap import f1_interval
from spanferry.corpora.metrics.links import LinkScore, link_counts, link_score
from spanferry.corpora.signature import Signature
from spanferry.flows.evaluate.projection import Method, Settings, model_for
from spanferry.flows.version import VERSION
from spanferry.projectors.aligners.build import build_aligner
from spanferry.projectors.base import FittableAligner
from spanferry.projectors.evaluation.gold_links import LinkGold
from spanferry.projectors.pipeline.stages import fit_sample


@dataclass(frozen=True)
class LinkEvaluation:
    """One aligner on one gold.

    Attributes:
        method: The aligner as written.
        signature: The aligner's own signature.
        gold: The gold.
        scores: One for each pair.
        failed: Pairs that were not aligned, by reason.
        interval: 95 % bootstrap interval of F1, possible links taken for right.
        seconds: To fit and to align.
    """

    method: str
    signature: str
    gold: LinkGold
    scores: tuple[LinkScore, ...]
    failed: dict[str, int]
    interval: tuple[float, float]
    seconds: float

    @property
    def total(self) -> LinkScore:
        """All pairs together."""
        return sum(self.scores, LinkScore())

    @property
    def counts(self) -> np.ndarray:
        """Correct, predicted and gold of each pair, (n_pairs, 3)."""
        return link_counts(self.scores)


def evaluate_alignment(
    methods: Sequence[Method],
    golds: Sequence[LinkGold],
    settings: Settings,
    tell: Callable[[str], None] = lambda _: None,
) -> list[LinkEvaluation]:
    """Every aligner on every gold; aligners vary fastest. Those that learn from the corpus learn from the gold's texts.

    Raises:
        ConfigError: An aligner that there is none of, or an option it does not take; before any work is done.
        ModelError: An aligner needs a model and there is none for the pair.
    """
    plan = [
        (
            gold,
            method,
            build_aligner(method.kind, method.options, model_for(gold.source_lang, gold.target_lang, settings)),
        )
        for gold in golds
        for method in methods
    ]
    found = []
    for gold, method, aligner in plan:
        tell(f"{method.name} on {gold.name}")
        start = time.perf_counter()
        if isinstance(aligner, FittableAligner):
            aligner = aligner.fit(fit_sample(gold.inputs, settings.fit_rows))
        alignments = aligner.align(gold.inputs)
        seconds = time.perf_counter() - start
        scores = tuple(
            link_score(alignment.links, sure, possible)
            for alignment, sure, possible in zip(alignments, gold.sure, gold.possible, strict=True)
        )
        reasons = [alignment.reason for alignment in alignments if alignment.reason]
        failed = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
        interval = f1_interval(link_counts(scores), samples=settings.samples, seed=settings.seed)
        found.append(LinkEvaluation(method.name, aligner.signature, gold, scores, failed, interval, seconds))
    return found


def link_summary(evaluation: LinkEvaluation, settings: Settings) -> dict[str, Any]:
    """The numbers of one aligner on one gold."""
    gold, total = evaluation.gold, evaluation.total
    row: dict[str, Any] = {
        "gold": gold.name,
        "language": gold.target_lang,
        "method": evaluation.method,
        "pairs": len(gold.inputs),
        "links": total.sure,
        "predicted": total.predicted,
        **{name: round(getattr(total, name), 4) for name in ("precision", "recall", "f1")},
        "f1_low": round(evaluation.interval[0], 4),
        "f1_high": round(evaluation.interval[1], 4),
    }
    if total.aer is not None:
        row["aer"] = round(total.aer, 4)
    signature = Signature.of(
        ("gold", gold.signature),
        ("lang", f"{gold.source_lang}-{gold.target_lang}"),
        ("align", evaluation.signature),
        ("fit", settings.fit_rows),
        ("bootstrap", settings.samples),
        ("seed", settings.seed),
        ("version", VERSION),
    )
    return {**row, "failed": evaluation.failed, "skipped": dict(gold.skipped), "signature": signature}
