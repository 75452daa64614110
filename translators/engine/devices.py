"""CTranslate2 models on a device: one in memory for each directory and computation type, few that nobody uses."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import ctranslate2

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.engine.loaded import Engines

DEVICES = ("auto", "cpu", "cuda")
Engine = TypeVar("Engine", ctranslate2.Translator, ctranslate2.Generator)
# Kept without a user, on each device: the model of a language that is worked on and that of the way back.
ENGINES = Engines(2)


def resolve_device(device: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` is cuda where a GPU can be used.

    Raises:
        ConfigError: No such device.
        ModelError: cuda was asked for and there is none.
    """
    if device not in DEVICES:
        raise ConfigError(f"unknown device {device!r}", valid=DEVICES, hint="device=auto")
    if device == "cpu":
        return device
    found = ctranslate2.get_cuda_device_count() > 0
    if device == "cuda" and not found:
        raise ModelError("no CUDA device can be used", valid="cpu", hint="device=cpu, or check the driver: nvidia-smi")
    return "cuda" if found else "cpu"


def resolve_compute_type(compute_type: str, device: str) -> str:
    """The computation type on ``device``; ``default`` is int8 on cpu, float16 on cuda (float32 where it has none).

    Raises:
        ConfigError: The device can't compute in that type.
    """
    supported = sorted(ctranslate2.get_supported_compute_types(device))
    if compute_type == "default":
        wanted = ("int8", "float32") if device == "cpu" else ("float16", "float32")
        return next(kind for kind in wanted if kind in supported)
    if compute_type not in supported:
        raise ConfigError(
            f"device {device} can't compute in {compute_type!r}",
            valid=["default", *supported],
            hint="compute_type=default",
        )
    return compute_type


@lru_cache(maxsize=1)
def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(model_bytes: int) -> tuple[int, int]:
    """``(inter_threads, intra_threads)`` whose product is at most the cores.

    One thread for each batch in flight is the fastest for small models (measured on two cores: 1.3 to 1.8 times the
    sentences of one batch on both). The weights are shared, so large models can do the same; only their activations
    are multiplied, which is why models over 2 GB get two threads a batch.
    """
    intra = 1 if model_bytes < 2 << 30 else min(2, cores())
    return max(1, cores() // intra), intra


def load(directory: Path, device: str, compute_type: str, engine: type[Engine] = ctranslate2.Translator) -> Engine:
    """The model in ``directory``, shared with whoever uses it in this process on one device and computation type.

    It is freed when nobody uses it any more and two others were asked for since.

    Args:
        directory: CTranslate2 directory.
        device: ``cpu`` or ``cuda``.
        compute_type: A type that the device supports.
        engine: What runs it: ``ctranslate2.Translator``, or ``Generator`` for a language model.

    Raises:
        ModelError: The directory holds no model that CTranslate2 can read.
    """
    path: Path = directory.resolve()

    def make() -> Engine:
        try:
            size = (path / "model.bin").stat().st_size
            inter, intra = threads(size) if device == "cpu" else (1, 0)
            return engine(
                str(path),
                device=device,
                compute_type=compute_type,
                inter_threads=inter,
                intra_threads=intra,
                max_queued_batches=-1,  # who submits bounds what waits, and goes on while the workers work
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"CTranslate2 can't load it: {error}", where=str(directory), hint="spanferry models"
            ) from error

    return ENGINES.get((*file_key(path), device, compute_type, engine.__name__), device, make)


def file_key(directory: Path) -> tuple[str, int, int]:
    """What distinguishes the weights in a directory from others, those that were there before included."""
    try:
        about = (directory / "model.bin").stat()
    except OSError:  # whoever loads it says so
        return str(directory), 0, 0
    return str(directory), about.st_size, about.st_mtime_ns
