"""The default projector: corpus statistics, the model's view and copying, weighed by how well the model knows the pair.

Every method proposes target ranges; every proposal is scored by all of them, in nats, and the spans of an input choose
together. The model's evidence (constrained decoding, CODEC) counts fully where it finds the given target likely, as
it does for its own translations, and not at all where it is out of its depth: there it would be noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature, number_text
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.apostrophes import has_inner_apostrophe
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.confidence.calibration import load_calibration
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.methods.copying import STRICT, copies
from spanferry.projectors.placing.boundaries import bounded, check_boundary
from spanferry.projectors.placing.fragments import joined, parts_of
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.search import Candidate, choose
from spanferry.projectors.segments.posterior import SegmentScorer, SegmentWeights, learned_weights
from spanferry.translators.engine.limits import MODEL_ERROR

_SEGMENTS = 24
Listed = Sequence[Candidate]
# A target range, its summed score in nats, and the methods that speak for it.
Proposal = tuple[Range, float, str]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each kind of evidence counts.

    Attributes:
        model: Of the log-posterior of constrained decoding, at full trust.
        copy: Of the similarity of a copied stretch above 0.7, per unit.
        exact: Of an exact copy of a text that must not change (digits, addresses), in nats.
        floor: Log-posterior of a range that constrained decoding did not list, in nats.
        absent: Score of not placing a span that the model is trusted with, in nats; untrusted it is 0.
        known: Mean forced log-probability per piece, in nats, from which on the model is trusted fully.
        foreign: The same, below which it is not asked.
    """

    model: float = 0.05
    copy: float = 2.0
    exact: float = 6.0
    floor: float = -8.0
    absent: float = -3.0
    known: float = -1.5
    foreign: float = -3.0


