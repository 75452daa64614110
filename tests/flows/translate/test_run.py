"""Whole runs in processes of their own: what is written, resumed, killed, refused."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run, alone, command

pytestmark = pytest.mark.xdist_group("runs")


def _rows(count: int) -> str:
    """Annotated sentences, no two the same."""
    cities = ["Paris", "Berlin", "Madrid", "Oslo", "Lisbon", "Vienna", "Dublin", "Prague"]
    people = ["Anna", "Tom", "Maria", "Peter", "Julia"]
    lines = []
    for n in range(count):
        city, person = cities[n % len(cities)], people[n % len(people)]
        text = f"{person} bought {n + 2} books in {city} yesterday."
        at = text.index(city)
        spans = [
            {"start": 0, "end": len(person), "label": "PER"},
            {"start": at, "end": at + len(city), "label": "LOC"},
        ]
        lines.append(json.dumps({"id": f"r{n}", "text": text, "spans": spans}))
    return "\n".join(lines) + "\n"


def _files(folder: Path) -> dict[str, str]:
    """Digest of every file that a user reads, by relative name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _but_progress(errors: str) -> str:
    """What else there is in standard error: a slow machine prints a line every ten seconds."""
    return "".join(line for line in errors.splitlines() if not re.match(r"[\w-]+ [\d,]+.* rows", line))


