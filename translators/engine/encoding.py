"""The encoder of an encoder-decoder alone, run as a ``ctranslate2.Encoder``."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import ctranslate2
import numpy as np

from spanferry.corpora.errors import ModelError
from spanferry.translators.engine import devices
from spanferry.translators.families import read_json, read_vocabulary
from spanferry.translators.model_file import ModelFile, UnknownLayout, pack

_CONFIG = ("bos_token", "eos_token", "unk_token", "layer_norm_epsilon")
_BATCH_TOKENS = 2048


class TextEncoder:
    """Vectors of source tokens, on the CPU.

    Args:
        directory: CTranslate2 directory of an encoder-decoder.
        compute_type: A type that the CPU supports.

    Raises:
        ModelError: CTranslate2 can't run its encoder alone.
    """

    def __init__(self, directory: Path, compute_type: str) -> None:
        path = directory / "model.bin"
        try:
            with path.open("rb") as file:
                model = ModelFile.parse(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            if model.spec != "TransformerSpec":
                raise UnknownLayout
            config = read_json(directory / "config.json")
            files = {
                "model.bin": pack("TransformerEncoderSpec", 1, sorted(model.below("encoder/").items())),
                "config.json": json.dumps({name: config.get(name) for name in _CONFIG}).encode(),
                "vocabulary.json": json.dumps(read_vocabulary(directory)).encode(),
            }
            inter, intra = devices.threads(path.stat().st_size)
            # Nothing is read from this path: it names the model in messages.
            self._encoder = ctranslate2.Encoder(
                sha256(files["model.bin"][:64]).hexdigest()[:8],
                device="cpu", compute_type=compute_type, inter_threads=inter, intra_threads=intra, files=files,
            )  # fmt: skip
        except (UnknownLayout, OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                "CTranslate2 can't run the encoder of this model alone", where=str(directory), hint="aligner=lexical"
            ) from error

    def encode(self, rows: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """(n_tokens, width) of each row; rows of one length share a batch, so that no row depends on others."""
        found: dict[tuple[str, ...], np.ndarray] = {}
        lengths: dict[int, list[tuple[str, ...]]] = {}
        for row in dict.fromkeys(map(tuple, rows)):
            lengths.setdefault(len(row), []).append(row)
        for length, alike in sorted(lengths.items()):
            size = max(1, _BATCH_TOKENS // length)
            for at in range(0, len(alike), size):
                found.update(self._batch(alike[at : at + size]))
        return [found[tuple(row)] for row in rows]

    def _batch(self, rows: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], np.ndarray]:
        output = self._encoder.forward_batch([list(row) for row in rows])
        return dict(zip(rows, np.array(output.last_hidden_state, np.float32), strict=True))
