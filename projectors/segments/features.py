"""What speaks for and against a stretch of target words as the place of a source span: the features, by name.

All but ``WHOLE`` are sums over the words of the stretch or belong to one of its edges, so that every stretch of a text
can be scored at once; weights are in ``segment_weights.json`` (see ``spanferry.projectors.segments.posterior``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from spanferry.corpora.schema import Range
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.placing.rules import is_punctuation, is_short
from spanferry.projectors.segments.quotes import Quote, numbers_agree, spellings

# Of each word of the stretch. ``links``: the alignment's probabilities; ``made``: that a source word made the target
# word; ``makes``: that the target word made a source word; summed over the source words in and outside the span.
INNER = (
    "links_in", "links_out", "made_in", "made_out", "makes_in", "makes_out", "words", "punctuation", "odds",
)  # fmt: skip
# Of each edge. ``e`` is the word at the edge, ``o`` its neighbour outside, ``s`` the source word at the same edge;
# ``short``: a short word, in the target also a particle as far as it is one (``lexical.particles``);
# ``bond``: how far the word at the edge belongs to its neighbour outside, ``o_bond``: that one to it.
EDGE = (
    "punctuation_alone", "short_alone", "short_both", "case", "made_in", "made_out", "links_in", "makes_in", "unlinked",
    "short_unlinked", "o_made_in", "o_links_in", "o_makes_in", "o_unlinked", "o_short_unlinked", "o_punctuation",
    "o_punctuation_both", "o_short_source_edge", "o_short_long", "o_unlinked_long", "short_alone_long", "o_number",
    "number_alone", "text_edge", "text_edge_both", "o_linked_to_neighbour", "s_makes", "s_links", "s_made",
    "bond", "o_bond",
)  # fmt: skip
# Of its length, against the length that the span's share of the source leads one to expect.
LENGTH = ("log_ratio", "log_ratio_squared", "longer", "one_word")
# Of the stretch as a whole, looked at only where the rest leaves it in the running.
WHOLE = ("spelling", "covered", "edges_covered", "numbers")
# Of the choice to leave the span out.
ABSENT = ("absent", "absent_made", "absent_words", "absent_links")
NAMES = (*INNER, *(f"first.{n}" for n in EDGE), *(f"last.{n}" for n in EDGE), *LENGTH, *WHOLE, *ABSENT)

_SMALL = 0.01
# That a particle was made is chance where a word of weight made it, and half so where a short one did: an article may
# stand for an article.
_MAY_MARK = 0.5
_SENTENCE_START = frozenset(".!?:;\"'«“„‘(¿¡")


@dataclass(frozen=True, slots=True)
class Kinds:
    """What kind each word of a text is; float64 (n_words,) each, 1 or 0."""

    punctuation: np.ndarray
    short: np.ndarray
    lower: np.ndarray
    capital: np.ndarray
    number: np.ndarray

    @staticmethod
    def of(text: str, words: Sequence[Range]) -> "Kinds":
        """The kinds of the words of ``text``. A capital at the start of a sentence makes no word less short."""
        strings = [text[a:b] for a, b in words]
        opens = [True, *(word in _SENTENCE_START for word in strings[:-1])]
        table = np.array([_kind(word, first) for word, first in zip(strings, opens, strict=False)], dtype=np.float64)
        return Kinds(*(np.ascontiguousarray(column) for column in table.reshape(-1, 5).T))


@lru_cache(maxsize=65536)
def _kind(word: str, opens: bool) -> tuple[bool, bool, bool, bool, bool]:
    """The kinds of a word, in the order of ``Kinds``."""
    short = is_short(word[:1].lower() + word[1:] if opens else word)
    return is_punctuation(word), short, word[0].islower(), word[0].isupper(), any(c.isdigit() for c in word)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the words of a pair of texts say, whichever span is asked for.

    Attributes:
        source, target: The kinds of the words; in the target a particle is short as far as it is one.
        links: The probability of each link, float64 (n_source_words, n_target_words).
        made: That the source word made the target word, likewise.
        makes: That the target word made the source word, likewise.
        totals: The sums of the three over the source words, (3, n_target_words).
        bonds: How far each target word belongs to its left and to its right neighbour, (2, n_target_words).
    """

    source: Kinds
    target: Kinds
    links: np.ndarray
    made: np.ndarray
    makes: np.ndarray
    totals: np.ndarray
    bonds: np.ndarray

    @staticmethod
    def of(alignment: Alignment, source: Kinds, target: Kinds) -> "Evidence":
        """The evidence of an alignment. Without ``forward`` and ``backward`` its ``probabilities`` stand for both."""
        links = alignment.probabilities.astype(np.float64)
        made = links if alignment.forward is None else alignment.forward.astype(np.float64)
        makes = links if alignment.backward is None else alignment.backward.astype(np.float64)
        if alignment.particles is not None:
            particles = alignment.particles.astype(np.float64)
            made = made * (1.0 - np.outer(1.0 - _MAY_MARK * source.short, particles))
            target = replace(target, short=np.maximum(target.short, particles))
        bonds = np.zeros((2, links.shape[1]))
        if alignment.bonds is not None:
            bonds = alignment.bonds.astype(np.float64).T
            made = _carried(bonds, made)
        totals = np.stack([way.sum(axis=0) for way in (links, made, makes)])
        return Evidence(source, target, links, made, makes, totals, bonds)


