"""An endpoint that runs in this process: what is sent, what comes back, and everything that can go wrong."""

import json
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.translate.run import run_flow
from spanferry.flows.translate.summary import endpoint_usage, print_summary
from spanferry.translators.base import TextGenerator, Translator
from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.endpoints.limits import Usage
from spanferry.translators.loading.load import load_generator, load_translator
from spanferry.translators.prompting.prompted import PromptTranslator
from spanferry.translators.wrappers.memory import RememberingTranslator, TranslationMemory
from tests.translators.endpoint_server import KEY, Reply, Server, answer, prompt_of


def test_what_is_sent_and_what_comes_back(server: Server) -> None:
    endpoint = Endpoint("small-model", url=server.url + "/")
    assert isinstance(endpoint, TextGenerator)
    found = endpoint.generate(["hello", "ça va 你好"], max_tokens=7, stop=["\n"])
    assert [a.text for a in found] == ["HELLO", "ÇA VA 你好"]
    assert [(a.tokens, a.score, a.truncated, a.reason) for a in found] == [(5, None, False, None)] * 2
    headers, body = next(r for r in server.requests if prompt_of(r[1]) == "hello")
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "_": "/v1/chat/completions", "model": "small-model", "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 7, "temperature": 0, "seed": 0, "stop": ["\n"],
    }  # fmt: skip


def test_without_a_key_none_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPANFERRY_API_KEY")
    Endpoint("m", url=server.url).generate(["a"])
    monkeypatch.setenv("OTHER", f" {KEY}\n")  # as it comes out of a file
    Endpoint("m", url=server.url, key_env="OTHER").generate(["b"])
    assert [headers.get("authorization") for headers, _ in server.requests] == [None, f"Bearer {KEY}"]


def test_further_fields(server: Server) -> None:
    endpoint = Endpoint("m", url=server.url, extra={"max_tokens": None, "max_completion_tokens": 9})
    endpoint.generate(["a"])
    body = server.requests[0][1]
    assert "max_tokens" not in body and body["max_completion_tokens"] == 9


def test_the_order_is_that_of_the_prompts(server: Server) -> None:
    """The first prompts are answered last, and only so many are under way."""
    gate, seen = threading.Event(), []

    def reply(body: dict[str, Any], _: int) -> Reply:
        seen.append(prompt_of(body))
        if len(seen) == 4:
            gate.set()
        if prompt_of(body) in ("p0", "p1", "p2"):
            gate.wait(10)
        return answer(prompt_of(body).upper())

    server.reply = reply
    found = Endpoint("m", url=server.url, concurrency=4).generate([f"p{i}" for i in range(20)])
    assert [a.text for a in found] == [f"P{i}" for i in range(20)]
    assert 2 <= server.most_at_once <= 4


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_what_passes_is_tried_again(server: Server, status: int) -> None:
    server.reply = lambda body, number: answer("fine") if number == 2 else (status, {}, {"error": "busy"})
    endpoint = Endpoint("m", url=server.url)
    assert endpoint.generate(["a"])[0].text == "fine"
    assert len(server.requests) == 3
    assert endpoint.usage == Usage(requests=1, retries=2, prompt_tokens=10, completion_tokens=5)


@pytest.mark.parametrize(
    ("reply", "reason", "tries"),
    [
        ((400, {}, {"error": "too long"}), "endpoint_http_400", 1),
        ((422, {}, {}), "endpoint_http_422", 1),
        ((302, {"location": "http://127.0.0.1:1/"}, {}), "endpoint_http_302", 1),
        ((503, {}, b"no json"), "endpoint_http_503", 3),
        ((429, {"retry-after": "86400"}, {}), "endpoint_http_429", 1),
        ((200, {}, b"no json"), "endpoint_bad_answer", 1),
        ((200, {}, []), "endpoint_bad_answer", 1),
        ((200, {}, {"choices": []}), "endpoint_bad_answer", 1),
        ((200, {}, {"choices": [{"message": {"content": {"text": "a"}}}]}), "endpoint_bad_answer", 1),
        (answer("half of it", finish="length"), "output_truncated", 1),
        (answer("", finish="content_filter"), "content_filter", 1),
        (answer("  \n"), "empty_output", 1),
    ],
)
def test_a_row_that_fails_fails_alone(server: Server, reply: Reply, reason: str, tries: int) -> None:
    server.reply = lambda body, _: reply if prompt_of(body) == "bad" else answer("good")
    found = Endpoint("m", url=server.url, retries=2).generate(["one", "bad", "two"])
    assert [a.text for a in found] == ["good", "", "good"]
    assert [a.reason for a in found] == [None, reason, None]
    assert found[1].truncated == (reason == "output_truncated")
    assert sum(prompt_of(body) == "bad" for _, body in server.requests) == tries


