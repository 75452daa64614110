"""From hard links to a stretch of target words: the published rules, and the published filters."""

from collections.abc import Sequence

import numpy as np
import regex

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Range, Span
from spanferry.corpora.text.words import words

RULES = ("posterior", "minmax", "gap=K", "contiguous", "longest")
FILTERS = ("all_aligned", "contiguous", "type_counts")

_SHORT = 3  # letters of a word that may well be a function word
_PUNCTUATION = regex.compile(r"[\p{P}\p{S}\p{Cc}\p{Cf}]+")


def check_rule(rule: str) -> str:
    """The rule as given.

    Raises:
        ConfigError: Nothing goes by that name.
    """
    if rule in ("posterior", "minmax", "contiguous", "longest") or _gap(rule) is not None:
        return rule
    raise ConfigError(f"unknown span rule {rule!r}", valid=RULES, hint="gap=1 joins parts that are one word apart")


def _gap(rule: str) -> int | None:
    name, _, number = rule.partition("=")
    return int(number) if name == "gap" and number.isdecimal() else None


def is_punctuation(word: str) -> bool:
    """Whether a word holds nothing but punctuation, symbols, and marks that nobody sees (of direction, of a break)."""
    return bool(_PUNCTUATION.fullmatch(word))


def runs(linked: Sequence[int], gap: int = 0) -> list[Range]:
    """Stretches of target words in which neighbours are at most ``gap`` words apart.

    >>> runs([1, 2, 5, 7], gap=1)
    [(1, 3), (5, 8)]
    """
    out: list[Range] = []
    for word in sorted(set(linked)):
        if out and word - out[-1][1] <= gap:
            out[-1] = (out[-1][0], word + 1)
        else:
            out.append((word, word + 1))
    return out


def apply_rule(
    rule: str, links: Sequence[Range], inside: np.ndarray, probabilities: np.ndarray, target_words: Sequence[str]
) -> tuple[Range | None, str | None]:
    """The target words of one span, or the reason why there are none.

    Links to punctuation count only between others, never at the edge; where a span of one word links to words that are
    not neighbours, the likeliest link alone is kept.

    Args:
        rule: ``minmax`` (first to last, gaps filled), ``gap=K`` (the heaviest stretch with gaps of up to K words),
            ``longest`` (the longest stretch without a gap, the heavier of two), ``contiguous`` (first to last, only
            where there is no gap).
        links: (source word, target word).
        inside: Which source words belong to the span, bool (n_source_words,).
        probabilities: (n_source_words, n_target_words).
        target_words: The target words as strings.

    Returns:
        Half-open range of target words and None, or None and ``unaligned`` or ``not_contiguous``.
    """
    own = [(i, j) for i, j in links if inside[i]]
    linked = sorted({j for _, j in own})
    while linked and is_punctuation(target_words[linked[0]]) and len(linked) > 1:
        linked.pop(0)
    while len(linked) > 1 and is_punctuation(target_words[linked[-1]]):
        linked.pop()
    if not linked:
        return None, "unaligned"
    if inside.sum() == 1 and len(runs(linked)) > 1:
        linked = [min(linked, key=lambda j: (-float(probabilities[inside, j].max()), j))]
    mass = probabilities[inside].sum(axis=0)

    def weight(run: Range) -> tuple[float, int]:
        return -float(mass[run[0] : run[1]].sum()), run[0]

    stretches = runs(linked)
    if rule == "contiguous" and len(stretches) > 1:
        return None, "not_contiguous"
    if rule == "longest":
        return min(stretches, key=lambda run: (run[0] - run[1], *weight(run))), None
    gap = _gap(rule)
    if gap is not None:
        return min(runs(linked, gap), key=weight), None
    return (linked[0], linked[-1] + 1), None


def failed_filter(filters: Sequence[str], links: Sequence[Range], inside: np.ndarray) -> str | None:
    """The reason why a span fails one of ``filters``, or None.

    ``all_aligned``: every source word of the span has a link (``source_word_unaligned``). ``contiguous``: its target
    words are neighbours (``not_contiguous``). Both from Jain et al. (EMNLP 2019, section 3) and García-Ferrero et
    al. (Findings of EMNLP 2022, section 3), there applied to whole sentences, here to one span. The third one needs
    all spans of a text: see ``unequal_types``.
    """
    own = [(i, j) for i, j in links if inside[i]]
    if "all_aligned" in filters and {i for i, _ in own} != {int(i) for i in np.nonzero(inside)[0]}:
        return "source_word_unaligned"
    if "contiguous" in filters and len(runs([j for _, j in own])) > 1:
        return "not_contiguous"
    return None


def unequal_types(spans: Sequence[Span], placed: Sequence[Span | None]) -> set[str]:
    """Labels with another number of places in the target than in the source: one was lost, or two fell together.

    What ``type_counts`` rejects (``type_count``): every span of such a label, and no other, where the sources named at
    ``failed_filter`` drop the sentence.

    Args:
        spans: The source spans of one text.
        placed: What became of each, in the same order.
    """
    unequal = set()
    for label in {span.label for span in spans}:
        own = [(s, t) for s, t in zip(spans, placed, strict=True) if s.label == label]
        before = {(s.start, s.end, s.fragments) for s, _ in own}
        after = {(t.start, t.end, t.fragments) for _, t in own if t}
        if len(before) != len(after) or any(t is None for _, t in own):
            unequal.add(label)
    return unequal


def is_short(word: str) -> bool:
    """Whether a word may well be a function word: lower-case and of at most three letters."""
    return len(word) <= _SHORT and word.isalpha() and word.islower()


def edge_faults(source: str, target: str) -> int:
    """At how many of its two edges a target span has punctuation or a short word while the source span has none.

    >>> edge_faults("lung cancer", "de cáncer"), edge_faults("the sea", "el mar"), edge_faults("water", "el agua,")
    (1, 0, 2)
    """
    ours, theirs = words(source), words(target)
    if not ours or not theirs:
        return 0
    edges = ((source[slice(*ours[k])], target[slice(*theirs[k])]) for k in (0, -1))
    return sum(any(kind(b) and not kind(a) for kind in (is_punctuation, is_short)) for a, b in edges)
