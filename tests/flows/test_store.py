"""Stage files: whole or not there, one manifest line each, torn lines ignored."""

from pathlib import Path

import pyarrow as pa
import pytest

from corpora.errors import OutputError
from flows.engine import Failure
from flows.store import MANIFEST, Entry, Stage, check_place, digest, run_lock, sweep, write_bytes


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
    assert not stage.done(0)
    stage.write(0, table, Entry(0, 2, "h", 0.1, {"failed": 1}))
    assert stage.done(0)
    assert stage.read(0).equals(table)
    assert stage.entries()[0].counts == {"failed": 1}
    stage.path(0).unlink()
    assert not stage.done(0)


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


def test_a_run_takes_no_place_of_something_else(tmp_path: Path) -> None:
    check_place(tmp_path / "new")
    (tmp_path / "decisions.jsonl").write_text("")
    check_place(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds something else than a run"):
        check_place(tmp_path)
    with pytest.raises(OutputError, match="the run directory is a file"):
        check_place(tmp_path / "notes.txt")
    (tmp_path / "config.json").write_text("{}")
    check_place(tmp_path)


def test_sweeping_takes_away_only_what_was_half_written(tmp_path: Path) -> None:
    stage = _stage(tmp_path / "stages")
    (stage.directory / ".000000.arrow.ab12.tmp").write_bytes(b"half")
    (tmp_path / ".es.cd34.tmp").mkdir()
    (tmp_path / "es").mkdir()
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["es", "stages"]
    assert [p.name for p in stage.directory.iterdir()] == ["signature.txt"]


def test_a_failure_names_the_class_of_an_error_that_is_not_ours() -> None:
    assert Failure("project", "es", 0, KeyError("x")).told == "KeyError: 'x'"
    assert Failure("project", "es", 0, OutputError("full", hint="empty it")).told == "full\nHint: empty it"
