"""``spanferry verify``: what is not as it was written is named, and nothing else."""

import json
import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spanferry.corpora.arrow import pairs_to_table
from spanferry.corpora.errors import InputError
from spanferry.corpora.writers import open_writer
from spanferry.flows.cli.main import app
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.engine.flow import run as run_flow
from spanferry.flows.engine.store import Entry, Stage
from spanferry.flows.review.verify import verify
from spanferry.flows.store import digest
from spanferry.flows.translate.flow import translate_flow
from tests.corpora.writer_rows import pair


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a run leaves it, without the work."""
    out = tmp_path_factory.mktemp("run")
    read, after = Stage("read", "r", out / "stages").open(), Stage("project-es", "p", out / "stages").open()
    for shard in range(2):
        read.write(pairs_to_table([pair(shard)]), Entry(shard, 1, "", 0.1))
        after.write(pairs_to_table([pair(shard + 5)]), Entry(shard, 1, digest(read.path(shard).read_bytes()), 0.1))
    fit = Stage("fit-es", "f", out / "stages").open()
    fit.path(0, ".bin").write_bytes(b"x")
    fit.record(Entry(0, 7, "", 0.1))
    for name in ("arrow", "jsonl"):
        open_writer(name).write([[pair(0), pair(1)]], out / ("es" if name == "arrow" else f"es-{name}"))
    (out / "config.json").write_text("{}")
    return out


def spoil(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif how == "byte":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)
    else:
        with path.open("a", encoding="utf-8") as file:
            file.write(how)


READ, PROJECT = f"stages/read-{digest('r')}", f"stages/project-es-{digest('p')}"
MADE_FROM = "the file it was made from has changed or is missing"


@pytest.mark.parametrize(
    ("path", "how", "problems"),
    [
        ("es/train/data-00000-of-00001.arrow", "byte", {"es/train/data-00000-of-00001.arrow": "changed"}),
        ("es/train/data-00000-of-00001.arrow", "gone", {"es/train/data-00000-of-00001.arrow": "missing"}),
        ("es-jsonl/train.jsonl", "\n", {"es-jsonl/train.jsonl": "changed"}),
        ("es/SHA256SUMS", "x\n", {"es/SHA256SUMS": "not a list of checksums"}),
        (f"{PROJECT}/000001.arrow", "gone", {f"{PROJECT}/000001.arrow": "missing"}),
        (f"{PROJECT}/000001.arrow", "cut", {f"{PROJECT}/000001.arrow": None}),
        (f"{READ}/000001.arrow", "gone", {f"{READ}/000001.arrow": "missing", f"{PROJECT}/000001.arrow": MADE_FROM}),
        (f"{PROJECT}/manifest.jsonl", '{"x": 1}\n', {f"{PROJECT}/manifest.jsonl": "line 3 is broken"}),
        (f"{PROJECT}/manifest.jsonl", '{"shard": 0, "rows"', {}),
        ("config.json", "x", {"config.json": "not JSON"}),
    ],
)
def test_what_differs_is_named(run: Path, tmp_path: Path, path: str, how: str, problems: dict[str, str | None]) -> None:
    out = tmp_path / "out"
    shutil.copytree(run, out)
    spoil(out / path, how)
    found = {p.path: p.what for p in verify(out).problems}
    assert found.keys() == problems.keys()
    assert all(what is None or found[name] == what for name, what in problems.items())
    again = CliRunner().invoke(app, ["verify", str(out), "--json"])
    assert again.exit_code == bool(problems) and len(json.loads(again.stdout)["problems"]) == len(problems)


def test_a_byte_in_a_stage_file_never_ends_the_process(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(run, out)
    path = out / READ / "000000.arrow"
    data = path.read_bytes()
    missed = []
    for place in range(8, len(data), max(1, len(data) // 12)):
        spoiled = bytearray(data)
        spoiled[place] ^= 0xFF
        path.write_bytes(spoiled)
        named = {p.path for p in verify(out).problems}
        missed += [] if f"{PROJECT}/000000.arrow" in named else [place]
    assert missed == []


def test_a_whole_run_and_a_single_dataset(run: Path) -> None:
    assert (verify(run).datasets, verify(run).stage_files, verify(run).problems) == (2, 5, ())
    done = CliRunner().invoke(app, ["verify", str(run / "es")])
    assert done.exit_code == 0 and done.stdout == "1 dataset, 0 stage files: all unchanged\n"


def test_a_folder_of_an_earlier_version_and_one_that_is_not_ours(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "es", tmp_path / "es")
    (tmp_path / "es" / "SHA256SUMS").unlink()
    for nothing in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError):
            verify(nothing)
    (tmp_path / "es" / ".spanferry.json").write_text("{}")
    assert [p.what for p in verify(tmp_path).problems] == ["has no SHA256SUMS: an earlier version wrote it"]


def _project(folder: Path) -> Path:
    """What a small run writes: two formats, report, index, stages."""
    rows = [{"id": f"r{n}", "text": f"Anna has {n} cats.", "spans": [{"start": 0, "end": 4, "label": "PER"}]}
            for n in range(4)]  # fmt: skip
    given = folder / "en.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    own = {"read.path": str(given), "read.target": str(given), "target": ("sw",), "projector.kind": "copy"}
    own |= {"filters": (), "shard_rows": 2, "output.formats": ("arrow", "jsonl"), "out": folder / "out"}
    assert not run_flow(translate_flow(build_config(RunConfig, "project", options=own)), prefect=False).failures
    return folder / "out"


# What can be judged only by another file that is whole: damaged by themselves.
_LISTS = ("manifest.jsonl", "SHA256SUMS", ".spanferry.json", ".spanferry-run.json", "complete")


def test_a_byte_in_any_file_is_named_and_a_damaged_stage_is_computed_again(tmp_path: Path) -> None:
    out = _project(tmp_path)
    good = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.stat().st_size}
    assert {name.partition("/")[0] for name in good} >= {"sw", "sw-jsonl", "stages", ".inspect", "config.json"}
    assert verify(out).problems == ()
    rng = random.Random(18)

    def spoil_all(names: list[str]) -> None:
        for name in names:
            data = bytearray(good[name])
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            (out / name).write_bytes(data)

    lists = [name for name in good if name.endswith(_LISTS)]
    for names in ([n for n in good if n not in lists], *([name] for name in lists)):
        spoil_all(names)
        assert {p.path for p in verify(out).problems} >= set(names)
        for name in names:
            (out / name).write_bytes(good[name])
    spoil_all([name for name in good if name.startswith("stages/") and name.endswith(".arrow")])
    (out / "sw" / ".spanferry.json").unlink()
    _project(tmp_path)
    again = {name: (out / name).read_bytes() for name in good if not name.startswith("stages/")}
    assert [name for name, data in again.items() if data != good[name]] == [] and verify(out).problems == ()
