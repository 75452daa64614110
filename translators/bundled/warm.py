"""Start a training from a model that is already converted: its int8 weights, read back, and its vocabulary, mapped.

A bundled model is kept as int8 only. Read back, a row of a matrix is off by at most a 254th of its largest value, which
a few steps of training mend, so each generation of the model goes on from the last one, also with another vocabulary.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
# Names of transformers' Marian and the rows of CTranslate2's fused matrices they are cut from.
_SELF = {"q_proj": ("self_attention.linear_0", 0, 3), "k_proj": ("self_attention.linear_0", 1, 3)}
_SELF |= {"v_proj": ("self_attention.linear_0", 2, 3), "out_proj": ("self_attention.linear_1", 0, 1)}
_CROSS = {"q_proj": ("attention.linear_0", 0, 1), "k_proj": ("attention.linear_1", 0, 2)}
_CROSS |= {"v_proj": ("attention.linear_1", 1, 2), "out_proj": ("attention.linear_2", 0, 1)}


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """Variables of a CTranslate2 ``model.bin`` by name, as float32; int8 matrices are divided by their scales.

    Raises:
        ValueError: The file is of another version of the format.
    """
    data = path.read_bytes()
    at = 0

    def number(kind: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(kind, data, at)
        at += struct.calcsize(kind)
        return int(value)

    def string() -> str:
        nonlocal at
        length = number("<H")
        text = data[at : at + length - 1].decode("utf-8")
        at += length
        return text

    version = number("<I")
    if version != 6:
        raise ValueError(f"{path}: version {version} of the file format; valid: 6")
    string()
    number("<I")
    found: dict[str, np.ndarray] = {}
    for _ in range(number("<I")):
        name = string()
        shape = tuple(number("<I") for _ in range(number("<B")))
        kind = _TYPES[number("<B")]
        size = number("<I")
        found[name] = np.frombuffer(data, kind, count=size // np.dtype(kind).itemsize, offset=at).reshape(shape)
        at += size
    aliases = [(string(), string()) for _ in range(number("<I"))]
    whole: dict[str, np.ndarray] = {}
    for name, value in found.items():
        scale = found.get(f"{name}_scale")
        whole[name] = value.astype(np.float32) / scale[:, None] if scale is not None else value.astype(np.float32)
    return whole | {alias: whole[name] for alias, name in aliases}


def layer_weights(variables: dict[str, np.ndarray], side: str, layer: int) -> dict[str, np.ndarray]:
    """One layer's weights under the names of ``network.Layer``."""
    prefix = f"{side}/layer_{layer}/"

    def variable(name: str) -> np.ndarray:
        return variables[prefix + name]

    out: dict[str, np.ndarray] = {}
    blocks = {"self_attn": _SELF} | ({"encoder_attn": _CROSS} if side == "decoder" else {})
    for block, parts in blocks.items():
        for own, (name, part, parts_in) in parts.items():
            for kind in ("weight", "bias"):
                rows = variable(f"{name.replace('.', '/')}/{kind}")
                size = len(rows) // parts_in
                out[f"{block}.{own}.{kind}"] = rows[part * size : (part + 1) * size]
        norm = "self_attention" if block == "self_attn" else "attention"
        out[f"{block}_layer_norm.weight"] = variable(f"{norm}/layer_norm/gamma")
        out[f"{block}_layer_norm.bias"] = variable(f"{norm}/layer_norm/beta")
    for own, name in (("fc1", "ffn/linear_0"), ("fc2", "ffn/linear_1")):
        out[f"{own}.weight"], out[f"{own}.bias"] = variable(f"{name}/weight"), variable(f"{name}/bias")
    out["final_layer_norm.weight"] = variable("ffn/layer_norm/gamma")
    out["final_layer_norm.bias"] = variable("ffn/layer_norm/beta")
    return out


def embeddings(old: np.ndarray, start: Path, folder: Path, seed: int) -> np.ndarray:
    """Embeddings of the pieces in ``folder/vocab.json``, (pieces, width), from those of the model in ``start``.

    A piece that both know keeps its row; another gets the mean of the rows of the pieces that the old model would
    have cut it into, where it knows all its characters, and a random row otherwise. The padding piece is zero.
    """
    import sentencepiece

    known = {piece: i for i, piece in enumerate(json.loads((start / "shared_vocabulary.json").read_text("utf-8")))}
    cutter = sentencepiece.SentencePieceProcessor(model_file=str(start / "source.spm"))
    table: dict[str, int] = json.loads((folder / "vocab.json").read_text("utf-8"))
    new = np.random.default_rng(seed).normal(0.0, 0.04, (len(table), old.shape[1])).astype(np.float32)
    for piece, row in table.items():
        if piece in known:
            new[row] = old[known[piece]]
            continue
        cut = cutter.encode(piece.replace("▁", " ").strip(), out_type=str)
        if not piece.startswith("▁") and cut and cut[0].startswith("▁"):
            cut = [cut[0][1:], *cut[1:]]
        parts = [part for part in cut if part]
        if parts and all(part in known and not part.startswith("<0x") for part in parts):
            rows = [known[part] for part in parts]
            # A part of the random row stays, so that no two pieces start as the same.
            new[row] = old[rows].mean(axis=0) + 0.5 * new[row]
    new[table["<pad>"]] = 0.0
    return new


def starting_weights(start: Path, folder: Path, seed: int) -> dict[str, Any]:
    """A state for ``network.Network`` with the vocabulary of ``folder`` and the weights of the model in ``start``.

    Args:
        start: Directory of a converted bundled model (Marian, shared vocabulary, of the same widths).
        folder: Where ``vocab.json`` lies.
        seed: Of the rows of new pieces.
    """
    import torch

    variables = read_variables(start / "model.bin")
    state = {"shared.weight": embeddings(variables["encoder/embeddings_0/weight"], start, folder, seed)}
    for side in ("encoder", "decoder"):
        layer = 0
        while f"{side}/layer_{layer}/ffn/linear_0/weight" in variables:
            for name, value in layer_weights(variables, side, layer).items():
                state[f"{side}.layers.{layer}.{name}"] = value
            layer += 1
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}
