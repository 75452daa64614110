"""How often people accept what the projector placed: by label, method and score, with confidence intervals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from spanferry.corpora.review.decisions import Decision, Verdict, by_example, fold

SCORE_BINS = 10
NOT_PLACED = "(not placed)"


@dataclass(slots=True)
class Rate:
    """Judged spans of one kind.

    Attributes:
        name: The label, the method, or the range of scores.
        accepted: As they were projected.
        changed: Moved, placed by hand, or given another label.
        rejected: Taken away.
    """

    name: str
    accepted: int = 0
    changed: int = 0
    rejected: int = 0

    @property
    def judged(self) -> int:
        """All of them."""
        return self.accepted + self.changed + self.rejected

    @property
    def share(self) -> float:
        """The share accepted; 0 where none was judged."""
        return self.accepted / self.judged if self.judged else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % confidence."""
        return wilson(self.accepted, self.judged)


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """The score interval of a binomial proportion (Wilson, JASA 22, 1927); it holds for few trials and near 0 and 1.

    Args:
        successes: How many of them.
        trials: How many in all.
        z: Quantile of the normal distribution; 1.96 for 95 %.
    """
    if not trials:
        return 0.0, 1.0
    share, square = successes / trials, z * z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    # At the very ends the formula gives 0 and 1 but for rounding.
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


def acceptance(decisions: Iterable[Decision]) -> dict[str, list[Rate]]:
    """Rates by ``label``, ``method`` and ``score``, of the last word on every projection that a person looked at.

    What was accepted in bulk was not looked at, span by span, and does not count; nor do spans that people added.
    """
    found: dict[str, dict[str, Rate]] = {"label": {}, "method": {}, "score": {}}
    for lines in by_example(decisions).values():
        for decision, verdict in fold(lines).verdicts.values():
            if decision.via == "bulk" or not verdict.source_quote:
                continue
            for kind, name in _names(verdict).items():
                rate = found[kind].setdefault(name, Rate(name))
                outcome = _OUTCOMES.get(decision.action, "changed")
                setattr(rate, outcome, getattr(rate, outcome) + 1)
    rates = {kind: list(by_name.values()) for kind, by_name in found.items()}
    for kind, order in rates.items():
        order.sort(key=lambda r: (r.name,) if kind == "score" else (-r.judged, r.name))
    return rates


_OUTCOMES: Mapping[str, str] = {"accept": "accepted", "keep": "accepted", "reject": "rejected"}


def _names(verdict: Verdict) -> dict[str, str]:
    names = {"label": verdict.was or verdict.label, "method": verdict.method or "unknown"}
    if verdict.score is None:
        return names | {"method": NOT_PLACED}
    place = min(SCORE_BINS - 1, max(0, int(verdict.score * SCORE_BINS)))
    return names | {"score": f"{place / SCORE_BINS:.1f} to {(place + 1) / SCORE_BINS:.1f}"}
