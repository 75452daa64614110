"""What a projector and an aligner are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from spanferry.corpora.schema import Projection, Range, Span, Translation
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.word_breaks import words_of
from spanferry.corpora.text.words import words
from spanferry.projectors.apostrophes import whole_words


@dataclass(frozen=True, slots=True)
class ProjectionInput:
    """One field of one example on both sides: what every projection method starts from.

    Attributes:
        id: For messages and reasons.
        source_text: Raw source text of the field.
        target_text: Raw target text.
        spans: Source spans of this field, each with an id.
        source_lang: BCP-47.
        target_lang: BCP-47.
        source_words: Code-point ranges of the source's words; empty means "segment it yourself".
        target_words: Likewise for the target.
        target_score: Mean log-probability per piece of the target under the model that made it, in nats; None where
            nobody knows it.
    """

    id: str
    source_text: str
    target_text: str
    spans: tuple[Span, ...]
    source_lang: str
    target_lang: str
    source_words: tuple[Range, ...] = ()
    target_words: tuple[Range, ...] = ()
    target_score: float | None = None


def words_of_both(item: ProjectionInput) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """The words of both texts: those that are given, else those of the language (``corpora.text.word_breaks``)."""
    return (
        item.source_words or whole_words(item.source_text, words_of(item.source_text, item.source_lang)),
        item.target_words or whole_words(item.target_text, words_of(item.target_text, item.target_lang)),
    )


def single_words_of_both(item: ProjectionInput) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """The words of both texts: those that are given, else those that no dictionary has joined (``words_in``)."""
    return item.source_words or words_in(item.source_text), item.target_words or words_in(item.target_text)


def words_in(text: str) -> tuple[Range, ...]:
    """The words of a text, with their own apostrophes; single characters where a script has no spaces."""
    return whole_words(text, words(text))


@dataclass(frozen=True, slots=True)
class Alignment:
    """Links between the words of two texts.

    Attributes:
        source_words: Code-point ranges of the source words, (n_source_words,).
        target_words: Likewise, (n_target_words,).
        probabilities: float32 (n_source_words, n_target_words), each in [0, 1]: how sure the link is.
        links: Pairs (source word, target word), sorted, 0-based: the hard links.
        reason: Why there are none, or None.
        forward: p(target word made by source word), shaped like ``probabilities``; its columns sum to at most 1, what
            is missing is the probability that the word has no counterpart. None where the aligner has no directions.
        backward: Likewise p(source word made by target word); rows sum to at most 1.
        bonds: How far each target word belongs to its left and to its right neighbour, float32 (n_target_words, 2),
            each in [0, 1], known from a corpus; None where the aligner has seen none.
        particles: How far each target word only marks and has no counterpart, float32 (n_target_words,), each in
            [0, 1], likewise.
    """

    source_words: tuple[Range, ...]
    target_words: tuple[Range, ...]
    probabilities: np.ndarray
    links: tuple[tuple[int, int], ...] = field(default=())
    reason: str | None = None
    forward: np.ndarray | None = None
    backward: np.ndarray | None = None
    bonds: np.ndarray | None = None
    particles: np.ndarray | None = None

    def pharaoh(self) -> str:
        """The links in Pharaoh format, ``0-0 1-2``."""
        return " ".join(f"{i}-{j}" for i, j in self.links)


@runtime_checkable
class Aligner(Protocol):
    """Word alignment of whole batches. Corpus aligners have been fitted before ``align`` is called.

    >>> from spanferry.projectors.aligners.build import build_aligner
    >>> isinstance(build_aligner("lexical", {}, None), Aligner)
    True
    """

    @property
    def signature(self) -> str: ...

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order; a failure has a reason and no links."""
        ...


@runtime_checkable
class FittableAligner(Aligner, Protocol):
    """An aligner that learns from the corpus at hand: ``fit`` on a bounded sample, then ``align`` shard by shard."""

    def fit(self, inputs: Sequence[ProjectionInput]) -> "FittableAligner":
        """A new aligner whose tables are frozen."""
        ...

    def state(self) -> bytes:
        """The tables, the same bytes for the same input."""
        ...

    def with_state(self, state: bytes) -> "FittableAligner":
        """A new aligner with the given tables."""
        ...


def projector_entry(signature: str) -> Signature:
    """The signature of a projector as the entry ``proj`` of a run's."""
    own = Signature(signature)
    return own if own.value("proj") is not None else Signature.of(("proj", own))


@runtime_checkable
class Projector(Protocol):
    """Finds where every source span went.

    >>> from spanferry.projectors.methods.copying import CopyProjector
    >>> isinstance(CopyProjector(), Projector)
    True
    """

    @property
    def signature(self) -> str: ...

    def project(self, inputs: Sequence[ProjectionInput]) -> list[list[Projection]]:
        """For each input one projection per span, in the spans' order. Never raises for a row."""
        ...


@runtime_checkable
class FittableProjector(Projector, Protocol):
    """A projector that learns from the corpus at hand before it projects."""

    def fit(self, inputs: Sequence[ProjectionInput]) -> "FittableProjector":
        """A new projector whose tables are frozen."""
        ...

    def state(self) -> bytes:
        """The tables, the same bytes for the same input."""
        ...

    def with_state(self, state: bytes) -> "FittableProjector":
        """A new projector with the given tables."""
        ...


@runtime_checkable
class RetranslatingProjector(Projector, Protocol):
    """A projector that can make a translation of its own together with the spans in it."""

    retranslates: bool

    def translate_marked(self, inputs: Sequence[ProjectionInput]) -> list[tuple[Translation, list[Projection]]]:
        """A translation and one projection per span for each input; the given targets are ignored."""
        ...
