"""Learning and applying the lexical aligner's model of one language pair."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from spanferry.projectors.aligners.encoder.context import averaged, views
from spanferry.projectors.aligners.lexical.bonds import Bonds, learn_bonds
from spanferry.projectors.aligners.lexical.counters import Counters, learn_counters
from spanferry.projectors.aligners.lexical.em import Cells, Emissions, Order, hmm, model1, smooth_jumps
from spanferry.projectors.aligners.lexical.lexicon import Beliefs, Lexicon, Prior, Side, Totals, Vocabulary, WordPairs
from spanferry.projectors.aligners.lexical.orthography import SHAPES
from spanferry.projectors.aligners.lexical.particles import Particles, learn_particles

Sentence = Sequence[str]
_LEAST_COUNT = 1e-4  # expected links below this are not kept: they are noise, and most of the table


@dataclass(frozen=True, slots=True)
class Settings:
    """What the model believes before it has seen the corpus, and how long it learns.

    Attributes:
        model1: Iterations of IBM model 1.
        hmm: Iterations of the hidden Markov model; more of them overfit a small corpus.
        null: Probability that a word has no counterpart.
        jumps: Pseudo-counts of jumps that are all alike: how much evidence it takes to believe in a word order.
        context: What the bundled encoder counts, as a power of its probabilities.
        context_words: Target words of a corpus with which it counts half of that in languages it was not trained on.
        beliefs: Pseudo-counts of the translation tables.
    """

    model1: int = 5
    hmm: int = 3
    null: float = 0.2
    jumps: float = 15000.0
    context: float = 0.15
    context_words: float = 2000.0
    beliefs: Beliefs = field(default_factory=Beliefs)


@dataclass(frozen=True)
class Model:
    """Everything learned about one language pair, and the power of the encoder's probabilities: 0 asks it nothing."""

    lexicon: Lexicon
    order: Order
    bonds: Bonds
    counters: Counters
    particles: Particles
    context: float = 0.0

    @cached_property
    def totals(self) -> Totals:
        """The sums of the lexicon's counts, which do not change any more."""
        return self.lexicon.totals()

    def bonded(self, target: Sentence) -> np.ndarray:
        """What ties each word of a target sentence to its left and to its right neighbour, float64 (n_words, 2)."""
        vocabulary = self.lexicon.target
        return self.bonds.between(vocabulary.indices(target), len(vocabulary.words))

    def counting(self, target: Sentence, forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
        """How far each word of a target sentence goes with the number before and after it, float64 (n_words, 2)."""
        return self.counters.strengths(self.lexicon.target.indices(target), target, forward, backward)

    def marking(self, target: Sentence) -> np.ndarray:
        """How far each word of a target sentence is a particle, float64 (n_words,)."""
        return self.particles.among(self.lexicon.target.indices(target))


class _Batch:
    """Sentence pairs as indices, with their distinct words and word pairs, and what the encoder says of them."""

    def __init__(self, pairs: Sequence[tuple[Sentence, Sentence]], context: float) -> None:
        self.views = views(pairs, context) if context else None
        self.distinct = tuple(sorted({word for pair in pairs for word in pair[k]}) for k in (0, 1))
        index = [{word: i for i, word in enumerate(words)} for words in self.distinct]
        self.cells = Cells.of(
            [tuple(np.array([index[k][word] for word in pair[k]]) for k in (0, 1)) for pair in pairs]  # type: ignore[misc]
        )
        self.source_word = self.cells.source[self.cells.source_position]  # of each cell
        self.target_word = self.cells.target[self.cells.target_position]
        keys = self.source_word.astype(np.int64) * len(self.distinct[1]) + self.target_word
        self.keys, inverse = np.unique(keys, return_inverse=True)
        self.pair = inverse.astype(np.int32)  # of each cell, into keys

    def emissions(
        self, lexicon: Lexicon, totals: Totals, pairs: WordPairs, source: Side, target: Side, beliefs: Beliefs
    ) -> Emissions:
        forward, backward = lexicon.probabilities(pairs, source, target, beliefs, totals)
        cells, seen = self.cells, self.views
        own = Emissions(forward[self.pair], backward[self.pair], target.null[cells.target], source.null[cells.source])
        if seen is None:
            return own
        return Emissions(
            own.forward * seen.forward,
            own.backward * seen.backward,
            own.null_target * seen.null_target,
            own.null_source * seen.null_source,
        )


def learn(
    pairs: Sequence[tuple[Sentence, Sentence]],
    settings: Settings,
    prior: Prior | None = None,
    *,
    context: float = 0.0,
) -> Model:
    """Learns a model from sentence pairs, neither side empty. The order of ``pairs`` decides the order of sums.

    ``context`` is the power of the encoder's probabilities (``encoder.context``); 0 asks it nothing.

    IBM model 1, then a hidden Markov model, in both directions; a link counts as the mean of the two directions'
    posteriors in model 1 and as their geometric mean after it, which makes the directions agree (Liang, Taskar and
    Klein, NAACL 2006, take the product; on a few hundred sentences that starves the tables).
    """
    batch, beliefs = _Batch(pairs, context), settings.beliefs
    cells = batch.cells
    lexicon = Lexicon.empty(*(Vocabulary.of(pair[k] for pair in pairs) for k in (0, 1)))
    source, target = Side(batch.distinct[0], lexicon.source), Side(batch.distinct[1], lexicon.target)
    width, stem_width = len(lexicon.target.words), len(lexicon.target.stems)
    s, t = np.divmod(batch.keys, len(batch.distinct[1]))
    lexicon.keys, entry = np.unique(source.word[s] * width + target.word[t], return_inverse=True)
    lexicon.stem_keys, stem_entry = np.unique(source.stem[s] * stem_width + target.stem[t], return_inverse=True)
    lexicon.counts, lexicon.stem_counts = np.zeros(len(lexicon.keys)), np.zeros(len(lexicon.stem_keys))
    word_pairs = lexicon.pairs(source, target, batch.keys, beliefs, prior)
    # One word written in two ways (at the start of a sentence) is one entry, and its belief counts once.
    belief = np.zeros((2, len(lexicon.keys)))
    np.maximum.at(belief[0], entry, word_pairs.belief_forward)
    np.maximum.at(belief[1], entry, word_pairs.belief_backward)
    lexicon.source.mass = np.bincount(lexicon.keys // width, belief[0], len(lexicon.source.words))
    lexicon.target.mass = np.bincount(lexicon.keys % width, belief[1], width)

    order = Order.unknown(settings.null)
    forward = backward = np.zeros(len(cells))
    for step in range(settings.model1 + settings.hmm):
        emissions = batch.emissions(lexicon, lexicon.totals(), word_pairs, source, target, beliefs)
        if step < settings.model1:
            forward, backward = model1(cells, emissions, settings.null)
            link = 0.5 * (forward + backward)
        else:
            forward, backward, counts = hmm(cells, emissions, order)
            order = Order(*(smooth_jumps(c, settings.jumps, settings.null) for c in counts))
            link = np.sqrt(forward * backward)
        of_pair = np.bincount(batch.pair, link, len(batch.keys))
        lexicon.counts = np.bincount(entry, of_pair, len(lexicon.keys))
        lexicon.stem_counts = np.bincount(stem_entry, of_pair, len(lexicon.stem_keys))
        lexicon.shape_counts = np.bincount(word_pairs.shape, of_pair, len(SHAPES) ** 2)
        lost = 1.0 - np.minimum(np.bincount(cells.target_position, forward, len(cells.target)), 1.0)
        lexicon.target.unaligned = np.bincount(target.word[cells.target], lost, width)
        lost = 1.0 - np.minimum(np.bincount(cells.source_position, backward, len(cells.source)), 1.0)
        lexicon.source.unaligned = np.bincount(source.word[cells.source], lost, len(lexicon.source.words))
        source.refresh(lexicon.source)
        target.refresh(lexicon.target)
    of_corpus = target.word[cells.target]
    bonds = learn_bonds(cells, of_corpus, width, forward, backward)
    counters = learn_counters(cells, of_corpus, lexicon.target.words, forward, backward)
    particles = learn_particles(cells, of_corpus, lexicon.target.words, forward, backward, counters.words)
    return Model(_pruned(lexicon), order, bonds, counters, particles, context)


def _pruned(lexicon: Lexicon) -> Lexicon:
    keep, keep_stems = lexicon.counts >= _LEAST_COUNT, lexicon.stem_counts >= _LEAST_COUNT
    return replace(
        lexicon,
        keys=lexicon.keys[keep],
        counts=lexicon.counts[keep],
        stem_keys=lexicon.stem_keys[keep_stems],
        stem_counts=lexicon.stem_counts[keep_stems],
    )


def apply(
    model: Model, pairs: Sequence[tuple[Sentence, Sentence]], beliefs: Beliefs, prior: Prior | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Posteriors of every link under a frozen model.

    Returns:
        For each pair (source to target, target to source), each (n_source_words, n_target_words): the probability that
        the target word was made by the source word, and that the source word was made by the target word.
    """
    if not pairs:
        return []
    batch = _Batch(pairs, model.context)
    source, target = Side(batch.distinct[0], model.lexicon.source), Side(batch.distinct[1], model.lexicon.target)
    word_pairs = model.lexicon.pairs(source, target, batch.keys, beliefs, prior)
    emissions = batch.emissions(model.lexicon, model.totals, word_pairs, source, target, beliefs)
    forward, backward, _ = hmm(batch.cells, emissions, model.order)
    if batch.views is not None:
        forward, backward = averaged(forward, backward, batch.views, model.context)
    bounds = batch.cells.offsets
    return [
        (forward[a:b].reshape(len(s), len(t)), backward[a:b].reshape(len(s), len(t)))
        for (s, t), a, b in zip(pairs, bounds[:-1], bounds[1:], strict=True)
    ]
