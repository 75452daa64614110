"""What a run did with the rows of one target language: counts, score histogram, and rows to look at.

Rows come shard by shard and are not kept, so memory does not grow with the corpus.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isnan
from typing import Any

from spanferry.corpora.placing import lost_relations
from spanferry.corpora.schema import Example, Pair

SCORE_BINS = 25


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """A row to look at, ordered by what it was chosen for.

    Attributes:
        key: What rows are ordered by: a digest for random ones, the score for the worst.
        id: The example's id.
        source: Its text with labels inline, see ``inline``.
        target: The target's likewise; None without one.
        score: Least projection score among the placed spans; None without any.
        reasons: What it was rejected for.
        pair: The row itself, for a page that highlights its spans.
    """

    key: tuple[Any, ...]
    id: str
    source: str
    target: str | None = field(compare=False)
    score: float | None = field(compare=False)
    reasons: tuple[str, ...]
    pair: Pair | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, without the key and the pair."""
        return {
            "id": self.id,
            "source": self.source,
            "target": self.target,
            "score": self.score,
            "reasons": list(self.reasons),
        }


class Tally:
    """Counts over the final rows of one target language.

    Args:
        target_lang: BCP-47.
        seed: Chooses the random examples; the same rows and seed choose the same, in whatever order they come.
        examples: How many examples of each kind to keep.
    """

    def __init__(self, target_lang: str, *, seed: int = 0, examples: int = 10) -> None:
        self.target_lang, self.seed, self.examples = target_lang, seed, examples
        self.source_langs: Counter[str] = Counter()
        self.splits: dict[str, Counter[str]] = {}
        self.labels: dict[str, Counter[str]] = {}
        self.classes: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        self.unprojected: Counter[str] = Counter()
        self.relations = 0
        self.relations_lost: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.scores = [0] * SCORE_BINS
        self.random: list[Shown] = []
        self.worst: list[Shown] = []
        self.rejected: list[Shown] = []

    def add(self, pairs: Iterable[Pair]) -> "Tally":
        """Counts ``pairs``, as the filters left them; returns itself."""
        for pair in pairs:
            self._count(pair)
            self._show(pair)
        return self

    def _count(self, pair: Pair) -> None:
        source = pair.source
        split = self.splits.setdefault(source.split, Counter())
        split["rows"] += 1
        split["kept"] += pair.kept
        self.source_langs[source.lang] += 1
        self.fields.update(list(source.texts))
        self.reasons.update(pair.reasons)
        if source.label is not None and pair.kept:
            self.classes[str(source.label)] += 1
        if source.relations:
            self.relations += len(source.relations)
            self.relations_lost.update(reason for _, reason in lost_relations(pair))
        names = {s.id: s.label for s in source.spans}
        for label in names.values():
            self.labels.setdefault(label, Counter())["source"] += 1
        for projection in pair.projections:
            if projection.span is None:
                self.unprojected[projection.reason or "unknown"] += 1
                continue
            counts = self.labels.setdefault(names.get(projection.source_span_id, projection.span.label), Counter())
            counts["projected"] += 1
            counts["kept"] += pair.kept
            self.methods[projection.method] += 1
            self.scores[min(SCORE_BINS - 1, int(_bounded(projection.score) * SCORE_BINS))] += 1

    def _show(self, pair: Pair) -> None:
        scores = [_bounded(p.score) for p in pair.projections if p.span is not None]
        least = min(scores, default=None)
        target = "\0".join(pair.target.texts.values()) if pair.target else ""
        text = "\0".join((str(self.seed), pair.source.id, *pair.source.texts.values(), target))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        if not pair.kept:
            self._offer(self.rejected, (digest,), pair, least)
            return
        self._offer(self.random, (digest,), pair, least)
        if least is not None:
            self._offer(self.worst, (round(least, 9), digest), pair, least)

    def _offer(self, best: list[Shown], key: tuple[Any, ...], pair: Pair, score: float | None) -> None:
        if len(best) >= self.examples and key > best[-1].key:
            return
        target = inline(pair.target) if pair.target else None
        rounded = None if score is None else round(score, 4)
        insort(best, Shown(key, pair.source.id, inline(pair.source), target, rounded, pair.reasons, pair))
        del best[self.examples :]

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(c["rows"] for c in self.splits.values())

    @property
    def kept(self) -> int:
        """Rows that no filter rejected."""
        return sum(c["kept"] for c in self.splits.values())

    def summary(self) -> dict[str, Any]:
        """Everything counted, as JSON values in an order that depends only on the counts."""
        spans = sum(c["source"] for c in self.labels.values())
        projected = sum(c["projected"] for c in self.labels.values())
        return {
            "target_lang": self.target_lang,
            "source_langs": by_number(self.source_langs),
            "rows": self.rows,
            "kept": self.kept,
            "rejected": self.rows - self.kept,
            "splits": {s: {k: c[k] for k in ("rows", "kept")} for s, c in sorted(self.splits.items())},
            "fields": by_number(self.fields),
            "spans": spans,
            "projected": projected,
            "unprojected": by_number(self.unprojected),
            **self._relations(),
            "reasons": by_number(self.reasons),
            "methods": by_number(self.methods),
            "labels": {
                label: {k: counts[k] for k in ("source", "projected", "kept")}
                for label, counts in sorted(self.labels.items(), key=lambda item: (-item[1]["source"], item[0]))
            },
            "classes": by_number(self.classes),
            "projection_scores": list(self.scores),
        }

    def _relations(self) -> dict[str, Any]:
        if not self.relations:
            return {}
        kept = self.relations - self.relations_lost.total()
        return {
            "relations": self.relations,
            "relations_kept": kept,
            "relations_lost": by_number(self.relations_lost),
        }


def _bounded(score: float) -> float:
    """The score within [0, 1]; one that is not a number is 0."""
    return 0.0 if isnan(score) else min(1.0, max(0.0, float(score)))


def by_number(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts, most frequent first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def inline(example: Example) -> str:
    """The text with labels in it: ``A table at [Casa Lola]{restaurant}``; fields one per line, ``name: text``.

    A discontinuous span is shown from its first part to its last, with ``*`` after the label.
    """
    lines = []
    for name, text in example.texts.items():
        marks: list[tuple[int, int, int, str]] = []
        for span in example.spans:
            if span.field == name and 0 <= span.start <= span.end <= len(text):
                length = span.end - span.start
                # At one place spans close before others open, inner ones close first, outer ones open first.
                marks.append((span.start, 1, -length, "["))
                marks.append((span.end, 0, length, f"]{{{span.label}{'*' if span.fragments else ''}}}"))
        pieces, place = [], 0
        for at, _, _, mark in sorted(marks):
            pieces += [text[place:at], mark]
            place = at
        pieces.append(text[place:])
        lines.append("".join(pieces) if len(example.texts) == 1 else f"{name}: {''.join(pieces)}")
    return "\n".join(lines)