@dataclass(frozen=True, slots=True)
class Local:
    """The features of one span that can be summed.

    Attributes:
        inner: (n_target_words, len(INNER)).
        edges: Of starting and of ending with each word, (2, n_target_words, len(EDGE)).
        absent: (len(ABSENT),).
        inside: Which source words belong to the span, ascending.
    """

    inner: np.ndarray
    edges: np.ndarray
    absent: np.ndarray
    inside: np.ndarray


def local_features(seen: Evidence, inside: np.ndarray) -> Local:
    """Inner and edge features of one span.

    Args:
        seen: The evidence of its texts.
        inside: Numbers of the span's source words, ascending, at least one.
    """
    source, target, links, made, makes, bonds = seen.source, seen.target, seen.links, seen.made, seen.makes, seen.bonds
    own = np.stack([way[inside].sum(axis=0) for way in (links, made, makes)])
    links_in, made_in, makes_in = own
    links_out, made_out, makes_out = seen.totals - own
    unlinked = np.clip(1.0 - made_in - made_out, 0.0, 1.0)
    odds = np.log((made_in + makes_in + _SMALL) / (made_out + makes_out + _SMALL)).clip(-4.0, 4.0)
    ones = np.ones(len(made_in))
    inner = np.array([links_in, links_out, made_in, made_out, makes_in, makes_out, ones, target.punctuation, odds]).T
    size = np.log(len(inside))
    n, m = links.shape
    first, last = int(inside[0]), int(inside[-1])
    # The first word of a text is capitalised whatever it is, and what has no letters has no capital.
    capitals = float(first > 0 and source.capital[[first, last]].any() and not source.lower[[first, last]].any())
    few = unlinked * target.short
    makes_edge = makes_in.clip(0.0, 1.5)
    near = np.empty((9, m))
    near[:7] = made_in, links_in, makes_edge, unlinked, few, target.punctuation, target.number
    edges = np.empty((2, len(EDGE), m))
    for side, (s, step) in enumerate(((first, -1), (last, 1))):
        at_edge = not 0 <= s + step < n
        near[7] = 0.0 if at_edge else made[s + step]
        near[8] = bonds[1 - side]
        outside = np.zeros_like(near)
        if step < 0:
            outside[:, 1:] = near[:, :-1]
        else:
            outside[:, :-1] = near[:, 1:]
        o_made, o_links, o_makes, o_unlinked, o_few, o_punctuation, o_number, o_neighbour, o_bond = outside
        beyond = 0.0 if at_edge else source.punctuation[s + step]
        text_edge = np.zeros(m)
        text_edge[0 if step < 0 else -1] = 1.0
        short_alone = target.short * (1.0 - source.short[s])
        rows = (
            target.punctuation * (1.0 - source.punctuation[s]), short_alone, target.short * source.short[s],
            target.lower * capitals, made_in, made_out, links_in, makes_edge, unlinked, few,
            o_made, o_links, o_makes, o_unlinked, o_few, o_punctuation,
            o_punctuation * beyond, o_few * at_edge, o_few * size, o_unlinked * size, short_alone * size,
            o_number, target.number * (1.0 - source.number[s]), text_edge, text_edge * at_edge,
            o_neighbour, makes[s], links[s], made[s], bonds[side], o_bond,
        )  # fmt: skip
        for row, values in zip(edges[side], rows, strict=True):
            row[:] = values
    absent = np.array([1.0, makes_in.sum() / len(inside), size, links[inside].max(axis=1).mean()])
    return Local(inner, edges.transpose(0, 2, 1), absent, inside)


def _carried(bonds: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Who made each target word, where one without a counterpart goes with the neighbour that hardly occurs without it.

    Args:
        bonds: (2, n_target_words).
        made: (n_source_words, n_target_words).
    """
    lost = np.clip(1.0 - made.sum(axis=0), 0.0, 1.0)
    needed = np.zeros((2, len(lost)))  # by the left neighbour, by the right one
    needed[0, 1:], needed[1, :-1] = bonds[1, :-1], bonds[0, 1:]
    needed *= lost / np.maximum(needed.sum(axis=0), 1.0)
    moved = made.copy()
    moved[:, 1:] += made[:, :-1] * needed[0, 1:]
    moved[:, :-1] += made[:, 1:] * needed[1, :-1]
    return moved


def length_features(item: ProjectionInput, span: Range, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Features of the length of target ranges, in code points: (n_ranges, 3); ``one_word`` is not among them."""
    share = len(item.source_text) / max(len(item.target_text), 1) / (span[1] - span[0] + 1)
    ratio = np.log((end - start + 1) * share)
    return np.stack([np.abs(ratio), ratio**2, np.maximum(ratio, 0.0)], axis=1)


def whole_features(quote: Quote, others: Sequence[Quote], makes: np.ndarray) -> np.ndarray:
    """``WHOLE`` features of stretches: float64 (n_stretches, 4).

    Args:
        quote: The source span.
        others: The stretches.
        makes: How much of each source word of the span each has made, (n_source_words_inside, n_stretches).
    """
    columns = [spellings(quote, others), makes.sum(axis=0) / len(makes), np.minimum(makes[0], makes[-1])]
    return np.stack([*columns, numbers_agree(quote, others)], axis=1)
