"""The switching metrics of a whole corpus, counted as a stream, with distributions for each set of languages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log2, sqrt
from typing import Any

from spanferry.corpora.metrics.switching import (
    Products,
    cmi,
    cmi_with_switches,
    language_entropy,
    languages_of,
    m_index,
    switch_fraction,
    switches,
)

BINS = 10
TOP = {"cmi": 100.0, "spf": 1.0}


def bin_of(value: float, measure: str, bins: int = BINS) -> int:
    """The bin of a value of ``cmi`` (0 to 100) or ``spf`` (0 to 1); bins are half-open, the last one closed."""
    return min(int(value / TOP[measure] * bins + 1e-9), bins - 1)


def edges(measure: str, bins: int = BINS) -> tuple[float, ...]:
    """The edges of the bins, (bins + 1,)."""
    return tuple(round(TOP[measure] * i / bins, 6) for i in range(bins + 1))


@dataclass
class SwitchingStatistics:
    """Counts over the utterances of a corpus; memory does not grow with it.

    Attributes:
        bins: Bins of the histograms.
        utterances: How many there were.
        switched: How many hold more than one language.
        tokens: Tokens by language.
        independent: Tokens that belong to no language.
        histograms: ``cmi`` and ``spf``: utterances by bin. Those of fewer than two tokens of a language have no SPF.
        groups: The same by the languages that an utterance holds, joined with ``+``.
    """

    bins: int = BINS
    utterances: int = 0
    switched: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    independent: int = 0
    histograms: dict[str, list[int]] = field(default_factory=dict)
    groups: dict[str, "SwitchingStatistics"] = field(default_factory=dict)
    _cmi: float = 0.0
    _cmi_with_switches: float = 0.0
    _spf: float = 0.0
    _changes: float = 0.0
    _deltas: int = 0
    _main: str | None = None
    _stream_switches: int = 0
    _last: str | None = None
    _run: int = 0
    _before: int | None = None
    _lengths: Counter[int] = field(default_factory=Counter)
    _pairs: Products = field(default_factory=Products)

    def __post_init__(self) -> None:
        self.histograms = {measure: [0] * self.bins for measure in TOP}

    def add(self, tags: Sequence[str], grouped: bool = True) -> "SwitchingStatistics":
        """Counts one utterance's language tags; returns itself."""
        found = languages_of(tags)
        self.utterances += 1
        self.independent += len(tags) - len(found)
        numbers = Counter(found)
        self.tokens.update(numbers)
        changes = switches(found)
        self.switched += changes > 0
        self._cmi += (value := cmi(found))
        self.histograms["cmi"][bin_of(value, "cmi", self.bins)] += 1
        self._cmi_with_switches += cmi_with_switches(found)
        fraction = switch_fraction(found)
        if fraction is not None:
            self._spf += fraction
            self.histograms["spf"][bin_of(fraction, "spf", self.bins)] += 1
        if found:
            most = max(numbers.values())
            self._changes += 1.0 - (most - changes) / len(found)
            kept = self._main is not None and numbers[self._main] == most
            main = self._main if kept else numbers.most_common(1)[0][0]
            self._deltas += self._main is not None and main != self._main
            self._main = main
        for tag in found:
            self._next(tag)
        if grouped:
            name = "+".join(sorted(numbers)) or "none"
            self.groups.setdefault(name, SwitchingStatistics(self.bins)).add(tags, grouped=False)
        return self

    def add_all(self, utterances: Iterable[Sequence[str]]) -> "SwitchingStatistics":
        """Counts all utterances, in order; returns itself."""
        for tags in utterances:
            self.add(tags)
        return self

    def summary(self) -> dict[str, Any]:
        """Every metric by name; None where one is not defined. ``spf`` and ``cmi`` are means over utterances."""
        lengths = self._all_lengths()
        total, n = sum(self.tokens.values()), max(self.utterances, 1)
        with_spf = sum(self.histograms["spf"])
        return {
            "utterances": self.utterances,
            "switched": self.switched,
            "tokens": dict(sorted(self.tokens.items())),
            "independent": self.independent,
            "cmi": self._cmi / n,
            "cmi_with_switches": self._cmi_with_switches / n,
            "corpus_cmi": 100.0 * (self._changes / 2 + self._deltas / 2 + 5 * self.switched / 6) / n,
            "corpus_cmi_without_delta": 100.0 * (self._changes / 2 + 5 * self.switched / 6) / n,
            "m_index": m_index(self.tokens),
            "i_index": self._stream_switches / (total - 1) if total > 1 else None,
            "spf": self._spf / with_spf if with_spf else None,
            "language_entropy": language_entropy(self.tokens),
            "span_entropy": _length_entropy(lengths),
            "burstiness": _burstiness(lengths),
            "memory": self._memory(),
        }

    def _next(self, tag: str) -> None:
        if tag == self._last:
            self._run += 1
            return
        if self._last is not None:
            self._stream_switches += 1
            self._close()
        self._last, self._run = tag, 1

    def _close(self) -> None:
        self._lengths[self._run] += 1
        if self._before is not None:
            self._pairs.add(self._before, self._run)
        self._before = self._run

    def _all_lengths(self) -> Counter[int]:
        """Run lengths with the run that is still open."""
        return self._lengths + Counter({self._run: 1} if self._run else {})

    def _memory(self) -> float | None:
        pairs = self._pairs
        whole = Products(pairs.n, pairs.x, pairs.y, pairs.xx, pairs.yy, pairs.xy)
        if self._run and self._before is not None:
            whole.add(self._before, self._run)
        return whole.correlation()


def _length_entropy(lengths: Counter[int]) -> float:
    total = sum(lengths.values())
    return -sum(n / total * log2(n / total) for n in lengths.values()) + 0.0


def _burstiness(lengths: Counter[int]) -> float | None:
    total = sum(lengths.values())
    if not total:
        return None
    mean = sum(length * n for length, n in lengths.items()) / total
    sigma = sqrt(sum(n * (length - mean) ** 2 for length, n in lengths.items()) / total)
    return (sigma - mean) / (sigma + mean)
