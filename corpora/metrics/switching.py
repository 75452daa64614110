"""How much, how often and how regularly a text switches between languages.

A text is its tokens' language tags. Tokens that belong to no language (``INDEPENDENT``: punctuation, numbers,
addresses) are dropped before anything is counted, so they neither make nor break a switch. N is the number of tokens
that are left, t that of the most frequent language, P that of the switches, tau the lengths of the runs of a language.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import log2, sqrt

INDEPENDENT = ""


def languages_of(tags: Iterable[str]) -> list[str]:
    """The tags without those of tokens that belong to no language."""
    return [tag for tag in tags if tag != INDEPENDENT]


def switches(tags: Iterable[str]) -> int:
    """P: how often the language changes."""
    return sum(a != b for a, b in pairwise(languages_of(tags)))


def runs(tags: Iterable[str]) -> list[int]:
    """tau: the lengths of the runs of one language, the last one included however short."""
    return [sum(1 for _ in run) for _, run in groupby(languages_of(tags))]


def cmi(tags: Iterable[str]) -> float:
    """Code-Mixing Index of one utterance (Das and Gambäck, ICON 2014): 100 (1 - t/N), 0 without any language.

    >>> cmi(["en", "en", "es", "", "en"])
    25.0
    """
    found = languages_of(tags)
    return 100.0 * (1.0 - max(Counter(found).values()) / len(found)) if found else 0.0


def cmi_with_switches(tags: Iterable[str]) -> float:
    """C_u of one utterance (Gambäck and Das, LREC 2016): 100 (N - t + P) / 2N, 0 without any language."""
    found = languages_of(tags)
    if not found:
        return 0.0
    return 100.0 * (len(found) - max(Counter(found).values()) + switches(found)) / (2 * len(found))


def m_index(counts: Mapping[str, int]) -> float | None:
    """How evenly languages are used (Barnett et al., 2000): (1 - sum p^2) / ((k - 1) sum p^2), from 0 to 1.

    Args:
        counts: Tokens by language; k is the number of languages that have any.

    Returns:
        None with fewer than two languages.
    """
    used = [n for n in counts.values() if n]
    if len(used) < 2:
        return None
    squares = sum((n / sum(used)) ** 2 for n in used)
    return (1.0 - squares) / ((len(used) - 1) * squares)


def switch_fraction(tags: Iterable[str]) -> float | None:
    """P / (N - 1): the I-index of a whole corpus (Guzmán et al., Interspeech 2017), the SPF of one sentence.

    None where there is no place to switch at.
    """
    found = languages_of(tags)
    return switches(found) / (len(found) - 1) if len(found) > 1 else None


def language_entropy(counts: Mapping[str, int]) -> float:
    """-sum p log2 p over the languages' shares of the tokens, in bits; 0 without any."""
    return _entropy(counts.values())


def span_entropy(lengths: Iterable[int]) -> float:
    """-sum p log2 p over the shares of the run lengths, in bits; 0 without any."""
    return _entropy(Counter(lengths).values())


def burstiness(lengths: Sequence[int]) -> float | None:
    """(sigma - m) / (sigma + m) of the run lengths (Goh and Barabási, 2008), sigma of the population; None without."""
    if not lengths:
        return None
    mean = sum(lengths) / len(lengths)
    sigma = sqrt(sum((x - mean) ** 2 for x in lengths) / len(lengths))
    return (sigma - mean) / (sigma + mean)


def memory(lengths: Sequence[int]) -> float | None:
    """Correlation of each run's length with the next one's (Goh and Barabási, 2008).

    None with fewer than two pairs of runs, or where one side does not vary.
    """
    sums = Products()
    for a, b in pairwise(lengths):
        sums.add(a, b)
    return sums.correlation()


def corpus_cmi(utterances: Iterable[Sequence[str]], *, delta: bool = True) -> float:
    """C_c of a corpus (Gambäck and Das, LREC 2016): (100/U) [1/2 sum (f_m + f_p + delta) + 5/6 S].

    f_m is 1 - t/N and f_p is P/N of an utterance (their sum is 1 - (t - P)/N), S counts the utterances that switch, and
    delta is 1 where the most frequent language is another one than in the utterance before. The table published with
    the measure is the form without delta.

    Args:
        utterances: Language tags of each utterance, in the order of the corpus.
        delta: Whether to count changes between utterances.
    """
    total, count, switching = 0.0, 0, 0
    before: str | None = None
    for tags in utterances:
        count += 1
        found = languages_of(tags)
        if not found:
            continue
        numbers = Counter(found)
        most = max(numbers.values())
        changes = switches(found)
        total += 1.0 - (most - changes) / len(found)
        switching += changes > 0
        main = before if before is not None and numbers[before] == most else numbers.most_common(1)[0][0]
        total += float(delta and before is not None and main != before)
        before = main
    return 100.0 * (total / 2 + 5 * switching / 6) / count if count else 0.0


def total_variation(left: Sequence[float], right: Sequence[float]) -> float:
    """Half the sum of the differences of two histograms' shares: 0 if they are alike, 1 if they have nothing in common.

    Args:
        left: Counts or shares by bin, (n_bins,).
        right: Likewise, (n_bins,).

    Raises:
        ValueError: Different numbers of bins, or a histogram without any count.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} bins and {len(right)} bins")
    a, b = float(sum(left)), float(sum(right))
    if a <= 0 or b <= 0:
        raise ValueError("a histogram without any count")
    return sum(abs(x / a - y / b) for x, y in zip(left, right, strict=True)) / 2


@dataclass(slots=True)
class Products:
    """Sums from which the correlation of pairs follows, so that the pairs need not be kept."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0

    def add(self, x: float, y: float) -> None:
        self.n += 1
        self.x, self.y = self.x + x, self.y + y
        self.xx, self.yy, self.xy = self.xx + x * x, self.yy + y * y, self.xy + x * y

    def correlation(self) -> float | None:
        # Run lengths are whole numbers: these differences are exact, and zero means no variation at all.
        left, right = self.n * self.xx - self.x**2, self.n * self.yy - self.y**2
        if self.n < 2 or left == 0 or right == 0:
            return None
        return (self.n * self.xy - self.x * self.y) / sqrt(left * right)


def _entropy(counts: Iterable[int]) -> float:
    used = [n for n in counts if n]
    return -sum(n / sum(used) * log2(n / sum(used)) for n in used) + 0.0
