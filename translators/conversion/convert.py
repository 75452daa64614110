"""From Hugging Face layout to a described CTranslate2 directory in the user's cache. Needs torch; running does not."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, MissingExtraError, ModelError
from spanferry.translators.cache import models_root, require_space, written_once
from spanferry.translators.families import DESCRIPTION, describe, read_json, read_vocabulary, recognise
from spanferry.translators.families.base import ModelFiles, ModelKind

QUANTIZATIONS = ("int8", "int8_float16", "int8_float32", "int8_bfloat16", "float16", "bfloat16", "float32", "int16")
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_EDGE = 1 << 20


def quantization_for(device: str, compute_type: str) -> str:
    """How the weights are stored for a device and computation type: small on cpu, float16 on cuda by default."""
    if compute_type in ("default", "auto"):
        return "int8" if device == "cpu" else "float16"
    return compute_type


def is_hugging_face(directory: Path) -> bool:
    """Whether ``directory`` holds a model in Hugging Face layout."""
    return (directory / "config.json").is_file() and any(_weights(directory))


def convert(
    source: Path,
    *,
    name: str = "",
    origin: str = "",
    revision: str = "",
    quantization: str = "int8",
    root: Path | None = None,
) -> Path:
    """Convert a model once; the second call finds what the first one made.

    Args:
        source: Directory in Hugging Face layout: ``config.json``, weights and tokeniser files.
        name: Name of the model or its hub id, by default the directory's name.
        origin: Hub id it was downloaded from, if it was.
        revision: Commit it was downloaded at, if it was; else the weights tell versions apart.
        quantization: One of ``QUANTIZATIONS``.
        root: Where converted models lie; by default in the user's cache.

    Returns:
        ``<root>/<name>@<hash>-<quantization>``.

    Raises:
        ModelError: The directory holds no model, no family knows it, it can't be converted, or the disk is full.
        ConfigError: Unknown quantization.
        MissingExtraError: torch is not installed.
    """
    if quantization not in QUANTIZATIONS:
        raise ConfigError(f"unknown quantization {quantization!r}", valid=QUANTIZATIONS, hint="compute_type=default")
    weights = sorted(_weights(source))
    if not weights or not (source / "config.json").is_file():
        raise ModelError(
            "no model in Hugging Face layout",
            where=str(source),
            valid="config.json beside *.safetensors or pytorch_model.bin",
            hint="give a hub id, or the directory that save_pretrained wrote",
        )
    stored = (name or source.resolve().name).replace("/", "--")
    files = read_files(source, name)
    family = recognise(files, str(source))
    version = revision[:8] if revision else fingerprint(source, weights)
    final = (root or models_root()) / f"{stored}@{version}-{quantization}"
    if final.is_dir():
        return final
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtraError.of(package, "convert", f"converting {files.name}")
    require_space(final, sum(path.stat().st_size for path in weights) + (64 << 20), f"converting {files.name}")
    with written_once(final) as partial:
        if partial is not None:
            for file, text in _convert_weights(source, partial, quantization, family, files).items():
                (partial / file).write_text(text, encoding="utf-8")
            found = replace(files, vocabulary=read_vocabulary(partial))
            facts = describe(found, str(source))
            for file in recognise(found, str(source)).tokenizer_files:
                if (source / file).is_file():
                    shutil.copyfile(source / file, partial / file)
            facts |= {"origin": origin, "revision": revision, "quantization": quantization}
            facts["files"] = {"model.bin": file_facts(partial / "model.bin")}
            text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
            (partial / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
    return final


def read_files(source: Path, name: str = "") -> ModelFiles:
    """What a directory in Hugging Face layout says of itself.

    Args:
        source: The directory.
        name: Name of the model or its hub id, by default the directory's name.

    Raises:
        ModelError: Its ``config.json`` can't be read.
    """
    config = read_json(source / "config.json")
    tokenizer = read_json(path) if (path := source / "tokenizer_config.json").is_file() else {}
    files = frozenset(path.name for path in source.iterdir())
    return ModelFiles((name or source.resolve().name).rpartition("/")[2], config, tokenizer, (), files)


def fingerprint(source: Path, weights: list[Path]) -> str:
    """Eight hexadecimal digits that tell versions of a local model apart: its configuration, the sizes of its weight
    files and their first and last MiB (a whole read of a large model would take longer than loading it)."""
    digest = hashlib.sha256((source / "config.json").read_bytes())
    for path in weights:
        size = path.stat().st_size
        digest.update(f"{path.name}:{size}".encode())
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            file.seek(max(0, size - _EDGE))
            digest.update(file.read(_EDGE))
    return digest.hexdigest()[:8]


def _weights(directory: Path) -> Iterator[Path]:
    for pattern in WEIGHTS:
        yield from directory.glob(pattern)


def file_facts(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _convert_weights(
    source: Path, out: Path, quantization: str, family: type[ModelKind], files: ModelFiles
) -> dict[str, str]:
    """Writes the converted weights to ``out``; what is returned are further files for it, name to text."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        def load_model(self, *args: Any, **kwargs: Any) -> Any:
            self.model = super().load_model(*args, **kwargs)
            return self.model

        def load_tokenizer(self, *args: Any, **kwargs: Any) -> Any:
            self.tokenizer = family.load_tokenizer(source, files)
            family.prepare(self.model, self.tokenizer)
            return self.tokenizer

        def _load(self) -> Any:
            spec = super()._load()
            self.files = family.finish(spec, self.model, self.tokenizer)
            return spec

    with quiet():
        try:
            converter = Converter(str(source))
            converter.convert(str(out), quantization=quantization)
        except ModelError:
            raise
        except Exception as error:  # readers of weights and tokenisers raise classes of their own
            raise ModelError(
                f"can't be converted: {type(error).__name__}: {error}",
                where=str(source),
                hint="check that the directory is complete, or convert it yourself and give the CTranslate2 directory",
            ) from error
    return converter.files


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what transformers and the hub print while a model is read; errors still come through as exceptions."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as hf_logging

    level, bars = hf_logging.get_verbosity(), are_progress_bars_disabled()
    hf_logging.set_verbosity(logging.CRITICAL)
    hf_logging.disable_progress_bar()
    disable_progress_bars()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        hf_logging.set_verbosity(level)
        if not bars:
            hf_logging.enable_progress_bar()
            enable_progress_bars()
