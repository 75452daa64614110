"""Model families: one file each, recognised from the files of a model directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.registry import resolve, resolve_listed
from spanferry.translators.families.base import Family, ModelFiles, ModelKind

# In this order they are asked whether a model is theirs: NLLB before M2M100, whose architecture it shares.
FAMILIES = {
    "marian": "spanferry.translators.families.marian:MarianFamily",
    "nllb": "spanferry.translators.families.nllb:NllbFamily",
    "m2m100": "spanferry.translators.families.m2m100:M2M100Family",
    "mbart50": "spanferry.translators.families.mbart50:MBart50Family",
    "t5": "spanferry.translators.families.t5:T5Family",
    "llm": "spanferry.translators.families.llm:LlmFamily",
}
LLM = "llm"
DESCRIPTION = "spanferry.json"


def open_family(directory: Path) -> tuple[Family, Mapping[str, Any]]:
    """The family of an encoder-decoder's CTranslate2 directory, ready to use, and the directory's description.

    A directory without ``spanferry.json`` (converted by another tool) is described from its vocabulary.

    Raises:
        ModelError: Files are missing, no family knows the model, or the description names one that does not exist.
    """
    vocabulary = read_vocabulary(directory)
    if (directory / DESCRIPTION).is_file():
        facts = read_json(directory / DESCRIPTION)
    else:
        names = frozenset(path.name for path in directory.iterdir())
        facts = describe(ModelFiles(directory.resolve().name, vocabulary=vocabulary, files=names), str(directory))
    if read_json(directory / "config.json").get("add_source_eos", False):
        facts = {**facts, "source_suffix": []}
    if facts.get("family") == LLM:
        raise ModelError("is a language model, not an encoder-decoder", where=str(directory), hint="load_translator(…)")
    try:
        family: Family = resolve_listed("model family", facts["family"], FAMILIES)(directory, facts, vocabulary)
    except ConfigError as error:
        raise ModelError(
            error.message, where=str(directory / DESCRIPTION), valid=sorted(FAMILIES), hint="convert the model again"
        ) from error
    except KeyError as error:
        raise ModelError(
            f"the description lacks {error}", where=str(directory / DESCRIPTION), hint="convert the model again"
        ) from error
    return family, facts


def describe(files: ModelFiles, where: str) -> dict[str, Any]:
    """The description of a model whose vocabulary is known: name, family and what the family adds.

    Raises:
        ModelError: No family knows the model.
    """
    family = recognise(files, where)
    return {"name": files.name, "family": family.name, **family.describe(files)}


def recognise(files: ModelFiles, where: str) -> type[ModelKind]:
    """The family a model belongs to.

    Raises:
        ModelError: None.
    """
    for name in FAMILIES:
        family: type[ModelKind] = resolve("model family", name, FAMILIES)
        if family.recognises(files):
            return family
    kind = files.config.get("model_type")
    raise ModelError(
        f"no family knows a model of type {kind!r}" if kind else "no family knows this model",
        where=where,
        valid=sorted(FAMILIES),
        hint="a translator of your own is written package.module:Class",
    )


def read_vocabulary(directory: Path, side: str = "source") -> list[str]:
    """Tokens of one side of a CTranslate2 directory, in the order of their ids.

    Raises:
        ModelError: There is no vocabulary or it can't be read.
    """
    for name in (f"{side}_vocabulary", "shared_vocabulary", "vocabulary"):
        try:
            if (path := directory / f"{name}.json").is_file():
                return list(json.loads(path.read_text(encoding="utf-8")))
            if (path := directory / f"{name}.txt").is_file():
                return path.read_text(encoding="utf-8").split("\n")[:-1]
        except ValueError as error:
            raise ModelError(f"can't be read ({error})", where=str(path), hint="convert the model again") from error
    raise ModelError(
        "no CTranslate2 model: it has no vocabulary",
        where=str(directory),
        valid="a directory with model.bin, config.json and shared_vocabulary.json",
        hint="spanferry models",
    )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a model directory.

    Raises:
        ModelError: The file is missing or is not a JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"can't be read ({error})", where=str(path), hint="spanferry models") from error
    if not isinstance(found, dict):
        raise ModelError("is not a JSON object", where=str(path), hint="spanferry models")
    return found
