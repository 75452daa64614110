"""The JSON files and the vocabulary of a model directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spanferry.corpora.errors import ModelError


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
