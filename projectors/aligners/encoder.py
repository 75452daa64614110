"""Word alignment by the contextual vectors of a multilingual encoder."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from threadpoolctl import ThreadpoolController

from corpora.errors import ConfigError, ModelError
from corpora.word_breaks import dictionaries
from corpora.words import word_strings
from projectors.aligners.encoder_convert import TOKENIZER, encoder_directory, encoder_facts
from projectors.aligners.encoder_links import METHODS, Found, Side, extract
from projectors.base import Alignment, ProjectionInput, Range, words_of_both
from translators import devices
from translators.convert import quantization_for
from translators.ct2 import weights_hash
from translators.limits import BAD_UNICODE, text_reason

# Pieces of both sides in a batch, padding included. More of them leave a CPU's caches; a GPU wants many.
_BATCH_PIECES = {"cpu": 256, "cuda": 32768}
_LOADED: dict[tuple[str, str, str], tuple[ctranslate2.Encoder, Any]] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of one text with the specials around them, and the word of each, -1 for specials."""

    ids: list[int]
    words: np.ndarray


class EncoderAligner:
    """Links words whose contextual vectors are alike: SimAlign and AWESOME over CTranslate2, in batches.

    Gives the links of the packages simalign and awesome-align on the same weights, at a multiple of their speed: only
    the layers below the one that is read are run, sentences of like length together. Reasons: ``empty_source``,
    ``empty_target``, ``too_long`` (more pieces than the encoder has positions; the packages cut such a text off
    silently), ``bad_unicode``.

    Args:
        model: ``mbert``, ``xlmr``, ``labse``, another hub id, a directory in Hugging Face layout (BERT or XLM-R), or a
            converted one. Converting happens once and needs torch; aligning does not.
        method: ``softmax`` (AWESOME), ``argmax``, ``itermax`` or ``match`` (SimAlign).
        threshold: For ``softmax``: what both directions must exceed.
        layer: Which layer's vectors; None takes what was published.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: A CTranslate2 type; ``default`` is int8 on cpu and float16 on cuda; ``float32`` is exact.

    Raises:
        ModelError: There is no such encoder, or it can't be used on the device.
        ConfigError: An option that is not valid.
        MissingExtraError: Converting needs torch.
    """

    def __init__(
        self,
        model: str = "mbert",
        method: str = "softmax",
        *,
        threshold: float = 0.001,
        layer: int | None = None,
        device: str = "auto",
        compute_type: str = "default",
    ) -> None:
        if method not in METHODS:
            raise ConfigError(f"unknown method {method!r} of aligner 'encoder'", valid=METHODS, hint="method=softmax")
        if not 0 <= threshold < 1:
            raise ConfigError(f"threshold = {threshold}", valid="0 <= threshold < 1", hint="leave it out for 0.001")
        self.method, self.threshold = method, threshold
        self.device = devices.resolve_device(device)
        self.compute_type = devices.resolve_compute_type(compute_type, self.device)
        self.directory = encoder_directory(str(model), layer, quantization_for(self.device, self.compute_type))
        self._facts = encoder_facts(self.directory)
        self._encoder, self._tokenizer = _load(self.directory, self.device, self.compute_type)

    @property
    def signature(self) -> str:
        """``encoder.<method>(<name>@<hash of the weights>.l<layer>.<type>)|<dictionaries>``."""
        method = f"softmax.{self.threshold:g}" if self.method == "softmax" else self.method
        kind = self.compute_type if self.device == "cpu" else f"{self.compute_type}.{self.device}"
        made = f"{self._facts['name']}@{weights_hash(self.directory)[:8]}.l{self._facts['layer']}.{kind}"
        return f"encoder.{method}({made})|{dictionaries()}"

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order."""
        ranges = [words_of_both(item) for item in inputs]
        out: list[Alignment | None] = [None] * len(inputs)
        waiting: list[int] = []
        for k, item in enumerate(inputs):
            reason = _obstacle(item, *ranges[k])
            if reason:
                out[k] = _failed(ranges[k], reason)
            else:
                waiting.append(k)
        pieces = {
            side: dict(zip(waiting, self._pieces([_strings(inputs[k], ranges[k], side) for k in waiting]), strict=True))
            for side in (0, 1)
        }
        room = int(self._facts["max_tokens"])
        lengths: dict[int, int] = {}
        for k in waiting:
            longest = max(len(pieces[side][k].ids) for side in (0, 1))
            if longest > room:
                out[k] = _failed(ranges[k], "too_long")
            else:
                lengths[k] = longest
        # By length and then by text, so that the order of the inputs changes no batch.
        order = sorted(lengths, key=lambda k: (lengths[k], inputs[k].source_text, inputs[k].target_text))
        batches = list(_batches(order, lengths, _BATCH_PIECES[self.device]))

        def run(members: list[int]) -> list[Found]:
            given = [pieces[side][k] for side in (0, 1) for k in members]
            return self._links(given, [tuple(map(len, ranges[k])) for k in members])

        # The matrix library's own threads go on spinning when their work is done, on the cores of the encoder.
        with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(self._encoder.num_encoders) as pool:
            for members, results in zip(batches, pool.map(run, batches), strict=True):
                for k, found in zip(members, results, strict=True):
                    ways = (found.forward, found.backward)
                    out[k] = Alignment(*ranges[k], found.probabilities, found.links, None, *ways)
        return [alignment for alignment in out if alignment is not None]

    def _pieces(self, sentences: Sequence[list[str]]) -> list[_Pieces]:
        encoded = self._tokenizer.encode_batch(list(sentences), is_pretokenized=True)
        return [
            _Pieces(found.ids, np.array([-1 if w is None else w for w in found.word_ids], dtype=np.int32))
            for found in encoded
        ]

    def _links(self, given: list[_Pieces], counts: list[tuple[int, ...]]) -> list[Found]:
        """Links of one batch; ``given`` has the pieces of all sources, then of all targets."""
        view = self._encoder.forward_batch([one.ids for one in given]).last_hidden_state
        if self.device != "cpu":
            view = view.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
        vectors = np.array(view)  # (2 * n_pairs, n_pieces, width)
        belongs = np.full(vectors.shape[:2], -1, dtype=np.int32)
        for row, one in enumerate(given):
            belongs[row, : len(one.words)] = one.words
        n = len(counts)
        sides = []
        for side in (0, 1):
            rows = slice(side * n, side * n + n)
            longest = max(len(one.ids) for one in given[rows])
            # The first and the last piece are specials.
            cut = slice(1, longest - 1)
            sides.append(Side(vectors[rows, cut], belongs[rows, cut], [count[side] for count in counts]))
        return extract(sides[0], sides[1], self.method, self.threshold)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _load(directory: Path, device: str, compute_type: str) -> tuple[ctranslate2.Encoder, Any]:
    """The encoder and its tokeniser, loaded at most once in this process."""
    from tokenizers import Tokenizer

    key = (str(directory.resolve()), device, compute_type)
    with _LOCK:
        if key not in _LOADED:
            try:
                inter, intra = devices.threads((directory / "model.bin").stat().st_size) if device == "cpu" else (1, 0)
                encoder = ctranslate2.Encoder(
                    str(directory), device=device, compute_type=compute_type, inter_threads=inter, intra_threads=intra
                )
                tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
            except Exception as error:  # the tokeniser raises Exception itself
                raise ModelError(
                    f"the encoder can't be loaded: {error}", where=str(directory), hint="convert it again"
                ) from error
            _LOADED[key] = (encoder, tokenizer)
        return _LOADED[key]


def _strings(item: ProjectionInput, ranges: tuple[Sequence[Range], Sequence[Range]], side: int) -> list[str]:
    return word_strings(item.target_text if side else item.source_text, ranges[side])


def _obstacle(item: ProjectionInput, source: Sequence[Range], target: Sequence[Range]) -> str | None:
    if not source or not target:
        return "empty_target" if source else "empty_source"
    bad = BAD_UNICODE in (text_reason(item.source_text), text_reason(item.target_text))
    return BAD_UNICODE if bad else None


def _failed(ranges: tuple[tuple[Range, ...], tuple[Range, ...]], reason: str) -> Alignment:
    return Alignment(*ranges, np.zeros((len(ranges[0]), len(ranges[1])), np.float32), reason=reason)


def _batches(order: Sequence[int], lengths: dict[int, int], limit: int) -> Iterator[list[int]]:
    """Neighbours in ``order`` (ascending lengths) whose padded pieces, of both sides, stay within the limit."""
    batch: list[int] = []
    for k in order:
        if batch and 2 * lengths[k] * (len(batch) + 1) > limit:
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch
