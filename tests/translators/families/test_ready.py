"""Directories laid out as public CTranslate2 conversions are: no description of ours, other names, other places."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
from ctranslate2.converters import TransformersConverter

import spanferry.projectors
from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.checking.check import check_model
from spanferry.translators.conversion import hub
from spanferry.translators.conversion.convert import convert, quiet
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.families import read_description, read_vocabulary
from spanferry.translators.languages.codes import MADLAD, NLLB
from spanferry.translators.loading.load import load_generator, load_translator, model_directory
from spanferry.translators.prompting.prompted import PromptTranslator
from tests.translators import checkpoints, checkpoints_llm

TEXTS = ["I have two cats.", "The quick brown fox jumps over the lazy dog. Where is it?", "Она живёт в Москве.", "dog"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ready")


@pytest.fixture(autouse=True)
def own_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANFERRY_CACHE", str(root / "cache"))


def _listed_in_text(directory: Path) -> None:
    """The vocabulary as CTranslate2 wrote it before version 4, one token a line."""
    tokens = read_vocabulary(directory)
    (directory / "shared_vocabulary.json").unlink()
    (directory / "shared_vocabulary.txt").write_text("".join(f"{t}\n" for t in tokens), encoding="utf-8")


def _renamed(old: str, new: str) -> Callable[[Path], None]:
    return lambda directory: (directory / old).rename(directory / new) and None


def _one_file_for_both_sides(directory: Path) -> None:
    (directory / "source.spm").rename(directory / "sentencepiece.model")
    (directory / "target.spm").unlink()


def _with_keys_of_the_origin(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "marian", "max_position_embeddings": 64, "architectures": ["MarianMTModel"]}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _nothing(directory: Path) -> None:
    pass


# Name of the directory, checkpoint, files copied beside the weights, what else differs, family, direction.
LAYOUTS = {
    "nllb-200-distilled-600M-ct2-int8": (
        lambda d: checkpoints.nllb(d, NLLB), ("tokenizer.json", "tokenizer_config.json"), _nothing, "nllb",
        ("en", "es")),
    "nllb-200-1.3B-flores": (
        lambda d: checkpoints.nllb(d, NLLB), ("sentencepiece.bpe.model",),
        _renamed("sentencepiece.bpe.model", "flores200_sacrebleu_tokenizer_spm.model"), "nllb", ("en", "es")),
    "nllb-in-text": (
        lambda d: checkpoints.nllb(d, NLLB), ("sentencepiece.bpe.model",), _listed_in_text, "nllb", ("en", "es")),
    "m2m100_418M-ct2": (
        checkpoints.m2m100, ("sentencepiece.bpe.model", "vocab.json"), _nothing, "m2m100",
        ("en", "es")),
    "quick-model": (
        lambda d: checkpoints.m2m100(d, small=True), ("sentencepiece.bpe.model",), _nothing, "m2m100", ("en", "es")),
    "opus-mt-en-de-ct2": (checkpoints.marian, ("source.spm", "target.spm"), _nothing, "marian", ("en", "de")),
    "ct2fast-opus-mt-en-de": (
        checkpoints.marian, ("source.spm", "target.spm", "vocab.json"), _with_keys_of_the_origin, "marian",
        ("en", "de")),
    "translate-en_de": (
        checkpoints.marian, ("source.spm", "target.spm"), _one_file_for_both_sides, "marian", ("en", "de")),
    "madlad400-3b-mt-ct2": (
        lambda d: checkpoints.t5(d, MADLAD), ("spiece.model",), _renamed("spiece.model", "sentencepiece.model"), "t5",
        ("en", "es")),
}  # fmt: skip


# With transformers 5 CTranslate2's converter flattens MADLAD and fails on SMaLL-100; public conversions are older.
_OLDER = ("madlad400-3b-mt-ct2", "quick-model")


@pytest.fixture(params=LAYOUTS, scope="module")
def ready(request: pytest.FixtureRequest, root: Path) -> tuple[Path, Path, str, tuple[str, str]]:
    """A directory as CTranslate2's own converter leaves it, and our conversion of the same checkpoint."""
    build, files, change, family, direction = LAYOUTS[request.param]
    source = build(root / "origins" / request.param)
    ours = convert(source, quantization="int8", root=root / "ours")
    place = root / request.param
    if request.param in _OLDER:
        place.mkdir()
        for name in ("model.bin", "config.json", "shared_vocabulary.json"):
            shutil.copyfile(ours / name, place / name)
    else:
        with quiet():
            TransformersConverter(str(source)).convert(str(place), quantization="int8")
    for name in files:
        shutil.copyfile(source / name, place / name)
    change(place)
    return place, ours, family, direction


