"""Each family against transformers: same tokens in, same log-probabilities, same greedy output, on the same weights."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import checkpoints
import torch
import transformers

from corpora.errors import ModelError
from translators.convert import convert, quiet
from translators.ct2 import CT2Translator
from translators.families import open_family
from translators.pieces import TokenizerJson

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

    def __init__(self, directory: Path, model_class: Any, *, forced: str | None = None, spelled: str = "") -> None:
        with quiet():
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
            self.model = model_class.from_pretrained(directory).float().eval()
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

    def greedy(self, text: str) -> list[str]:
        with torch.no_grad(), quiet():
            ids = self.model.generate(
                torch.tensor([self.source_ids(text)]),
                num_beams=1, do_sample=False, max_new_tokens=STEPS, forced_bos_token_id=self.forced,
            )[0].tolist()  # fmt: skip
        body = ids[1 + (self.forced is not None) :]
        end = self.model.config.eos_token_id
        found: list[str] = self.tokenizer.convert_ids_to_tokens(body[: body.index(end)] if end in body else body)
        return found


CASES = {
    "marian": (lambda d: checkpoints.marian(d), "MarianMTModel", {}, ("en", "de")),
    "marian-multi": (
        lambda d: checkpoints.marian(d, ("deu", "spa")),
        "MarianMTModel",
        {"spelled": ">>spa<< "},
        ("en", "es"),
    ),
    "nllb": (checkpoints.nllb, "M2M100ForConditionalGeneration", {"forced": "spa_Latn"}, ("en", "es")),
    "m2m100": (checkpoints.m2m100, "M2M100ForConditionalGeneration", {"forced": "__es__"}, ("en", "es")),
    "madlad": (checkpoints.t5, "T5ForConditionalGeneration", {"spelled": "<2es> "}, ("en", "es")),
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
    assert ours.family.name == {"marian-multi": "marian", "madlad": "t5"}.get(name, name)


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
            [tokens], [prefix] if prefix else None, beam_size=1, max_decoding_length=STEPS + len(prefix)
        )
        # The language token counts as a new one in transformers.
        ours_found = result[0].hypotheses[0][len(prefix) :]
        assert ours_found[: STEPS - len(prefix)] == origin.greedy(text)


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


def test_unknown_pieces_are_counted(pair: Any) -> None:
    _, ours, _, _ = pair
    assert ours.unknown("I have two cats.") == 0
    assert ours.unknown("I have 𓀀 two ⛄ cats.") == 2


def test_round_trip_of_pieces(pair: Any) -> None:
    _, ours, _, languages = pair
    for text in ("Tengo dos gatos.", "Hello world, this is a test."):
        assert ours.decode(ours.encode_target(text, languages[1]), languages[1]) == text


def test_is_recognised_without_its_description(pair: Any, tmp_path: Path) -> None:
    _, ours, _, languages = pair
    directory = tmp_path / "opus-mt-en-de"
    shutil.copytree(ours.directory, directory, ignore=shutil.ignore_patterns("spanferry.json"))
    family, facts = open_family(directory)
    assert type(family) is type(ours.family)
    assert family.frame(*languages) == ours.family.frame(*languages)
    assert facts["name"] == "opus-mt-en-de"


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


def test_small100_names_the_target_on_the_source(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _converted(checkpoints.m2m100(cache / "small100"), cache, monkeypatch)
    tokens = ours.encode_source("I have two cats.", "en", "es")
    assert (tokens[0], tokens[-1], ours.target_prefix("es")) == ("__es__", "</s>", [])


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
