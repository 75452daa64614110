"""From a name to a translator."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Translation
from spanferry.translators.conversion.hub import hub_id
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading import load
from spanferry.translators.loading.load import list_models, load_translator
from spanferry.translators.parallel import ParallelTranslator


class Shouting:
    """A translator from outside."""

    signature = "mt:shouting"

    def supports(self, source: str, target: str) -> bool:
        return (source, target) == ("en", "en-shout")

    def translate(self, texts: list[str], source: str, target: str) -> list[Translation]:
        return [Translation(text.upper()) for text in texts]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_ctranslate2_directory(model_directory: Path) -> None:
    found = load_translator(str(model_directory), source="en", target="es", device="cpu", beam=2)
    assert isinstance(found, CT2Translator) and found.beam == 2


def test_a_directory_without_description_is_recognised(model_directory: Path, tmp_path: Path) -> None:
    directory = tmp_path / "opus-mt-en-es"
    shutil.copytree(model_directory, directory, ignore=shutil.ignore_patterns("spanferry.json"))
    found = load_translator(str(directory), source="en", target="es", device="cpu")
    assert isinstance(found, CT2Translator) and found.family.name == "marian"
    assert found.translate(["I have two cats."], "en", "es")[0].text == "Tengo dos gatos."


def test_bundled_is_chosen_by_language(model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = json.loads((model_directory / "spanferry.json").read_text(encoding="utf-8"))
    for name, source, target in (("a", "en", "es"), ("b", "de", "en")):
        shutil.copytree(model_directory, tmp_path / name)
        changed = {**facts, "name": name, "source_languages": [source], "target_languages": [target]}
        changed |= {"language_tokens": {}, "directions": [[source, target]]}
        (tmp_path / name / "spanferry.json").write_text(json.dumps(changed), encoding="utf-8")
    monkeypatch.setattr(load, "bundled_directories", lambda: [tmp_path / "a", tmp_path / "b"])
    load.bundled_for.cache_clear()
    try:
        assert load.bundled_for("en", "es") == tmp_path / "a"
        assert load.bundled_for("de", None) == tmp_path / "b"
        assert load.bundled_for("fr", "en", optional=True) is None
        assert load_translator(source="fr", target="en", optional=True) is None
        with pytest.raises(ModelError, match="no bundled model translates fr to en") as caught:
            load_translator(source="fr", target="en")
        assert "Valid: de to en, en to es" in str(caught.value) and "nllb-600m" in str(caught.value)
    finally:
        load.bundled_for.cache_clear()


def test_a_model_is_not_used_in_a_direction_it_was_not_trained_in(model_directory: Path, tmp_path: Path) -> None:
    shutil.copytree(model_directory, tmp_path / "model")
    facts = json.loads((tmp_path / "model" / "spanferry.json").read_text(encoding="utf-8"))
    facts |= {"source_languages": ["en", "de"], "directions": [["en", "es"], ["en", "de"]]}
    (tmp_path / "model" / "spanferry.json").write_text(json.dumps(facts), encoding="utf-8")
    model = load_translator(str(tmp_path / "model"))
    assert model is not None and model.supports("en", "es") and not model.supports("de", "es")
    with pytest.raises(ModelError, match="was not trained to translate de to es") as caught:
        model.translate(["Ich habe zwei Katzen."], "de", "es")
    assert "en to de, en to es" in str(caught.value)


def test_parallel_and_classes_from_outside() -> None:
    assert isinstance(load_translator("parallel", source="en", target="es"), ParallelTranslator)
    shouting = load_translator(f"{__name__}:Shouting")
    assert shouting is not None and shouting.translate(["hi"], "en", "en-shout")[0].text == "HI"
    with pytest.raises(ModelError, match="does not translate en to es"):
        load_translator(f"{__name__}:Shouting", source="en", target="es")
    with pytest.raises(ConfigError, match="no module 'nowhere'"):
        load_translator("nowhere:Class")


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("nllb-600", "no translator 'nllb-600'", "did you mean 'nllb-600m'?"),
        ("bundle", "no translator 'bundle'", "did you mean 'bundled'?"),
        ("/no/such/place", "no translator '/no/such/place'", "spanferry models"),
    ],
)
def test_a_name_that_is_none(spec: str, message: str, hint: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_translator(spec)
    assert str(caught.value).endswith(f"Hint: {hint}")


def test_a_directory_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model") as caught:
        load_translator(str(tmp_path))
    assert "model.bin" in str(caught.value)


def test_a_language_the_model_lacks(model_directory: Path) -> None:
    with pytest.raises(ModelError, match="does not know the language 'tlh'"):
        load_translator(str(model_directory), source="en", target="tlh", device="cpu")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("nllb-600m", ("facebook/nllb-200-distilled-600M", None)),
        ("NLLB-600M", ("facebook/nllb-200-distilled-600M", None)),
        ("owner/model@v1.0", ("owner/model", "v1.0")),
        ("opus-mt", ("Helsinki-NLP/opus-mt-en-de", None)),
        ("bundled", None),
        ("./dir/model", None),
        ("a/b/c", None),
    ],
)
def test_hub_names(spec: str, expected: tuple[str, str | None] | None) -> None:
    assert hub_id(spec, "en", "de-AT") == expected


@pytest.mark.parametrize(
    ("spec", "source", "target", "nearest"),
    [("nllb-600m", "en", "german", "de"), ("nllb-3.3b", "sr-Latn", "en", "sr"),
     ("m2m100-418m", "en", "zh-Hant", "zh-Hans"), ("small100", "en", "tlh", "tl"),
     ("mbart50", "en", "zh-TW", "zh-Hans"), ("madlad-3b", "tlh", "sr-Latn", "sr")],
)  # fmt: skip
def test_an_unknown_language_is_an_error_before_the_download(spec: str, source: str, target: str, nearest: str) -> None:
    with pytest.raises(ModelError, match="does not know the language") as caught:
        load_translator(spec, source=source, target=target, device="cpu")
    assert f"nearest: {nearest}" in str(caught.value)


def test_opus_needs_languages() -> None:
    with pytest.raises(ModelError, match="one model for each direction"):
        hub_id("opus-mt")


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    code = "from spanferry.translators.loading.load import load_translator; load_translator('owner/absent-model')"
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    last = done.stderr.strip().split("ModelError: ")[-1]
    assert last.startswith("model 'owner/absent-model' can't be downloaded")
    assert "Hint: without a network, copy the model here and give its directory" in last


def test_a_converted_hub_model_needs_no_network(model_directory: Path, own_cache: Path) -> None:
    home = own_cache / "models" / "owner--model@0123abcd-int8"
    shutil.copytree(model_directory, home)
    facts = json.loads((home / "spanferry.json").read_text(encoding="utf-8"))
    facts |= {"origin": "owner/model", "revision": "0123abcd" + "0" * 32, "quantization": "int8", "name": "model"}
    (home / "spanferry.json").write_text(json.dumps(facts), encoding="utf-8")
    for spec in ("owner/model", "owner/model@0123abcd"):
        found = load_translator(spec, source="en", target="es", device="cpu")
        assert isinstance(found, CT2Translator) and found.directory == home
    listed = [m for m in list_models() if m.where != "bundled"]
    assert [(m.name, m.family, m.quantization) for m in listed] == [("owner/model", "marian", "int8")]
    assert listed[0].where == str(home) and " > de, en, es" in listed[0].languages
    assert listed[0].megabytes == pytest.approx(sum(p.stat().st_size for p in home.iterdir()) / 1e6)


def test_a_broken_directory_is_not_listed(own_cache: Path) -> None:
    (own_cache / "models" / "broken@1-int8").mkdir(parents=True)
    assert [m for m in list_models() if m.where != "bundled"] == []


def test_runs_without_torch_and_prints_nothing(model_directory: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from spanferry.translators.loading.load import load_translator\n"
        f"t = load_translator({str(model_directory)!r}, source='en', target='es', device='cpu')\n"
        "assert t.translate(['I have two cats.'], 'en', 'es')[0].text\n"
        "assert 'transformers' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
