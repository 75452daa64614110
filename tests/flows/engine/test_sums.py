"""Odd rows in every flow: what was read is what was kept and what was rejected, in a second run too."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanferry.flows.config import build_config
from spanferry.flows.engine.flow import Result, run
from tests.flows.engine.test_engine_faults import _FLOWS

# An empty text, a span over blanks, no letters, a span that ends behind the text, and a good row.
ROWS: list[dict[str, Any]] = [
    {"id": "good", "text": "Anna has 3 cats.", "spans": [{"start": 0, "end": 4, "label": "PER", "id": "p"}]},
    {"id": "empty", "text": "", "spans": []},
    {"id": "blank", "text": "Anna   left.", "spans": [{"start": 4, "end": 7, "label": "X", "id": "p"}]},
    {"id": "signs", "text": "★★★ 12", "spans": [{"start": 0, "end": 3, "label": "X", "id": "p"}]},
    {"id": "bad", "text": "Tom", "spans": [{"start": 0, "end": 99, "label": "X", "id": "p"}]},
]


def _run(name: str, inputs: dict[str, Path], out: Path) -> Result:
    model, flow_of = _FLOWS[name]
    if name in ("translate-train", "project"):
        own = {"read.path": str(inputs["en"]), "target": ("es",), "shard_rows": 2, "projector.kind": "copy"}
        own |= {"filters": ({"kind": "copy"}, {"kind": "span_count"})}  # the default ones load large tables
        own |= {"read.target": str(inputs["es"])} if name == "project" else {}
    else:
        own = {"rows.inputs": tuple(f"{lang}={path}" for lang, path in inputs.items()), "rows.shard_rows": 2}
        own |= {"kind": "instructions"} if name == "derive" else {}
        own |= {"unit.kind": "span"} if name == "code-switch" else {}
    return run(flow_of(build_config(model, name, options={**own, "out": out})), prefect=False)


@pytest.mark.parametrize("name", _FLOWS)
def test_odd_rows_are_kept_or_rejected_with_a_reason(name: str, tmp_path: Path) -> None:
    inputs = {lang: tmp_path / f"{lang}.jsonl" for lang in ("en", "es")}
    for path in inputs.values():
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    done = _run(name, inputs, tmp_path / "out")
    assert not done.failures, "a sum that does not add up fails the step that writes"
    (facts,) = done.facts.values()
    if isinstance(facts["rows"], dict):
        splits = {split: count for split, count in facts["rows"].items() if split != "rejected"}
        made, rejected = sum(splits.values()), facts["rows"]["rejected"]
        # Two instructions, one for each direction, come of a row.
        per_row = 2 if name == "derive" else 1
        assert made + rejected * per_row >= len(ROWS) and rejected > 0
    else:
        assert facts["kept"] + facts["rejected"] == facts["rows"] == len(ROWS)
        assert facts["projected"] + sum(facts["unprojected"].values()) == facts["spans"]
    assert facts["reasons"] and all(facts["reasons"])
    again = _run(name, inputs, tmp_path / "out")
    assert again.computed == {} and again.facts == done.facts
    assert _run(name, inputs, tmp_path / "other").facts == done.facts
