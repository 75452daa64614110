"""Forced scores of many targets for few sources, in one target language, for a fraction of what the whole model costs.

Two thirds of a forced pass of a small model is its output layer, most of whose pieces are of other languages, and most
of the rest is the encoder, which reads the same source anew for each of its targets. Here each source is encoded once,
and what scores is the decoder alone, put together in memory for one call:

- Its source vocabulary is the encodings, one "token" for each position of each source, and its encoder passes them on.
  With int8 they are what the decoder would have made of them itself.
- Its target vocabulary is the usual pieces of the language, over which the probability is normalised, and beside them
  those that these targets have besides. The latter are held out of the sum by a bias and their probability is set right
  afterwards, so that what a row scores depends on the row alone.
- Pieces can be read as themselves and scored as another one: so one pass shows how much a marker is expected before
  each token of a target.

The probability of a piece is therefore that among the usual pieces and itself; the ranking of targets is nearly that of
the whole model (`projectors.constrained.search` says how nearly). Without a list of usual pieces all are counted, and
the scores are the model's.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np

from spanferry.translators.engine import devices, forced
from spanferry.translators.engine.failures import settle
from spanferry.translators.engine.language_pieces import read_pieces
from spanferry.translators.families import read_json, read_vocabulary
from spanferry.translators.model_file import ModelFile, UnknownLayout, Variable, pack

Tokens = tuple[str, ...]
# What is kept of a larger file would be too much to copy for every call; without a list that is all pieces as well.
LARGEST, LARGEST_WITHOUT_LIST = 1 << 30, 256 << 20
# Bytes that the encodings of one call may take.
ENCODED_BYTES = 8 << 20
# Source tokens that are encoded at once, padding included.
_ENCODE_TOKENS = 512
# Holds a piece out of the sum of probabilities without being lost in float32.
_MASK_BIAS = -60.0
# Sums of floats come out alike, whatever stands behind the usual pieces, where these fill whole vector registers.
_REGISTER = 16
# Fills up with what is then held out, whichever piece it is.
_BLANK = -1
_LAYOUTS = {("TransformerSpec", 7)}
_ROWS = ("decoder/embeddings/weight", "decoder/embeddings/weight_scale")
_OUTPUT = ("decoder/projection/weight", "decoder/projection/weight_scale", "decoder/projection/bias")
_CONFIG = ("unk_token", "bos_token", "eos_token")


class LanguageScorer:
    """What is kept of a model between calls: its encoder, and its decoder's weights. It runs on the CPU.

    Args:
        directory: CTranslate2 directory.
        language: BCP-47 tag of the target language, whose usual pieces count; None, or where there is no list of
            them: all pieces do.
        compute_type: As the model itself runs.
        always: Further tokens that probability is shared among.

    Attributes:
        exact: Scores are those of the model.

    Raises:
        UnknownLayout: The model can't be taken apart, or it is not worth while.
    """

    def __init__(self, directory: Path, language: str | None, *, compute_type: str, always: Iterable[str] = ()) -> None:
        path = directory / "model.bin"
        usual = read_pieces(directory, language) if language else None
        self.exact = usual is None
        if path.stat().st_size > (LARGEST_WITHOUT_LIST if usual is None else LARGEST):
            raise UnknownLayout
        # Mapped, not read: what is not asked for again need not stay in memory.
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise UnknownLayout
            model = ModelFile.parse(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if (model.spec, model.revision) not in _LAYOUTS or "encoder/embeddings_1/weight" in model.variables:
            raise UnknownLayout
        self._config = read_json(directory / "config.json")
        source, target = (read_vocabulary(directory, side) for side in ("source", "target"))
        self._ids = {token: number for number, token in enumerate(target)}
        self._threads = devices.threads(path.stat().st_size)
        self._compute_type = compute_type
        specials = [self._config.get(name) for name in (*_CONFIG, "decoder_start_token")]
        first = dict.fromkeys([*specials, *always, *(target if usual is None else usual)])
        self._usual = np.array([self._ids[token] for token in first if token in self._ids], np.int64)
        rows, self._width = model.variables[_ROWS[0]].shape
        if rows != len(target) or (usual is not None and 2 * len(self._usual) > rows):
            raise UnknownLayout
        self._tokens = target
        self._common = frozenset(target[i] for i in self._usual)
        self._by_row = {name: v for name in (*_ROWS, *_OUTPUT) if (v := model.variables.get(name)) is not None}
        self._spec, self._revision = model.spec, model.revision
        decoder = {name: v for name, v in model.below("decoder/").items() if name not in self._by_row}
        self._fixed = {**decoder, **_identity_encoder(model, self._width)}
        self._encoder = self._load(
            ctranslate2.Encoder,
            pack("TransformerEncoderSpec", 1, sorted(model.below("encoder/").items())),
            {name: self._config.get(name) for name in (*_CONFIG, "layer_norm_epsilon")},
            {"vocabulary.json": source},
        )

    @property
    def room(self) -> int:
        """Source tokens that one call should not exceed."""
        return max(1, ENCODED_BYTES // (4 * self._width))

    def for_batch(self, sources: Iterable[Tokens], targets: Iterable[Tokens], expected: Sequence[str] = ()) -> Scoring:
        """What scores rows of these sources whose targets are made of the tokens of these targets.

        Args:
            sources: As the model reads them.
            targets: With their language tokens.
            expected: Tokens that `Scoring.expected` will be asked for.
        """
        encoded = self._encode(list(dict.fromkeys(sources)))
        special = [self._config.get(name) or f"<{name}>" for name in _CONFIG]
        names: dict[Tokens, list[str]] = {}
        at = len(special)
        for tokens, vectors in encoded.items():
            names[tokens] = [str(n) for n in range(at, at + len(vectors))]
            at += len(vectors)
        table = np.concatenate([np.zeros((len(special), self._width), np.float32), *encoded.values()])
        seen = {*expected, *(token for target in targets for token in target)}
        rare = sorted(self._ids[token] for token in seen - self._common if token in self._ids)
        usual = _filled(self._usual)
        plain = np.concatenate([usual, np.array(rare, np.int64)])
        heard = np.array(sorted({self._ids[token] for token in (special[0], *seen) if token in self._ids}), np.int64)
        inputs = _filled(np.concatenate([plain, *[heard for _ in expected]]))
        outputs = _filled(np.concatenate([plain, *[np.full(len(heard), self._ids[token]) for token in expected]]))
        weights = {
            name: v.rows(np.maximum(inputs if name in _ROWS else outputs, 0)) for name, v in self._by_row.items()
        }
        weights[_OUTPUT[2]] = self._bias(outputs, len(usual))
        weights["encoder/embeddings_0/weight"] = Variable.of(table)
        raw = self._load(
            ctranslate2.Translator,
            pack(self._spec, self._revision, [*self._fixed.items(), *weights.items()]),
            {**self._config, "add_source_bos": False, "add_source_eos": False},
            {
                "source_vocabulary.json": [*special, *map(str, range(len(special), at))],
                "target_vocabulary.json": [
                    *(self._tokens[i] if i != _BLANK else f"<blank {n}>" for n, i in enumerate(plain)),
                    *(_alias(self._tokens[i], token) for token in expected for i in heard),
                    *(f"<blank {n}>" for n in range(len(plain) + len(heard) * len(expected), len(inputs))),
                ],
            },
        )
        known = {self._tokens[i] for i in heard}
        as_read = {token: token if token in known else special[0] for token in seen}
        return Scoring(raw, names, frozenset(self._tokens[i] for i in rare), as_read, len(inputs))

    def _bias(self, indices: np.ndarray, counted: int) -> Variable:
        stored = self._by_row.get(_OUTPUT[2])
        bias = np.zeros(len(indices), np.float32)
        if stored is not None:
            kind = np.float16 if len(stored.data) == 2 * stored.shape[0] else np.float32
            bias += np.frombuffer(stored.data, kind)[np.maximum(indices, 0)].astype(np.float32)
        bias[counted:] += np.float32(_MASK_BIAS)
        bias[indices == _BLANK] = _MASK_BIAS
        return Variable.of(bias)

    def _encode(self, sources: Sequence[Tokens]) -> dict[Tokens, np.ndarray]:
        """(n_tokens, width) of each source; one that the model can't take is left out.

        Only sources of one length share a batch: padding would show in the last bits.
        """
        batches: list[list[Tokens]] = []
        for tokens in sorted(sources, key=lambda tokens: (-len(tokens), tokens)):
            size = len(tokens)
            if batches and len(batches[-1][0]) == size and size * (len(batches[-1]) + 1) <= _ENCODE_TOKENS:
                batches[-1].append(tokens)
            else:
                batches.append([tokens])
        found: dict[Tokens, np.ndarray] = {}
        errors: list[str] = []
        with ThreadPoolExecutor(self._threads[0]) as workers:
            for own, failed in workers.map(self._encode_batch, batches):
                found.update(own)
                errors += failed
        settle(errors, len(sources), "encode")
        return {tokens: found[tokens] for tokens in sources if tokens in found}

    def _encode_batch(self, batch: Sequence[Tokens]) -> tuple[dict[Tokens, np.ndarray], list[str]]:
        """What was encoded, and what CTranslate2 said of each source that could not be."""
        start = [self._config["bos_token"]] if self._config.get("add_source_bos") else []
        end = [self._config["eos_token"]] if self._config.get("add_source_eos") else []
        try:
            states = self._encoder.forward_batch([[*start, *tokens, *end] for tokens in batch]).last_hidden_state
        except (RuntimeError, ValueError) as error:
            if len(batch) == 1:
                return {}, [str(error)]
            alone = [self._encode_batch([tokens]) for tokens in batch]
            return {k: v for own, _ in alone for k, v in own.items()}, [e for _, failed in alone for e in failed]
        more = len(start) + len(end)
        vectors = np.array(states).astype(np.float32, copy=False)
        return {tokens: own[: len(tokens) + more] for tokens, own in zip(batch, vectors, strict=True)}, []

    def _load(
        self, engine: Any, model: bytes, config: Mapping[str, Any], vocabularies: Mapping[str, Sequence[str]]
    ) -> Any:
        files = {"model.bin": model, "config.json": json.dumps(dict(config)).encode()}
        files |= {name: json.dumps(list(tokens)).encode() for name, tokens in vocabularies.items()}
        inter, intra = self._threads
        # Nothing is read from this path: it names the model in messages.
        name = sha256(model[:64]).hexdigest()[:8]
        return engine(
            name,
            device="cpu",
            compute_type=self._compute_type,
            inter_threads=inter,
            intra_threads=intra,
            max_queued_batches=-1,
            files=files,
        )


class Scoring:
    """A decoder made for certain sources and targets."""

    def __init__(
        self,
        raw: Any,
        names: Mapping[Tokens, Sequence[str]],
        rare: frozenset[str],
        as_read: Mapping[str, str],
        vocabulary_size: int,
    ) -> None:
        self._raw, self._names, self._rare, self._as_read = raw, names, rare, as_read
        self._limit = forced.batch_tokens(vocabulary_size)

    def score(self, rows: Sequence[tuple[Tokens, Sequence[str]]], prefix: int) -> list[np.ndarray]:
        """`translators.engine.forced.score` of (source, target) rows, each the same whatever others there are."""
        found = [np.zeros(0, np.float32)] * len(rows)
        known = [k for k, (source, _) in enumerate(rows) if source in self._names]
        sources, targets = [self._names[rows[k][0]] for k in known], [rows[k][1] for k in known]
        scored = forced.score(self._raw, sources, targets, prefix=prefix, max_target_tokens=self._limit, alike=True)
        for k, target, logprobs in zip(known, targets, scored, strict=True):
            found[k] = logprobs if self._rare.isdisjoint(target) else self._set_right(logprobs, target[prefix:])
        return found

    def expected(self, rows: Sequence[tuple[Tokens, Tokens]], token: str, prefix: int) -> list[np.ndarray]:
        """Log-probability of ``token``, one of the usual pieces, before each token of a target.

        Returns:
            For each row float32 (n_target_tokens - prefix,), in nats; (0,) for a row that failed.
        """
        names = {read: _alias(known, token) for read, known in self._as_read.items()}
        heard = [(source, (*target[:prefix], *(names[t] for t in target[prefix:]))) for source, target in rows]
        return [found[:-1] - _MASK_BIAS for found in self.score(heard, prefix)]

    def _set_right(self, logprobs: np.ndarray, target: Sequence[str]) -> np.ndarray:
        if not len(logprobs):
            return logprobs
        rare = np.array([*(token in self._rare for token in target), False])
        beside = logprobs[rare].astype(np.float64) - _MASK_BIAS
        logprobs[rare] = beside - np.logaddexp(0.0, beside)
        return logprobs


def _identity_encoder(model: ModelFile, width: int) -> dict[str, Variable]:
    """An encoder that leaves its input as it is: a layer of zeros, as thin as can be, around which the input goes."""
    thin = 8
    names = ("encoder/activation", "encoder/embeddings_merge", "encoder/multi_query_attention")
    found = {name: model.variables[name] for name in names if name in model.variables}
    for part, columns in (("self_attention", 3 * thin), ("ffn", thin)):
        scope = f"encoder/layer_0/{part}"
        for name, shape in (("linear_0", (columns, width)), ("linear_1", (width, thin))):
            found[f"{scope}/{name}/weight"] = Variable.of(np.zeros(shape, np.float32))
            found[f"{scope}/{name}/bias"] = Variable.of(np.zeros(shape[0], np.float32))
        found[f"{scope}/layer_norm/gamma"] = Variable.of(np.ones(width, np.float32))
        found[f"{scope}/layer_norm/beta"] = Variable.of(np.zeros(width, np.float32))
    positions = model.variables.get("encoder/position_encodings/encodings")
    longest = positions.shape[0] if positions else 4096
    found["encoder/position_encodings/encodings"] = Variable.of(np.zeros((longest, width), np.float32))
    found["encoder/layer_0/self_attention/head_dim"] = Variable.of(np.array(thin, np.int32))
    found["encoder/num_heads"] = Variable.of(np.array(1, np.int16))
    found["encoder/pre_norm"] = Variable.of(np.array(1, np.int8))
    found["encoder/scale_embeddings"] = Variable((), 0, struct.pack("<f", 1.0))
    return found


def _alias(token: str, expected: str) -> str:
    """The name of what is read as ``token`` and scored as ``expected``."""
    return f"{token}\0{expected}"


def _filled(indices: np.ndarray) -> np.ndarray:
    """``indices`` and blanks up to whole registers."""
    return np.concatenate([indices, np.full(-len(indices) % _REGISTER, _BLANK, np.int64)])
