"""Conversion into the cache: once, whole or not at all, with clear errors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators import cache
from spanferry.translators.cache import written_once
from spanferry.translators.conversion.convert import convert, quantization_for
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import load_translator
from tests.translators import checkpoints


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.marian(tmp_path_factory.mktemp("hf") / "opus-mt-en-de")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_is_made_once_and_says_what_it_is(source: Path, own_cache: Path) -> None:
    first = convert(source, quantization="int8")
    assert first.parent == own_cache / "models" and first.name.startswith("opus-mt-en-de@")
    assert first.name.endswith("-int8")
    facts = json.loads((first / "spanferry.json").read_text(encoding="utf-8"))
    assert (facts["family"], facts["source_languages"], facts["target_languages"]) == ("marian", ["en"], ["de"])
    assert facts["quantization"] == "int8" and facts["max_tokens"] == 64
    stamp = (first / "model.bin").stat().st_mtime_ns
    assert convert(source, quantization="int8") == first
    assert (first / "model.bin").stat().st_mtime_ns == stamp
    assert [p.name for p in first.parent.iterdir() if not p.name.endswith(".lock")] == [first.name]


def test_another_quantization_is_another_model(source: Path) -> None:
    small, large = convert(source, quantization="int8"), convert(source, quantization="float32")
    assert small != large
    assert (small / "model.bin").stat().st_size < (large / "model.bin").stat().st_size
    names = [CT2Translator(d, device="cpu", compute_type="float32").signature for d in (small, large)]
    assert names[0] != names[1]


def test_other_weights_are_another_model(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "opus-mt-en-de"
    shutil.copytree(source, changed)
    weights = bytearray((changed / "model.safetensors").read_bytes())
    weights[-3] ^= 1
    (changed / "model.safetensors").write_bytes(bytes(weights))
    assert convert(changed).name.split("@")[0] == convert(source).name.split("@")[0]
    assert convert(changed) != convert(source)


def test_two_processes_make_it_once_and_print_nothing(source: Path, own_cache: Path) -> None:
    module = "spanferry.translators.conversion.convert"
    code = f"from pathlib import Path; from {module} import convert; convert(Path({str(source)!r}))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate() for process in both] == [("", ""), ("", "")]
    assert [process.returncode for process in both] == [0, 0]
    made = [p for p in (own_cache / "models").iterdir() if not p.name.endswith(".lock")]
    assert len(made) == 1 and CT2Translator(made[0], device="cpu").supports("en", "de")


def test_a_failed_conversion_leaves_nothing(source: Path, tmp_path: Path, own_cache: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(source, broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="can't be converted"):
        convert(broken)
    assert [p for p in (own_cache / "models").iterdir() if not p.name.endswith(".lock")] == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no model in Hugging Face layout"),
        ({"config.json": '{"model_type": "marian"}'}, "no model in Hugging Face layout"),
        ({"config.json": "{", "model.safetensors": ""}, "can't be read"),
        ({"config.json": "[]", "model.safetensors": ""}, "is not a JSON object"),
        (
            {"config.json": '{"model_type": "nllb-moe"}', "model.safetensors": ""},
            "no family knows a model of type 'nllb-moe'",
        ),
    ],
)
def test_what_is_no_model(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message) as caught:
        convert(tmp_path)
    assert str(tmp_path) in str(caught.value) and "Hint:" in str(caught.value)


def test_unknown_quantization(source: Path) -> None:
    with pytest.raises(ConfigError, match="unknown quantization 'int3'"):
        convert(source, quantization="int3")


def test_full_disk_is_said_before_the_work(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ModelError, match=r"needs 0\.1 GB and 0\.0 GB are free"):
        convert(source)


def test_cache_that_cannot_be_written(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="can't be written"):
        convert(source)


@pytest.mark.parametrize(
    ("device", "kind", "stored"),
    [("cpu", "default", "int8"), ("cuda", "default", "float16"), ("cpu", "float32", "float32")],
)
def test_how_weights_are_stored(device: str, kind: str, stored: str) -> None:
    assert quantization_for(device, kind) == stored


def test_cache_root_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.cache_root() == tmp_path / "cache"
    monkeypatch.delenv("SPANFERRY_CACHE")
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache.cache_root() == Path("/x/spanferry")


def test_what_the_hub_client_has_is_converted_without_a_network(
    source: Path, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = tmp_path / "hub" / "models--owner--opus-mt-en-de"
    shutil.copytree(source, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = load_translator("owner/opus-mt-en-de", source="en", target="de", device="cpu")
    assert isinstance(found, CT2Translator)
    assert found.directory == own_cache / "models" / "owner--opus-mt-en-de@01234567-int8"
    assert found.signature.startswith("mt:opus-mt-en-de@")


def test_what_a_killed_conversion_left_is_swept_by_the_next_one(tmp_path: Path) -> None:
    left, others = tmp_path / ".model@1.0123abcd", tmp_path / ".model@12.0123abcd"
    left.mkdir()
    others.mkdir()
    with written_once(tmp_path / "model@1") as partial:
        assert partial is not None
        partial.mkdir()
    assert (tmp_path / "model@1").is_dir() and others.is_dir() and not left.exists()
