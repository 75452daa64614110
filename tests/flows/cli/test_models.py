"""``spanferry models`` as a user runs it, with a small checkpoint and the bundled models."""

import json
import shutil
from pathlib import Path

import pytest

from spanferry.translators.loading.load import bundled_directories
from tests.conftest import Run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small OPUS-MT in Hugging Face layout."""
    pytest.importorskip("torch")
    from tests.translators.checkpoints import marian

    return marian(tmp_path_factory.mktemp("hub") / "opus-mt-en-de")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_bare_models_is_the_list(spanferry: Run, tmp_path: Path) -> None:
    bare, listed = (spanferry(*a, SPANFERRY_CACHE=str(tmp_path)) for a in (["models"], ["models", "list"]))
    assert bare.returncode == 0, bare.stderr
    assert bare.stdout == listed.stdout
    for directory in bundled_directories():
        facts = json.loads((directory / "spanferry.json").read_text(encoding="utf-8"))
        assert facts["name"] in bare.stdout
    assert "marian" in bare.stdout and " MB" in bare.stdout and "bundled" in bare.stdout
    rows = json.loads(spanferry("models", "list", "--json", SPANFERRY_CACHE=str(tmp_path)).stdout)
    assert [Path(row["directory"]) for row in rows] == bundled_directories()


def test_the_memory_is_listed(spanferry: Run, tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite").write_bytes(b"x" * 2_500_000)
    reported = spanferry("models", SPANFERRY_CACHE=str(tmp_path)).stderr
    assert "translations kept across runs: 2.5 MB" in reported and str(tmp_path) in reported


def test_add_path_check_remove(spanferry: Run, checkpoint: Path, cache: Path) -> None:
    here = {"SPANFERRY_CACHE": str(cache)}
    added = spanferry("models", "add", checkpoint, "--device", "cpu", **here)
    assert added.returncode == 0, added.stderr
    directory = Path(added.stdout.strip())
    assert directory.parent == cache / "models" and (directory / "model.bin").is_file()
    written = (directory / "model.bin").stat().st_mtime_ns
    again = spanferry("models", "add", checkpoint, "--device", "cpu", **here)
    assert again.stdout == added.stdout and (directory / "model.bin").stat().st_mtime_ns == written, "converted once"

    for name in (directory.name, directory):
        assert spanferry("models", "path", name, **here).stdout == added.stdout, name

    checked = spanferry("models", "check", directory, **here)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "passed" in checked.stdout and "failed" not in checked.stdout

    text = cache / "text.txt"
    text.write_text("Ein Haus am See.\n\nDas Haus ist alt.\n", encoding="utf-8")
    listed = spanferry("models", "pieces", directory.name, text, "--language", "de", **here)
    assert listed.returncode == 0, listed.stderr
    assert Path(listed.stdout.strip()) == directory / "pieces.de.json"
    assert len(json.loads((directory / "pieces.de.json").read_text(encoding="utf-8"))) > 3
    assert spanferry("models", "pieces", directory, text, "--language", "de", **here).stdout == listed.stdout
    for wrong, said in (
        (("bundled", text, "--language", "es"), "has its lists"),
        ((directory, text, "--language", "is"), "is"),
        ((directory, directory / "model.bin", "--language", "de"), "UTF-8"),
    ):
        refused = spanferry("models", "pieces", *wrong, **here)
        assert refused.returncode == 2 and said in refused.stderr

    removed = spanferry("models", "remove", "opus-mt-en-de", **here)
    assert removed.returncode == 0 and str(directory) in removed.stderr
    assert not [path for path in (cache / "models").iterdir() if path.is_dir()]
    gone = spanferry("models", "path", "opus-mt-en-de", **here)
    assert gone.returncode == 2 and "no model 'opus-mt-en-de' on this machine" in gone.stderr


def test_check_of_a_broken_model_fails(spanferry: Run, tmp_path: Path) -> None:
    directory = tmp_path / "broken"
    shutil.copytree(bundled_directories()[0], directory)
    facts = json.loads((directory / "spanferry.json").read_text(encoding="utf-8"))
    facts["files"] = {"model.bin": {"bytes": 1, "sha256": "0" * 64}}
    (directory / "spanferry.json").write_text(json.dumps(facts), encoding="utf-8")
    done = spanferry("models", "check", directory)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed" in done.stdout and "Traceback" not in done.stderr


def test_several_of_one_name(spanferry: Run, tmp_path: Path) -> None:
    source = bundled_directories()[0]
    facts = json.loads((source / "spanferry.json").read_text(encoding="utf-8"))
    for quantization in ("int8", "float32"):
        home = tmp_path / "models" / f"owner--model@0123abcd-{quantization}"
        shutil.copytree(source, home)
        own = {**facts, "origin": "owner/model", "quantization": quantization}
        (home / "spanferry.json").write_text(json.dumps(own), encoding="utf-8")
    here = {"SPANFERRY_CACHE": str(tmp_path)}
    assert len(spanferry("models", "path", "owner/model", **here).stdout.splitlines()) == 2
    refused = spanferry("models", "remove", "owner/model", **here)
    assert refused.returncode == 2
    assert "2 models are 'owner/model'" in refused.stderr and "owner--model@0123abcd-int8" in refused.stderr
    assert spanferry("models", "remove", "owner--model@0123abcd-int8", **here).returncode == 0
    left = spanferry("models", "path", "owner/model@0123abcd", **here).stdout
    assert left.strip().endswith("owner--model@0123abcd-float32")
    assert spanferry("models", "path", "owner/model@9999", **here).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["remove", "bundled"], "ships with the package"),
        (["add", "bundled"], "the bundled models are here already"),
        (["add", "nllb-600"], "did you mean 'nllb-600m'?"),
        (["path", "nllb-600m"], "Hint: spanferry models add nllb-600m"),
        (["check", "/no/such/place"], "no translator '/no/such/place'"),
    ],
)
def test_errors_say_what_to_do(arguments: list[str], message: str, spanferry: Run, tmp_path: Path) -> None:
    if arguments == ["remove", "bundled"]:
        arguments = ["remove", json.loads((bundled_directories()[0] / "spanferry.json").read_text())["name"]]
    done = spanferry("models", *arguments, SPANFERRY_CACHE=str(tmp_path), HF_HUB_OFFLINE="1")
    assert done.returncode == 2, done.stdout
    assert message in done.stderr and "Traceback" not in done.stderr and "Hint: " in done.stderr
