"""``filters`` of ``run derive``: the records of all shards judged together, those rejected with their reasons."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.flows.config import build_config
from spanferry.flows.engine.flow import Result, run
from spanferry.flows.sets.config import DeriveConfig
from spanferry.flows.sets.derive import derive_flow

ROWS = [("Anna left.", "Anna se fue."), ("Tom sings.", "Tom canta.")] * 40  # more of them than templates


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[str, ...]:
    for side, lang in enumerate(("en", "es")):
        lines = [json.dumps({"id": f"r{n}", "text": row[side], "spans": []}) for n, row in enumerate(ROWS)]
        (tmp_path / f"{lang}.jsonl").write_text("\n".join(lines) + "\n")
    return tuple(f"{lang}={tmp_path / lang}.jsonl" for lang in ("en", "es"))


def _derive(inputs: tuple[str, ...], out: Path, **options: Any) -> Result:
    given = {"kind": "instructions", "rows.inputs": inputs, "rows.shard_rows": 20, "out": out, **options}
    done = run(derive_flow(build_config(DeriveConfig, "derive", options=given)), prefect=False)
    assert not done.failures
    return done


def test_records_are_judged_over_all_shards(inputs: tuple[str, ...], tmp_path: Path) -> None:
    import datasets

    def texts(done: Result) -> list[tuple[str, ...]]:
        rows = datasets.load_from_disk(str(done.written["instructions"]))["train"]
        return [tuple(value for key, value in row.items() if key != "id") for row in rows]

    plain = texts(_derive(inputs, tmp_path / "plain"))
    assert len(set(plain)) < len(plain) == 160
    done = _derive(inputs, tmp_path / "out", filters=({"kind": "duplicates"},))
    assert texts(done) == list(dict.fromkeys(plain))
    lost = len(plain) - len(set(plain))
    assert done.reasons["instructions"] == {"duplicates:row": lost}
    rejected = datasets.load_from_disk(str(done.written["instructions"] / "rejected"))
    assert rejected["reasons"][:] == [["duplicates:row"]] * lost
    again = _derive(inputs, tmp_path / "out", filters=({"kind": "duplicates"},))
    assert again.computed == {} and again.counts == done.counts


def test_a_filter_that_there_is_not_is_refused_before_any_work(inputs: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="duplicate"):
        _derive(inputs, tmp_path / "out", filters=({"kind": "duplicate"},))
    assert not (tmp_path / "out").exists()
