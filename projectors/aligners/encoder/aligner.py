"""Word alignment by the contextual vectors of a multilingual encoder."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from threadpoolctl import ThreadpoolController

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Range
from spanferry.corpora.signature import Signature, number_text
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.corpora.text.words import word_strings, words
from spanferry.projectors.aligners.encoder.convert import TOKENIZER, encoder_directory, encoder_facts
from spanferry.projectors.aligners.encoder.links import METHODS, Side, extract
from spanferry.projectors.apostrophes import APOSTROPHES
from spanferry.projectors.base import Alignment, ProjectionInput, words_of_both
from spanferry.translators.conversion.convert import quantization_for
from spanferry.translators.engine import devices
from spanferry.translators.engine.failures import settle
from spanferry.translators.engine.limits import BAD_UNICODE, MODEL_ERROR, text_reason
from spanferry.translators.model_file import weights_hash

# Pieces in a batch, padding included. More of them leave a CPU's caches; a GPU wants many.
_BATCH_PIECES = {"cpu": 256, "cuda": 32768}
# Pieces of the pairs under way, whose vectors are in memory: 100 and 400 MB with BERT's 768 numbers each.
_WINDOW_PIECES = {"cpu": 32768, "cuda": 131072}
# Of a softmax: what AWESOME was published with, and what is good with an empty word on Spanish and French gold links.
_PUBLISHED, _WITH_EMPTY_WORD = 0.001, 0.3
_MOST_UNKNOWN = 0.2  # of the pieces of a text, for an encoder whose languages are known


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Loaded:
    """An encoder and its tokeniser."""

    encoder: ctranslate2.Encoder
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of one text with the specials around them, and the word of each, -1 for specials."""

    ids: tuple[int, ...]
    words: np.ndarray


