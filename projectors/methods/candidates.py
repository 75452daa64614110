"""Projection by scoring stretches of the target as translations of the span: T-Projection's second half.

García-Ferrero, Agerri and Rigau (Findings of EMNLP 2023), sections 3.2 and 3.3, with the translation equivalence of
NMTScore (Vamvas and Sennrich, Findings of EMNLP 2022, section 2.2). Differs in that the candidates are all word n-grams
of about the right length instead of what an mT5 generates, in that spans are chosen together by the best sum instead
of greedily, and in that a model that was never trained to repeat its input is not asked to.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.multiway import Direction
from spanferry.corpora.schema import Projection, Range, Span
from spanferry.corpora.signature import Signature
from spanferry.projectors.base import ProjectionInput, single_words_of_both, words_in
from spanferry.projectors.placing.label_edges import LABEL_EDGES, cut_at_labels
from spanferry.projectors.placing.rules import is_punctuation
from spanferry.projectors.placing.search import Candidate, choose

METHOD = "candidates"
# Inputs whose candidates are scored at once; the same text is scored once among them.
_INPUTS = 64
_LEAST, _SPARE = 0.4, 2  # shortest candidate as a share of the expected words, longest beyond twice as many
_MOST = 400


class CandidatesProjector:
    """Scores every stretch of the target by how well it translates the span, in both directions.

    The similarity of a span A and a candidate B is ½ [P(A|B) / P(A|A) + P(B|A) / P(B|B)], where P(A|B) is the geometric
    mean of the probabilities of A's pieces, the end marker among them, when the model translates B. P(A|A) counts as 1
    where the model does not translate a language into itself. Candidates are first ranked by P(B|A) alone, and the best
    of them by the whole. The score is the similarity, at most 1.

    Reasons: ``empty_target``, ``empty_span``, ``no_candidate`` (no stretch of the right length), ``overlap`` (what is
    like it went to another span), and those of the model for the span's text.

    Args:
        translator: A `spanferry.translators.base.ScoringTranslator` for the pair.
        source_lang: BCP-47; where it is empty the inputs' own.
        target_lang: Likewise.
        reverse: The model for the way back where the translator does not know it: what ``--translator`` takes, or a
            ScoringTranslator.
        keep: Candidates of a span that are scored in both directions.

    Raises:
        ConfigError: ``keep`` is out of range.
        ModelError: No model for one of the directions.
    """

    def __init__(
        self,
        translator: Any,
        source_lang: str = "",
        target_lang: str = "",
        *,
        reverse: Any = None,
        keep: int = 24,
    ) -> None:
        if keep < 1:
            raise ConfigError(f"keep = {keep}", valid="keep >= 1", hint="leave keep out for 24")
        if isinstance(reverse, str):
            from spanferry.translators.loading.load import load_translator

            reverse = load_translator(reverse, source=target_lang or None, target=source_lang or None)
        self.translator, self.reverse, self.keep = translator, reverse, keep
        self.source_lang, self.target_lang = source_lang, target_lang
        if source_lang and target_lang:
            self._models(source_lang, target_lang)

    @property
    def signature(self) -> Signature:
        """``candidates.top<keep>(<model>)`` and the model for the way back."""
        back = f"+{self.reverse.signature}" if self.reverse is not None else ""
        return Signature(f"{METHOD}.2.{LABEL_EDGES}.top{self.keep}({self.translator.signature}{back})")

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order.

        Raises:
            ModelError: No model for one of the directions.
        """
        inputs = [cut_at_labels(item, single_words_of_both) for item in inputs]
        results: list[list[Projection]] = [[] for _ in inputs]
        by_direction: dict[Direction, list[int]] = {}
        for k, item in enumerate(inputs):
            direction = (self.source_lang or item.source_lang, self.target_lang or item.target_lang)
            by_direction.setdefault(direction, []).append(k)
        for direction, members in sorted(by_direction.items()):
            for at in range(0, len(members), _INPUTS):
                some = members[at : at + _INPUTS]
                for k, found in zip(some, self._project_some([inputs[k] for k in some], direction), strict=True):
                    results[k] = found
        return results

    def _project_some(self, inputs: Sequence[ProjectionInput], direction: Direction) -> list[list[Projection]]:
        parts = [
            (k, part)
            for k, item in enumerate(inputs)
            for span in item.spans
            for part in span.fragments or ((span.start, span.end),)
        ]
        quotes = [_quote(inputs[k].source_text, part) for k, part in parts]
        ranges = [candidates(inputs[k], part) if quote else [] for (k, part), quote in zip(parts, quotes, strict=True)]
        targets = [inputs[k].target_text for k, _ in parts]
        stretches = [[(a, b, text[a:b]) for a, b in its] for text, its in zip(targets, ranges, strict=True)]
        options, reasons = self._rate(quotes, stretches, direction)
        results = []
        for k, item in enumerate(inputs):
            own = [n for n, (owner, _) in enumerate(parts) if owner == k]
            chosen = choose([parts[n][1] for n in own], [options[n] for n in own], absent=0.0)
            picked: list[Candidate | str] = []
            for n, index in zip(own, chosen, strict=True):
                if index is not None:
                    picked.append(options[n][index])
                elif not item.target_text.strip():
                    picked.append("empty_target")
                else:
                    picked.append("overlap" if options[n] else reasons[n])
            results.append(_projections(item.spans, picked))
        return results

    def _rate(
        self, quotes: Sequence[str], stretches: Sequence[Sequence[tuple[int, int, str]]], direction: Direction
    ) -> tuple[list[list[Candidate]], list[str]]:
        """For each span its candidates with their similarity, and the reason where it has none."""
        source, target = direction
        there, back = self._models(source, target)
        forward = _likelihoods(
            there, ((q, text) for q, listed in zip(quotes, stretches, strict=True) for *_, text in listed), direction
        )
        repeats = [
            _likelihoods(model, ((text, text) for text in texts), (lang, lang)) if model.supports(lang, lang) else {}
            for model, lang, texts in (
                (there, target, {text for listed in stretches for *_, text in listed}),
                (back, source, {q for q in quotes if q}),
            )
        ]

        def share(value: float, text: str, side: int) -> float:
            own = repeats[side].get((text, text), 1.0 if not repeats[side] else 0.0)
            return value / own if own > 0 else 0.0

        kept: list[list[tuple[int, int, str]]] = []
        for quote, listed in zip(quotes, stretches, strict=True):
            known = [entry for entry in listed if (quote, entry[2]) in forward]
            known.sort(key=lambda entry: (-share(forward[quote, entry[2]], entry[2], 0), entry[1] - entry[0], entry[0]))
            kept.append(known[: self.keep])
        backward = _likelihoods(
            back, ((text, q) for q, listed in zip(quotes, kept, strict=True) for *_, text in listed), (target, source)
        )
        options: list[list[Candidate]] = []
        for quote, listed in zip(quotes, kept, strict=True):
            rated = [
                (a, b, round((share(forward[quote, text], text, 0) + share(backward[text, quote], quote, 1)) / 2, 6))
                for a, b, text in listed
                if (text, quote) in backward
            ]
            options.append(sorted(rated, key=lambda c: (-c[2], c[1] - c[0], c[0])))
        return options, [self._reason(q, listed, direction) for q, listed in zip(quotes, stretches, strict=True)]

    def _reason(self, quote: str, listed: Sequence[object], direction: Direction) -> str:
        if not quote:
            return "empty_span"
        if not listed:
            return "no_candidate"
        # Nothing could be scored: the model says what it has against the span.
        return str(self._models(*direction)[0].score_pairs([quote], [quote], *direction)[0].reason or "no_candidate")

    def _models(self, source: str, target: str) -> tuple[Any, Any]:
        """The models for both directions."""
        found = []
        for way in ((source, target), (target, source)):
            given = [model for model in (self.translator, self.reverse) if model is not None]
            known = next((model for model in given if model.supports(*way)), None)
            if known is None:
                raise ModelError(
                    f"projector {METHOD!r} needs a model for {way[0]} -> {way[1]}",
                    hint="a multilingual --translator, or --set projector.options.reverse=MODEL",
                )
            found.append(known)
        return found[0], found[1]


