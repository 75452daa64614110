"""A CTranslate2 ``model.bin`` as named arrays: enough to take a model apart and to put parts of it together anew."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from mmap import mmap
from pathlib import Path
from typing import Self

import numpy as np

# The layout this module reads and writes (``ctranslate2.specs.model_spec``).
VERSION = 6
_KINDS = {np.dtype(kind): number for number, kind in enumerate(("float32", "int8", "int16", "int32", "float16"))}


class UnknownLayout(Exception):
    """The file is of a layout that is not known here."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One array as it lies in the file.

    Attributes:
        shape: Empty for a number.
        kind: CTranslate2's number of the element type.
        data: Its bytes, row by row.
    """

    shape: tuple[int, ...]
    kind: int
    data: bytes | memoryview

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """An array of float32, int8, int16, int32 or float16."""
        return cls(values.shape, _KINDS[values.dtype], values.tobytes())

    def rows(self, indices: np.ndarray) -> Variable:
        """Some of its rows, in the order of ``indices``."""
        table = np.frombuffer(self.data, np.uint8).reshape(self.shape[0], -1)
        return Variable((len(indices), *self.shape[1:]), self.kind, table[indices].tobytes())


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A parsed file.

    Attributes:
        spec: Name of the architecture.
        revision: Its revision.
        variables: By name, those that are another's alias included.
    """

    spec: str
    revision: int
    variables: Mapping[str, Variable]

    @classmethod
    def parse(cls, data: bytes | mmap) -> Self:
        """Reads a file.

        Raises:
            UnknownLayout: It is of another version, or broken.
        """
        reader = _Reader(memoryview(data))
        try:
            if reader.number("I") != VERSION:
                raise UnknownLayout
            spec, revision = reader.string(), reader.number("I")
            variables = dict(reader.variable() for _ in range(reader.number("I")))
            for _ in range(reader.number("I")):
                alias, name = reader.string(), reader.string()
                variables[alias] = variables[name]
                if (scale := variables.get(f"{name}_scale")) is not None:
                    variables[f"{alias}_scale"] = scale
        except (struct.error, UnicodeDecodeError, KeyError) as error:
            raise UnknownLayout from error
        return cls(spec, revision, variables)

    def below(self, scope: str) -> dict[str, Variable]:
        """The variables whose names begin with ``scope``."""
        return {name: found for name, found in self.variables.items() if name.startswith(scope)}


def pack(spec: str, revision: int, variables: Iterable[tuple[str, Variable]]) -> bytes:
    """A file of these variables."""
    parts: list[bytes | memoryview] = []
    count = 0
    for name, variable in variables:
        shape = variable.shape
        head = struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, variable.kind, len(variable.data))
        parts += [_string(name), head, variable.data]
        count += 1
    start = struct.pack("<I", VERSION) + _string(spec) + struct.pack("<II", revision, count)
    return b"".join([start, *parts, struct.pack("<I", 0)])


def _string(text: str) -> bytes:
    encoded = text.encode() + b"\0"
    return struct.pack("<H", len(encoded)) + encoded


class _Reader:
    """Goes through a file from its start."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from(f"<{kind}", self.data, self.at)
        self.at += struct.calcsize(kind)
        return int(value)

    def string(self) -> str:
        return str(self.bytes(self.number("H"))[:-1], "utf-8")

    def bytes(self, count: int) -> memoryview:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise UnknownLayout
        self.at += count
        return found

    def variable(self) -> tuple[str, Variable]:
        name = self.string()
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        kind = self.number("B")
        return name, Variable(shape, kind, self.bytes(self.number("I")))


def weights_hash(directory: Path) -> str:
    """SHA-256 of ``model.bin``, in hexadecimal."""
    path = (directory / "model.bin").resolve()
    stat = path.stat()
    return _file_hash(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _file_hash(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
