"""The family check: passes on what is right, and names what is wrong."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
from safetensors.torch import load_file, save_file

from spanferry.corpora.errors import ModelError
from spanferry.translators.checking import check
from spanferry.translators.checking.check import CheckResult, check_model
from spanferry.translators.conversion.convert import convert
from tests.translators import checkpoints
from tests.translators.checkpoints_llm import language_model

AGAINST = ["tokens in", "special pieces", "log-probabilities", "greedy output"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.m2m100(tmp_path_factory.mktemp("check") / "m2m100_tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def by_name(results: list[CheckResult]) -> dict[str, CheckResult]:
    assert len({r.name for r in results}) == len(results)
    return {r.name: r for r in results}


def test_a_hugging_face_directory_is_compared_with_transformers(source: Path, own_cache: Path) -> None:
    found = by_name(check_model(str(source)))
    assert list(found) == ["family", "language tokens", "round trip", *AGAINST]
    assert all(result.passed for result in found.values()), found
    assert found["language tokens"].detail == "100 in the vocabulary, 100 of the 100 codes of m2m100"
    assert found["family"].detail == "m2m100, m2m_100"
    assert not own_cache.exists(), "nothing is left in the cache"


def test_the_bundled_models_need_no_torch() -> None:
    found = check_model("bundled")
    assert found and all(result.passed is not False for result in found)
    assert {r.name.split(": ")[1] for r in found} == {"family", "files", "language tokens", "round trip", "origin"}
    assert [r.passed for r in found if r.name.endswith("origin")] == [None] * (len(found) // 5)


def test_a_converted_model_is_compared_where_its_origin_is_here(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = convert(source, name="owner/m2m100_tiny", origin="owner/m2m100_tiny", revision="0" * 40)
    assert by_name(check_model(str(made)))["origin"].passed is None
    monkeypatch.setattr(check, "local_snapshot", lambda repo, revision: source)
    found = by_name(check_model(str(made)))
    assert list(found) == ["family", "files", "language tokens", "round trip", *AGAINST]
    assert all(result.passed for result in found.values())


@pytest.mark.parametrize("chat", [True, False])
def test_a_language_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: bool) -> None:
    directory = language_model(tmp_path / "small", "llama3", chat=chat)
    found = by_name(check_model(str(directory)))
    assert list(found) == ["family", *AGAINST] and all(result.passed for result in found.values()), found
    assert found["tokens in"].detail == f"6 prompts {'in its chat format' if chat else 'without a chat format'}"
    made = convert(directory, name="owner/small", origin="owner/small", revision="0" * 40)
    assert [r.passed for r in check_model(str(made))] == [True, True, None]
    monkeypatch.setattr(check, "local_snapshot", lambda repo, revision: directory)
    assert [r.name for r in check_model(str(made))] == ["family", "files", *AGAINST]


def test_changed_weights_are_seen(source: Path) -> None:
    made = convert(source)
    weights = bytearray((made / "model.bin").read_bytes())
    weights[-1] ^= 1
    (made / "model.bin").write_bytes(bytes(weights))
    found = by_name(check_model(str(made)))
    assert found["files"] == CheckResult("files", False, "not as they were recorded: model.bin")


def test_a_language_token_that_the_vocabulary_lacks_is_seen(source: Path) -> None:
    made = convert(source)
    facts = json.loads((made / "spanferry.json").read_text(encoding="utf-8"))
    facts["language_tokens"]["tlh"] = "__tlh__"
    (made / "spanferry.json").write_text(json.dumps(facts), encoding="utf-8")
    assert by_name(check_model(str(made)))["language tokens"].detail == "not in the vocabulary: __tlh__"


def test_a_conversion_that_is_not_exact_is_seen(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that differ a little from those of the origin: tokens agree, scores do not."""
    other = tmp_path / "m2m100_other"
    shutil.copytree(source, other)
    weights = load_file(other / "model.safetensors")
    weights["model.shared.weight"] *= 1.05
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    real = check.convert
    monkeypatch.setattr(check, "convert", lambda path, **options: real(other, **options))
    found = by_name(check_model(str(source)))
    assert found["tokens in"].passed and found["special pieces"].passed
    assert found["log-probabilities"].passed is False
    assert "nats in float32, allowed 1e-03" in found["log-probabilities"].detail


def test_what_is_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        check_model(str(tmp_path))
    with pytest.raises(ModelError, match="no translator 'nllb-600'"):
        check_model("nllb-600")
