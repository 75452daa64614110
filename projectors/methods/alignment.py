"""Projection by word alignment: any aligner, any rule from links or posteriors to a span."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors.aligners.build import build_aligner
from spanferry.projectors.base import Aligner, Alignment, FittableAligner, ProjectionInput
from spanferry.projectors.placing.boundaries import bounded, check_boundary
from spanferry.projectors.placing.fragments import joined, parts_of
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.rules import FILTERS, apply_rule, check_rule, failed_filter, unequal_types
from spanferry.projectors.placing.search import choose
from spanferry.projectors.segments.posterior import SegmentScorer, SegmentWeights, covered, learned_weights

# In nats: a segment is taken although leaving the span out is up to e times likelier; its probability says so.
_DOUBTFUL = -1.0

# A range of target words and its score.
Option = tuple[Range, float]


class AlignmentProjector:
    """Projects spans along the links of a word alignment.

    Args:
        aligner: Where the links come from: a name of ``ALIGNERS``, ``package.module:Class``, or an aligner. A corpus
            aligner must have been fitted before ``project`` is called, see ``fit``.
        rule: ``posterior`` (see ``segments.posterior``) or a rule on hard links (see ``placing.rules``).
        segments: Weights of the posterior segment; by default the bundled ones.
        filters: Published filters that reject a span: ``all_aligned``, ``contiguous``, ``type_counts``.
        boundary: What happens at an edge inside a written word: ``word``, ``subword``, ``expand``
            (``spanferry.projectors.placing.boundaries``).
        options: Segments per span among which several spans choose together.
        aligner_options: Options of a named aligner.
        translator: The model, for a named aligner that needs one.

    Raises:
        ConfigError: Unknown aligner, rule, filter or aligner option, or fewer than one of ``options``.
    """

    def __init__(
        self,
        aligner: Aligner | str = "lexical",
        rule: str = "posterior",
        *,
        segments: SegmentWeights | None = None,
        filters: Sequence[str] = (),
        boundary: str = "word",
        options: int = 24,
        aligner_options: Mapping[str, Any] | None = None,
        translator: Any = None,
    ) -> None:
        if isinstance(aligner, str):
            aligner = build_aligner(aligner, aligner_options or {}, translator)
        for name in filters:
            if name not in FILTERS:
                raise ConfigError(f"unknown alignment filter {name!r}", valid=FILTERS, hint="filters may be empty")
        if options < 1:
            raise ConfigError(f"options = {options}", valid="options >= 1", hint="leave options out for 24")
        self.aligner, self.rule = aligner, check_rule(rule)
        self.boundary = check_boundary(boundary)
        self.segments, self.filters, self.options = segments or learned_weights(), tuple(sorted(filters)), options

    @property
    def signature(self) -> Signature:
        """``align(<aligner>).<rule>`` and whatever differs from the defaults."""
        parts = [f"align({self.aligner.signature}).{self.rule}.{LABEL_EDGES}.bounds.3"]
        if self.rule == "posterior":
            parts.append(f"{self.segments.digest}.top{self.options}")
        parts += [f"require-{name}" for name in self.filters]
        return Signature(".".join(parts + ([self.boundary] if self.boundary != "word" else [])))

    def fit(self, inputs: Sequence[ProjectionInput]) -> "AlignmentProjector":
        """The same projector with an aligner fitted on ``inputs``; itself where its aligner learns nothing."""
        if not isinstance(self.aligner, FittableAligner):
            return self
        return self._with(self.aligner.fit([cut_at_labels(item) for item in inputs]))

    def state(self) -> bytes:
        """The fitted aligner's tables; empty where its aligner learns nothing."""
        return self.aligner.state() if isinstance(self.aligner, FittableAligner) else b""

    def with_state(self, state: bytes) -> "AlignmentProjector":
        """The same projector with the given tables."""
        if not isinstance(self.aligner, FittableAligner):
            return self
        return self._with(self.aligner.with_state(state))

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order.

        Reasons: ``empty_target``, ``too_long`` and others of the aligner, ``no_source_words``, ``unaligned``,
        ``overlap`` (its words went to another span), ``not_contiguous``, ``source_word_unaligned``, ``type_count``.
        """
        inputs = [cut_at_labels(item) for item in inputs]
        alignments = self.aligner.align(inputs)
        return [self.project_one(item, found) for item, found in zip(inputs, alignments, strict=True)]

    def project_one(self, item: ProjectionInput, alignment: Alignment) -> list[Projection]:
        """The projections of one input along a given alignment."""
        if alignment.reason:
            return [self._lost(span, alignment.reason) for span in item.spans]
        own = parts_of(item.spans)
        if self.rule == "posterior":
            found = self._by_posterior(item, alignment, [part for _, part in own])
        else:
            found = _together([part for _, part in own], [self._by_rule(item, alignment, part) for _, part in own])
        out = []
        for k, span in enumerate(item.spans):
            its = [f for (n, _), f in zip(own, found, strict=True) if n == k]
            out.append(self._joined(item, span, alignment, its))
        if "type_counts" in self.filters:
            unequal = unequal_types(item.spans, [p.span for p in out])
            out = [
                self._lost(span, "type_count") if p.span and span.label in unequal else p
                for span, p in zip(item.spans, out, strict=True)
            ]
        return bounded(self.boundary, item, out)

    def _by_posterior(self, item: ProjectionInput, alignment: Alignment, parts: Sequence[Range]) -> list[Option | str]:
        options: list[list[tuple[int, int, float]]] = []
        probability: dict[tuple[Range, Range], float] = {}
        scorer = SegmentScorer(item, alignment, self.segments)
        for part in parts:
            segments = scorer.best(part, self.options)
            options.append([(segment.start, segment.end, segment.score) for segment in segments])
            probability.update({(part, (segment.start, segment.end)): segment.probability for segment in segments})
        out: list[Option | str] = []
        for part, its, index in zip(parts, options, choose(parts, options, absent=_DOUBTFUL), strict=True):
            inside = covered(alignment.source_words, part)
            if index is not None:
                words = its[index][:2]
                out.append(self._filtered(alignment, inside) or (words, probability[part, words]))
            elif not inside.any():
                out.append("no_source_words")
            else:
                out.append("overlap" if any(score > _DOUBTFUL for _, _, score in its) else "unaligned")
        return out

    def _by_rule(self, item: ProjectionInput, alignment: Alignment, part: Range) -> Option | str:
        inside = covered(alignment.source_words, part)
        if not inside.any():
            return "no_source_words"
        reason = self._filtered(alignment, inside)
        if reason:
            return reason
        strings = [item.target_text[a:b] for a, b in alignment.target_words]
        found, reason = apply_rule(self.rule, alignment.links, inside, alignment.probabilities, strings)
        if found is None:
            return reason or "unaligned"
        mass = alignment.probabilities[inside][:, found[0] : found[1]]
        # The share of the span's words that have a counterpart in the stretch, by their likeliest links.
        return found, float(np.clip(mass.max(axis=1).mean(), 0.0, 1.0))

    def _filtered(self, alignment: Alignment, inside: np.ndarray) -> str | None:
        return failed_filter(self.filters, alignment.links, inside)

    def _joined(
        self, item: ProjectionInput, span: Span, alignment: Alignment, found: Sequence[Option | str]
    ) -> Projection:
        reason = next((part for part in found if isinstance(part, str)), None)
        if reason:
            return self._lost(span, reason)
        placed = [part for part in found if not isinstance(part, str)]
        ranges = [(alignment.target_words[a][0], alignment.target_words[b - 1][1]) for (a, b), _ in placed]
        target = joined(span, ranges, item.target_text)
        return Projection(span.id, target, min(score for _, score in placed), self._method)

    def _lost(self, span: Span, reason: str) -> Projection:
        return Projection(span.id, None, 0.0, self._method, reason)

    def _with(self, aligner: Aligner) -> "AlignmentProjector":
        return AlignmentProjector(
            aligner,
            self.rule,
            segments=self.segments,
            filters=self.filters,
            boundary=self.boundary,
            options=self.options,
        )

    @property
    def _method(self) -> str:
        return f"align.{self.aligner.signature.partition('.')[0].partition('|')[0]}.{self.rule}"


def _together(parts: Sequence[Range], found: Sequence[Option | str]) -> list[Option | str]:
    """What the links say of each part alone, less those that break its relation to a likelier one: ``overlap``."""
    options = [[] if isinstance(one, str) else [(*one[0], one[1])] for one in found]
    kept = choose(parts, options, absent=-1.0)
    return [
        one if isinstance(one, str) or index is not None else "overlap" for one, index in zip(found, kept, strict=True)
    ]
