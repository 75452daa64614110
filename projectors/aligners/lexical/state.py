"""The lexical aligner's tables as bytes: the same tables, the same bytes."""

import json
import struct
import zlib
from collections.abc import Mapping

import numpy as np

from spanferry.corpora.errors import InputError
from spanferry.projectors.aligners.lexical.bonds import Bonds
from spanferry.projectors.aligners.lexical.counters import Counters
from spanferry.projectors.aligners.lexical.em import Order
from spanferry.projectors.aligners.lexical.fit import Model
from spanferry.projectors.aligners.lexical.hmm import Jumps
from spanferry.projectors.aligners.lexical.lexicon import Lexicon, Vocabulary
from spanferry.projectors.aligners.lexical.particles import Particles

_MAGIC = b"SFLX5\n"
_SIDE = ("frequency", "unaligned", "mass", "shapes")
_TABLES = ("counts", "stem_counts", "shape_counts")
_KEYS = 5  # arrays of ascending integers, which come first


def dump(models: Mapping[tuple[str, str], Model]) -> bytes:
    """All models: a JSON header with words and array sizes, then the arrays, compressed as one."""
    header: list[dict[str, object]] = []
    arrays: list[np.ndarray] = []
    for languages in sorted(models):
        model, lexicon = models[languages], models[languages].lexicon
        own = [lexicon.keys, lexicon.stem_keys, model.bonds.keys, model.counters.words, model.particles.words]
        own += [getattr(lexicon, name) for name in _TABLES]
        own += [getattr(side, name) for side in (lexicon.source, lexicon.target) for name in _SIDE]
        own += [model.order.forward.widths, model.order.backward.widths]
        own += [model.bonds.to_left, model.bonds.to_right]
        own += [*model.counters.shares.T, *model.counters.free.T, model.particles.strengths]
        header.append(
            {
                "languages": languages,
                "words": [lexicon.source.words, lexicon.target.words],
                "stems": [lexicon.source.stems, lexicon.target.stems],
                "null": [model.order.forward.null, model.order.backward.null],
                "context": model.context,
                "sizes": [len(array) for array in own],
            }
        )
        # Keys are differences, so that they compress; counts need no more than single precision.
        own[:_KEYS] = [np.diff(keys, prepend=0) for keys in own[:_KEYS]]
        arrays += [array.astype("<i8" if k < _KEYS else "<f4") for k, array in enumerate(own)]
    text = json.dumps(header, ensure_ascii=True, separators=(",", ":")).encode()
    body = struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays)
    return _MAGIC + zlib.compress(body, 6)


def load(state: bytes) -> dict[tuple[str, str], Model]:
    """What ``dump`` wrote.

    Raises:
        InputError: It is something else, or cut short.
    """
    try:
        return _load(state)
    except (ValueError, KeyError, IndexError, struct.error, zlib.error) as error:
        raise InputError(
            "not a state of the lexical aligner", hint="run the fit stage again: spanferry run ... --overwrite"
        ) from error


def _load(state: bytes) -> dict[tuple[str, str], Model]:
    if not state.startswith(_MAGIC):
        raise ValueError("no header")
    body = zlib.decompress(state[len(_MAGIC) :])
    (length,) = struct.unpack_from("<Q", body)
    at = 8 + length
    models: dict[tuple[str, str], Model] = {}
    for entry in json.loads(body[8:at]):
        arrays = []
        for k, size in enumerate(entry["sizes"]):
            kind = np.dtype("<i8" if k < _KEYS else "<f4")
            array = np.frombuffer(body, kind, size, at)
            arrays.append(np.cumsum(array) if k < _KEYS else array.astype(np.float64))
            at += size * kind.itemsize
        keys, stem_keys, bonded, counting, marking = arrays[:_KEYS]
        tables, rest = arrays[_KEYS : _KEYS + len(_TABLES)], arrays[_KEYS + len(_TABLES) :]
        sides = [
            Vocabulary(tuple(entry["words"][k]), tuple(entry["stems"][k]), *rest[4 * k : 4 * k + 4]) for k in (0, 1)
        ]
        order = Order(*(Jumps(rest[8 + k], entry["null"][k]) for k in (0, 1)))
        models[(entry["languages"][0], entry["languages"][1])] = Model(
            Lexicon(sides[0], sides[1], keys, stem_keys, *tables),
            order,
            Bonds(bonded, rest[10], rest[11]),
            Counters(counting, np.stack(rest[12:14], axis=1), np.stack(rest[14:16], axis=1)),
            Particles(marking, rest[16]),
            float(entry["context"]),
        )
    return models
