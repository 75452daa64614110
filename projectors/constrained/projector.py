"""Constrained decoding: the model that reads the marked source says where the markers go in the target.

CODEC (Le et al., ICLR 2024): with x(k) the source in which span k stands in ``[ ]`` and y the target, the target span
is the way of putting ``[`` and ``]`` into y that the translation model finds most likely given x(k). The target itself
was made without markers and is not touched. Translate-test is the same call: the source is then the model's own
translation with predicted spans, the target the original sentence. See `projectors.constrained.search` for the search
and where it differs.
"""

import contextlib
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, RowError
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature, number_text
from spanferry.projectors.base import ProjectionInput, single_words_of_both, words_in
from spanferry.projectors.constrained.candidates import CLOSE, OPEN, length_bound, marked, places, without_brackets
from spanferry.projectors.constrained.job import Effort, Job, Scored
from spanferry.projectors.constrained.rerank import rerank
from spanferry.projectors.constrained.search import Forcer, Scorer, search
from spanferry.projectors.placing.boundaries import bounded, check_boundary
from spanferry.projectors.placing.fragments import joined, parts_of
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.rules import edge_faults
from spanferry.projectors.placing.search import Candidate, choose
from spanferry.translators.engine.failures import carried
from spanferry.translators.engine.language_pieces import lists_digest
from spanferry.translators.engine.scoring import LanguageScorer
from spanferry.translators.families import read_vocabulary
from spanferry.translators.loading.load import load_translator
from spanferry.translators.model_file import UnknownLayout
from spanferry.translators.wrappers.readas import scoring_model

METHOD = "constrained"
# Spans handed to the model at a time; bounds memory, and is far more than a batch.
_JOBS = 2048
# A span whose likely places are taken by others is left out rather than put where the model gives it less than this.
_LEAST = math.log(1e-4)
# Target languages whose scorers stay in memory: each takes the encoder's weights and a part of the decoder's.
_SCORERS_KEPT = 2

# Input, part of its spans, job.
Task = tuple[int, int, Job]


@dataclass(frozen=True, slots=True)
class NBest:
    """Where one span, or one fragment of it, may have gone.

    Attributes:
        candidates: (start, end, log posterior) of target ranges, best first; code points and nats.
        reason: Why there are none, or None.
    """

    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None


