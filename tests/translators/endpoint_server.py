"""An endpoint that runs in the tests' process and answers as they want."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret-0123456789"
Reply = tuple[int, dict[str, str], Any]


def answer(text: str, *, finish: str = "stop", tokens: tuple[int, int] = (10, 5)) -> Reply:
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {}, {"choices": [{"message": {"content": text}, "finish_reason": finish}], "usage": usage}


class Server:
    """Answers by ``reply``; keeps every request's headers and body."""

    def __init__(self) -> None:
        self.reply: Callable[[dict[str, Any], int], Reply] = lambda body, _: answer(prompt_of(body).upper())
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.most_at_once = self.at_once = 0
        lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    number = sum(prompt_of(b) == prompt_of(body) for _, b in server.requests)
                    server.requests.append(({k.lower(): v for k, v in self.headers.items()}, {**body, "_": self.path}))
                    server.at_once += 1
                    server.most_at_once = max(server.most_at_once, server.at_once)
                status, headers, content = server.reply(body, number)
                with lock:
                    server.at_once -= 1
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that no longer waits is part of the tests."""


def prompt_of(body: dict[str, Any]) -> str:
    prompt: str = body["messages"][-1]["content"]
    return prompt
