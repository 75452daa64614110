"""Several translations of each row: each with labels, none lost, the same for the same seed."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.translate.flow import translate_flow
from spanferry.flows.translate.run import RunResult, run_flow

ROWS = [
    {"id": "a", "text": "Anna lives in Vienna.", "spans": [{"start": 0, "end": 4, "label": "person"}]},
    {"id": "b", "text": "Where is the bank?", "spans": [{"start": 13, "end": 17, "label": "place"}]},
    {"id": "c", "text": "42", "spans": []},
    {"id": "d", "text": "Tom has two dogs and a cat.", "spans": [{"start": 0, "end": 3, "label": "person"}]},
]


def _config(tmp_path: Path, out: str, *settings: str, **options: Any) -> RunConfig:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    given = {"read.path": str(tmp_path / "in.jsonl"), "target": ("es",), "out": tmp_path / out, **options}
    chosen = ["filters=[]", "translator.memory_mb=0", "shard_rows=2", *settings]
    return build_config(RunConfig, "translate-train", settings=chosen, options=given)


def _run(tmp_path: Path, out: str, *settings: str) -> tuple[RunResult, list[dict[str, Any]]]:
    result = run_flow(_config(tmp_path, out, *settings), prefect=False)
    return result, list(datasets.load_from_disk(str(tmp_path / out / "es"))["train"])


def test_each_variant_is_a_row_with_its_own_labels(tmp_path: Path) -> None:
    result, rows = _run(tmp_path, "out", "variants=3")
    counts = result.emitted[0].counts
    assert counts["rows"] == 12 == counts["kept"] + counts["rejected"]
    assert counts["reasons"] == {"translate:no_variant": 2}, "of a number there is one translation"
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids) == 10 and ids[:3] == ["a.v1", "a.v2", "a.v3"] and "c.v1" in ids
    for name in "abd":
        own = [row for row in rows if row["id"].startswith(f"{name}.")]
        assert len({row["text"] for row in own}) == 3, own
    for row in rows:
        assert all(row["text"][s["start"] : s["end"]].strip() for s in row["spans"])
    assert sum(bool(row["spans"]) for row in rows) >= 8
    _, once = _run(tmp_path, "once")
    assert {row["text"] for row in once} <= {row["text"] for row in rows}, "the best of the beam is among them"


def test_sampling_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    def texts(out: str, *settings: str) -> list[str]:
        return [row["text"] for row in _run(tmp_path, out, "variants.count=2", 'variants.by="sample"', *settings)[1]]

    first = texts("first")
    assert texts("again", "executor.workers=1") == first
    assert texts("other", "seed=1") != first


def test_every_choice_is_in_the_signature(tmp_path: Path) -> None:
    settings = [[], ["variants=2"], ["variants=3"], ["variants.count=2", 'variants.by="sample"']]
    signatures = {translate_flow(_config(tmp_path, "out", *own)).signatures["es"] for own in settings}
    assert len(signatures) == 4


@pytest.mark.parametrize(
    "settings",
    [("translator.protect=true",), ("translator.model=endpoint:m", "translator.options.url=http://localhost:1/v1")],
)
def test_a_translator_with_one_translation_is_an_error(tmp_path: Path, settings: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"variants\.count=2: .* gives one translation of a text"):
        translate_flow(_config(tmp_path, "out", "variants=2", *settings))