class ConstrainedProjector:
    """Projection by constrained decoding, many spans and sentences at a time.

    The score of a projection is its posterior among the places that were looked at. Each fragment of a discontinuous
    span is marked and placed on its own; its score is the least of theirs, and it is lost, with the reason of that
    fragment, where one of them is. Reasons: ``empty_target``,
    ``no_candidate``, ``unlikely`` (nothing is left after re-ranking), ``too_long`` (for the model), ``bad_unicode``,
    ``model_error``, ``conflict`` (every likely place breaks the relation to another span of the example).

    Args:
        translator: A `ct2.CT2Translator`. One whose model never saw markers is allowed and places spans
            less well; the signature then says ``markers:unknown``.
        source_lang: BCP-47; which way ``reverse`` is loaded for.
        target_lang: Likewise.
        search: ``fast``, or ``full`` to score every pair of places with the whole model, at a hundred times the cost.
        vocabulary: ``language``: the passes of ``fast`` on a CPU are over the pieces that the target language uses,
            where the model has a list of them (`spanferry.translators.engine.scoring`); ``all``: over all of them.
        openings: Most openings whose closings are scored.
        finalists: Most pairs of places scored with the whole model; fewer where a target is long.
        keep: Length of the n-best lists.
        edges: Nats that a candidate of ``project`` loses for each edge with punctuation or a short word that the source
            span has not (``rules.edge_faults``): the model likes to take articles and prepositions along.
            0 is the paper's argmax. The n-best lists are without it.
        boundary: What happens at an edge inside a written word: ``word``, ``subword``, ``expand``
            (``spanferry.projectors.placing.boundaries``). The n-best lists are without it.
        scorer: Name of the model that scores in the place of ``translator``, which may then be one that gives no
            scores, such as ``firefox``; "": none.
        scorer_language: Language of ``scorer`` as which it reads the target, where it lacks that; "": a related one
            (``spanferry.translators.wrappers.readas``).
        reverse: A model of the other direction (a ScoringTranslator, or the name of one), which re-ranks the five best
            places (``spanferry.projectors.constrained.rerank``); by default they are not ranked again.

    Raises:
        ConfigError: An option that is not valid.
        ModelError: There is no such ``reverse``, or it lacks a language.
    """

    def __init__(
        self,
        translator: Any,
        source_lang: str = "",
        target_lang: str = "",
        *,
        search: str = "fast",
        vocabulary: str = "language",
        openings: int = 12,
        finalists: int = 12,
        keep: int = 16,
        edges: float = 1.5,
        boundary: str = "word",
        scorer: str = "",
        scorer_language: str = "",
        reverse: Any = None,
    ) -> None:
        if scorer_language and not scorer:
            raise ConfigError(f"scorer_language={scorer_language!r} without scorer", hint="scorer=bundled")
        if scorer:
            translator = scoring_model(scorer, source_lang, target_lang, scorer_language)
        if search not in ("fast", "full"):
            raise ConfigError(f"search={search!r}", valid="fast, full", hint="leave search out for fast")
        if vocabulary not in ("language", "all"):
            raise ConfigError(f"vocabulary={vocabulary!r}", valid="language, all", hint="leave vocabulary out")
        for name, value in (("openings", openings), ("finalists", finalists), ("keep", keep)):
            if value < 1:
                raise ConfigError(f"{name}={value}", valid=f"{name} >= 1", hint=f"leave {name} out for its default")
        self.translator = translator
        self.effort = Effort(full=search == "full", openings=openings, finalists=finalists)
        if edges < 0:
            raise ConfigError(f"edges={edges}", valid="edges >= 0", hint="edges=0 is the paper's argmax")
        self.keep, self.edges, self.boundary = keep, edges, check_boundary(boundary)
        if isinstance(reverse, str):
            reverse = load_translator(reverse, source=target_lang or None, target=source_lang or None)
        self.reverse = reverse
        self._cheap = search == "fast" and translator.device == "cpu"
        self._lists = lists_digest(translator.directory) if self._cheap and vocabulary == "language" else ""
        self._scorers: OrderedDict[str, LanguageScorer | None] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def signature(self) -> Signature:
        """``constrained.5.<label edges>.fast.open12.top12.pieces:<digest of lists>.keep16.edges1.5`` and the model."""
        how = "full" if self.effort.full else f"fast.open{self.effort.openings}.top{self.effort.finalists}"
        how += f".pieces:{self._lists}" if self._lists else ""
        aware = "" if self.translator.marker_aware else ".markers:unknown"
        cut = f".{self.boundary}" if self.boundary != "word" else ""
        again = f".reverse:{self.reverse.signature}" if self.reverse is not None else ""
        how = f"{METHOD}.5.{LABEL_EDGES}.{how}.keep{self.keep}.edges{number_text(self.edges)}{cut}{again}{aware}"
        return Signature(f"{how}({self.translator.signature})")

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """One projection per span, the spans of an input chosen together.

        Raises:
            ModelError: The model lacks a language.
        """
        inputs = [cut_at_labels(item, single_words_of_both) for item in inputs]
        listed = self.nbest(inputs)
        if self.reverse is not None:
            listed = self._reranked(inputs, listed)
        return [self.choose(i, _with_parts(i, found)) for i, found in zip(inputs, listed, strict=True)]

    def _reranked(self, inputs: Sequence[ProjectionInput], listed: Sequence[Sequence[NBest]]) -> list[list[NBest]]:
        """The n-best lists after the second look; the posteriors go by rank, to the new order."""
        orders = rerank(self.reverse, inputs, [[n.candidates for n in row] for row in listed])
        return [
            [_in_order(n, order) for n, order in zip(row, own, strict=True)]
            for row, own in zip(listed, orders, strict=True)
        ]

    def choose(self, given: ProjectionInput, found: Sequence[NBest]) -> list[Projection]:
        """The projections of one input from the n-best lists of its spans' parts."""
        own = parts_of(given.spans)
        weighed = [
            [
                (a, b, self._weighed(p, given.source_text[slice(*part)], given.target_text[a:b]))
                for a, b, p in n.candidates
            ]
            for (_, part), n in zip(own, found, strict=True)
        ]
        chosen = choose([part for _, part in own], weighed, absent=_LEAST - 2 * self.edges)
        picked: list[list[Candidate | str]] = [[] for _ in given.spans]
        for (k, _), n, index in zip(own, found, chosen, strict=True):
            picked[k].append(n.reason or "conflict" if index is None else n.candidates[index])
        placed = [_projection(s, its, given.target_text) for s, its in zip(given.spans, picked, strict=True)]
        return bounded(self.boundary, given, placed)

    def _weighed(self, logprob: float, source: str, target: str) -> float:
        # What the model all but rules out is not chosen, however clean its edges are.
        return logprob - self.edges * edge_faults(source, target) if logprob >= _LEAST else -math.inf

    def nbest(self, inputs: Sequence[ProjectionInput]) -> list[list[NBest]]:
        """For each input the n-best list of each part of its spans (`fragments.parts_of`), each on its own.

        Raises:
            ModelError: The model lacks a language.
        """
        results = [[NBest(reason="no_candidate") for _ in parts_of(given.spans)] for given in inputs]
        waiting: dict[tuple[int, str], list[Task]] = {}
        for i, given in enumerate(inputs):
            for k, job in enumerate(self._jobs(given)):
                if isinstance(job, Job):
                    waiting.setdefault((job.prefix, given.target_lang), []).append((i, k, job))
                else:
                    results[i][k] = NBest(reason=job)
        for (_, language), tasks in waiting.items():
            scorer = self._scorer(language)
            parts = list(_parts(tasks, scorer.room if scorer else None))

            def searched(part: Sequence[Task], own: LanguageScorer | None = scorer) -> list[list[Scored] | None]:
                return self._searched(own, [job for *_, job in part])

            # Two at a time: what is done between the passes of one need not keep the cores waiting.
            with ThreadPoolExecutor(2 if scorer else 1) as pool:
                for part, found in zip(parts, pool.map(carried(searched), parts), strict=True):
                    for (i, k, job), scored in zip(part, found, strict=True):
                        results[i][k] = self._posterior(job, scored)
        return results

    def _searched(self, scorer: LanguageScorer | None, jobs: Sequence[Job]) -> list[list[Scored] | None]:
        if scorer is None:
            return search(self._forcer, jobs, self.effort)
        sources = (source for job in jobs for source in job.contrast_sources)
        cheap: Scorer = scorer.for_batch(sources, [job.target for job in jobs], (OPEN,))
        return search(cheap, jobs, self.effort, judge=None if scorer.exact else self._forcer)

    def _scorer(self, language: str) -> LanguageScorer | None:
        """What scores cheaply in a language, if anything does; those of the last languages stay."""
        with self._lock:
            if language not in self._scorers:
                while len(self._scorers) >= _SCORERS_KEPT:
                    self._scorers.popitem(last=False)  # before the next one is loaded
                model = self.translator
                always = (OPEN, CLOSE, *model.target_prefix(language))
                own = language if self._lists else None
                made = None
                if self._cheap:
                    with contextlib.suppress(UnknownLayout):
                        made = LanguageScorer(model.directory, own, compute_type=model.compute_type, always=always)
                self._scorers[language] = made
            self._scorers.move_to_end(language)
            return self._scorers[language]

    @cached_property
    def _forcer(self) -> Forcer:
        return Forcer(self.translator.raw, len(read_vocabulary(self.translator.directory, "target")))

    def _jobs(self, given: ProjectionInput) -> list[Job | str]:
        """For each part of a span the job, or the reason why there is none."""
        own: list[Range] = [part for _, part in parts_of(given.spans)]
        if not own:
            return []
        translator = self.translator
        if not given.target_text.strip():
            return ["empty_target"] * len(own)
        prefix = translator.target_prefix(given.target_lang)
        try:
            pieces, ranges = translator.pieces(without_brackets(given.target_text), given.target_lang, side="target")
            plain = tuple(translator.encode_source(given.source_text, given.source_lang, given.target_lang))
        except RowError as error:
            return [error.reason] * len(own)
        where = places(given.target_text, given.target_words or words_in(given.target_text), ranges)
        target = (*prefix, *pieces)
        texts = [marked(given.source_text, start, end) for start, end in own]
        sources = [tuple(translator.encode_source(text, given.source_lang, given.target_lang)) for text in texts]
        limits = translator.limits
        fits = [len(source) <= limits.source and len(target) + 3 <= limits.target for source in sources]
        siblings = tuple(s for s, fit in zip(sources, fits, strict=True) if fit)
        jobs: list[Job | str] = []
        for (start, end), source, fit in zip(own, sources, fits, strict=True):
            bound = length_bound((start, end), len(given.source_text), len(pieces))
            job = Job(source, plain, target, len(prefix), where, bound, siblings)
            jobs.append(job if fit else "too_long")
        return jobs

    def _posterior(self, job: Job, scored: list[Scored] | None) -> NBest:
        if scored is None:
            return NBest(reason="model_error")
        if not scored:
            return NBest(reason="no_candidate")
        starts = dict(zip(job.places.opens, job.places.starts, strict=True))
        ends = dict(zip(job.places.closes, job.places.ends, strict=True))
        values = np.array([s.logprob for s in scored])
        top = values.max()
        total = top + math.log(np.exp(values - top).sum())
        placed = ((starts[s.opening], ends[s.closing], round(s.logprob - total, 4)) for s in scored[: self.keep])
        candidates = tuple(c for c in placed if c[0] < c[1])
        return NBest(candidates, None if candidates else "no_candidate")


