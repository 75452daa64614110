"""Language models: as in transformers, and what their answers become."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
import transformers

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.base import TextGenerator
from spanferry.translators.conversion.convert import convert, quiet
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.generator import CT2Generator
from spanferry.translators.loading.load import load_generator, load_translator
from spanferry.translators.prompting.prompted import PromptTranslator
from tests.translators.checkpoints_llm import ARCHITECTURES, language_model

PROMPTS = [
    "Translate: I have two cats and one dog.",
    "Wie geht es dir?",
    "Она живёт в Москве. 他住在北京。",
    "  a line\n\nand another  ",
]
STEPS = 12


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("llm")


def made(directory: Path, cache: Path, **options: Any) -> CT2Generator:
    converted = convert(directory, quantization="float32", root=cache / "converted")
    return CT2Generator(converted, device="cpu", compute_type="float32", **options)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def pair(request: pytest.FixtureRequest, cache: Path) -> Any:
    directory = language_model(cache / request.param, request.param)
    with quiet():
        origin = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    return made(directory, cache), origin, tokenizer


def chat_ids(tokenizer: Any, prompt: str) -> list[int]:
    found: list[int] = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)[
        "input_ids"
    ]
    return found


def test_same_tokens_in(pair: Any) -> None:
    ours, _, tokenizer = pair
    for prompt in PROMPTS:
        assert ours.encode(prompt) == tokenizer.convert_ids_to_tokens(chat_ids(tokenizer, prompt))
        assert ours.length(prompt) == len(chat_ids(tokenizer, prompt))


def test_same_log_probabilities(pair: Any) -> None:
    ours, origin, tokenizer = pair
    for prompt in PROMPTS:
        ids = chat_ids(tokenizer, prompt)
        with torch.no_grad():
            logits = torch.log_softmax(origin(torch.tensor([ids])).logits[0], -1)
        theirs = logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].numpy()
        found = ours.raw.score_batch([ours.encode(prompt)])[0].log_probs
        np.testing.assert_allclose(found, theirs, atol=1e-3)


def test_same_greedy_output(pair: Any) -> None:
    """Ids, their mean log-probability, and the text that is made of them."""
    ours, origin, tokenizer = pair
    for prompt in PROMPTS:
        ids = chat_ids(tokenizer, prompt)
        with torch.no_grad(), quiet():
            out = origin.generate(
                torch.tensor([ids]), do_sample=False, max_new_tokens=STEPS, pad_token_id=0,
                return_dict_in_generate=True, output_logits=True,
            )  # fmt: skip
        theirs = out.sequences[0, len(ids) :].tolist()
        rows = torch.log_softmax(torch.stack(out.logits)[:, 0], -1)
        mean = float(rows[torch.arange(len(theirs)), torch.tensor(theirs)].mean())
        raw = ours.raw.generate_batch(
            [ours.encode(prompt)], max_length=STEPS, include_prompt_in_result=False, return_end_token=True
        )[0]
        assert raw.sequences_ids[0] == theirs
        answer = ours.generate([prompt], max_tokens=STEPS)[0]
        if theirs[-1] == tokenizer.eos_token_id:
            text = tokenizer.decode(theirs, skip_special_tokens=True).strip()
            if "\ufffd" in text or not text:
                assert answer.reason in ("broken_output", "empty_output")
            else:
                assert (answer.text, answer.tokens, answer.reason) == (text, len(theirs) - 1, None)
                assert answer.score == pytest.approx(mean, abs=1e-3)
        else:
            assert (answer.text, answer.reason, answer.truncated) == ("", "output_truncated", True)


def test_special_pieces_have_the_ids_of_the_origin(pair: Any) -> None:
    ours, _, tokenizer = pair
    vocabulary = json.loads((ours.directory / "vocabulary.json").read_text(encoding="utf-8"))
    for token in ("<|endoftext|>", "<|im_start|>", "<|im_end|>"):
        assert vocabulary.index(token) == tokenizer.convert_tokens_to_ids(token)
        # A prompt that spells one does not steer: what it spells is taken out.
        assert ours.encode(f"a {token}b") == ours.encode("a b")


@pytest.fixture(scope="module")
def plain(cache: Path) -> CT2Generator:
    """A model without a chat template that writes letters."""
    return made(language_model(cache / "plain", "gpt2", chat=False, ascii_only=True), cache)


def test_without_a_chat_template_the_prompt_stands_as_it_is(plain: CT2Generator) -> None:
    assert plain.template is None
    assert "".join(plain.encode("I have two cats")) == "IĠhaveĠtwoĠcats"
    assert "chat" not in plain.signature


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_opening_token_is_there_once(cache: Path, architecture: str) -> None:
    for chat in (True, False):
        directory = language_model(cache / f"opening-{architecture}-{chat}", architecture, chat=chat, opening=True)
        ours, tokenizer = made(directory, cache), transformers.AutoTokenizer.from_pretrained(directory)
        for prompt in PROMPTS:
            theirs = chat_ids(tokenizer, prompt) if chat else tokenizer(prompt)["input_ids"]
            assert ours.encode(prompt) == tokenizer.convert_ids_to_tokens(theirs)
        assert ours.encode("a").count("<|endoftext|>") == (0 if chat else 1)


def test_chat_can_be_turned_off(cache: Path) -> None:
    directory = language_model(cache / "off", "gpt2")
    on, off = made(directory, cache), made(directory, cache, chat=False)
    assert on.encode("a")[0] == "<|im_start|>" and off.encode("a") == ["a"]
    assert off.signature == f"{on.signature}|chat:off"


def test_an_answer_ends_before_a_stop_string(plain: CT2Generator) -> None:
    assert isinstance(plain, TextGenerator)
    for prompt in ("I have two cats", "where is the dog", "one small world"):
        free = plain.generate([prompt], max_tokens=40)[0]
        assert (free.text, free.reason, free.truncated, free.tokens) == ("", "output_truncated", True, 40)
        raw = plain.raw.generate_batch([plain.encode(prompt)], max_length=40, include_prompt_in_result=False)[0]
        text = plain._tokenizer.decode(raw.sequences_ids[0])
        for mark in (text[20:21], text[30:34]):
            answer = plain.generate([prompt], max_tokens=40, stop=["none of this", mark])[0]
            wanted = text[: text.find(mark)].strip()
            expected = (wanted, None, False) if wanted else ("", "empty_output", False)
            assert (answer.text, answer.reason, answer.truncated) == expected
            assert answer.tokens <= 40
        one_token = plain.generate([prompt], max_tokens=40, stop=[text[20:21]])[0]
        assert one_token.tokens < 40, "the model does not go on behind a token that holds the stop string"


def test_rows_that_fail_fail_alone(plain: CT2Generator) -> None:
    fine = "I have two cats"
    raw = plain.raw.generate_batch([plain.encode(fine)], max_length=9, include_prompt_in_result=False)[0]
    mark = plain._tokenizer.decode(raw.sequences_ids[0]).strip()[-1]
    prompts = [fine, "", " \n", "a\ud800b", "word " * 400, fine]
    found = plain.generate(prompts, max_tokens=20, stop=[mark])
    assert [a.reason for a in found[1:5]] == ["empty_source", "empty_source", "bad_unicode", "source_too_long"]
    assert [a.truncated for a in found[1:5]] == [False, False, False, True]
    assert found[0] == found[5] and found[0].reason in (None, "empty_output")
    assert plain.length("a\ud800b") <= 3


def test_the_order_and_the_company_change_nothing(cache: Path) -> None:
    directory = convert(language_model(cache / "int8", "llama"), quantization="int8", root=cache / "converted")
    ours = CT2Generator(directory, device="cpu", compute_type="int8")
    marks = list("aeiou")
    together = ours.generate(PROMPTS * 3, max_tokens=24, stop=marks)
    assert together[: len(PROMPTS)] == together[len(PROMPTS) : 2 * len(PROMPTS)]
    assert [ours.generate([p], max_tokens=24, stop=marks)[0] for p in PROMPTS] == together[: len(PROMPTS)]
    assert ours.signature.startswith("llm:int8@") and ours.signature.endswith("|ct2:int8")


def test_a_language_model_is_a_translator(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a directory to rows: the prompt's tokens and the answer are those of transformers."""
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path))
    directory = language_model(cache / "translating", "llama", ascii_only=True)
    template, memory = tmp_path / "mine.toml", tmp_path / "memory.tsv"
    asks = ['message = "{examples}{text} into {target}:"', 'example = "{example_source} is {example_target} "']
    template.write_text("\n".join([*asks, 'stop = ["e"]']), encoding="utf-8")
    memory.write_text("two cats\tdos gatos\none dog\tun perro\n", encoding="utf-8")
    ours = load_translator(
        str(directory), source="en", target="es", device="cpu", compute_type="float32",
        template=str(template), examples=str(memory), shots=1,
    )  # fmt: skip
    assert isinstance(ours, PromptTranslator) and ours.generator.context == 256
    with quiet():
        origin = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    texts = ["two small cats", "one  lazy dog", "where is the station"]
    found = ours.translate(texts, "en", "es")
    shown = ["two cats is dos gatos two small cats", "one dog is un perro one lazy dog", "where is the station"]
    seen = 0
    for row, prompt in zip(found, shown, strict=True):
        ids = chat_ids(tokenizer, f"{prompt} into Spanish:")
        with torch.no_grad(), quiet():
            out = origin.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=64, pad_token_id=0)[0]
        text = tokenizer.decode(out[len(ids) :], skip_special_tokens=True)
        line = " ".join(text[: text.find("e")].strip().split("\n")[0].split()) if "e" in text else ""
        assert row.text == line
        if line:
            seen += 1
            written = out[len(ids) :].tolist()
            last = next(i for i, token in enumerate(written) if "e" in tokenizer.decode([token]))
            with torch.no_grad():
                logits = torch.log_softmax(origin(out[None, : len(ids) + last]).logits[0, len(ids) - 1 :], -1)
            mean = logits[torch.arange(last + 1), torch.tensor(written[: last + 1])].mean()
            assert row.score == pytest.approx(float(mean), abs=1e-3), "of all tokens, the one that ends it too"
    assert seen >= 1, "some answer has to be there to be compared"
    assert ours.signature.startswith("mt:translating@") and "|prompt:mine@" in ours.signature
    with pytest.raises(ConfigError, match="unknown option of the translator 'shot'"):
        load_translator(str(directory), device="cpu", compute_type="float32", shot=1)


