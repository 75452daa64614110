"""Random numbers that follow from the seed, the row's id, the copy and the place alone: never from an order."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

Keys = np.ndarray  # uint64

_STEP = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
# What a number is drawn for; each purpose has numbers of its own.
LANGUAGE, UNIT, ENTRY, ROW, ORDER, ROUND, BIN = range(1, 8)


def keys_of(names: Sequence[str], seed: int, copy: int) -> Keys:
    """One key per row, (n,)."""
    salt = (seed % (1 << 64)).to_bytes(8, "little") + copy.to_bytes(8, "little")
    joined = b"".join(
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, salt=salt).digest() for name in names
    )
    return np.frombuffer(joined, "<u8").astype(np.uint64)


def mixed(keys: Keys, *parts: np.ndarray | int) -> Keys:
    """New keys from keys and numbers (the finaliser of SplitMix64; Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        out = keys
        for part in parts:
            number = part.astype(np.uint64) if isinstance(part, np.ndarray) else np.uint64(part)
            out = out + _STEP * (number + np.uint64(1))
            out = (out ^ (out >> np.uint64(30))) * _A
            out = (out ^ (out >> np.uint64(27))) * _B
            out = out ^ (out >> np.uint64(31))
    return out


def uniform(keys: Keys, *parts: np.ndarray | int) -> np.ndarray:
    """Numbers in [0, 1), (n,)."""
    return (mixed(keys, *parts) >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))
