"""A language model asked for spans: prompts, answers, matching, and a real small model that has learned its answers."""

import doctest
import json
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("torch")
import torch
import transformers

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput, Projector
from spanferry.projectors.methods import contextual
from spanferry.projectors.methods.build import build_projector
from spanferry.projectors.methods.contextual import ContextualProjector, prompt, read_answer
from spanferry.translators.base import Generation, TextGenerator
from spanferry.translators.conversion.convert import convert, quiet
from spanferry.translators.engine.generator import CT2Generator
from spanferry.translators.prompting.prompted import PromptTranslator
from spanferry.translators.prompting.prompts import choose_template
from tests.translators.checkpoints_llm import language_model


def item(source: str, target: str, *quotes: str, name: str = "e") -> ProjectionInput:
    spans, at = [], 0
    for k, quote in enumerate(quotes):
        at = source.index(quote, at)
        spans.append(Span(at, at + len(quote), f"L{k}", f"s{k}"))
        at += len(quote)
    return ProjectionInput(name, source, target, tuple(spans), "en", "es")


CATS = item("I have two cats and one dog.", "Tengo dos gatos y un perro.", "two cats", "one dog", name="cats")
DOGS = item("A dog saw a dog.", "Un perro vio un perro.", "dog", "dog", name="dogs")
LOST = item("Well, we went home.", "Volvimos a casa.", "Well", "home", name="lost")
LEARNED = {
    "cats": "1. dos gatos\n2. un perro",
    "dogs": "1. perro",
    "lost": "1. -\n2. a casa",
}
ROWS = [CATS, DOGS, LOST]


def quotes_of(text: ProjectionInput) -> list[str]:
    return list(dict.fromkeys(span.quote(text.source_text) for span in text.spans))


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> CT2Generator:
    """A GPT-2 of two layers that has learned the answers to three prompts by heart."""
    folder = tmp_path_factory.mktemp("contextual")
    directory = language_model(folder / "gpt2", "gpt2", chat=False, n_positions=512, n_embd=64)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    with quiet():
        network = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    texts = [prompt(row, quotes_of(row)) for row in ROWS]
    rows = [
        (len(tokenizer(text)["input_ids"]), tokenizer(text + LEARNED[row.id])["input_ids"] + [tokenizer.eos_token_id])
        for text, row in zip(texts, ROWS, strict=True)
    ]
    longest = max(len(ids) for _, ids in rows)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for _, ids in rows])
    labels = torch.tensor([[-100] * start + ids[start:] + [-100] * (longest - len(ids)) for start, ids in rows])
    torch.manual_seed(3)
    steps = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(400):
        loss = network(ids, labels=labels).loss
        steps.zero_grad()
        loss.backward()
        steps.step()
        if loss.item() < 0.01:
            break
    with quiet():
        network.save_pretrained(directory)
    return CT2Generator(convert(directory, quantization="float32", root=folder / "converted"), device="cpu")


def placed(found: Sequence[Any], text: ProjectionInput) -> list[str | None]:
    return [p.span.quote(text.target_text) if p.span else p.reason for p in found]


def test_a_model_that_knows_its_answers(generator: CT2Generator) -> None:
    projector = ContextualProjector(generator)
    assert isinstance(generator, TextGenerator) and isinstance(projector, Projector)
    found = projector.project(ROWS)
    assert [placed(row, text) for row, text in zip(found, ROWS, strict=True)] == [
        ["dos gatos", "un perro"],
        ["perro", "perro"],
        ["no_answer", "a casa"],
    ]
    assert [p.span.start for p in found[1] if p.span] == [3, 16]  # the first goes with the first
    assert {p.method for row in found for p in row} == {"contextual"}
    assert all(0.8 < p.score <= 1.0 for row in found for p in row if p.span)


def test_order_labels_and_batches_change_nothing(generator: CT2Generator) -> None:
    projector = ContextualProjector(generator)
    together = projector.project(ROWS)
    assert [projector.project([row])[0] for row in ROWS] == together
    for text, found in zip(ROWS, together, strict=True):
        spans = [replace(span, label="Z") for span in text.spans]
        random.Random(2).shuffle(spans)
        (other,) = projector.project([replace(text, spans=tuple(spans))])
        by_id = {p.source_span_id: p for p in other}
        for p in found:
            again = by_id[p.source_span_id]
            assert (p.score, p.reason) == (again.score, again.reason)
            assert p.span is None or again.span == replace(p.span, label="Z")


class Scripted:
    """A generator that gives the same answer to every prompt and keeps the prompts."""

    signature, context = "llm:reported", 4096

    def __init__(self, text: str = "", reason: str | None = None, score: float | None = None) -> None:
        self.answer = Generation(text, score=score, reason=reason)
        self.prompts: list[str] = []

    def length(self, prompt: str) -> int:
        return len(prompt)

    def generate(
        self, prompts: Sequence[str], *, max_tokens: int | None = None, stop: Sequence[str] = ()
    ) -> list[Generation]:
        self.prompts += prompts
        return [self.answer] * len(prompts)