def test_rows_that_can_not_be_asked_are_not_sent(server: Server) -> None:
    found = Endpoint("m", url=server.url).generate(["", " \n", "a\ud800", "fine"])
    assert [a.reason for a in found] == ["empty_source", "empty_source", "bad_unicode", None]
    assert len(server.requests) == 1


def test_an_answer_that_takes_too_long(server: Server) -> None:
    """The first row is answered, so the endpoint is there; the other never is."""
    hold = threading.Event()

    def reply(body: dict[str, Any], _: int) -> Reply:
        if prompt_of(body) == "slow":
            hold.wait(20)
        return answer("done")

    server.reply = reply
    endpoint = Endpoint("m", url=server.url, timeout=0.5, retries=1)
    assert endpoint.generate(["quick"])[0].text == "done"
    before = endpoint.usage.retries  # on a busy machine the first row may have needed one
    assert endpoint.generate(["slow"])[0].reason == "endpoint_timeout"
    hold.set()
    assert endpoint.usage.retries - before == 2


@pytest.mark.parametrize(
    ("status", "said"), [(401, "does not take the key"), (403, "let this key"), (404, "does not know the model")]
)
def test_what_no_row_can_change_ends_the_run(
    server: Server, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply = lambda body, _: (status, {}, {"error": {"message": f"Incorrect key: {KEY}"}})
    with pytest.raises(ModelError, match=said) as caught:
        Endpoint("m", url=server.url).generate(["a", "b"])
    assert "Hint:" in str(caught.value) and server.url in str(caught.value)
    assert KEY not in str(caught.value) and KEY not in caplog.text
    chain: BaseException | None = caught.value
    while chain is not None:
        assert KEY not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_nobody_there_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanferry.translators.endpoints.endpoint.backoff", lambda prompt, attempt: 0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match=r"can't be reached \(unreachable, 3 tries\)"):
            Endpoint("m", url=url, retries=2).generate(["a", "b"])


def test_the_key_is_nowhere(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = Endpoint("m", url=server.url)
    endpoint.generate(["a"])
    assert server.requests[0][0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in endpoint.signature and KEY not in repr(vars(endpoint)) and KEY not in caplog.text


def test_a_key_with_characters_no_key_has_is_not_repeated(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANFERRY_API_KEY", "sécret\x01")
    with pytest.raises(ModelError, match="SPANFERRY_API_KEY holds can't be a key") as caught:
        Endpoint("m", url=server.url).generate(["a"])
    assert "cret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize(
    "setting",
    [f"translator.options.api_key={KEY}", f"translator.options.key={KEY}", f"translator.options.Authorization={KEY}",
     f"translator.options.url=https://user:{KEY}@host/v1", f"translator.options.url=https://host/v1?key={KEY}",
     f'translator.options.extra={{api-key="{KEY}"}}',
     f'projector.options.generator_options.extra={{api-key="{KEY}"}}',
     f"projector.options.generator_options.url=https://host/v1?key={KEY}"],
)  # fmt: skip
def test_a_configuration_takes_no_secret_and_does_not_repeat_it(setting: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(RunConfig, "translate-train", settings=[setting], options={"target": ("es",)})
    assert "environment variable" in str(caught.value) and KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host/v1", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="the endpoint has no address") as caught:
        Endpoint("m", url=url)
    assert "translator.options.url=" in str(caught.value)
    assert "projector.options.generator_options.url=" in str(caught.value)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"retries": -1}, {"timeout": 0}, {"price_in": -1.0}])
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    name = next(iter(options))
    with pytest.raises(ConfigError, match=f"{name}="):
        Endpoint("m", url="http://localhost/v1", **options)


def test_the_signature_has_what_changes_the_output() -> None:
    base = Endpoint("m", url="http://localhost/v1")
    assert base.signature.startswith("llm:m@")
    same = {"timeout": 1.0, "retries": 1, "concurrency": 2, "price_in": 3.0, "requests_per_minute": 9, "key_env": "X"}
    assert Endpoint("m", url="http://localhost/v1", **same).signature == base.signature  # type: ignore[arg-type]
    others = [Endpoint("n", url="http://localhost/v1"), Endpoint("m", url="http://other/v1"),
              Endpoint("m", url="http://localhost/v1", extra={"top_p": 0.5})]  # fmt: skip
    assert len({base.signature, *(other.signature for other in others)}) == 4


@pytest.mark.xdist_group("runs")
def test_a_run_through_an_endpoint(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The flow: rows translated and rejected, the cost counted, the key written nowhere."""

    def reply(body: dict[str, Any], _: int) -> Reply:
        text = next(line for line in prompt_of(body).split("\n") if line.startswith("English: "))[9:]
        return (400, {}, {}) if "bad" in text else answer(text.replace("lives", "vive"), tokens=(100, 10))

    server.reply = reply
    rows = [{"id": str(i), "text": f"Ann number {i} lives here."} for i in range(5)]
    rows.append({"id": "bad", "text": "A bad row."})
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = [f"translator.options.url={server.url}", "translator.options.price_in=1.0", "filters=[]",
                "translator.options.retries=0", "translator.memory_mb=0"]  # fmt: skip
    config = build_config(
        RunConfig, "translate-train", settings=settings,
        options={"read.path": str(tmp_path / "in.jsonl"), "target": ("es",), "out": tmp_path / "out",
                 "translator.model": "endpoint:m", "projector.kind": "copy"},
    )  # fmt: skip
    result = run_flow(config)
    assert result.emitted[0].counts["kept"] == 5
    assert result.emitted[0].counts["reasons"] == {"translate:endpoint_http_400": 1}
    expected = {"requests": 5, "retries": 0, "prompt_tokens": 500, "completion_tokens": 50, "cost_millionths": 500}
    assert endpoint_usage(result) == expected
    print_summary(result, as_json=False, console=Console(width=200))
    said = capsys.readouterr().out
    assert "the endpoint answered 5 requests: 500 tokens in, 50 out, cost 0.0005" in said
    written = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert KEY not in written and "Ann number 3 vive here." in written


def test_a_translator_behind_an_endpoint(server: Server) -> None:
    """From the command line's spelling to rows, in order, and a row that fails alone."""

    def reply(body: dict[str, Any], _: int) -> Reply:
        text = next(line for line in prompt_of(body).split("\n") if line.startswith("English: "))[9:]
        return (400, {}, {}) if "bomb" in text else answer(f"\n{text[::-1]}\n\nI hope this helps!")

    server.reply = reply
    found = load_translator("endpoint:m", source="en", target="sr-Latn", url=server.url, retries=0)
    assert isinstance(found, PromptTranslator) and isinstance(found, Translator)
    rows = found.translate(["abc {text} def", "a bomb", "", "<br/>", "x  y\nz"], "en", "sr-Latn")
    assert [r.text for r in rows] == ["fed }txet{ cba", "", "", "", "z y x"]
    assert [r.reason for r in rows] == [None, "endpoint_http_400", "empty_source", "only_markup", None]
    sent = prompt_of(server.requests[0][1])
    assert "into Serbian (Latin script)" in sent
    assert found.signature.startswith("mt:m@") and "|prompt:instruct@" in found.signature


def test_what_was_paid_for_is_kept_and_what_failed_is_not(server: Server, tmp_path: Path) -> None:
    server.reply = lambda body, number: (503, {}, {}) if "busy" in prompt_of(body) and not number else answer("hola")
    found = load_translator("endpoint:m", source="en", target="es", url=server.url, retries=0)
    ours = RememberingTranslator(found, TranslationMemory(tmp_path / "memory.sqlite", 1))
    texts = ["one", "busy", "two"]
    first, second = (ours.translate(texts, "en", "es") for _ in range(2))
    assert [t.reason for t in first] == [None, "endpoint_http_503", None]
    assert [t.text for t in second] == ["hola"] * 3
    assert len(server.requests) == 4, "only the row that failed is asked again"


def test_errors_before_any_request(server: Server) -> None:
    with pytest.raises(ModelError, match="no name is known for the language 'xx'") as caught:
        load_translator("endpoint:m", source="en", target="xx", url=server.url)
    assert "nearest: " in str(caught.value)
    with pytest.raises(ConfigError, match="unknown option of the translator 'concurency'") as wrong:
        load_translator("endpoint:m", url=server.url, concurency=2)
    assert "did you mean 'concurrency'?" in str(wrong.value)
    with pytest.raises(ModelError, match="the endpoint's model is not named"):
        load_translator("endpoint")
    with pytest.raises(ConfigError, match="no model is named"):
        load_generator("endpoint:", url=server.url)
    assert server.requests == []