class EncoderAligner:
    """Links words whose contextual vectors are alike: SimAlign and AWESOME over CTranslate2, in batches.

    Gives the links of the packages simalign and awesome-align on the same weights, at a multiple of their speed: only
    the layers below the one that is read are run, sentences of the same length together. Reasons: ``empty_source``,
    ``empty_target``, ``too_long`` (more pieces than the encoder has positions; the packages cut such a text off
    silently), ``bad_unicode``, ``unknown_script`` (a text that the bundled encoder has no pieces for).

    Args:
        model: ``bundled``, ``mbert``, ``xlmr``, ``labse``, another hub id, a directory in Hugging Face layout (BERT or
            XLM-R), or a converted one. Converting happens once and needs torch; aligning does not.
        method: ``softmax`` (AWESOME), ``argmax``, ``itermax`` or ``match`` (SimAlign).
        threshold: For ``softmax``: what both directions must exceed; by default 0.001 (AWESOME), and 0.3 for the
            bundled one, which knows of an empty word.
        layer: Layer whose vectors are compared; by default the published one.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: A CTranslate2 type; ``default`` is int8 on cpu and float16 on cuda; ``float32`` is exact.

    Raises:
        ModelError: There is no such encoder, or it can't be used on the device.
        ConfigError: An option that is not valid.
        MissingExtraError: Converting needs torch.
    """

    def __init__(
        self,
        model: str = "bundled",
        method: str = "softmax",
        *,
        threshold: float | None = None,
        layer: int | None = None,
        device: str = "auto",
        compute_type: str = "default",
    ) -> None:
        if method not in METHODS:
            raise ConfigError(f"unknown method {method!r} of aligner 'encoder'", valid=METHODS, hint="method=softmax")
        if threshold is not None and not 0 <= threshold < 1:
            raise ConfigError(f"threshold = {threshold}", valid="0 <= threshold < 1", hint="leave it out")
        self.method = method
        self.device = devices.resolve_device(device)
        self.compute_type = devices.resolve_compute_type(compute_type, self.device)
        self.directory = encoder_directory(str(model), layer, quantization_for(self.device, self.compute_type))
        self._facts = encoder_facts(self.directory)
        self._empty_word = bool(self._facts.get("empty_word"))
        self.threshold = threshold if threshold is not None else _WITH_EMPTY_WORD if self._empty_word else _PUBLISHED
        self._loaded = _load(self.directory, self.device, self.compute_type)
        self._encoder, self._tokenizer = self._loaded.encoder, self._loaded.tokenizer

    @property
    def signature(self) -> Signature:
        """``encoder.<method>(<name>@<hash of the weights>.l<layer>.<type>)|<dictionaries>``."""
        method = f"softmax.{number_text(self.threshold)}" if self.method == "softmax" else self.method
        kind = self.compute_type if self.device == "cpu" else f"{self.compute_type}.{self.device}"
        made = f"{self._facts['name']}@{weights_hash(self.directory)[:8]}.l{self._facts['layer']}.{kind}"
        return Signature.of(f"encoder.{method}({made})", dictionaries(), APOSTROPHES)

    @property
    def languages(self) -> tuple[str, ...]:
        """What the encoder was trained on, as far as its description says so."""
        return tuple(self._facts.get("languages", ()))

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input, in order.

        Raises:
            ModelError: The encoder fails on every one of several texts.
        """
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
        pairs: dict[int, tuple[_Pieces, _Pieces]] = {}
        for k in waiting:
            pair = pieces[0][k], pieces[1][k]
            if max(len(one.ids) for one in pair) > room:
                out[k] = _failed(ranges[k], "too_long")
            elif self.languages and not all(self._readable(one) for one in pair):
                out[k] = _failed(ranges[k], "unknown_script")
            else:
                pairs[k] = pair

        def found(k: int, vectors: Mapping[tuple[int, ...], np.ndarray]) -> Alignment:
            if any(one.ids not in vectors for one in pairs[k]):
                return _failed(ranges[k], MODEL_ERROR)
            counts = [len(side) for side in ranges[k]]
            source, target = (_side(one, vectors[one.ids], count) for one, count in zip(pairs[k], counts, strict=True))
            (links,) = extract(source, target, self.method, self.threshold, empty_word=self._empty_word)
            return Alignment(*ranges[k], links.probabilities, links.links, None, links.forward, links.backward)

        errors: list[str] = []
        # The matrix library's own threads go on spinning when their work is done, on the cores of the encoder.
        with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(self._encoder.num_encoders) as pool:
            for members in _windows(pairs, _WINDOW_PIECES[self.device]):
                vectors = self._encoded([one.ids for k in members for one in pairs[k]], pool, errors)
                for k, alignment in zip(members, pool.map(partial(found, vectors=vectors), members), strict=True):
                    out[k] = alignment
        settle(errors, len({one.ids for pair in pairs.values() for one in pair}), "align", str(self.directory))
        return [alignment for alignment in out if alignment is not None]

    def embed(self, texts: Sequence[str]) -> "list[np.ndarray | None]":
        """The mean vector of each text's pieces, of length 1, float32 (width,).

        None for a text that is empty, has more pieces than the encoder has positions, is in a script that the bundled
        encoder has no pieces for, or that the encoder fails on.
        """
        # An unpaired surrogate has no bytes to be read.
        strings = ["" if text_reason(text) == BAD_UNICODE else text for text in texts]
        pieces = self._pieces([strings_of(text) for text in strings])
        room = int(self._facts["max_tokens"])
        usable = [
            2 < len(one.ids) <= room and (not self.languages or self._readable(one)) for one in pieces
        ]  # two of them are specials
        with ThreadPoolExecutor(self._encoder.num_encoders if self.device == "cpu" else 1) as pool:
            wanted = [one.ids for one, good in zip(pieces, usable, strict=True) if good]
            errors: list[str] = []
            vectors = self._encoded(wanted, pool, errors)
        settle(errors, len(set(wanted)), "embed", str(self.directory))
        found: list[np.ndarray | None] = []
        for one in pieces:
            mean = vectors[one.ids][1:-1].mean(axis=0) if one.ids in vectors else None
            found.append(None if mean is None else mean / max(float(np.linalg.norm(mean)), 1e-12))
        return found

    def _encoded(
        self, texts: Sequence[tuple[int, ...]], pool: Executor, errors: list[str]
    ) -> dict[tuple[int, ...], np.ndarray]:
        """(n_pieces, width) of each text, once for texts that are the same; without those the encoder fails on.

        On a CPU only texts of the same length share a batch: there is no padding then, and with int8 a text comes out
        the same whatever others there are.
        """
        order = sorted(dict.fromkeys(texts), key=lambda ids: (len(ids), ids))
        batches = list(_batches(order, _BATCH_PIECES[self.device], alike=self.device == "cpu"))

        def run(batch: Sequence[tuple[int, ...]]) -> np.ndarray:
            view = self._encoder.forward_batch([list(ids) for ids in batch]).last_hidden_state
            if self.device != "cpu":
                view = view.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
            return np.array(view)

        def safely(batch: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], np.ndarray | str]:
            try:
                return {ids: vectors[: len(ids)] for ids, vectors in zip(batch, run(batch), strict=True)}
            except (RuntimeError, ValueError) as error:
                if len(batch) == 1:
                    return {batch[0]: str(error)}
                return {ids: found for one in batch for ids, found in safely([one]).items()}

        vectors = {}
        for encoded in pool.map(safely, batches):
            for ids, found in encoded.items():
                if isinstance(found, str):
                    errors.append(found)
                else:
                    vectors[ids] = found
        return vectors

    def _readable(self, text: _Pieces) -> bool:
        unknown = self._tokenizer.token_to_id("[UNK]")
        return text.ids.count(unknown) <= _MOST_UNKNOWN * len(text.ids)

    def _pieces(self, sentences: Sequence[list[str]]) -> list[_Pieces]:
        encoded = self._tokenizer.encode_batch(list(sentences), is_pretokenized=True)
        return [
            _Pieces(tuple(found.ids), np.array([-1 if w is None else w for w in found.word_ids], dtype=np.int32))
            for found in encoded
        ]


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _load(directory: Path, device: str, compute_type: str) -> _Loaded:
    """The encoder and its tokeniser, shared with whoever uses them in this process."""
    from tokenizers import Tokenizer

    def make() -> _Loaded:
        try:
            inter, intra = devices.threads((directory / "model.bin").stat().st_size) if device == "cpu" else (1, 0)
            encoder = ctranslate2.Encoder(
                str(directory), device=device, compute_type=compute_type, inter_threads=inter, intra_threads=intra
            )
            return _Loaded(encoder, Tokenizer.from_file(str(directory / TOKENIZER)))
        except Exception as error:  # the tokeniser raises Exception itself
            raise ModelError(
                f"the encoder can't be loaded: {error}", where=str(directory), hint="convert it again"
            ) from error

    key = (*devices.file_key(directory.resolve()), device, compute_type, ctranslate2.Encoder.__name__)
    return devices.ENGINES.get(key, device, make)


def strings_of(text: str) -> list[str]:
    """The words of a text, as strings."""
    return word_strings(text, words(text))


def _strings(item: ProjectionInput, ranges: tuple[Sequence[Range], Sequence[Range]], side: int) -> list[str]:
    return word_strings(item.target_text if side else item.source_text, ranges[side])


def _obstacle(item: ProjectionInput, source: Sequence[Range], target: Sequence[Range]) -> str | None:
    if not source or not target:
        return "empty_target" if source else "empty_source"
    bad = BAD_UNICODE in (text_reason(item.source_text), text_reason(item.target_text))
    return BAD_UNICODE if bad else None


def _failed(ranges: tuple[tuple[Range, ...], tuple[Range, ...]], reason: str) -> Alignment:
    return Alignment(*ranges, np.zeros((len(ranges[0]), len(ranges[1])), np.float32), reason=reason)


def _side(pieces: _Pieces, vectors: np.ndarray, count: int) -> Side:
    # The first and the last piece are specials.
    return Side(vectors[None, 1:-1], pieces.words[None, 1:-1], [count])


def _windows(pairs: Mapping[int, tuple[_Pieces, _Pieces]], limit: int) -> Iterator[list[int]]:
    """Pairs of like length, whose pieces stay within the limit; at least one."""
    window: list[int] = []
    size = 0
    for k in sorted(pairs, key=lambda k: sum(len(one.ids) for one in pairs[k])):
        own = sum(len(one.ids) for one in pairs[k])
        if window and size + own > limit:
            yield window
            window, size = [], 0
        window.append(k)
        size += own
    if window:
        yield window


def _batches(order: Sequence[tuple[int, ...]], limit: int, *, alike: bool) -> Iterator[list[tuple[int, ...]]]:
    """Neighbours in ``order`` (ascending lengths; ``alike``: of one) whose padded pieces are within the limit."""
    batch: list[tuple[int, ...]] = []
    for ids in order:
        if batch and (len(ids) * (len(batch) + 1) > limit or (alike and len(ids) != len(batch[0]))):
            yield batch
            batch = []
        batch.append(ids)
    if batch:
        yield batch
