"""Stage files and run folders: whole or not there, one manifest line each, recognised by what only we write."""

from pathlib import Path

import pyarrow as pa
import pytest

from spanferry.corpora.errors import InputError, OutputError
from spanferry.flows.engine.place import (
    MARKER,
    check_place,
    foreign_entries,
    forget,
    is_run,
    mark,
    run_lock,
    stamp,
    sweep,
)
from spanferry.flows.engine.progress import Failure
from spanferry.flows.engine.store import MANIFEST, Entry, Stage
from spanferry.flows.store import digest, write_bytes, write_json


def _stage(root: Path, signature: str = "a|b") -> Stage:
    return Stage("translate-es", signature, root).open()


def test_another_signature_is_another_directory(tmp_path: Path) -> None:
    one, two = _stage(tmp_path), _stage(tmp_path, "a|c")
    assert one.directory != two.directory
    assert one.directory.name == f"translate-es-{digest('a|b')}"
    assert (one.directory / "signature.txt").read_text() == "a|b\n"


def test_a_shard_is_done_with_file_and_line(tmp_path: Path) -> None:
    stage = _stage(tmp_path)
    table = pa.table({"x": [1, 2]})
    assert not stage.done()
    stage.write(table, Entry(0, 2, "h", 0.1, {"failed": 1}), {"rejected": table.slice(1)})
    assert stage.done()[0].counts == {"failed": 1}
    assert stage.read(0).equals(table) and stage.read(0, "rejected").num_rows == 1
    stage.path(0).unlink()
    stage.path(0, ".rejected.arrow").unlink()
    assert not stage.done()


def test_a_torn_manifest_line_loses_only_itself(tmp_path: Path) -> None:
    stage = _stage(tmp_path)
    stage.record(Entry(0, 2, "h", 0.1))
    with (stage.directory / MANIFEST).open("a") as file:
        file.write('{"shard": 1, "ro')
    assert set(stage.entries()) == {0}
    stage.record(Entry(2, 5, "h", 0.1))
    assert set(stage.entries()) == {0, 2}


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"1")
    write_bytes(tmp_path / "a", b"2")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"2"


def test_writing_nowhere_says_where(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't write"):
        write_bytes(Path("/proc/none/a"), b"1")


def test_two_runs_do_not_share_a_directory(tmp_path: Path) -> None:
    with run_lock(tmp_path), pytest.raises(OutputError, match="another spanferry process"), run_lock(tmp_path):
        pass
    with run_lock(tmp_path):
        pass


def _legacy(out: Path) -> Path:
    """A folder as earlier versions left it: no marker, a stamp without a list of files."""
    Stage("read", "src:x", out / "stages").open().record(Entry(0, 2))
    write_json(out / "config.json", {"flow": "project", "out": str(out), "seed": 0, "executor": {}, "target": ["es"]})
    (out / "es").mkdir()
    (out / "es" / "report.md").write_text("# it")
    write_json(out / "es" / ".spanferry.json", {"signature": "x", "writer": "arrow", "made": "y"})
    return out


_MODEL = {"config.json": '{"model_type": "marian"}', "model.safetensors": "weights", "results/scores.json": "{}"}


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (_MODEL, "config.json, model.safetensors, results/"),
        ({"config.json": "{}"}, "config.json"),
        ({"config.json": "not json"}, "config.json"),
        ({"config.json": '{"flow": "project"}'}, "config.json"),
        (
            {"config.json": '{"flow": "mine", "out": "", "seed": 0, "executor": {}}', "stages/a": ""},
            "config.json, stages/",
        ),
        ({"config.json": '{"flow": "project", "out": "", "seed": 0, "executor": {}}'}, "config.json"),
        ({MARKER: "{}", "thesis.tex": "x"}, "thesis.tex"),
        ({MARKER: '{"spanferry": {"schema": 99}}', "thesis.tex": "x"}, "thesis.tex"),
        ({"stages/read-0123456789ab/000000.arrow": ""}, "stages/"),
    ],
)
def test_a_folder_that_is_not_a_run_is_refused_by_name(files: dict[str, str], named: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for refuse in (check_place, forget):
        with pytest.raises(OutputError, match="something other than a run") as caught:
            refuse(tmp_path)
        assert named in caught.value.message
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == set(files)


def test_a_new_place_and_one_with_decisions_will_do(tmp_path: Path) -> None:
    check_place(tmp_path / "new")
    (tmp_path / "decisions.jsonl").write_text("")
    check_place(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="the run directory is a file"):
        check_place(tmp_path / "notes.txt")


@pytest.mark.parametrize("made_by", ["this version", "an earlier version"])
def test_forgetting_takes_only_what_a_run_made(made_by: str, tmp_path: Path) -> None:
    out = _legacy(tmp_path / "run")
    if made_by == "this version":
        mark(out, "project", "0.1.0", ["es"])
        stamp(out / "es", "digest", {})
    assert is_run(out) and not list(foreign_entries(out))
    (out / "decisions.jsonl").write_text("{}\n")
    mine = out / "es" / "notes.doc"
    for path in (out / "thesis.tex", mine, out / "stages" / "more", out / "stages" / "read-0123456789ab", out / "link"):
        if path.name == "link":
            path.symlink_to(tmp_path)
        elif path.name.startswith("read-"):
            path.mkdir()
            path = path / "mine.txt"
            path.write_text("x")
        else:
            path.write_text("x")
        with pytest.raises(OutputError, match="something other than the run") as caught:
            forget(out)
        assert path.name in caught.value.message and (out / "es" / "report.md").exists()
        path.unlink()
        if path.parent.name.startswith("read-"):
            path.parent.rmdir()
    forget(out)
    assert [p.name for p in out.iterdir()] == ["decisions.jsonl"]


def test_sweeping_takes_away_only_what_was_half_written(tmp_path: Path) -> None:
    stage = _stage(tmp_path / "stages")
    (stage.directory / ".000000.arrow.ab12.tmp").write_bytes(b"half")
    (tmp_path / ".es.cd34.tmp").mkdir()
    (tmp_path / "es").mkdir()
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["es", "stages"]
    assert [p.name for p in stage.directory.iterdir()] == ["signature.txt"]


def test_a_failure_names_the_class_of_an_error_that_is_not_ours() -> None:
    assert Failure("project", "es", 0, KeyError("x")).message == "KeyError: 'x'"
    assert Failure("project", "es", 0, OutputError("full", hint="empty it")).message == "full\nHint: empty it"


def test_a_shard_that_is_not_as_it_was_written_is_not_done(tmp_path: Path) -> None:
    stage = _stage(tmp_path)
    for shard in range(3):
        stage.write(pa.table({"x": [shard]}), Entry(shard, 1))
    stage.path(0).write_bytes(stage.path(1).read_bytes())
    with (stage.directory / MANIFEST).open("ab") as file:
        file.write(b'\xff\n[]\n{"shard": "2", "rows": 1}\n')
    assert set(stage.done()) == {1, 2}
    with pytest.raises(InputError, match="not as it was written"):
        stage.read(0)
    lines = (stage.directory / MANIFEST).read_bytes()
    (stage.directory / MANIFEST).write_bytes(lines.replace(b'"shard": 2', b'"shard": 7'))
    assert set(stage.done()) == {1}
