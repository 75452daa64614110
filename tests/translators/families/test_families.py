"""Each family against transformers: same tokens in, same log-probabilities, same greedy output, on the same weights."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
import transformers

from spanferry.corpora.errors import ModelError
from spanferry.translators.conversion.convert import convert, quiet, read_files
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.families import DESCRIPTION, open_family, read_json, recognise
from spanferry.translators.families.mbart50 import MBart50Family
from spanferry.translators.languages.codes import MADLAD, MBART50, NLLB
from spanferry.translators.languages.tags import tags_of
from spanferry.translators.pieces import TokenizerJson
from tests.translators import checkpoints

SOURCES = [
    "I have two cats.",
    "The quick brown fox jumps over the lazy dog. Where is it?",
    "Она живёт в Москве.",
    "他住在北京",
    "Hello  world",
    "25 euros, thing!",
]
TARGETS = ["Tengo dos gatos.", "Der schnelle Hund.", "perro", "他", "Hello Москве", "a b c"]
STEPS = 12


class Origin:
    """The same model in transformers."""

    def __init__(
        self, directory: Path, model_class: Any, *, forced: str | None = None, spelled: str = "", small: bool = False
    ) -> None:
        with quiet():
            if small:  # its own tokeniser is M2M100's with the target's token where the source's is
                files = (str(directory / "vocab.json"), str(directory / "sentencepiece.bpe.model"))
                self.tokenizer = transformers.M2M100Tokenizer(*files, src_lang="es")
            else:
                self.tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
            self.model = model_class.from_pretrained(directory, dtype=torch.float32).eval()
        self.model.generation_config.forced_eos_token_id = None  # the end put where the length limit cuts
        self.forced = None if forced is None else self.tokenizer.convert_tokens_to_ids(forced)
        self.spelled = spelled

    def source_ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(self.spelled + " ".join(text.split()))["input_ids"]
        return ids

    def source_tokens(self, text: str) -> list[str]:
        tokens: list[str] = self.tokenizer.convert_ids_to_tokens(self.source_ids(text))
        return tokens

    def logprobs(self, text: str, target: list[str]) -> np.ndarray:
        start = [self.model.config.decoder_start_token_id, *([self.forced] if self.forced is not None else [])]
        ids = [*self.tokenizer.convert_tokens_to_ids(target), self.model.config.eos_token_id]
        with torch.no_grad():
            logits = self.model(
                input_ids=torch.tensor([self.source_ids(text)]), decoder_input_ids=torch.tensor([start + ids[:-1]])
            ).logits[0, len(start) - 1 :]
        if getattr(self.model.config, "model_type", "") == "marian":
            logits[:, self.model.config.pad_token_id] = -torch.inf  # never generated; gone from the converted model
        return torch.log_softmax(logits, -1)[torch.arange(len(ids)), torch.tensor(ids)].numpy()

    def greedy(self, text: str) -> list[int]:
        """Ids, since a tokeniser may have one name for several ids (M2M100's made-up words)."""
        with torch.no_grad(), quiet():
            ids: list[int] = self.model.generate(
                torch.tensor([self.source_ids(text)]),
                num_beams=1, do_sample=False, max_new_tokens=STEPS, forced_bos_token_id=self.forced,
            )[0].tolist()  # fmt: skip
        body = ids[1 + (self.forced is not None) :]
        end = self.model.config.eos_token_id
        return body[: body.index(end)] if end in body else body


def language_tokens(ours: CT2Translator) -> dict[str, str]:
    tokens: dict[str, str] = read_json(ours.directory / DESCRIPTION)["language_tokens"]
    return tokens


CASES = {
    "marian": (lambda d: checkpoints.marian(d), "MarianMTModel", {}, ("en", "de")),
    "marian-multi": (
        lambda d: checkpoints.marian(d, ("deu", "spa", "srp_Cyrl", "srp_Latn", "cmn_Hans", "cmn_Hant")),
        "MarianMTModel",
        {"spelled": ">>spa<< "},
        ("en", "es"),
    ),
    "marian-trained-padding": (
        lambda d: checkpoints.marian(d, trained_padding=True),
        "MarianMTModel",
        {},
        ("en", "de"),
    ),
    "nllb": (
        lambda d: checkpoints.nllb(d, NLLB),
        "M2M100ForConditionalGeneration",
        {"forced": "spa_Latn"},
        ("en", "es"),
    ),
    "m2m100": (checkpoints.m2m100, "M2M100ForConditionalGeneration", {"forced": "__es__"}, ("en", "es")),
    "small100": (
        lambda d: checkpoints.m2m100(d, small=True),
        "M2M100ForConditionalGeneration",
        {"small": True},
        ("en", "es"),
    ),
    "mbart50": (checkpoints.mbart50, "MBartForConditionalGeneration", {"forced": "es_XX"}, ("en", "es")),
    "madlad": (lambda d: checkpoints.t5(d, MADLAD), "T5ForConditionalGeneration", {"spelled": "<2es> "}, ("en", "es")),
    "t5": (
        lambda d: checkpoints.t5(d, ()),
        "T5ForConditionalGeneration",
        {"spelled": "translate English to German: "},
        ("en", "de"),
    ),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("families")


@pytest.fixture(scope="module", params=CASES)
def pair(request: pytest.FixtureRequest, cache: Path) -> Any:
    build, model_class, options, languages = CASES[request.param]
    directory = build(cache / request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPANFERRY_CACHE", str(cache / "cache"))
        converted = convert(directory, quantization="float32")
    ours = CT2Translator(converted, device="cpu", compute_type="float32", beam=1, max_target=STEPS + 2)
    return request.param, ours, Origin(directory, getattr(transformers, model_class), **options), languages


def test_is_recognised(pair: Any) -> None:
    name, ours, _, _ = pair
    families = {"marian-multi": "marian", "marian-trained-padding": "marian", "madlad": "t5", "small100": "m2m100"}
    assert ours.family.name == families.get(name, name)


def test_same_tokens_in(pair: Any) -> None:
    _, ours, origin, languages = pair
    for text in SOURCES:
        known = [t if t in ours.vocabulary else "<unk>" for t in ours.encode_source(text, *languages)]
        assert known == origin.source_tokens(text)


def test_same_log_probabilities(pair: Any) -> None:
    _, ours, origin, languages = pair
    for source, score in zip(SOURCES, ours.score_pairs(SOURCES, TARGETS, *languages), strict=True):
        assert score.reason is None
        np.testing.assert_allclose(score.logprobs, origin.logprobs(source, list(score.pieces)), atol=1e-3)


def test_same_greedy_output(pair: Any) -> None:
    _, ours, origin, languages = pair
    for text in SOURCES:
        tokens = ours.encode_source(text, *languages)
        prefix = ours.target_prefix(languages[1])
        result = ours.raw.translate_batch(
            [tokens],
            [prefix] if prefix else None,
            beam_size=1,
            min_decoding_length=0,
            max_decoding_length=STEPS + len(prefix),
        )
        # The language token counts as a new one in transformers.
        ours_found = result[0].hypotheses[0][len(prefix) :]
        assert [ours.vocabulary[token] for token in ours_found[: STEPS - len(prefix)]] == origin.greedy(text)


def test_language_tokens_in_a_text_do_not_steer(pair: Any) -> None:
    _, ours, _, languages = pair
    frame = ours.family.frame(*languages)
    spelled = sorted(ours.family.specials)
    assert len(spelled) >= 4
    for token in spelled:
        tokens = ours.encode_source(f"{token} I have {token} two cats{token}", *languages)
        inner = tokens[len(frame.source_prefix) : len(tokens) - len(frame.source_suffix)]
        assert not ours.family.specials.intersection(inner), token
        assert not ours.family.specials.intersection(ours.encode_target(token, languages[1]))


def test_right_language_tokens(pair: Any) -> None:
    """Of every direction from and into English, as transformers' tokeniser spells them."""
    name, ours, origin, _ = pair
    sources, targets = ours.family.languages()
    if name in ("nllb", "m2m100", "mbart50", "small100"):
        tokens = language_tokens(ours)
        assert set(tokens) == set(sources) == set(targets)
        assert len(tokens) == {"nllb": 202, "mbart50": 52}.get(name, 100)
        for tag, token in tokens.items():
            origin.tokenizer.src_lang = token.strip("_")
            opened = origin.tokenizer.convert_ids_to_tokens(origin.tokenizer("a")["input_ids"])[0]
            into = ours.family.frame("en", tag)
            assert opened == token
            if name == "small100":
                assert (into.source_prefix, into.target_prefix) == ((token,), ())
            else:
                assert (ours.family.frame(tag, "en").source_prefix, into.target_prefix) == ((token,), (token,))
        origin.tokenizer.src_lang = tokens["es" if name == "small100" else "en"].strip("_")
    else:
        codes = {"de": "deu", "es": "spa", "sr": "srp_Cyrl", "sr-Latn": "srp_Latn", "zh-Hans": "cmn_Hans"}
        codes["zh-Hant"] = "cmn_Hant"
        spelled = {"marian-multi": {tag: [f">>{code}<<"] for tag, code in codes.items()}, "marian": {"de": []}}
        spelled["marian-trained-padding"] = spelled["marian"]
        spelled["madlad"] = {tag: [f"<2{code}>"] for tag, code in tags_of(MADLAD).items()}
        for tag, expected in spelled.get(name, {}).items():
            prefix = list(ours.family.frame("en", tag).source_prefix)
            assert [t for t in prefix if t != "▁"] == expected
            ids = origin.tokenizer(f"{' '.join(expected)} a")["input_ids"]
            assert origin.tokenizer.convert_ids_to_tokens(ids)[: len(prefix)] == prefix
        if name in spelled:
            assert sorted(targets) == sorted(spelled[name])
        else:
            assert list(targets) == ["de", "fr", "ro"]


def test_special_pieces_have_the_ids_of_the_origin(pair: Any) -> None:
    name, ours, origin, _ = pair
    special = {*origin.tokenizer.all_special_tokens, *language_tokens(ours).values()}
    if name.startswith("marian"):
        special.remove("<pad>")  # the converted model starts without it
    assert len(special) >= 2
    for token in special:
        assert ours.vocabulary[token] == origin.tokenizer.convert_tokens_to_ids(token), token
        assert origin.tokenizer.convert_ids_to_tokens(ours.vocabulary[token]) == token


def test_unknown_pieces_are_counted(pair: Any) -> None:
    _, ours, _, _ = pair
    assert ours.unknown("I have two cats.") == 0
    assert ours.unknown("I have 𓀀 two ⛄ cats.") == 2


def test_round_trip_of_pieces(pair: Any) -> None:
    _, ours, _, languages = pair
    for text in ("Tengo dos gatos.", "Hello world, this is a test."):
        assert ours.decode(ours.encode_target(text, languages[1]), languages[1]) == text


def test_is_recognised_without_its_description(pair: Any, tmp_path: Path) -> None:
    name, ours, _, languages = pair
    # Nothing in a converted SMaLL-100 distinguishes it from M2M100 but its name.
    directory = tmp_path / ("small100-ct2" if name == "small100" else "opus-mt-en-de")
    shutil.copytree(ours.directory, directory, ignore=shutil.ignore_patterns("spanferry.json"))
    family, facts = open_family(directory)
    assert type(family) is type(ours.family)
    assert family.frame(*languages) == ours.family.frame(*languages)
    assert facts["name"] == directory.name


def test_translations_are_the_tokens_of_the_engine(pair: Any) -> None:
    _, ours, _, languages = pair
    prefix = ours.target_prefix(languages[1])
    for text, found in zip(SOURCES, ours.translate(SOURCES, *languages), strict=True):
        tokens = ours.encode_source(text, *languages)
        raw = ours.raw.translate_batch(
            [tokens], [prefix] if prefix else None, beam_size=1, max_decoding_length=STEPS + 2
        )
        hypothesis = raw[0].hypotheses[0][len(prefix) :]
        # Random weights seldom stop: what did not end is rejected, never handed out cut.
        cut = len(hypothesis) + len(prefix) >= STEPS + 2
        assert (found.reason, found.truncated) == (("output_truncated", True) if cut else (None, False))
        assert found.pieces == (() if cut else tuple(hypothesis))


def _converted(directory: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> CT2Translator:
    monkeypatch.setenv("SPANFERRY_CACHE", str(cache / "cache"))
    return CT2Translator(convert(directory, quantization="float32"), device="cpu", compute_type="float32")


def test_m2m100_saved_by_transformers_5_keeps_its_languages(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _converted(checkpoints.m2m100(cache / "m2m-saved", as_on_hub=False), cache, monkeypatch)
    assert len(ours.family.languages()[0]) == 100
    assert ours.family.frame("en", "zh").target_prefix == ("__zh__",)
    origin = Origin(cache / "m2m-saved", transformers.M2M100ForConditionalGeneration, forced="__es__")
    score = ours.score_pairs(SOURCES[:1], TARGETS[:1], "en", "es")[0]
    np.testing.assert_allclose(score.logprobs, origin.logprobs(SOURCES[0], list(score.pieces)), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "sources", "targets"),
    [("mbart-large-50-many-to-many-mmt", 52, 52), ("mbart-large-50-one-to-many-mmt", 1, 52),
     ("mbart-large-50-many-to-one-mmt", 52, 1)],
)  # fmt: skip
def test_mbart50_with_english_on_one_side(cache: Path, name: str, sources: int, targets: int) -> None:
    directory = checkpoints.mbart50(cache / name)
    facts = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    # As on the hub; the field decides how the converter starts the decoder.
    (directory / "config.json").write_text(json.dumps({**facts, "tokenizer_class": "MBart50Tokenizer"}))
    found = read_files(directory)
    family = recognise(found, name)
    described = family.describe(replace(found, vocabulary=[*MBART50, "a"]))
    assert family is MBart50Family
    assert (len(described["source_languages"]), len(described["target_languages"])) == (sources, targets)
    assert described["language_tokens"]["zh-Hans"] == "zh_CN" and described["language_tokens"]["en"] == "en_XX"


def test_the_first_mbart_is_not_taken_for_mbart50(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mbart"}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "MBartTokenizer"}')
    with pytest.raises(ModelError, match="no family knows a model of type 'mbart'"):
        recognise(read_files(tmp_path), str(tmp_path))


def test_marian_with_tokens_behind_the_padding_is_an_error(cache: Path) -> None:
    directory = checkpoints.marian(cache / "added" / "opus-mt-en-de")
    vocabulary = json.loads((directory / "vocab.json").read_text(encoding="utf-8"))
    last = len(vocabulary) - 1
    swapped = {token: {last: last - 1, last - 1: last}.get(i, i) for token, i in vocabulary.items()}
    (directory / "vocab.json").write_text(json.dumps(swapped), encoding="utf-8")
    with pytest.raises(ModelError, match=r"the last of the \d+ tokens is .*, not '<pad>'") as caught:
        convert(directory, quantization="float32", root=cache / "added")
    assert "Hint: put added tokens before <pad>" in str(caught.value)


def test_marian_with_two_vocabularies_is_an_error(cache: Path) -> None:
    directory = checkpoints.marian(cache / "separate" / "opus-mt-en-de")
    with quiet():
        config = transformers.MarianConfig.from_pretrained(directory)
        config.share_encoder_decoder_embeddings, config.tie_word_embeddings = False, False
        transformers.MarianMTModel(config).save_pretrained(directory)
    with pytest.raises(ModelError, match="separate vocabularies"):
        convert(directory, quantization="float32", root=cache / "separate")


@pytest.mark.parametrize("name", ["marian", "nllb"])
def test_a_checkpoint_in_half_precision(cache: Path, name: str) -> None:
    directory = getattr(checkpoints, name)(cache / "half" / name)
    with quiet():
        model = getattr(transformers, CASES[name][1]).from_pretrained(directory)
        model.half().save_pretrained(directory)
    origin = Origin(directory, type(model), **CASES[name][2])
    assert json.loads((directory / "config.json").read_text(encoding="utf-8"))["dtype"] == "float16"
    ours = CT2Translator(
        convert(directory, quantization="float32", root=cache / "half"), device="cpu", compute_type="float32"
    )
    for source, score in zip(SOURCES, ours.score_pairs(SOURCES, TARGETS, *CASES[name][3]), strict=True):
        np.testing.assert_allclose(score.logprobs, origin.logprobs(source, list(score.pieces)), atol=1e-4)


def test_the_model_that_clipped_first_words() -> None:
    """Its padding embedding, with which transformers starts, was trained: half the size of a word's."""
    directory = Path(__file__).parents[3].parent / "shared" / "models" / "en-es-first"
    if not directory.is_dir():
        pytest.skip("the model en-es-first is not beside the checkout")
    origin = Origin(directory, transformers.MarianMTModel)
    with tempfile.TemporaryDirectory() as root:
        made = convert(directory, quantization="float32", root=Path(root))
        ours = CT2Translator(made, device="cpu", compute_type="float32", beam=1)
        scores = ours.score_pairs(SOURCES, TARGETS, "en", "es")
    for text, score, translation in zip(SOURCES, scores, ours.translate(SOURCES, "en", "es"), strict=True):
        np.testing.assert_allclose(score.logprobs, origin.logprobs(text, list(score.pieces)), atol=1e-3)
        assert [ours.vocabulary[piece] for piece in translation.pieces[:STEPS]] == origin.greedy(text)


def test_a_tokenizer_json_serves_where_there_is_no_sentencepiece(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _converted(checkpoints.nllb(cache / "whole"), cache, monkeypatch)
    shutil.copytree(cache / "whole", cache / "json-nllb", ignore=shutil.ignore_patterns("*.model", "*.vocab"))
    ours = _converted(cache / "json-nllb", cache, monkeypatch)
    assert type(ours.family.pieces("source")) is TokenizerJson
    for text in [*SOURCES, "I have eng_Latn 東 two"]:
        pieces, ranges = ours.pieces(text, "en", side="source")
        assert pieces == whole.pieces(text, "en", side="source")[0]
        assert all(0 <= start <= end <= len(text) for start, end in ranges)
    assert ours.decode(ours.encode_target("Tengo dos gatos.", "es"), "es") == "Tengo dos gatos."


def test_a_model_without_its_tokeniser_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = checkpoints.nllb(cache / "bare-nllb")
    monkeypatch.setenv("SPANFERRY_CACHE", str(cache / "cache"))
    made = convert(directory, quantization="float32")
    for name in ("sentencepiece.bpe.model", "tokenizer.json"):
        (made / name).unlink()
    with pytest.raises(ModelError, match="no tokeniser"):
        CT2Translator(made, device="cpu", compute_type="float32")
