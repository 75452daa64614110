"""A run over many target languages, each with a model of its own: few are in memory at a time."""

import json
import shutil
from pathlib import Path

import pytest

from spanferry.flows import models
from spanferry.flows.config import RunConfig
from spanferry.flows.engine.flow import run
from spanferry.flows.engine.progress import Progress
from spanferry.flows.translate.flow import translate_flow
from spanferry.translators.engine import devices
from spanferry.translators.engine.loaded import Engines
from spanferry.translators.loading.load import bundled_for

TARGETS = ("de", "es", "fr", "nl", "zh")


class _Count(Progress):
    """The most engines that were in memory whenever a step reported."""

    def __init__(self) -> None:
        self.most = 0

    def update(self, step: str, done: int, total: int | None) -> None:
        self.most = max(self.most, devices.ENGINES.count("cpu"))


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converted model for each target, as ``opus-mt`` has them, and a process that has loaded none yet."""
    bundled = bundled_for("en", "es")
    assert bundled is not None
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path))
    for target in TARGETS:
        folder = tmp_path / "models" / f"Helsinki-NLP--opus-mt-en-{target}@0-int8"
        shutil.copytree(bundled, folder)
        facts = json.loads((folder / "spanferry.json").read_text())
        facts |= {"origin": f"Helsinki-NLP/opus-mt-en-{target}", "name": f"opus-mt-en-{target}"}
        (folder / "spanferry.json").write_text(json.dumps(facts))
    monkeypatch.setattr(devices, "ENGINES", Engines(2))
    monkeypatch.setattr(models, "_translators", models.Recent(2))
    monkeypatch.setattr(models, "_projectors", models.Recent(2))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.usefixtures("own_models")
def test_few_models_are_in_memory_at_a_time(workers: int, tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    rows.write_text("Tom lives in Boston.\nMary saw Paris.\nAnna likes Rome.\nPeter left Oslo.\n")
    config = RunConfig.model_validate(
        {
            "flow": "translate-train",
            "source": "en",
            "target": TARGETS,
            "out": tmp_path / "out",
            "read": {"path": str(rows), "format": "text"},
            "translator": {"model": "opus-mt"},
            "projector": {"kind": "copy"},
            "executor": {"workers": workers},
            "limit": 4,
            "shard_rows": 2,
        }
    )
    seen = _Count()
    result = run(translate_flow(config), prefect=False, progress=seen)
    assert not result.failures and set(result.written) == set(TARGETS)
    # The two that are kept, and those of other languages that a worker is still busy with.
    assert 2 <= seen.most <= 2 + workers - 1
    assert devices.ENGINES.count("cpu") == 2