def candidates(item: ProjectionInput, part: Range) -> list[Range]:
    """Stretches of whole target words that may be a translation of a part of the source, by their length.

    The expected number of words is that of the source part times the ratio of the texts' lengths; stretches have from
    two fifths of it to two more than its double, the likelier lengths first until there are 400 of them, and no
    punctuation at an edge where the source part has none.
    """
    source = item.source_words or words_in(item.source_text)
    target = item.target_words or words_in(item.target_text)
    own = [r for r in source if r[0] < part[1] and part[0] < r[1]]
    if not own or not target:
        return []
    edges = [is_punctuation(item.source_text[slice(*own[k])]) for k in (0, -1)]
    marks = [is_punctuation(item.target_text[a:b]) for a, b in target]
    expected = len(own) * len(target) / len(source)
    least, most = max(1, math.floor(_LEAST * expected)), math.ceil(2 * expected) + _SPARE
    lengths = range(min(least, len(target)), min(most, len(target)) + 1)
    found: list[Range] = []
    for length in sorted(lengths, key=lambda n: (abs(n - expected), n)):
        if len(found) >= _MOST:
            break
        found += [
            (target[first][0], target[first + length - 1][1])
            for first in range(len(target) - length + 1)
            if marks[first] <= edges[0] and marks[first + length - 1] <= edges[1]
        ]
    return sorted(found)


def _likelihoods(model: Any, pairs: Iterable[Direction], direction: Direction) -> Mapping[Direction, float]:
    """Geometric mean of the probabilities of the second text's pieces given the first, for pairs that can be scored."""
    wanted = sorted({pair for pair in pairs if all(pair)})
    if not wanted:
        return {}
    scored = model.score_pairs([a for a, _ in wanted], [b for _, b in wanted], *direction)
    return {pair: math.exp(s.mean) for pair, s in zip(wanted, scored, strict=True) if s.reason is None}


def _quote(text: str, part: Range) -> str:
    return text[part[0] : part[1]].strip()


def _projections(spans: Sequence[Span], picked: Sequence[Candidate | str]) -> list[Projection]:
    """The projections of one input from what was found for each of its spans' parts, in order."""
    found = iter(picked)
    out = []
    for span in spans:
        own = [next(found) for _ in span.fragments or (None,)]
        lost = next((part for part in own if isinstance(part, str)), None)
        if lost is not None:
            out.append(Projection(span.id, None, 0.0, METHOD, lost))
            continue
        placed = [part for part in own if not isinstance(part, str)]
        ranges = sorted({(a, b) for a, b, _ in placed})
        fragments = tuple(ranges) if len(ranges) > 1 else ()
        target = replace(span, start=ranges[0][0], end=max(b for _, b in ranges), fragments=fragments)
        score = min(1.0, *(similar for *_, similar in placed))
        out.append(Projection(span.id, target, round(score, 4), METHOD))
    return out
