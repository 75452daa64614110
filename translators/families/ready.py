"""CTranslate2 directories that another tool converted: their family, limits and tokenizer, found from their files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.families.base import ModelFiles
from spanferry.translators.families.files import read_json
from spanferry.translators.model_file import ModelFile, UnknownLayout
from spanferry.translators.pieces import WORD_START, PieceModel

# The weights of a CTranslate2 model.
READY = "model.bin"
ENCODER_DECODER, DECODER = "encoder-decoder", "decoder"
# Names of CTranslate2's architectures that translate (``ctranslate2.specs``), to what they are.
_KINDS = {"TransformerSpec": ENCODER_DECODER, "TransformerDecoderSpec": DECODER}
_POSITIONS = "position_encodings/encodings"
# Words that a tokenizer is tried with, and the share that has to be one piece: with the right one nearly all.
_SAMPLE, _FITS = 200, 0.7
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/")
# The hub client's cache: ``models--<owner>--<name>/snapshots/<commit>``.
_SNAPSHOTS, _CACHED = "snapshots", "models--"


@dataclass(frozen=True, slots=True)
class Weights:
    """What a ``model.bin`` says of its architecture.

    Attributes:
        kind: ``encoder-decoder`` or ``decoder``; else CTranslate2's own name of it; "" where the file can't be read.
        positions: Length of its table of positions, the shorter of both sides; None where positions are relative.
        layers: Layers of encoder and decoder.
    """

    kind: str
    positions: int | None
    layers: tuple[int, int]


def read_weights(directory: Path) -> Weights:
    """Reads the names and shapes in ``model.bin``; the weights stay on disk."""
    try:
        with (directory / READY).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            model = ModelFile.parse(data)
            shapes = {name: found.shape for name, found in model.variables.items()}
            spec = model.spec
            del model  # its arrays are views of the file, which can't be closed under them
    except (OSError, ValueError, UnknownLayout):
        return Weights("", None, (0, 0))
    tables = [shape[0] for name, shape in shapes.items() if name.endswith(_POSITIONS) and shape]
    layers = {"encoder": 0, "decoder": 0}
    for name in shapes:
        if match := _LAYER.match(name):
            layers[match[1]] = max(layers[match[1]], int(match[2]) + 1)
    return Weights(_KINDS.get(spec, spec), min(tables, default=None), (layers["encoder"], layers["decoder"]))


def is_ready(directory: Path) -> bool:
    """Whether a folder holds a CTranslate2 model."""
    return (directory / READY).is_file() and (directory / "config.json").is_file()


def model_name(directory: Path) -> str:
    """The name of a model by its folder; in the hub client's cache that of the repository."""
    folder = directory.absolute()
    if folder.parent.name == _SNAPSHOTS and folder.parent.parent.name.startswith(_CACHED):
        return folder.parent.parent.name.removeprefix(_CACHED).rpartition("--")[2]
    return directory.resolve().name


def ready_files(directory: Path, vocabulary: Sequence[str], tokenizer: Path | None = None) -> ModelFiles:
    """What a CTranslate2 directory without our description says of itself.

    Some conversions add CTranslate2's keys to the ``config.json`` of the origin; most have CTranslate2's alone, which
    say nothing of the family. What is missing there, the weights say.

    Args:
        directory: Holds ``model.bin``, ``config.json`` and the vocabulary.
        vocabulary: Its source vocabulary.
        tokenizer: Where the tokenizer is, if elsewhere.

    Raises:
        ModelError: It holds a model that does not translate.
    """
    weights = read_weights(directory)
    if weights.kind not in ("", *_KINDS.values()):
        raise ModelError(
            f"is a CTranslate2 model of the kind {weights.kind}, which does not translate",
            where=str(directory),
            valid=sorted(_KINDS),
            hint="spanferry models suggest --source en --target es",
        )
    config = read_json(directory / "config.json")
    config = config if config.get("model_type") else {}
    if weights.positions:
        config = {**config, "max_position_embeddings": weights.positions}
    folders = [directory, *([tokenizer] if tokenizer and tokenizer.is_dir() else [])]
    names = frozenset(path.name for folder in folders for path in folder.iterdir())
    settings: dict[str, Any] = {}
    for folder in folders:
        if (path := folder / "tokenizer_config.json").is_file():
            settings = {**settings, **read_json(path)}
    found = ModelFiles(model_name(directory), config, settings, vocabulary, names)
    return replace(found, layers=weights.layers, decoder_only=weights.kind == DECODER)


def check_tokenizer(pieces: PieceModel, known: Set[str], where: str) -> None:
    """Checks that a tokenizer is the one of a vocabulary: with another one much would be ``<unk>`` to the model, or cut
    into pieces that it has rarely seen.

    Args:
        pieces: The tokenizer.
        known: The vocabulary.
        where: Its place, for the message.

    Raises:
        ModelError: It cuts words that the vocabulary holds whole.
    """
    words = sorted(token for token in known if len(token) > 2 and token[0] == WORD_START and token[1:].isalpha())
    sample = words[:: len(words) // _SAMPLE + 1]
    whole = sum(row == [word] for word, row in zip(sample, pieces.encode([word[1:] for word in sample]), strict=True))
    if whole < _FITS * len(sample):
        raise ModelError(
            f"the tokenizer does not fit the model: of {len(sample)} words in the vocabulary it makes one piece of "
            f"{whole} only",
            where=where,
            hint="--set translator.options.tokenizer=PLACE: a file, a folder, or the hub id of the model's origin",
        )


def tokenizer_hash(place: Path) -> str:
    """First 8 hexadecimal digits of the SHA-256 of a tokenizer's files."""
    digest = hashlib.sha256()
    for path in [place] if place.is_file() else sorted(place.iterdir()):
        if path.suffix in (".model", ".spm") or path.name == "tokenizer.json":
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]


def unknown_family(files: ModelFiles, where: str, families: Sequence[str]) -> ModelError:
    """The error of a ready model whose family nothing shows."""
    first = ", ".join(repr(token) for token in files.vocabulary[:6])
    return ModelError(
        f"the family of this CTranslate2 model can't be recognised: its vocabulary of {len(files.vocabulary):,} tokens "
        f"begins with {first} and holds no language tokens that are known",
        where=where,
        valid=families,
        hint="--set translator.options.family=NAME",
    )


def check_family(name: str, families: Mapping[str, str]) -> None:
    """Checks the option ``family``.

    Raises:
        ConfigError: There is none of that name.
    """
    if name and name not in families:
        raise ConfigError(
            f"unknown family {name!r}", valid=sorted(families), hint="--set translator.options.family=NAME"
        )
