"""Several aligners at once: the weighted mean of their probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.signature import Signature, number_text
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.projectors.aligners.build import build_aligner
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Aligner, Alignment, FittableAligner, ProjectionInput, words_of_both

MEANS = ("arithmetic", "geometric")
_LINKED = 0.5
_FLOOR = 1e-6  # what an aligner's certain no counts in a geometric mean
_DIGITS = 5  # probabilities are rounded so that sums in another order can't show


class MixtureAligner:
    """The weighted mean of the probabilities of several aligners; a link where it is at least one half.

    All of them align the same words. Where one of them fails on a pair the others carry it; where all do, the reason is
    that of the first.

    Args:
        parts: At least two, each a table with ``kind`` (a name of ``ALIGNERS`` or ``package.module:Class``), ``weight``
            (1 if left out) and the options of that aligner; or (aligner, weight).
        mean: ``arithmetic``, or ``geometric``: a link that one of them rules out then counts little.
        translator: The model, for parts that need one.

    Raises:
        ConfigError: Fewer than two parts, a part without a kind, or a weight that is not above 0.
        ModelError: A part needs a model and there is none.
    """

    def __init__(
        self,
        parts: Sequence[Mapping[str, Any] | tuple[Aligner, float]],
        mean: str = "arithmetic",
        *,
        translator: Any = None,
    ) -> None:
        if mean not in MEANS:
            raise ConfigError(f"unknown mean {mean!r}", valid=MEANS, hint="leave it out for arithmetic")
        built = [_part(part, translator) if isinstance(part, Mapping) else part for part in parts]
        if len(built) < 2:
            raise ConfigError(f"a mixture of {len(built)} aligners", valid="two or more parts", hint=_EXAMPLE)
        for aligner, weight in built:
            if not isinstance(weight, int | float) or not 0 < weight < float("inf"):
                raise ConfigError(f"weight = {weight!r} of {aligner.signature}", valid="above 0", hint=_EXAMPLE)
        self.mean = mean
        self.aligners = [aligner for aligner, _ in built]
        self.weights = [float(weight) for _, weight in built]

    @property
    def signature(self) -> Signature:
        """``mixture.<mean>.<weight>*(<aligner>)+…|<dictionaries>``."""
        parts = (f"{number_text(w)}*({a.signature})" for a, w in zip(self.aligners, self.weights, strict=True))
        return Signature.of(f"mixture.{self.mean}.{'+'.join(parts)}", dictionaries(), APOSTROPHES)

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order."""
        words = [words_of_both(item) for item in inputs]
        given = [
            replace(item, source_words=source, target_words=target)
            for item, (source, target) in zip(inputs, words, strict=True)
        ]
        found = [aligner.align(given) for aligner in self.aligners]
        return [self._mixed(alignments) for alignments in zip(*found, strict=True)]

    def fit(self, inputs: Sequence[ProjectionInput]) -> "MixtureAligner":
        """A new mixture whose parts have learned from ``inputs``, as far as they learn."""
        return self._with([a.fit(inputs) if isinstance(a, FittableAligner) else a for a in self.aligners])

    def state(self) -> bytes:
        """The tables of all parts, each after its length in eight bytes."""
        states = [a.state() if isinstance(a, FittableAligner) else b"" for a in self.aligners]
        return b"".join(len(state).to_bytes(8, "big") + state for state in states)

    def with_state(self, state: bytes) -> "MixtureAligner":
        """A new mixture with the given tables.

        Raises:
            InputError: ``state`` is not what ``state()`` wrote.
        """
        aligners: list[Aligner] = []
        at = 0
        for aligner in self.aligners:
            start, length = at + 8, int.from_bytes(state[at : at + 8], "big")
            at = start + length
            if len(state) < at:
                raise InputError("the state of a mixture is cut off", hint="fit it again: --overwrite")
            aligners.append(aligner.with_state(state[start:at]) if isinstance(aligner, FittableAligner) else aligner)
        return self._with(aligners)

    def _with(self, aligners: Sequence[Aligner]) -> "MixtureAligner":
        return MixtureAligner(list(zip(aligners, self.weights, strict=True)), self.mean)

    def _mixed(self, alignments: Sequence[Alignment]) -> Alignment:
        first = alignments[0]
        usable = [(a, w) for a, w in zip(alignments, self.weights, strict=True) if a.reason is None]
        if not usable:
            return first
        total = sum(weight for _, weight in usable)
        shares = [weight / total for _, weight in usable]
        mean = self._averaged([a.probabilities for a, _ in usable], shares)
        links = tuple((int(i), int(j)) for i, j in np.argwhere(mean >= _LINKED))
        forward, backward = None, None
        if any(a.forward is not None and a.backward is not None for a, _ in usable):
            # An aligner without directions says the same of both.
            forward = self._averaged([a.probabilities if a.forward is None else a.forward for a, _ in usable], shares)
            backward = self._averaged(
                [a.probabilities if a.backward is None else a.backward for a, _ in usable], shares
            )
        bonds = next((a.bonds for a, _ in usable if a.bonds is not None), None)
        particles = next((a.particles for a, _ in usable if a.particles is not None), None)
        return Alignment(first.source_words, first.target_words, mean, links, None, forward, backward, bonds, particles)

    def _averaged(self, matrices: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
        """The mean of matrices of one shape, float32."""
        stacked = np.stack(matrices).astype(np.float64)
        if self.mean == "geometric":
            mixed = np.exp(np.tensordot(shares, np.log(np.maximum(stacked, _FLOOR)), axes=1))
        else:
            mixed = np.tensordot(shares, stacked, axes=1)
        result: np.ndarray = np.round(mixed, _DIGITS).clip(0.0, 1.0).astype(np.float32)
        return result


_EXAMPLE = 'parts=[{kind="lexical"}, {kind="attention", weight=0.5}]'


def _part(part: Mapping[str, Any], translator: Any) -> tuple[Aligner, float]:
    options = dict(part)
    kind, weight = options.pop("kind", None), options.pop("weight", 1.0)
    if not isinstance(kind, str):
        raise ConfigError(f"a part of a mixture names no aligner: {dict(part)!r}", valid="kind = name", hint=_EXAMPLE)
    return build_aligner(kind, options, translator), weight
