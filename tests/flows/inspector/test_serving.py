"""Connections that a stranger holds open."""

import socket
import threading
from collections.abc import Iterator

import pytest

from spanferry.flows.inspector.guard import Guard, Message, Receive, Send
from spanferry.flows.inspector.serving import PatientProtocol, server_of


class _Hasty(PatientProtocol):
    silence, most = 0.2, 3


class _HastyGuard(Guard):
    patience = 0.2


async def _hello(scope: Message, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    server, listener = server_of(_HastyGuard(_hello), _Hasty), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nhost: local", b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET"]
)
def test_a_connection_that_says_nothing_is_dropped(sent: bytes, address: tuple[str, int]) -> None:
    with socket.create_connection(address, 20) as line:
        line.sendall(sent)
        answer = b""
        while part := line.recv(1000):  # ends when the other side hangs up; else this times out
            answer += part
    assert answer.endswith(b"hi") if sent.endswith(b"GET") else answer == b""


def test_a_body_that_does_not_come(address: tuple[str, int]) -> None:
    head = "POST / HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\ncontent-type: application/json\r\n"
    with socket.create_connection(address, 20) as line:
        line.sendall(f"{head}content-length: 9\r\n\r\n{{".encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 408")


def test_the_number_of_connections_is_bounded(address: tuple[str, int]) -> None:
    lines = [socket.create_connection(address, 20) for _ in range(4)]
    try:
        with pytest.raises(ConnectionResetError):
            if lines[3].recv(1) == b"":
                raise ConnectionResetError
        assert lines[3].fileno() >= 0
    finally:
        for line in lines:
            line.close()
    with socket.create_connection(address, 20) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 ")