class DefaultProjector:
    """Weighs the lexical aligner, constrained decoding and copying against each other.

    Args:
        translator: A ScoringTranslator for the pair, or None: statistics and copying alone.
        source_lang: BCP-47.
        target_lang: BCP-47.
        model: Whether the model is asked at all.
        copy: Whether stretches that are spelled alike on both sides count.
        context: Whether the lexical aligner uses the bundled encoder (``encoder.context``); by default where
            ``prior`` is ``bundled``.
        prior: ``bundled`` or ``none``: what the lexical aligner knows before it learns from the texts.
        boundary: What happens at an edge inside a written word: ``word``, ``subword``, ``expand``
            (``spanferry.projectors.placing.boundaries``).
        weights: Weight of each kind of evidence; by default the fitted ones.
        segments: Weights of the segment model; by default the bundled ones.
        aligner: The lexical aligner; by default one with the options above.
        calibrate: Whether scores are calibrated (``confidence.calibration``), or the shares of the weighed evidence.

    Raises:
        ConfigError: An option of the wrong kind.
    """

    def __init__(
        self,
        translator: Any = None,
        source_lang: str = "",
        target_lang: str = "",
        *,
        model: bool = True,
        copy: bool = True,
        context: bool | None = None,
        prior: str = "bundled",
        calibrate: bool = True,
        boundary: str = "word",
        weights: Weights | None = None,
        segments: SegmentWeights | None = None,
        aligner: LexicalAligner | None = None,
    ) -> None:
        if not all(isinstance(option, bool) for option in (model, copy, calibrate)) or context not in (
            None,
            True,
            False,
        ):
            raise ConfigError(
                "options 'model', 'copy', 'context' and 'calibrate' are true or false",
                hint="--set projector.options.model=false",
            )
        self.source_lang, self.target_lang, self.boundary = source_lang, target_lang, check_boundary(boundary)
        self.translator = translator if model else None
        self.copy, self.weights, self.segments = copy, weights or Weights(), segments or learned_weights()
        self.aligner = aligner or LexicalAligner(prior, context=context)
        self.constrained = None if self.translator is None else ConstrainedProjector(self.translator)
        self.calibration = load_calibration("default", self.translator is not None) if calibrate else None

    @property
    def signature(self) -> Signature:
        """``proj:default(<parts>)`` with every weight."""
        parts = [self.aligner.signature, f"segment.{self.segments.digest}", LABEL_EDGES, "bounds.3"]
        if self.constrained is not None:
            w = self.weights
            numbers = ".".join(number_text(x) for x in (w.model, w.floor, w.absent, w.known, w.foreign))
            parts.append(f"{self.constrained.signature}.{numbers}")
        if self.copy:
            parts.append(f"copy.{number_text(self.weights.copy)}.{number_text(self.weights.exact)}")
        if self.boundary != "word":
            parts.append(self.boundary)
        if self.calibration:
            parts.append(f"cal.{self.calibration.digest}")
        return Signature.of(("proj", f"default({'+'.join(parts)})"))

    def fit(self, inputs: Sequence[ProjectionInput]) -> "DefaultProjector":
        """The same projector, its aligner fitted on ``inputs``."""
        return self._with(self.aligner.fit([cut_at_labels(item) for item in inputs]))

    def state(self) -> bytes:
        """The aligner's tables."""
        return self.aligner.state()

    def with_state(self, state: bytes) -> "DefaultProjector":
        """The same projector with the given tables."""
        return self._with(self.aligner.with_state(state))

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order.

        ``method`` names the evidence that speaks for the chosen range: ``lexical``, ``constrained``, ``copy`` joined by
        ``+``. Reasons: those of the aligner where it failed and nothing else spoke, ``unaligned``, ``overlap``;
        ``model_error`` for every span of an input on which the model failed.

        Raises:
            ModelError: The model fails on every one of several inputs.
        """
        inputs = [cut_at_labels(item) for item in inputs]
        alignments = self.aligner.align(inputs)
        trust, listed, failed = self._ask_model(inputs)
        found = [
            # What the signature promises is the model's view; without it the row is not placed another way.
            [Projection(span.id, None, 0.0, "default", MODEL_ERROR) for span in inputs[k].spans]
            if k in failed
            else self._project_one(inputs[k], alignments[k], trust[k], listed[k])
            for k in range(len(inputs))
        ]
        if self.calibration is not None:
            found = [self.calibration.apply(own, item.target_text) for item, own in zip(inputs, found, strict=True)]
        return [bounded(self.boundary, item, own) for item, own in zip(inputs, found, strict=True)]

    def _ask_model(self, inputs: Sequence[ProjectionInput]) -> tuple[list[float], list[list[Listed]], set[int]]:
        """Per input how far the model is trusted, 0 to 1, and per part of a span its candidates with log-posteriors.

        Third, the inputs on which the model failed.
        """
        trust = [0.0] * len(inputs)
        listed: list[list[Listed]] = [[()] * len(parts_of(item.spans)) for item in inputs]
        if self.translator is None or self.constrained is None or not inputs:
            return trust, listed, set()
        # How likely the model finds this translation shows how far to trust its scores; one of its own brings that.
        known = {k: item.target_score for k, item in enumerate(inputs) if item.target_score is not None}
        others = [k for k in range(len(inputs)) if k not in known]
        scored = self.translator.score_pairs(
            [inputs[k].source_text for k in others],
            [inputs[k].target_text for k in others],
            self.source_lang or inputs[0].source_lang,
            self.target_lang or inputs[0].target_lang,
        )
        known |= {k: forced.mean for k, forced in zip(others, scored, strict=True) if forced.reason is None}
        failed = {k for k, forced in zip(others, scored, strict=True) if forced.reason == MODEL_ERROR}
        w = self.weights
        for k, mean in known.items():
            trust[k] = float(np.clip((mean - w.foreign) / (w.known - w.foreign), 0.0, 1.0))
        asked = [k for k, weight in enumerate(trust) if weight > 0]
        for k, found in zip(asked, self.constrained.nbest([inputs[k] for k in asked]), strict=True):
            listed[k] = [nbest.candidates for nbest in found]
            if any(nbest.reason == MODEL_ERROR for nbest in found):
                failed.add(k)
        return trust, listed, failed

    def _project_one(
        self,
        item: ProjectionInput,
        alignment: Alignment,
        trust: float,
        listed: Sequence[Listed],
    ) -> list[Projection]:
        absent = self.weights.absent if trust > 0 else 0.0
        placed = parts_of(item.spans)
        scorer = SegmentScorer(item, alignment, self.segments)
        proposals = [self._score(item, scorer, part, trust, own) for (_, part), own in zip(placed, listed, strict=True)]
        options = [[(a, b, score) for (a, b), score, _ in its] for its in proposals]
        chosen = choose([part for _, part in placed], options, absent=absent)
        results = []
        for k, span in enumerate(item.spans):
            own = [n for n, (owner, _) in enumerate(placed) if owner == k]
            lost = next((n for n in own if chosen[n] is None), None)
            if lost is not None:
                reason = alignment.reason or ("overlap" if any(o[2] > absent for o in options[lost]) else "unaligned")
                results.append(Projection(span.id, None, 0.0, "default", reason))
                continue
            picked = [(proposals[n], chosen[n] or 0) for n in own]
            results.append(_placed(span, picked, absent, item.target_text))
        return results

    def _score(
        self,
        item: ProjectionInput,
        scorer: SegmentScorer,
        part: Range,
        trust: float,
        listed: Listed,
    ) -> list[Proposal]:
        """All proposals for one span (or fragment), each scored by all the evidence."""
        text, w = item.target_text, self.weights
        ranges: dict[Range, float] = {}
        target_words = scorer.alignment.target_words
        for segment in scorer.best(part, _SEGMENTS):
            ranges[target_words[segment.start][0], target_words[segment.end - 1][1]] = segment.score
        # Where the aligner keeps an ending with its word, a copy without it would cut the word.
        whole = has_inner_apostrophe(text, target_words) and not item.target_words
        copied = dict(copies(replace(item, target_words=target_words) if whole else item, part)) if self.copy else {}
        must_match = bool(STRICT.search(item.source_text[part[0] : part[1]]))
        posterior = {(a, b): logprob for a, b, logprob in listed}
        others = [
            place
            for place in dict.fromkeys((*copied, *posterior))
            if place not in ranges and text[place[0] : place[1]].strip()
        ]
        ranges |= zip(others, scorer.scores(part, others).tolist(), strict=True)
        proposals: list[Proposal] = []
        for candidate, score in ranges.items():
            total = score
            speaks = ["lexical"] if score > 0 else []
            if trust > 0 and posterior:
                total += w.model * trust * max(posterior.get(candidate, w.floor), w.floor)
                if candidate in posterior:
                    speaks.append("constrained")
            if candidate in copied:
                total += w.copy * (copied[candidate] - 0.7)
                total += w.exact if must_match and copied[candidate] == 1.0 else 0.0
                speaks.append("copy")
            proposals.append((candidate, total, "+".join(speaks) or "default"))
        return proposals

    def _with(self, aligner: LexicalAligner) -> "DefaultProjector":
        return DefaultProjector(
            self.translator,
            self.source_lang,
            self.target_lang,
            copy=self.copy,
            boundary=self.boundary,
            calibrate=self.calibration is not None,
            weights=self.weights,
            segments=self.segments,
            aligner=aligner,
        )


def _placed(span: Span, own: Sequence[tuple[Sequence[Proposal], int]], absent: float, text: str) -> Projection:
    """The projection of a span from the chosen proposal of each of its fragments."""
    picked = [proposals[index] for proposals, index in own]
    confidence = min(_share([score for _, score, _ in proposals], index, absent) for proposals, index in own)
    method = "+".join(dict.fromkeys(name for _, _, names in picked for name in names.split("+")))
    target = joined(span, [found for found, _, _ in picked], text)
    return Projection(span.id, target, confidence, method)


def _share(scores: Sequence[float], index: int, absent: float) -> float:
    """The softmax of one score among all of them and the absence of the span."""
    values = np.array([*scores, absent])
    weights = np.exp(values - values.max())
    return float(weights[index] / weights.sum())
