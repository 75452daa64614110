"""What a hostile endpoint answers: the row is rejected, its neighbours are not, and nothing ends the run."""

import json
import socket
import threading
import time
from typing import Any

import pytest

from spanferry.translators.endpoints.endpoint import BAD_ANSWER, TIMEOUT, Endpoint
from spanferry.translators.loading.load import load_generator
from tests.translators.endpoint_server import KEY, Server, answer, prompt_of


def _with_usage(usage: str) -> bytes:
    return ('{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}],"usage":' + usage + "}").encode()


HOSTILE = {
    "deep": b"[" * 200_000,
    "deep object": b'{"choices":' * 100_000,
    "infinite usage": _with_usage('{"prompt_tokens": Infinity}'),
    "usage 1e999": _with_usage('{"completion_tokens": 1e999}'),
    "usage not a number": _with_usage('{"prompt_tokens": NaN}'),
    "negative usage": _with_usage('{"prompt_tokens": -5}'),
    "digits": _with_usage('{"prompt_tokens": ' + "9" * 5000 + "}"),
    "surrogate": json.dumps({"choices": [{"message": {"content": "a \ud83d b"}}]}).encode(),
    "bytes": b"\xff\xfe\x00",
    "large": b'{"choices":[{"message":{"content":"' + b"a" * (50 << 20) + b'"}}]}',
    "key": json.dumps({"choices": [{"message": {"content": f"your key is {KEY}!"}}]}).encode(),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_is_a_rejected_row(server: Server, kind: str) -> None:
    def reply(body: dict[str, Any], _: int) -> Any:
        return (200, {}, HOSTILE[kind]) if prompt_of(body) == "bad" else answer("fine")

    server.reply = reply
    found = Endpoint("m", url=server.url, retries=0).generate(["good", "bad", "also good"])
    assert [(one.text, one.reason) for one in found] == [("fine", None), ("", BAD_ANSWER), ("fine", None)]


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nx-filler: "])
def test_a_server_that_drips_is_cut_off_at_the_timeout(head: bytes) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    sent = []

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head)
            try:
                for _ in range(1000):
                    connection.sendall(b" ")
                    sent.append(1)
                    time.sleep(0.05)
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    endpoint = load_generator("endpoint:m", url=url, retries=0, timeout=0.5)
    endpoint._reached = True  # type: ignore[union-attr]
    assert endpoint.generate(["x"])[0].reason == TIMEOUT
    assert len(sent) < 1000
    listening.close()


def test_all_tries_together_are_bounded(server: Server) -> None:
    """However many tries are allowed, none begins after ``timeout`` and ``longest_wait``."""
    server.reply = lambda _, number: (503, {"retry-after": "0.2"}, {})
    endpoint = Endpoint("m", url=server.url, retries=1000, timeout=0.5, longest_wait=0.3)
    assert endpoint.generate(["x"])[0].reason == "endpoint_http_503"
    assert 2 <= len(server.requests) <= 5
