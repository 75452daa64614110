"""Down-sampling by direction, and shares of languages smoothed by an exponent."""

from collections.abc import Collection, Mapping, Sequence

from spanferry.corpora.derive.base import chance_of
from spanferry.corpora.multiway import Direction


def drawn(seed: int, row_id: str, direction: Direction, hubs: Collection[str], into_hub: float) -> bool:
    """Whether a row stays in one direction under strategic down-sampling (Luo et al., ACL 2026, NiuTrans.LMT).

    Multi-way data has one hub sentence (English, Chinese) for dozens of sources; training on all of them teaches the
    sentence rather than to read the source. Everything out of a hub stays (hub to hub too); a row into a hub stays with
    probability ``into_hub`` (0.05 in the paper).
    """
    source, target = direction
    if target not in hubs or source in hubs:
        return True
    return chance_of(seed, "into_hub", row_id, source, target) < into_hub


def smoothed(counts: Mapping[str, float], exponent: float) -> dict[str, float]:
    """Shares proportional to ``count ** exponent``, summing to 1; what has no count has no share."""
    weights = {name: count**exponent for name, count in counts.items() if count > 0}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def direction_shares(counts: Mapping[Direction, int], alpha: float, beta: float) -> dict[Direction, float]:
    """The share of each direction: its target's, smoothed by ``alpha``, times its source's given it, by ``beta``.

    Bhattacharjee et al. (ACL 2023), CrossSum: the target language is sampled first, then the source.
    """
    targets: dict[str, float] = {}
    for (_, target), count in counts.items():
        targets[target] = targets.get(target, 0) + count
    shares: dict[Direction, float] = {}
    for target, share in smoothed(targets, alpha).items():
        sources = smoothed({source: n for (source, t), n in counts.items() if t == target}, beta)
        shares |= {(source, target): share * part for source, part in sources.items()}
    return shares


def quotas(shares: Mapping[Direction, float], total: int) -> dict[Direction, int]:
    """Whole numbers that sum to ``total`` and are nearest to the shares (largest remainders, ties by name)."""
    exact = {name: share * total for name, share in shares.items()}
    whole = {name: int(value) for name, value in exact.items()}
    left = total - sum(whole.values())
    order: Sequence[Direction] = sorted(exact, key=lambda name: (whole[name] - exact[name], name))
    for name in order[:left]:
        whole[name] += 1
    return whole
