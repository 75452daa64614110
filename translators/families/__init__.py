"""Model families: one file each, recognised from the files of a model directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.registry import resolve, resolve_listed
from spanferry.translators.families.base import Family, ModelFiles, ModelKind
from spanferry.translators.families.files import read_json, read_vocabulary
from spanferry.translators.families.ready import check_family, ready_files, unknown_family

__all__ = [
    "DESCRIPTION",
    "FAMILIES",
    "LLM",
    "describe",
    "open_family",
    "read_description",
    "read_json",
    "read_vocabulary",
    "recognise",
]

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
# Architectures of transformers that people ask for and ``ctranslate2.converters.transformers`` does not know.
_WITHOUT_CONVERTER = ("cohere", "cohere2", "hunyuan_v1_dense", "hunyuan_v1_moe", "modernbert", "modernbert-decoder")


def open_family(
    directory: Path, *, tokenizer: Path | None = None, family: str = ""
) -> tuple[Family, Mapping[str, Any]]:
    """The family of an encoder-decoder's CTranslate2 directory, ready to use, and the directory's description.

    A directory without ``spanferry.json`` (converted by another tool) is described from its files.

    Args:
        directory: The CTranslate2 directory.
        tokenizer: Folder or file of its tokenizer, if elsewhere.
        family: Name of its family where the files don't tell it; "": they do.

    Raises:
        ModelError: Files are missing, no family knows the model, or the description names one that does not exist.
        ConfigError: No family of that name.
    """
    facts = read_description(directory, tokenizer=tokenizer, family=family)
    if read_json(directory / "config.json").get("add_source_eos", False):
        facts = {**facts, "source_suffix": []}
    if facts.get("family") == LLM:
        raise ModelError("is a language model, not an encoder-decoder", where=str(directory), hint="load_translator(…)")
    try:
        opened: Family = resolve_listed("model family", facts["family"], FAMILIES)(
            tokenizer or directory, facts, read_vocabulary(directory)
        )
    except ConfigError as error:
        raise ModelError(
            error.message, where=str(directory / DESCRIPTION), valid=sorted(FAMILIES), hint="convert the model again"
        ) from error
    except KeyError as error:
        raise ModelError(
            f"the description lacks {error}", where=str(directory / DESCRIPTION), hint="convert the model again"
        ) from error
    return opened, facts


def read_description(directory: Path, *, tokenizer: Path | None = None, family: str = "") -> dict[str, Any]:
    """The description of a CTranslate2 directory: its ``spanferry.json``, or what its files tell.

    Args:
        directory: The CTranslate2 directory.
        tokenizer: Folder or file of its tokenizer, if elsewhere.
        family: Name of its family where the files don't tell it; "": they do.

    Raises:
        ModelError: Files are missing, or nothing shows the family.
        ConfigError: No family of that name.
    """
    check_family(family, FAMILIES)
    if (directory / DESCRIPTION).is_file() and not family:
        return read_json(directory / DESCRIPTION)
    files = ready_files(directory, read_vocabulary(directory), tokenizer)
    if family:
        kind: type[ModelKind] = resolve_listed("model family", family, FAMILIES)
        return {"name": files.name, "family": family, **kind.describe(files)}
    try:
        return describe(files, str(directory))
    except ModelError as error:
        raise unknown_family(files, str(directory), sorted(FAMILIES)) from error


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
    for name in (LLM,) if files.decoder_only else FAMILIES:
        family: type[ModelKind] = resolve("model family", name, FAMILIES)
        if family.recognises(files):
            return family
    kind = files.config.get("model_type")
    if kind in _WITHOUT_CONVERTER:
        raise ModelError(
            f"models of type {kind!r} are not supported by CTranslate2 4.8, which has no converter for them",
            where=where,
            valid=sorted(FAMILIES),
            hint="serve the model behind an endpoint: --translator endpoint:MODEL",
        )
    raise ModelError(
        f"no family knows a model of type {kind!r}" if kind else "no family knows this model",
        where=where,
        valid=sorted(FAMILIES),
        hint="a translator of your own is written package.module:Class",
    )
