"""The page of runs shows the stages that the engine left, whatever became of them."""

from pathlib import Path

import pytest

from spanferry.corpora.arrow import pairs_to_table
from spanferry.flows.engine.store import Entry, Stage
from spanferry.flows.inspector.overview import overview
from tests.corpora.writer_rows import pair
from tests.flows.inspector.inspector_runs import open_session, write_run


def _stages(out: Path) -> Stage:
    read = Stage("read", "what was read", out / "stages").open()
    for shard in range(3):
        read.write(pairs_to_table([pair(shard)]), Entry(shard, 1))
    read.complete(3)
    done = Stage("project-es", "what projected", out / "stages").open()
    done.write(pairs_to_table([pair(0)]), Entry(0, 1))
    return read


def _shown(out: Path) -> dict[str, tuple[int, int]]:
    (run,) = overview(open_session(out))
    return {stage["name"]: (stage["done"], stage["of"]) for stage in run["stages"]}


def test_stages_of_the_engine_are_counted(tmp_path: Path) -> None:
    write_run(tmp_path, {"es": [pair(0)]})
    _stages(tmp_path)
    assert _shown(tmp_path) == {"read": (3, 3), "project-es": (1, 3)}


@pytest.mark.parametrize(
    ("file", "content"), [("complete", b"x"), ("manifest.jsonl", b"\xff\n[1]\n"), ("signature.txt", b"\xff")]
)
def test_a_damaged_stage_does_not_hinder_the_page(file: str, content: bytes, tmp_path: Path) -> None:
    write_run(tmp_path, {"es": [pair(0)]})
    (_stages(tmp_path).directory / file).write_bytes(content)
    assert "project-es" in _shown(tmp_path)