def test_a_prompt_outside_the_chat_format(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path))
    directory = str(language_model(cache / "ALMA-small", "gpt2", ascii_only=True))
    ours = load_translator(directory, device="cpu", compute_type="float32")
    assert isinstance(ours, PromptTranslator) and isinstance(ours.generator, CT2Generator)
    assert ours.template.name == "alma" and ours.generator.template is None
    asked = load_generator(directory, device="cpu", compute_type="float32")
    assert isinstance(asked, CT2Generator) and asked.template is not None


def test_an_encoder_decoder_is_no_generator(model_directory: Path, cache: Path) -> None:
    with pytest.raises(ModelError, match="is of the family 'marian'"):
        load_generator(str(model_directory), device="cpu")
    ours = made(language_model(cache / "no-translator", "gpt2"), cache)
    with pytest.raises(ModelError, match="is a language model, not an encoder-decoder"):
        CT2Translator(ours.directory, device="cpu")


@pytest.mark.parametrize(
    ("architecture", "changed", "what"),
    [
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0,
                                       "original_max_position_embeddings": 128}}, "positions of the kind 'yarn'"),
        ("gemma3_text", {"query_pre_attn_scalar": 64}, "query_pre_attn_scalar=64"),
    ],
)  # fmt: skip
def test_what_would_not_be_exact_is_refused(cache: Path, architecture: str, changed: Any, what: str) -> None:
    directory = language_model(cache / f"refused-{architecture}", architecture, **changed)
    with pytest.raises(ModelError, match="would not be what its origin is") as caught:
        convert(directory, quantization="float32", root=cache / "converted")
    assert what in str(caught.value) and "--translator endpoint:MODEL" in str(caught.value)


