"""Model families: one file each. A family is recognised from the files of a model directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.errors import ModelError
from corpora.registry import resolve
from translators.families.base import Family

FAMILIES = {
    "marian": "translators.families.marian:MarianFamily",
}
DESCRIPTION = "spanferry.json"


def open_family(directory: Path) -> tuple[Family, Mapping[str, Any]]:
    """The family of a CTranslate2 directory, ready to use, and the directory's description.

    Raises:
        ModelError: No description, or files of the model are missing.
        ConfigError: The description names a family that does not exist.
    """
    facts = read_json(directory / DESCRIPTION)
    config = read_json(directory / "config.json")
    family = resolve("model family", facts["family"], FAMILIES)
    opened: Family = family(
        directory, facts, read_vocabulary(directory), adds_eos=bool(config.get("add_source_eos", False))
    )
    return opened, facts


def read_vocabulary(directory: Path, side: str = "source") -> list[str]:
    """Tokens of one side of a CTranslate2 directory, in the order of their ids."""
    for name in (f"{side}_vocabulary", "shared_vocabulary"):
        if (path := directory / f"{name}.json").is_file():
            return list(json.loads(path.read_text(encoding="utf-8")))
        if (path := directory / f"{name}.txt").is_file():
            return path.read_text(encoding="utf-8").split("\n")[:-1]
    raise ModelError("no vocabulary", where=str(directory), valid="shared_vocabulary.json", hint="spanferry models")


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