def _manifest(out: Path, stage: str) -> list[dict[str, object]]:
    files = list(out.glob(f"stages/{stage}-*/manifest.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    path.write_text(_rows(120), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def arguments(data: Path) -> list[object]:
    return ["run", "translate-train", "--input", data, "--target", "es", "--set", "shard_rows=20"]


@pytest.fixture(scope="module")
def undisturbed(arguments: list[object], spanferry: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = spanferry(*arguments, "--out", out, own_server=True)
    assert done.returncode == 0, done.stderr
    assert _but_progress(done.stderr) == "", "a clean run prints nothing but its table, and how far it is"
    assert "projected" in done.stdout and "Traceback" not in done.stdout
    return out


def test_dataset_loads_and_every_offset_is_right(undisturbed: Path) -> None:
    import datasets

    found = datasets.load_from_disk(str(undisturbed / "es"))
    rejected = datasets.load_from_disk(str(undisturbed / "es" / "rejected"))
    assert set(found) == {"train"}, "a loop over all splits does not meet the rejected rows"
    assert found["train"].num_rows + rejected.num_rows == 120
    assert all(row["reasons"] for row in rejected)
    assert found["train"].num_rows > 90
    for row in found["train"]:
        for span in row["spans"]:
            quote = row["text"][span["start"] : span["end"]]
            assert quote == quote.strip() != ""
    labels = Counter(span["label"] for row in found["train"] for span in row["spans"])
    assert set(labels) == {"PER", "LOC"}
    for name in ("report.md", "report.html", "README.md", "report.json"):
        assert (undisturbed / "es" / name).read_text(encoding="utf-8").strip()
    assert json.loads((undisturbed / "config.json").read_text())["target"] == ["es"]


def test_workers_and_threads_change_no_byte(
    undisturbed: Path, arguments: list[object], spanferry: Run, tmp_path: Path
) -> None:
    done = spanferry(*arguments, "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert _files(tmp_path / "out" / "es") == _files(undisturbed / "es")


def test_dask_changes_no_byte(undisturbed: Path, arguments: list[object], spanferry: Run, tmp_path: Path) -> None:
    done = spanferry(*arguments, "--out", tmp_path / "out", "--executor", "dask", own_server=True)
    assert (done.returncode, _but_progress(done.stderr)) == (0, "")
    assert _files(tmp_path / "out" / "es") == _files(undisturbed / "es")


@pytest.mark.parametrize("stage", ["translate", "project"])
def test_killed_run_goes_on_to_the_same_bytes(
    stage: str, undisturbed: Path, arguments: list[object], spanferry: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    slow = [*arguments, "--out", out, "--workers", 1, "--set", "translator.memory_mb=0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    process = subprocess.Popen(command(*slow), cwd=ROOT, env=alone(), **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if _manifest(out, f"{stage}-es"):
            break
        time.sleep(0.01)
    assert process.poll() is None, "the run was over before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {str(entry["shard"]): entry for entry in _manifest(out, f"{stage}-es")}
    assert 0 < len(before) < 6
    assert not (out / "es").exists()

    done = spanferry(*arguments, "--out", out, own_server=True)
    assert done.returncode == 0, done.stderr
    assert _files(out / "es") == _files(undisturbed / "es")
    translated = Counter(entry["shard"] for entry in _manifest(out, "translate-es"))
    assert translated == dict.fromkeys(range(6), 1), "no shard is translated twice"


def test_a_threshold_runs_only_the_filter_again(
    undisturbed: Path, arguments: list[object], spanferry: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    done = spanferry(*arguments, "--out", out, "--set", "filters.length_ratio.low=0.81", "--json")
    assert done.returncode == 0, done.stderr
    first = spanferry(*arguments, "--out", out, "--set", "filters.length_ratio.low=0.5", "--json")
    assert json.loads(first.stdout)["computed"] == {"filter-es": 1}
    strict, mild = json.loads(done.stdout)["languages"]["es"], json.loads(first.stdout)["languages"]["es"]
    assert strict["kept"] < mild["kept"]


def test_another_language_translates_only_that(
    undisturbed: Path, arguments: list[object], spanferry: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    done = spanferry(*arguments, "--target", "de", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    computed = json.loads(done.stdout)["computed"]
    assert computed["translate-de"] == 6
    assert not [stage for stage in computed if stage.endswith("-es") or stage == "segment"]
    again = spanferry(*arguments, "--target", "de", "--out", out, "--json")
    assert json.loads(again.stdout)["computed"] == {}


def test_rows_that_fail_are_kept_with_their_reason(spanferry: Run, tmp_path: Path) -> None:
    rows = [
        {"id": "good", "text": "Anna lives in Paris.", "spans": [{"start": 14, "end": 19, "label": "LOC"}]},
        {"id": "past", "text": "Short.", "spans": [{"start": 2, "end": 99, "label": "LOC"}]},
        {"id": "empty", "text": "   ", "spans": []},
        {"id": "plain", "text": "I like tea.", "spans": []},
        {"id": "long", "text": "word " * 3000, "spans": [{"start": 0, "end": 4, "label": "X"}]},
        {
            "id": "many",
            "text": "a b c d " * 25,
            "spans": [{"start": 2 * n, "end": 2 * n + 1, "label": "X"} for n in range(100)],
        },
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = spanferry("run", "translate-train", "--input", path, "--target", "es", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    import datasets

    folder = tmp_path / "out" / "es"
    kept = set(datasets.load_from_disk(str(folder))["train"]["id"])
    rejected = {row["id"]: row["reasons"] for row in datasets.load_from_disk(str(folder / "rejected"))}
    assert kept | set(rejected) == {row["id"] for row in rows}
    assert {"good", "plain"} <= kept
    assert rejected["past"] == ["read:bad_offsets"]
    assert rejected["empty"] == ["read:empty_text"]
    assert rejected["long"] == ["translate:source_too_long"]
    strict = spanferry(
        "run", "translate-train", "--input", path, "--target", "es", "--out", tmp_path / "out", "--strict"
    )
    assert strict.returncode == 1
    failed = [why for why in rejected.values() if any(reason.startswith(("read:", "translate:")) for reason in why)]
    assert f"{len(failed)} rows could not be read or translated" in strict.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--input": "none.jsonl"}, "none.jsonl"),
        ({"--target": "sw"}, "no bundled model translates en to sw"),
        ({"--set": "read.options.repai=true"}, "repai"),
        ({"--set": "filters.confidnce.min_score=1"}, "did you mean 'confidence'"),
        ({"--projector": "defalt"}, "did you mean 'default'"),
        ({"--write": "parket"}, "did you mean 'parquet'"),
        ({"--translator": "nllb-600"}, "nllb-600m"),
    ],
)
def test_wrong_options_are_errors_before_any_work(
    changes: dict[str, str], message: str, data: Path, spanferry: Run, tmp_path: Path
) -> None:
    options = {"--input": str(data), "--target": "es", "--out": str(tmp_path / "out"), **changes}
    done = spanferry("run", "translate-train", *(part for option in options.items() for part in option))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "Hint:" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "stages").exists()


@pytest.mark.parametrize(
    ("name", "content", "status", "message"),
    [
        ("latin.conll", "caf\xe9\tO\n\n".encode("latin-1"), 1, "none of 1 rows was kept: 1 read:bad_encoding"),
        ("empty.jsonl", b"", 2, "empty"),
    ],
)
def test_broken_files_are_reported_with_their_place(
    name: str, content: bytes, status: int, message: str, spanferry: Run, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = spanferry("run", "translate-train", "--input", path, "--target", "es", "--out", tmp_path / "out")
    assert done.returncode == status
    assert message in done.stderr and "Hint:" in done.stderr and "Traceback" not in done.stderr


def test_dry_run_writes_nothing(arguments: list[object], spanferry: Run, tmp_path: Path) -> None:
    done = spanferry(*arguments, "--out", tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "64 rows, 128 spans" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_no_run_is_left_alone(arguments: list[object], spanferry: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for extra in ([], ["--overwrite"]):
        done = spanferry(*arguments, "--out", tmp_path, *extra)
        assert done.returncode == 2
        assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_markers_may_bring_their_own_translation(arguments: list[object], spanferry: Run, tmp_path: Path) -> None:
    import datasets

    settings = ["--limit", 20, "--projector", "markers", "--set", "projector.options.retranslates=true"]
    done = spanferry(*arguments, *settings, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["languages"]["es"]["projected"] > 20
    for row in datasets.load_from_disk(str(tmp_path / "out" / "es"))["train"]:
        assert "[" not in row["text"] and "]" not in row["text"]
        assert {span["method"] for span in row["spans"]} == {"markers"}
        assert all(row["text"][s["start"] : s["end"]].strip() for s in row["spans"])