def test_a_sliding_window_bounds_the_context(cache: Path) -> None:
    """CTranslate2 fails where a prompt passes the window."""
    ours = made(language_model(cache / "window", "mistral", sliding_window=64), cache)
    assert ours.context == 64
    short, long = "a b", "a b " * 40
    found = ours.generate([short, long], max_tokens=16)
    assert found[0].reason != "model_error" and found[1].reason == "source_too_long"


def test_a_chat_template_that_fails_is_an_error_before_any_work(cache: Path) -> None:
    ours = made(language_model(cache / "template", "gpt2"), cache)
    broken = cache / "broken"
    shutil.copytree(ours.directory, broken)
    (broken / "chat_template.jinja").write_text("{{ raise_exception('no system here') }}", encoding="utf-8")
    with pytest.raises(ModelError, match="chat template can't be rendered: no system here"):
        CT2Generator(broken, device="cpu", compute_type="float32")
    (broken / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokeniser can be read"):
        CT2Generator(broken, device="cpu", compute_type="float32")


def test_the_clock_does_not_enter_a_prompt(cache: Path) -> None:
    """Llama 3's own template writes today's date, unless it gets one."""
    ours = made(language_model(cache / "dated", "gpt2"), cache)
    dated = cache / "dated-made"
    shutil.copytree(ours.directory, dated)
    template = "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    (dated / "chat_template.jinja").write_text(
        template + "{{ date_string }} {{ messages[0]['content'] }}", encoding="utf-8"
    )
    found = CT2Generator(dated, device="cpu", compute_type="float32")
    assert "".join(found.encode("hi")) == "01ĠJanĠ2025Ġhi"


def test_a_batch_that_is_refused_at_once_is_tried_row_by_row(cache: Path) -> None:
    """CTranslate2 may raise when a batch is handed over, not only when its result is asked for."""
    ours = made(language_model(cache / "at-once", "mistral"), cache)
    prompts = ["a b", "b a", "a a"]
    expected = ours.generate(prompts, max_tokens=4)
    submit = ours._submit

    def refusing(rows: list[list[str]], cap: int, ends: list[int]) -> list[Any]:
        if len(rows) > 1:
            raise RuntimeError("out of memory")
        return submit(rows, cap, ends)

    ours._submit = refusing  # type: ignore[method-assign]
    assert ours.generate(prompts, max_tokens=4) == expected
