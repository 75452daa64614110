"""What the lexical aligner knows about words: counts learned from the corpus, and beliefs for what it has not seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spanferry.corpora.text.abjad import bare, normal
from spanferry.projectors.aligners.lexical.orthography import SHAPES, Forms, parts_of, shape, stem
from spanferry.projectors.apostrophes import learned_suffixes
from spanferry.translators.bundled.priors import PriorTable

_SHAPES = len(SHAPES)
_SHAPE_BELIEF = 1.5  # pseudo-count of every pair of word shapes


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Pseudo-counts, per word of the conditioning language.

    Attributes:
        spelling: For a word spelled the same.
        spelling_power: Exponent of the similarity: how fast that falls.
        smoothing: Spread over the whole vocabulary, by word shape.
        stems: Given by the table of stems.
        prior: Given by a prior table.
    """

    spelling: float = 6.0
    spelling_power: float = 4.0
    smoothing: float = 2.0
    stems: float = 3.0
    prior: float = 8.0


class Prior:
    """A prior table, ready for look-ups by word pair."""

    def __init__(self, table: PriorTable) -> None:
        self.source = {word: k for k, word in enumerate(table.source_words)}
        self.target = {word: k for k, word in enumerate(table.target_words)}
        keys = pair_keys(np.asarray(table.source_ids), np.asarray(table.target_ids), len(self.target))
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        counts = np.asarray(table.counts, dtype=np.float64)
        # One more in the denominator: a word seen once there deserves half the trust.
        totals = [np.bincount(ids, counts) + 1.0 for ids in (table.source_ids, table.target_ids)]
        self.forward = (counts / totals[0][table.source_ids])[order]
        self.backward = (counts / totals[1][table.target_ids])[order]

    def beliefs(self, source: "Side", target: "Side", s: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p(target | source) and p(source | target) of word pairs, 0 where the table has none; float64 (n_pairs,).

        A target word that the table lacks has what its parts have: characters of scripts without spaces, the words of
        a compound. What makes any of the parts makes the word, and the word makes what each part makes in equal shares.
        """
        rows = np.array([self.source.get(word, -1) for word in source.plain], dtype=np.int64)[s]
        parts = [
            [self.target[word]]
            if word in self.target
            else [self.target[part] for part in parts_of(word, self.target) if part in self.target]
            for word in target.plain
        ]
        shares = np.array([max(len(its), 1) for its in parts], dtype=np.float64)[t]
        forward, backward = np.zeros(len(s)), np.zeros(len(s))
        for k in range(max((len(its) for its in parts), default=0)):
            columns = np.array([its[k] if k < len(its) else -1 for its in parts], dtype=np.int64)[t]
            found = lookup(self.keys, pair_keys(rows, columns, len(self.target)))
            forward += np.where(found >= 0, self.forward[found], 0.0)
            backward += np.where(found >= 0, self.backward[found], 0.0)
        return np.minimum(forward, 1.0), backward / shares


def pair_keys(rows: np.ndarray, columns: np.ndarray, n_columns: int) -> np.ndarray:
    """One integer per (row, column); -1 where either is -1."""
    keys = rows.astype(np.int64) * max(n_columns, 1) + columns
    return np.where((rows >= 0) & (columns >= 0), keys, -1)


def lookup(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Positions of ``wanted`` in the ascending ``keys``, -1 where absent."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)


@dataclass
class Vocabulary:
    """The words of one language as the lexicon knows them. What is derived from them is worked out once.

    Attributes:
        words: In their normal form (``spanferry.corpora.text.abjad.normal``: lower-cased), sorted.
        stems: Sorted.
        frequency: Occurrences of each word in the sample.
        unaligned: Expected occurrences of each word without a counterpart.
        mass: Pseudo-counts of each word beyond those that all words have.
        shapes: Occurrences by word shape, (n_shapes,).
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    frequency: np.ndarray
    unaligned: np.ndarray
    mass: np.ndarray
    shapes: np.ndarray

    @staticmethod
    def of(sentences: Iterable[Sequence[str]]) -> "Vocabulary":
        """The vocabulary of a corpus."""
        counts: dict[str, int] = {}
        shapes = np.zeros(_SHAPES)
        for sentence in sentences:
            for word in sentence:
                low = normal(word)
                counts[low] = counts.get(low, 0) + 1
                shapes[shape(word)] += 1
        words = tuple(sorted(counts))
        frequency = np.array([counts[word] for word in words], dtype=np.float64)
        stems = tuple(sorted({stem(word, counts) for word in words}))
        return Vocabulary(words, stems, frequency, frequency.copy(), np.zeros(len(words)), shapes)

    def indices(self, sentence: Sequence[str]) -> np.ndarray:
        """Where each word of a sentence stands among ``words``, -1 where it does not, (n_words,)."""
        return np.array([self.index.get(normal(word), -1) for word in sentence], dtype=np.int64)

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each word stands."""
        return {word: k for k, word in enumerate(self.words)}

    @cached_property
    def stem_index(self) -> dict[str, int]:
        """Where each stem stands."""
        return {name: k for k, name in enumerate(self.stems)}

    @cached_property
    def stem_frequency(self) -> np.ndarray:
        """Occurrences of each stem in the sample, (n_stems,)."""
        stem_of = [self.stem_index[stem(word, self.index)] for word in self.words]
        return np.bincount(np.array(stem_of, dtype=np.int64), self.frequency, len(self.stems))

    @cached_property
    def suffixed(self) -> bool:
        """Whether apostrophes set off endings in the texts of the sample."""
        return learned_suffixes(self.words)


class Side:
    """The distinct words of one language in a batch, and where they stand in the vocabulary (-1: nowhere).

    Attributes:
        lowered: The words, in their normal form.
        plain: The words as prior tables have them.
        word, stem: Their indices in the vocabulary.
        forms: Their spellings.
        frequency: Relative frequency of each.
        within_stem: Share of each among the words of its stem.
        null: Probability of each among the words without a counterpart.
    """

    def __init__(self, distinct: Sequence[str], vocabulary: Vocabulary) -> None:
        words, stems = vocabulary.index, vocabulary.stem_index
        self.lowered = [normal(word) for word in distinct]
        self.plain = [bare(word) for word in distinct]
        self.word = np.array([words.get(word, -1) for word in self.lowered], dtype=np.int64)
        self.stem = np.array([stems.get(stem(word, words), -1) for word in self.lowered], dtype=np.int64)
        self.forms = Forms(distinct)
        total = max(vocabulary.frequency.sum(), 1.0)
        seen = self.word >= 0
        self.frequency = np.where(seen, vocabulary.frequency[self.word], 0.5) / total
        share = np.where(seen, vocabulary.frequency[self.word], 0.5)
        share /= np.maximum(vocabulary.stem_frequency[self.stem], 0.5)
        self.within_stem = np.where(self.stem >= 0, np.minimum(share, 1.0), 0.0)
        self.refresh(vocabulary)

    def refresh(self, vocabulary: Vocabulary) -> None:
        """Takes over what one iteration has learned about words without a counterpart."""
        unaligned = np.where(self.word >= 0, vocabulary.unaligned[self.word], 0.0) + 2.0 * self.frequency
        self.null = unaligned / (vocabulary.unaligned.sum() + 2.0)


@dataclass(frozen=True, slots=True)
class WordPairs:
    """The distinct word pairs of a batch with all that stays the same while learning; each array (n_pairs,).

    Attributes:
        source: Index into the batch's source words.
        target: Index into the batch's target words.
        entry: Index into the lexicon's word pairs, -1 where there is none.
        stem_entry: Index into its pairs of stems, -1 where there is none.
        shape: Index into the flattened table (source shape, target shape).
        belief_forward: Pseudo-count of the target word given the source word, from spelling and prior.
        belief_backward: Pseudo-count of the source word given the target word.
    """

    source: np.ndarray
    target: np.ndarray
    entry: np.ndarray
    stem_entry: np.ndarray
    shape: np.ndarray
    belief_forward: np.ndarray
    belief_backward: np.ndarray


@dataclass(frozen=True, slots=True)
class Totals:
    """Expected links of each source and of each target word, and of each of their stems."""

    words: tuple[np.ndarray, np.ndarray]
    stems: tuple[np.ndarray, np.ndarray]


@dataclass(slots=True)
class Lexicon:
    """Expected counts of one language pair.

    Attributes:
        source, target: The vocabularies.
        keys: source word * n_target_words + target word of each known pair, ascending, (n_entries,).
        stem_keys: Likewise for stems.
        counts: Expected links of each pair, (n_entries,).
        stem_counts: Likewise for stems.
        shape_counts: Expected links by word shape, (n_shapes * n_shapes,).
    """

    source: Vocabulary
    target: Vocabulary
    keys: np.ndarray
    stem_keys: np.ndarray
    counts: np.ndarray
    stem_counts: np.ndarray
    shape_counts: np.ndarray

    @staticmethod
    def empty(source: Vocabulary, target: Vocabulary) -> "Lexicon":
        """A lexicon that has learned nothing."""
        none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Lexicon(source, target, none, none, nothing, nothing, np.zeros(_SHAPES * _SHAPES))

    def pairs(self, source: Side, target: Side, keys: np.ndarray, beliefs: Beliefs, prior: Prior | None) -> WordPairs:
        """The word pairs ``keys`` = batch source word * number of batch target words + batch target word."""
        s, t = np.divmod(keys, len(target.lowered))
        spelling = beliefs.spelling * source.forms.similarity(s, target.forms, t) ** beliefs.spelling_power
        forward = backward = spelling.astype(np.float64)
        if prior:
            known = prior.beliefs(source, target, s, t)
            forward, backward = forward + beliefs.prior * known[0], backward + beliefs.prior * known[1]
        return WordPairs(
            s,
            t,
            lookup(self.keys, pair_keys(source.word[s], target.word[t], len(self.target.words))),
            lookup(self.stem_keys, pair_keys(source.stem[s], target.stem[t], len(self.target.stems))),
            source.forms.shapes[s].astype(np.int64) * _SHAPES + target.forms.shapes[t],
            forward,
            backward,
        )

    def totals(self) -> Totals:
        """The sums of the counts as they are now."""
        words = np.divmod(self.keys, max(len(self.target.words), 1))
        stems = np.divmod(self.stem_keys, max(len(self.target.stems), 1))
        sides = self.source, self.target
        return Totals(
            tuple(np.bincount(k, self.counts, len(v.words)) for k, v in zip(words, sides, strict=True)),  # type: ignore[arg-type]
            tuple(np.bincount(k, self.stem_counts, len(v.stems)) for k, v in zip(stems, sides, strict=True)),  # type: ignore[arg-type]
        )

    def probabilities(
        self, pairs: WordPairs, source: Side, target: Side, beliefs: Beliefs, totals: Totals
    ) -> tuple[np.ndarray, np.ndarray]:
        """p(target word | source word) and p(source word | target word) of each pair, float64 (n_pairs,) each.

        Counts are smoothed by beliefs that know ever less: spelling and the prior table, pairs of stems, and how often
        a word of one shape (capitalised, number, punctuation …) stands for a word of another.
        """
        counts = _gather(self.counts, pairs.entry)
        stems = _gather(self.stem_counts, pairs.stem_entry)
        shapes = self.shape_counts.reshape(_SHAPES, _SHAPES) + _SHAPE_BELIEF
        sides = (
            (pairs.source, source, self.source, pairs.target, target, pairs.belief_forward),
            (pairs.target, target, self.target, pairs.source, source, pairs.belief_backward),
        )
        # How much likelier a word of this shape is, knowing the shape of the other.
        joint = shapes / shapes.sum()
        by_shape = [v.shapes + 1.0 for v in (self.source, self.target)]
        out = []
        for axis, (given, side, vocabulary, made, other, belief) in enumerate(sides):
            produced = by_shape[1 - axis] / by_shape[1 - axis].sum()
            rate = (
                joint
                / joint.sum(axis=1 - axis, keepdims=True)
                / (produced[None, :] if axis == 0 else produced[:, None])
            )
            rate = rate.ravel()[pairs.shape]
            total = totals.words[axis] + vocabulary.mass
            mass = np.where(side.word >= 0, total[side.word], beliefs.spelling)
            by_stem = stems / np.maximum(_gather(totals.stems[axis], side.stem)[given], 1e-9) * other.within_stem[made]
            numerator = counts + belief + beliefs.smoothing * other.frequency[made] * rate + beliefs.stems * by_stem
            out.append(numerator / (mass[given] + beliefs.smoothing + beliefs.stems))
        return out[0], out[1]


def _gather(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.zeros(len(index))
    return np.where(index >= 0, values[index], 0.0)
