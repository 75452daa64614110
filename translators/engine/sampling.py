"""Sampled translations: other ones for another seed, the same for the same."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from spanferry.translators.engine import limits
from spanferry.translators.engine.search import Search
from spanferry.translators.families.base import Frame, Limits

# Words are drawn from the ten most likely ones at a temperature of 1 (Fan et al. 2018; Edunov et al. 2018, section 3).
TOP_K = 10
_SEEDING = threading.Lock()


class SampledSearch(Search):
    """Draws each output's words at random.

    CTranslate2 has one random generator per thread, which takes the seed when it is first used. So there is a model of
    its own here, whose one worker has drawn nothing yet: the same calls in the same order then give the same output.

    Args:
        directory: Of the model.
        device: ``cpu`` or ``cuda``.
        compute_type: A type that the device supports.
        batch_tokens: Source tokens in a batch.
        limits: Of the model.
        seed: Of the generator.
    """

    def __init__(
        self, directory: Path, *, device: str, compute_type: str, batch_tokens: int, limits: Limits, seed: int
    ) -> None:
        with _SEEDING:
            ctranslate2.set_random_seed(seed)
            raw = ctranslate2.Translator(
                str(directory), device=device, compute_type=compute_type, inter_threads=1, max_queued_batches=-1
            )
            # The generator takes the seed here, before another thread may set another.
            raw.translate_batch([["a"]], beam_size=1, sampling_topk=2, max_decoding_length=1)
        super().__init__(raw, beam=1, batch_tokens=batch_tokens, compute_type=compute_type, limits=limits)

    def _submit(self, rows: Sequence[Sequence[str]], frame: Frame, hypotheses: int) -> list[Any]:
        prefix = list(frame.target_prefix)
        futures: list[Any] = self.raw.translate_batch(
            [list(row) for row in rows],
            [prefix] * len(rows) if prefix else None,
            beam_size=1,
            num_hypotheses=hypotheses,
            sampling_topk=TOP_K,
            max_input_length=0,
            max_decoding_length=limits.output_cap(len(rows[0]), self.limits),
            return_scores=True,
            asynchronous=True,
        )
        return futures
