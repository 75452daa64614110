"""Rows of source tokens through the beam search of one ``ctranslate2.Translator``, in batches the rows decide.

With integer weights and activations (int8 on a CPU) the sums of every matrix product are exact, and what is left in
floating point runs row by row over that row's own length. So where all rows of a batch have the same number of source
tokens, nothing that a row comes out as depends on the rows around it, to the last bit of its score. Where the sums are
not exact (float32, GPUs) or lengths are mixed, scores differ in the sixth or seventh digit between batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2

from spanferry.translators.engine import limits
from spanferry.translators.families.base import Frame, Limits

Tokens = Sequence[str]
EXACT = frozenset({"int8", "int8_float32", "int16"})
"""Computation types whose sums are exact on a CPU."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One output: its tokens after the language token, and the mean log-probability per token, in nats."""

    pieces: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """What the search made of one row: hypotheses, best first, or the reason there are none.

    Attributes:
        hypotheses: At least one where ``reason`` is None.
        reason: ``output_truncated`` or ``model_error``, or None.
        error: The engine's own words for a ``model_error``.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    reason: str | None = None
    error: str = ""


class Search:
    """Beam search with fixed settings.

    Args:
        raw: The model.
        beam: Hypotheses kept at each step.
        batch_tokens: Source tokens in a batch, padding included; a longer row is a batch of its own.
        compute_type: Of the model; decides whether batches hold rows of one length only.
        limits: Of the model; the longest output follows from a row's own length.
    """

    def __init__(
        self, raw: ctranslate2.Translator, *, beam: int, batch_tokens: int, compute_type: str, limits: Limits
    ) -> None:
        self.raw, self.beam, self.batch_tokens, self.limits = raw, beam, batch_tokens, limits
        self.rows_independent = raw.device == "cpu" and compute_type in EXACT
        """Whether a row comes out the same, to the last bit, whatever rows are around it."""

    def start(self, rows: Sequence[Tokens], frame: Frame, hypotheses: int = 1) -> Running:
        """Hands all rows to the model's workers and returns at once.

        Args:
            rows: Source tokens of each row, specials included.
            frame: Specials of the direction.
            hypotheses: How many outputs of each row are wanted, at most the beam.
        """
        waiting: list[Any] = [None] * len(rows)
        for batch in self._batches(rows):
            for row, future in zip(batch, self._submit([rows[r] for r in batch], frame, hypotheses), strict=True):
                waiting[row] = future
        return Running(self, rows, frame, hypotheses, waiting)

    def _batches(self, rows: Sequence[Tokens]) -> Iterator[list[int]]:
        """Row numbers, longest first; the rows of a batch share the cap of their output."""
        batch: list[int] = []
        for row in sorted(range(len(rows)), key=lambda r: (-len(rows[r]), r)):
            if batch and not self._fits(len(rows[batch[0]]), len(rows[row]), len(batch) + 1):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _fits(self, longest: int, length: int, count: int) -> bool:
        if self.rows_independent and length != longest:
            return False
        same_cap = limits.output_cap(length, self.limits) == limits.output_cap(longest, self.limits)
        return same_cap and longest * count <= self.batch_tokens

    def _submit(self, rows: Sequence[Tokens], frame: Frame, hypotheses: int) -> list[Any]:
        prefix = list(frame.target_prefix)
        futures: list[Any] = self.raw.translate_batch(
            [list(row) for row in rows],
            [prefix] * len(rows) if prefix else None,
            beam_size=max(self.beam, hypotheses),
            num_hypotheses=hypotheses,
            max_input_length=0,
            max_decoding_length=limits.output_cap(len(rows[0]), self.limits),
            return_scores=True,
            asynchronous=True,
        )
        return futures


class Running:
    """Rows that the workers have; :meth:`results` waits for them."""

    def __init__(
        self, search: Search, rows: Sequence[Tokens], frame: Frame, hypotheses: int, waiting: Sequence[Any]
    ) -> None:
        self._search, self._rows, self._frame = search, rows, frame
        self._hypotheses, self._waiting = hypotheses, waiting

    def results(self) -> list[Found]:
        """What was found for each row, in order. A row that CTranslate2 refuses fails alone."""
        return [self._result(row) for row in range(len(self._rows))]

    def _result(self, row: int) -> Found:
        try:
            return self._read(row, self._waiting[row].result())
        except (RuntimeError, ValueError):
            # A row that CTranslate2 refuses takes its whole batch with it; alone it takes only itself.
            try:
                again = self._search._submit([self._rows[row]], self._frame, self._hypotheses)
                return self._read(row, again[0].result())
            except (RuntimeError, ValueError) as error:
                return Found(reason=limits.MODEL_ERROR, error=str(error))

    def _read(self, row: int, result: Any) -> Found:
        cap = limits.output_cap(len(self._rows[row]), self._search.limits)
        if len(result.hypotheses[0]) >= cap:
            return Found(reason=limits.OUTPUT_TRUNCATED)
        skip = len(self._frame.target_prefix)
        pairs = zip(result.hypotheses, result.scores, strict=True)
        return Found(tuple(Hypothesis(tuple(pieces[skip:]), float(score)) for pieces, score in pairs))