def test_the_same_output_as_our_own_conversion(ready: tuple[Path, Path, str, tuple[str, str]]) -> None:
    place, ours, family, (source, target) = ready
    found = load_translator(str(place), source=source, target=target, device="cpu")
    assert isinstance(found, CT2Translator) and found.family.name == family
    own = CT2Translator(ours, device="cpu")
    assert found.translate(TEXTS, source, target) == own.translate(TEXTS, source, target)
    assert found.limits == own.limits or family == "t5"  # positions of T5 are relative: the file has no table of them
    scores = [model.score_pairs(TEXTS, TEXTS[::-1], source, target) for model in (found, own)]
    assert [list(score.logprobs) for score in scores[0]] == [list(score.logprobs) for score in scores[1]]
    facts, described = read_description(place), read_description(ours)
    # A Marian model with a name of its own may be tried with any language.
    assert facts["target_languages"] == (["*"] if place.name == "translate-en_de" else described["target_languages"])
    assert all(result.passed is not False for result in check_model(str(place)))


def test_neither_torch_nor_transformers_is_loaded(root: Path) -> None:
    place, origin = _nllb(root, "bare")
    shutil.copyfile(origin / "sentencepiece.bpe.model", place / "sentencepiece.bpe.model")
    code = (
        "import sys\n"
        "sys.modules.update(torch=None, transformers=None)\n"
        "from spanferry.translators.loading.load import load_translator\n"
        f"t = load_translator({str(place)!r}, source='en', target='es', device='cpu')\n"
        f"print(len(t.translate(['I have two cats.'], 'en', 'es')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "1\n", done.stderr


def _nllb(root: Path, name: str) -> tuple[Path, Path]:
    """A model and its tokenizer in another folder."""
    source = checkpoints.nllb(root / name / "origin", NLLB)
    with quiet():
        TransformersConverter(str(source)).convert(str(root / name / "model"), quantization="int8")
    return root / name / "model", source


def test_a_tokenizer_that_is_named(root: Path) -> None:
    model, source = _nllb(root, "apart")
    with pytest.raises(ModelError, match="no tokeniser") as caught:
        load_translator(str(model), source="en", target="es", device="cpu")
    assert "translator.options.tokenizer=" in str(caught.value)
    own = CT2Translator(convert(source, quantization="int8", root=root / "ours"), device="cpu")
    signatures = set()
    for place in (source, source / "sentencepiece.bpe.model", source / "tokenizer.json"):
        found = load_translator(str(model), source="en", target="es", device="cpu", tokenizer=str(place))
        assert found is not None and found.translate(TEXTS, "en", "es") == own.translate(TEXTS, "en", "es")
        signatures.add(found.signature)
    assert len(signatures) == 3 and all("|tok:" in signature for signature in signatures)
    with pytest.raises(ModelError, match="no tokenizer '/nowhere'"):
        load_translator(str(model), source="en", target="es", device="cpu", tokenizer="/nowhere")


def test_a_tokenizer_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    model, _ = _nllb(root, "other")
    checkpoints.train_pieces(tmp_path / "sp", "char")
    with pytest.raises(ModelError, match="the tokenizer does not fit the model"):
        load_translator(str(model), device="cpu", tokenizer=str(tmp_path / "sp.model"))


def test_several_tokenizers_and_none_is_chosen(root: Path) -> None:
    model, source = _nllb(root, "several")
    for name in ("a.model", "b.model"):
        shutil.copyfile(source / "sentencepiece.bpe.model", model / name)
    with pytest.raises(ModelError, match="2 sentencepiece models") as caught:
        load_translator(str(model), source="en", target="es", device="cpu")
    assert "Valid: a.model, b.model" in str(caught.value)


def test_a_family_that_nothing_shows(root: Path) -> None:
    model, source = _nllb(root, "untold")
    known = json.loads((model / "shared_vocabulary.json").read_text(encoding="utf-8"))
    (model / "shared_vocabulary.json").write_text(json.dumps([t.replace("_", "-") for t in known]), encoding="utf-8")
    shutil.copyfile(source / "sentencepiece.bpe.model", model / "sentencepiece.bpe.model")
    with pytest.raises(ModelError, match="family of this CTranslate2 model can't be recognised") as caught:
        load_translator(str(model), source="en", target="es", device="cpu")
    assert str(caught.value).endswith("Hint: --set translator.options.family=NAME") and "m2m100" in str(caught.value)
    with pytest.raises(ConfigError, match="unknown family 'nlb'"):
        load_translator(str(model), device="cpu", family="nlb")
    found = load_translator(
        str(model), device="cpu", family="marian", tokenizer=str(source / "sentencepiece.bpe.model")
    )
    assert isinstance(found, CT2Translator) and found.signature.endswith("|family:marian")


def test_a_model_that_does_not_translate(root: Path, tmp_path: Path) -> None:
    encoder = Path(spanferry.projectors.__path__[0]) / "bundled" / "weights"
    for name in ("model.bin", "config.json", "vocabulary.json"):
        shutil.copyfile(encoder / name, tmp_path / name)
    with pytest.raises(ModelError, match="of the kind TransformerEncoderSpec, which does not translate"):
        load_translator(str(tmp_path), source="en", target="es", device="cpu")


@pytest.mark.parametrize("beside", ["files", "settings"])
def test_a_language_model(root: Path, beside: str) -> None:
    source = checkpoints_llm.language_model(root / f"gemma-{beside}", "gemma", ascii_only=True)
    ours = convert(source, quantization="int8", root=root / "ours")
    place = root / f"gemma-{beside}-ct2"
    place.mkdir()
    for name in ("model.bin", "config.json", "vocabulary.json", "tokenizer.json"):
        shutil.copyfile(ours / name, place / name)
    if beside == "files":
        for name in ("chat_template.jinja", "special_tokens_map.json"):
            shutil.copyfile(ours / name, place / name)
    else:  # as transformers 4 wrote them
        settings = {
            "chat_template": checkpoints_llm.CHAT,
            "eos_token": {"content": "<|im_end|>"},
            "model_max_length": 99,
        }
        (place / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    found, own = load_generator(str(place), device="cpu"), load_generator(str(ours), device="cpu")
    assert found.generate(TEXTS[:2], max_tokens=9) == own.generate(TEXTS[:2], max_tokens=9)
    assert found.context == (99 if beside == "settings" else 2048)
    assert isinstance(load_translator(str(place), source="en", target="es", device="cpu"), PromptTranslator)


def test_a_hub_id_in_the_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the hub's client lays it out: a snapshot of links."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(root / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model, source = _nllb(root, "hubbed")
    commit, repo = "0" * 39 + "1", root / "hub" / "models--someone--nllb-200-600M-ct2-int8"
    (repo / "blobs").mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit, encoding="utf-8")
    (repo / "snapshots" / commit).mkdir(parents=True)
    for path in [*model.iterdir(), source / "sentencepiece.bpe.model"]:
        shutil.copyfile(path, repo / "blobs" / path.name)
        (repo / "snapshots" / commit / path.name).symlink_to(Path("../../blobs") / path.name)
    assert hub.local_snapshot("someone/nllb-200-600M-ct2-int8", None) == repo / "snapshots" / commit
    place = model_directory("someone/nllb-200-600M-ct2-int8", "en", "es", "int8")
    assert place == repo / "snapshots" / commit
    found = load_translator("someone/nllb-200-600M-ct2-int8", source="en", target="es", device="cpu")
    assert found is not None and found.signature.startswith("mt:nllb-200-600M-ct2-int8@")
