"""The models that are on this machine: found by any of their names, and taken away."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from filelock import FileLock

from spanferry.corpora.errors import ModelError, nearest
from spanferry.translators.cache import models_root
from spanferry.translators.conversion.hub import hub_id
from spanferry.translators.loading.load import BUNDLED, ModelInfo, list_models


def find_models(name: str, *, source: str | None = None, target: str | None = None) -> list[ModelInfo]:
    """The models that ``name`` may mean: at least one.

    Args:
        name: ``bundled`` (all of them), the name of one, a hub id (``@revision`` pins one), a short name, the name of
            the directory in the cache, or its path.
        source: BCP-47, for ``opus-mt``.
        target: BCP-47, likewise.

    Raises:
        ModelError: None is here.
    """
    here = list_models()
    repo, revision = hub_id(name, source, target) or (name, None)
    if name == BUNDLED:
        found = [model for model in here if model.where == BUNDLED]
    else:
        found = [m for m in here if repo == m.name and _at(m, revision)] or [m for m in here if _is(m, name)]
    if not found:
        known = sorted({model.name for model in here})
        close = nearest(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"spanferry models add {name}"
        raise ModelError(f"no model {name!r} on this machine", valid=known, hint=hint)
    return found


def remove_model(model: ModelInfo) -> None:
    """Takes a converted model out of the cache; whoever has it loaded keeps it.

    Raises:
        ModelError: It ships with the package, or lies elsewhere than in the cache.
    """
    folder = Path(model.directory)
    if model.where == BUNDLED or folder.parent.resolve() != models_root().resolve():
        what = "ships with the package" if model.where == BUNDLED else "is not in the cache"
        raise ModelError(
            f"model {model.name!r} {what}, so it is not removed", where=str(folder), hint="spanferry models"
        )
    with FileLock(folder.parent / f".{folder.name}.lock"):
        # By its name it is gone at once: nobody opens one that is half removed.
        grave = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}"
        folder.rename(grave)
        shutil.rmtree(grave)


def _at(model: ModelInfo, revision: str | None) -> bool:
    return revision is None or Path(model.directory).name.rpartition("@")[2].startswith(revision[:8])


def _is(model: ModelInfo, name: str) -> bool:
    folder = Path(model.directory)
    return name == folder.name or Path(name).expanduser().resolve() == folder.resolve()