def _parts(tasks: Sequence[Task], room: int | None) -> Iterator[Sequence[Task]]:
    """``tasks`` in stretches, bounded by their number and, if need be, by the tokens of their sources."""
    start = tokens = 0
    for at, (*_, job) in enumerate(tasks):
        size = len(job.source) + len(job.plain)
        if at > start and (at - start == _JOBS or (room is not None and tokens + size > room)):
            yield tasks[start:at]
            start, tokens = at, 0
        tokens += size
    if tasks:
        yield tasks[start:]


def _with_parts(given: ProjectionInput, found: Sequence[NBest]) -> list[NBest]:
    """Where labels touch inside a word of the target, its parts as well, as likely as the whole word together.

    The model can part only its own pieces, and one piece may hold several labels.
    """
    cut = given.target_words
    whole = words_in(given.target_text) if cut else ()
    parts = {word: [part for part in cut if word[0] <= part[0] and part[1] <= word[1]] for word in whole}
    parts = {word: own for word, own in parts.items() if len(own) > 1}
    return [_parted(n, parts) for n in found] if parts else list(found)


def _parted(found: NBest, parts: Mapping[Range, Sequence[Range]]) -> NBest:
    known = {(a, b): p for a, b, p in found.candidates}
    for a, b, p in found.candidates:
        for part in parts.get((a, b), ()):
            known.setdefault(part, p - math.log(len(parts[a, b])))
    return replace(found, candidates=tuple((a, b, p) for (a, b), p in known.items()))


def _in_order(found: NBest, order: Sequence[Candidate]) -> NBest:
    if found.reason or not order:
        return NBest(reason=found.reason or "unlikely")
    ranked = zip(order, found.candidates, strict=False)
    return NBest(tuple((start, end, p) for (start, end, _), (_, _, p) in ranked))


def _projection(span: Span, picked: Sequence[Candidate | str], text: str) -> Projection:
    """The projection of a span from where each of its parts went, or why it went nowhere."""
    lost = next((part for part in picked if isinstance(part, str)), None)
    if lost is not None:
        return Projection(span.id, None, 0.0, METHOD, lost)
    placed = [part for part in picked if not isinstance(part, str)]
    target = joined(span, [(start, end) for start, end, _ in placed], text)
    return Projection(span.id, target, round(math.exp(min(logprob for *_, logprob in placed)), 4), METHOD)
