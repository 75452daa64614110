"""Which sentences of two parallel texts belong together, so that words are aligned inside them and not across.

In a paragraph of eight sentences most words have a likely counterpart in the wrong sentence. Sentences keep their order
in a translation, so that lengths alone decide most of them (Gale and Church, Computational Linguistics 1993); what both
texts write alike (numbers, names in one script) decides the rest. Where the two don't settle where a sentence ends on
the other side, it is not cut there: a text is parted only where nearly all ways of pairing the sentences agree.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise
from math import exp, inf, log, sqrt

from anyascii import anyascii

from spanferry.corpora.schema import Range

BEADS = "beads.1"  # for the signatures of what is cut here

# Source and target sentences of a bead, with the log-probability of such a bead (Gale and Church, table 5; beads of
# three against one are theirs of two against one, at a tenth).
_KINDS = {
    (1, 1): log(0.89), (1, 0): log(0.005), (0, 1): log(0.005), (2, 1): log(0.0445), (1, 2): log(0.0445),
    (2, 2): log(0.011), (3, 1): log(0.0045), (1, 3): log(0.0045),
}  # fmt: skip
_VARIANCE = 6.8  # of the target's length for each code point of the source's (their section 3.2)
# What a form that both texts have counts for a bead whose two sides have it, and against one where one side does.
_SHARED, _ALONE = 1.3, 0.35
_SURE = 0.95
_BAND = 12  # sentences by which the two sides may drift apart
_ENDS = frozenset(".!?…。！？｡؟۔।॥")
_CLOSERS = frozenset("\"'”’»)]}」』）】›")

# Words of the source and of the target, half-open.
Bead = tuple[Range, Range]


def beads(source_text: str, source: Sequence[Range], target_text: str, target: Sequence[Range]) -> list[Bead]:
    """Ranges of words that belong together, in order; together they hold every word of both texts.

    Args:
        source_text: The source.
        source: Its words, half-open code-point ranges, ascending.
        target_text: The target.
        target: Its words.

    Returns:
        One bead with everything where either side is a single sentence.
    """
    rows, columns = _sentences(source_text, source), _sentences(target_text, target)
    if len(rows) < 2 or len(columns) < 2:
        return [((0, len(source)), (0, len(target)))]
    forms = [_forms(source_text, source, s) for s in rows], [_forms(target_text, target, s) for s in columns]
    cuts = _cuts(_lengths(source, rows), _lengths(target, columns), *forms)
    edges = [(0, 0), *((rows[i - 1][1], columns[j - 1][1]) for i, j in cuts), (len(source), len(target))]
    return [((a, c), (b, d)) for (a, b), (c, d) in pairwise(edges)]


def _sentences(text: str, words: Sequence[Range]) -> list[Range]:
    """Ranges of words that end with a sentence, never in the middle of an abbreviation or a number."""
    edges = [0]
    k = 0
    while k < len(words):
        k += 1
        if text[words[k - 1][0]] not in _ENDS or not _ends(text, words, k - 1):
            continue
        while k < len(words) and all(c in _ENDS or c in _CLOSERS for c in text[slice(*words[k])]):
            k += 1
        edges.append(k)
    if edges[-1] != len(words):
        edges.append(len(words))
    return list(pairwise(edges))


def _ends(text: str, words: Sequence[Range], k: int) -> bool:
    if text[words[k][0]] != ".":
        return True
    before = words[k - 1][1] - words[k - 1][0] if k else 0
    after = text[words[k][1] : words[k][1] + 40].lstrip("".join(_CLOSERS))
    return before > 1 and (not after or after[0].isspace()) and not after.lstrip()[:1].islower()


def _forms(text: str, words: Sequence[Range], sentence: Range) -> frozenset[str]:
    """What is written alike in both languages if it is there: numbers, and romanised words of four letters and more."""
    forms = (anyascii(text[a:b]).lower() for a, b in words[slice(*sentence)])
    return frozenset(f for f in forms if len(f) >= 4 or any(c.isdigit() for c in f))


def _lengths(words: Sequence[Range], sentences: Sequence[Range]) -> list[float]:
    return [float(words[b - 1][1] - words[a][0]) for a, b in sentences]


def _cuts(
    source: Sequence[float], target: Sequence[float], rows: Sequence[frozenset[str]], columns: Sequence[frozenset[str]]
) -> list[Range]:
    """(i, j) such that the first i source sentences and the first j target sentences surely belong together."""
    n, m = len(source), len(target)
    both = frozenset().union(*rows) & frozenset().union(*columns)
    ratio = sum(target) / sum(source)
    sums = [0.0, *accumulate(length * ratio for length in source)], [0.0, *accumulate(target)]

    @cache
    def forms(of_target: bool, start: int, end: int) -> frozenset[str]:
        return both.intersection(frozenset().union(*(columns if of_target else rows)[start:end]))

    def gain(i: int, j: int, di: int, dj: int) -> float:
        """The log-probability of a bead of ``di`` and ``dj`` sentences that ends before sentences i and j."""
        wanted, there = sums[0][i] - sums[0][i - di], sums[1][j] - sums[1][j - dj]
        distance = (there - wanted) / sqrt(_VARIANCE * ratio * max(wanted, there, 1.0))
        own, other = forms(False, i - di, i), forms(True, j - dj, j)
        return _KINDS[di, dj] - distance**2 / 2 + _SHARED * len(own & other) - _ALONE * len(own ^ other)

    reach = _BAND + abs(n - m)
    ahead, ways = {(0, 0): 0.0}, {}
    for i in range(n + 1):
        for j in range(max(0, i * m // n - reach), min(m, i * m // n + reach) + 1):
            own = [(kind, (i - kind[0], j - kind[1])) for kind in _KINDS if (i - kind[0], j - kind[1]) in ahead]
            if own:
                ways[i, j] = [(before, gain(i, j, *kind)) for kind, before in own]
                ahead[i, j] = _sum([ahead[before] + value for before, value in ways[i, j]])
    behind: dict[Range, list[float]] = defaultdict(list, {(n, m): [0.0]})
    total = ahead[n, m]
    cuts = []
    for place in sorted(ways, reverse=True):
        after = _sum(behind.pop(place, [-inf]))
        for before, value in ways[place]:
            behind[before].append(after + value)
        if 0 < place[0] < n and 0 < place[1] < m and ahead[place] + after - total >= log(_SURE):
            cuts.append(place)
    return sorted(cuts)


def _sum(logs: Sequence[float]) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    top = max(logs)
    return top if top == -inf else top + log(sum(exp(value - top) for value in logs))