@pytest.mark.parametrize(
    ("source", "quote", "target", "answer", "outcome"),
    [
        ("She lives in Cairo.", "Cairo", "هي تعيش في القاهرة.", "القاهرة", "القاهرة"),
        ("She lives in Haifa.", "Haifa", "היא גרה בחיפה.", "1. בחיפה", "בחיפה"),
        ("She lives in Beijing.", "Beijing", "她住在北京。", "1. 「北京」", "北京"),
        ("She lives in Tokyo 😀.", "Tokyo 😀", "彼女は東京😀に住む。", "1) 東京😀", "東京😀"),
        ("She lives in Bangkok.", "Bangkok", "เธออยู่กรุงเทพ", "1. กรุงเทพ", "กรุงเทพ"),
        ("She lives in Kazan.", "Kazan", "Она живёт в Казани.", "1. Казань", "Казани"),
        ("She paid 20 euros.", "20 euros", "Pagó 20 euros.", "1. 21 euros", "not_in_target"),
        ("She lives there.", "there", "Vive allí.", "1. en Roma", "not_in_target"),
        ("She lives there.", "there", "Vive allí.", "1.", "no_answer"),
        ("She lives there.", "there", "Vive allí.", "2. allí", "no_answer"),
        ("She lives there.", "there", " ", "1. allí", "empty_target"),
        ("She  lives.", " ", "Vive.", "1. Vive", "empty_span"),
    ],
)
def test_answers_are_looked_up(source: str, quote: str, target: str, answer: str, outcome: str) -> None:
    text = item(source, target, quote)
    (found,) = ContextualProjector(Scripted(answer)).project([text])
    assert placed(found, text) == [outcome]


def test_one_answer_for_two_spans_goes_to_one() -> None:
    text = item("two cats", "dos gatos", "two", "cats")
    (found,) = ContextualProjector(Scripted("1. gatos\n2. gatos")).project([text])
    assert sorted(map(str, placed(found, text))) == ["gatos", "overlap"]


def test_the_model_s_reason_is_passed_on() -> None:
    (found,) = ContextualProjector(Scripted(reason="source_too_long")).project([CATS])
    assert [(p.span, p.score, p.reason) for p in found] == [(None, 0.0, "source_too_long")] * 2


def test_a_doubtful_answer_has_a_lower_score() -> None:
    scores = [
        ContextualProjector(Scripted("1. dos gatos\n2. un perro", score=s)).project([CATS])[0][0].score
        for s in (-1.0, -0.1)
    ]
    assert scores == [pytest.approx(0.3679), pytest.approx(0.9048)]


def test_prompts_name_languages_and_parts_and_long_lists_are_cut() -> None:
    reported = Scripted("1. Un")
    words = " ".join(f"w{n}" for n in range(30))
    many = item(words, "Un dos", *words.split())
    ContextualProjector(reported).project([many, CATS, replace(CATS, id="again"), replace(CATS, target_text="")])
    assert len(reported.prompts) == 4  # three for the long list, one for the two that are the same
    assert prompt(CATS, ["two cats", "one dog"]) in reported.prompts
    shown = prompt(replace(CATS, source_text="I have\ntwo cats"), ["two cats"])
    assert "English: I have two cats\n" in shown and "Spanish: Tengo dos gatos y un perro.\n" in shown
    assert "\n1. two cats\n" in shown


def test_fragments_are_asked_for_one_by_one() -> None:
    span = Span(7, 27, "X", "s", fragments=((7, 15), (20, 27)))
    (found,) = ContextualProjector(Scripted("1. dos gatos\n2. un perro")).project([replace(CATS, spans=(span,))])
    assert found[0].span == Span(6, 26, "X", "s", fragments=((6, 15), (18, 26)))


def test_reading_answers() -> None:
    assert doctest.testmod(contextual).failed == 0
    assert read_answer(Generation("2. b\n1. a\n2. c\nok"), 2) == [("a", 1.0), ("b", 1.0)]
    assert read_answer(Generation("just this"), 1) == [("just this", 1.0)]
    assert read_answer(Generation("just this"), 2) == ["no_answer", "no_answer"]


class Chat(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint that knows the answers to three prompts and refuses others."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = {prompt(row, quotes_of(row)): LEARNED[row.id] for row in ROWS}
        text = known.get(body["messages"][-1]["content"])
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        found = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage} if text else {}
        data = json.dumps(found).encode()
        self.send_response(200 if text else 400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def test_an_endpoint_is_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANFERRY_API_KEY", "a-secret")
    options = {"generator": "endpoint:small", "generator_options": {"url": address}}
    projector = build_projector("contextual", options, None, "en", "es")
    unknown = item("A hen.", "Una gallina.", "hen")
    found = projector.project([*ROWS, unknown])
    assert [placed(row, text) for row, text in zip(found, ROWS, strict=False)] == [
        ["dos gatos", "un perro"],
        ["perro", "perro"],
        ["no_answer", "a casa"],
    ]
    assert found[3][0].span is None and str(found[3][0].reason).startswith("endpoint_")
    assert "a-secret" not in projector.signature
    with pytest.raises(ConfigError, match="colour"):
        build_projector("contextual", {**options, "generator_options": {"colour": 1}}, None, "en", "es")


def test_the_language_model_behind_the_translator(generator: CT2Generator) -> None:
    translator = PromptTranslator(generator, choose_template("auto", generator.name, has_chat=False))
    projector = ContextualProjector(translator=translator)
    assert projector.generator is generator


def test_from_a_configuration(generator: CT2Generator) -> None:
    options = {"generator": str(generator.directory), "ratio": 0.9}
    projector = build_projector("contextual", options, None, "en", "es")
    assert placed(projector.project([CATS])[0], CATS) == ["dos gatos", "un perro"]
    assert projector.signature != ContextualProjector(generator).signature
    with pytest.raises(ModelError, match="needs a language model") as error:
        build_projector("contextual", {}, None, "en", "es")
    assert "projector.options.generator" in str(error.value)
    with pytest.raises(ConfigError, match="ratio = 0"):
        ContextualProjector(generator, 0)
