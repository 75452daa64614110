"""Who may ask, and what a page may do: the checks in front of every request, and the headers on every answer."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOCAL = ("127.0.0.1", "localhost", "[::1]")
_COOKIE = "spanferry"
_PATIENCE = 10.0  # seconds for a whole body
_MAX_BODY = 1 << 20  # bytes; a decision on a text of 100 kB fits many times
# Scripts and styles from files of ours alone, no frames, no forms to elsewhere: text of a corpus can't become code.
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


_TOO_LARGE = (413, f"At most {_MAX_BODY:,} bytes.")


class Guard:
    """Stands in front of an application.

    - Host: only this machine's own names pass, so no foreign name can be pointed at the server.
    - Origin: what changes something must come from a page of this server, and be JSON.
    - Token: where one is set, the first address carries it, and a cookie afterwards. Other users of this machine
      reach 127.0.0.1 too. Browsers send cookies to every port of a host, so the port is in the cookie's name.
    - Body: read whole before the application sees it, within a bound of size and time.

    Args:
        app: The application.
        token: None asks for nothing.
        anywhere: Whether other names than this machine's own pass.
    """

    patience = _PATIENCE

    def __init__(self, app: App, token: str | None = None, *, anywhere: bool = False) -> None:
        self.app, self.token, self.anywhere = app, token, anywhere

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request, by the ASGI protocol."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if self.token is not None and "token" in given:
            # Out of the address at once: addresses are copied, stored and shown.
            rest = urlencode([(k, v) for k, v in given.items() if k != "token"])
            place = scope["path"] + (f"?{rest}" if rest else "")
            cookie = f"{_cookie_name(scope, headers)}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            # A relative place that starts with two slashes would be another host.
            location = "/" + place.lstrip("/\\")
            await _answer(send, 303, "", [(b"location", location.encode()), (b"set-cookie", cookie.encode())])
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _HEADERS if h[0] not in there)]
            await send(message)

        if scope["method"] == "POST":
            try:
                body = await asyncio.wait_for(_whole_body(receive), self.patience)
            except TimeoutError:
                await _answer(send, 408, "The body of the request did not come.", [(b"connection", b"close")])
                return
            if body is None:
                await _answer(send, *_TOO_LARGE, [(b"connection", b"close")])
                return
            receive = _replayed(body, receive)
        await self.app(scope, receive, guarded)

    def _refusal(self, scope: Message, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self.anywhere and host.rpartition(":")[0] not in LOCAL and host not in LOCAL:
            return 403, f"This server answers to {', '.join(LOCAL)} alone."
        if self.token is not None and not self._knows_token(scope, headers):
            return 403, "The address needs the token that spanferry inspect printed."
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return 405, "GET or POST."
        if headers.get("origin", "") not in (f"http://{host}", f"https://{host}"):
            return 403, "What changes something must come from a page of this server."
        if headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return 415, "JSON is expected."
        # A body in chunks has no length here; it is counted as it comes.
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > _MAX_BODY:
            return _TOO_LARGE
        return None

    def _knows_token(self, scope: Message, headers: dict[str, str]) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(_cookie_name(scope, headers))
        except CookieError:
            morsel = None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        given = (morsel.value if morsel else "", query.get("token", ""))
        return any(hmac.compare_digest(g.encode(), (self.token or "").encode()) for g in given)


def _cookie_name(scope: Message, headers: Mapping[str, str]) -> str:
    # The port that the browser knows, which a tunnel may have changed.
    port = headers.get("host", "").rpartition(":")[2]
    return f"{_COOKIE}-{port if port.isascii() and port.isdigit() else (scope.get('server') or ('', 0))[1]}"


async def _whole_body(receive: Receive) -> bytes | None:
    """The body of a request; None where it is too large."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_BODY:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """``receive`` as it was before the body was read."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _answer(send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    plain = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [plain, *_HEADERS, *(headers or [])]})
    await send({"type": "http.response.body", "body": text.encode()})
