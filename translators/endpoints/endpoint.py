"""Answers to prompts from an OpenAI-compatible endpoint, ours or someone's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.signature import Signature
from spanferry.translators.base import Generation
from spanferry.translators.endpoints.budget import Budget, RunStoppedError, Spending, of_run
from spanferry.translators.endpoints.limits import RateLimiter, Usage, backoff, retry_after
from spanferry.translators.endpoints.secrets import URL_HINT, check_url
from spanferry.translators.engine import limits
from spanferry.translators.engine.failures import settle

CONTENT_FILTER, BAD_ANSWER, EMPTY_OUTPUT = "content_filter", "endpoint_bad_answer", "empty_output"
TIMEOUT, UNREACHABLE, REFUSED = "endpoint_timeout", "endpoint_unreachable", "endpoint_budget"
# What no row can change: the key, the right to use the model, its name or the address.
_FATAL = {
    401: "does not take the key",
    403: "does not let this key use the model",
    404: "does not know the model or the address",
}
_AGAIN = frozenset({408, 409, 425, 429})
_AGAIN_HINT = "the same command goes on from here when the endpoint answers"
# Bytes of an answer, whatever the server sends: a hundred times what a context of 8,192 tokens takes in JSON.
_MOST_BYTES = 4 << 20
# Tokens one answer may be counted with; no context is longer, and what claims more is not a count.
_MOST_TOKENS = 10**9


_NOTHING = Usage()
# Tokens, where nothing is known of the model: what its prompt and answer may have together, and its answer.
_CONTEXT, _MAX_TOKENS = 8192, 512


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one prompt, and what it took."""

    generation: Generation
    usage: Usage = _NOTHING
    error: str = ""  # what failed, where it was not the text; never what the endpoint said
    asked: bool = True


class Endpoint:
    """A model behind ``POST <url>/chat/completions``.

    The key is read from the environment when a request is made and kept nowhere: it is in no option, signature, log or
    error. Requests that fail for a while (no connection, time out, 429, 5xx) are tried again, after what
    ``Retry-After`` says or ever longer; a prompt that fails for good fails alone.

    Args:
        model: Name of the model, as the endpoint knows it.
        url: Base address, such as ``http://localhost:8000/v1``.
        key_env: Environment variable that holds the key; where it is not set, none is sent.
        context: Tokens that prompt and answer may have together; the endpoint's own limit is not asked for.
        max_tokens: Longest answer in tokens, unless a request names another length.
        timeout: Seconds for one answer, from the request to its last byte.
        retries: Further attempts per prompt; none begins later than ``timeout`` and ``longest_wait`` after the first.
        longest_wait: Seconds; where ``Retry-After`` asks for more, the row fails.
        concurrency: Requests under way at once.
        requests_per_minute: Most requests in any minute; 0: no limit.
        tokens_per_minute: Most tokens in any minute, prompt and answer together; 0: no limit.
        price_in: Price of a million prompt tokens, for the count of the cost.
        price_out: Price of a million answer tokens.
        max_requests: Requests in all, further tries included; 0: no limit.
        max_cost: Cost in all, which needs a price; what is under way when it is reached is still paid. 0: no limit.
        extra: Further fields of the request; null takes one out.

    Raises:
        ConfigError: An option that is not valid, or a secret in the address.
    """

    rows_independent = True  # each prompt is a request of its own
    # When and at what price an answer comes. Where a limit is reached the run stops, and goes on from there.
    neutral_options = frozenset(
        {
            *("key_env", "timeout", "retries", "longest_wait", "concurrency", "requests_per_minute"),
            *("tokens_per_minute", "price_in", "price_out", "max_requests", "max_cost"),
        }
    )

    def __init__(
        self,
        model: str,
        *,
        url: str = "",
        key_env: str = "SPANFERRY_API_KEY",
        context: int = _CONTEXT,
        max_tokens: int = _MAX_TOKENS,
        timeout: float = 120.0,
        retries: int = 5,
        longest_wait: float = 120.0,
        concurrency: int = 8,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        price_in: float = 0.0,
        price_out: float = 0.0,
        max_requests: int = 0,
        max_cost: float = 0.0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        check_url(url)
        positive = {"context": context, "max_tokens": max_tokens, "timeout": timeout, "concurrency": concurrency}
        rest = {"retries": retries, "longest_wait": longest_wait, "requests_per_minute": requests_per_minute,
                "tokens_per_minute": tokens_per_minute, "price_in": price_in, "price_out": price_out,
                "max_requests": max_requests, "max_cost": max_cost}  # fmt: skip
        for name, value in {**positive, **rest}.items():
            if not 0 <= value < float("inf") or (value == 0 and name in positive):
                least = "> 0" if name in positive else ">= 0"
                raise ConfigError(
                    f"{name}={value}", valid=f"{name} {least}", hint=f"--set translator.options.{name}=VALUE"
                )
        if max_cost and not (price_in or price_out):
            raise ConfigError(
                f"max_cost={max_cost} without a price",
                valid="price_in and price_out: the price of a million tokens",
                hint="--set translator.options.price_in=VALUE",
            )
        if not model:
            raise ConfigError("no model is named", hint="--translator endpoint:MODEL")
        self.name, self.context = model, context
        self._url, self._key_env, self._extra = url.rstrip("/"), key_env, dict(extra or {})
        self._max_tokens, self._timeout, self._retries = max_tokens, timeout, retries
        self._longest_wait, self._concurrency = longest_wait, concurrency
        self._prices = (price_in / 1e6, price_out / 1e6)
        self._budget = Budget(max_requests, max_cost)
        self._limiter = RateLimiter(requests_per_minute, tokens_per_minute)
        self._lock, self._usage, self._reached = threading.Lock(), _NOTHING, False
        self._mine = threading.local()
        self._running: asyncio.AbstractEventLoop | None = None

    @property
    def signature(self) -> Signature:
        """``llm:<model>@<first 8 of the SHA-256 of address and further fields>|ct2:none`` and lengths of one's own."""
        said = json.dumps([self._url, self._extra], sort_keys=True, ensure_ascii=False)
        name = f"{self.name}@{hashlib.sha256(said.encode()).hexdigest()[:8]}"
        chosen = [("context", self.context)] * (self.context != _CONTEXT)
        chosen += [("maxtokens", self._max_tokens)] * (self._max_tokens != _MAX_TOKENS)
        return Signature.of(("llm", name), ("ct2", "none"), *chosen)

    @property
    def usage(self) -> Usage:
        """What all prompts so far have taken and cost."""
        with self._lock:
            return self._usage

    def take_usage(self) -> Usage:
        """What the calls of this thread have taken since it last asked; for the count of a piece of work."""
        taken: Usage = getattr(self._mine, "usage", _NOTHING)
        self._mine.usage = _NOTHING
        return taken

    def length(self, prompt: str) -> int:
        """An upper estimate: a token for every three bytes, which is more than most tokenisers make of most texts."""
        return len(prompt.encode("utf-8", "replace")) // 3 + 8

    def generate(
        self, prompts: Sequence[str], *, max_tokens: int | None = None, stop: Sequence[str] = ()
    ) -> list[Generation]:
        """One answer per prompt, in order, whatever the order they come in.

        A prompt that fails has a reason: ``empty_source``, ``bad_unicode``, ``output_truncated``, ``empty_output``,
        ``content_filter``, ``endpoint_timeout``, ``endpoint_unreachable``, ``endpoint_http_<status>`` or
        ``endpoint_bad_answer``. Where the budget of the run is spent it is ``endpoint_budget``: what was answered
        before is kept, and the run stops.

        Raises:
            ModelError: The endpoint does not take the key, knows no such model, could not be reached, or fails
            on every one of several prompts.
            BudgetError: ``max_requests`` or ``max_cost`` is reached.
        """
        cap = max_tokens or self._max_tokens
        with ThreadPoolExecutor(min(self._concurrency, max(1, len(prompts)))) as pool:
            run = of_run()
            running = [pool.submit(self._answer, prompt, cap, list(stop), run) for prompt in prompts]
            done, waiting = wait(running, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                for future in waiting:
                    future.cancel()
        answers = [future.result() for future in running if not future.cancelled()]
        self._mine.usage = sum((answer.usage for answer in answers), getattr(self._mine, "usage", _NOTHING))
        errors = [answer.error for answer in answers if answer.error]
        settle(
            errors, sum(answer.asked for answer in answers), "endpoint", self._url, hint=f"{_AGAIN_HINT}, or {URL_HINT}"
        )
        return [answer.generation for answer in answers]

    def _answer(self, prompt: str, cap: int, stop: list[str], run: Spending | None) -> _Answer:
        reason = limits.text_reason(prompt)
        if reason in (limits.BAD_UNICODE, limits.EMPTY_SOURCE):
            return _Answer(Generation("", reason=reason), asked=False)
        try:
            answer = self._tried(prompt, cap, stop, run)
        except RunStoppedError:
            return _Answer(Generation("", reason=REFUSED), asked=False)
        with self._lock:
            self._usage += answer.usage
        return answer

    def _tried(self, prompt: str, cap: int, stop: list[str], run: Spending | None) -> _Answer:
        reason, error, last_start = UNREACHABLE, "", 0.0
        for attempt in range(self._retries + 1):
            entry = self._limiter.wait(self.length(prompt) + cap)
            last_start = last_start or time.monotonic() + self._timeout + self._longest_wait
            pause: float | None = None
            if run is not None:
                run.admit()
            self._budget.admit()
            try:
                response, content = self._post(prompt, cap, stop)
            except httpx.TimeoutException:
                reason, error = TIMEOUT, f"no answer within {self._timeout:g} s"
            except httpx.TransportError as problem:
                reason, error = UNREACHABLE, f"{type(problem).__name__}: {problem}"
            else:
                self._reached = True
                status = response.status_code
                if status == 200:
                    answer = self._read(content, attempt)
                    self._budget.pay(answer.usage.cost)
                    if run is not None:
                        run.pay(answer.usage.cost)
                    self._limiter.settle(entry, answer.usage.prompt_tokens + answer.usage.completion_tokens)
                    return answer
                if status in _FATAL:
                    raise self._fatal(status)
                reason, error = f"endpoint_http_{status}", f"status {status}"
                if status < 500 and status not in _AGAIN:
                    return _Answer(Generation("", reason=reason), Usage(retries=attempt), error)
                pause = retry_after(response.headers)
            self._limiter.settle(entry, 0)
            wait_s = backoff(prompt, attempt) if pause is None else pause
            if attempt == self._retries or wait_s > self._longest_wait or time.monotonic() + wait_s > last_start:
                break
            if pause is not None:
                self._limiter.pause(pause)
            else:
                time.sleep(wait_s)
        if not self._reached:
            raise ModelError(
                f"the endpoint can't be reached ({reason.removeprefix('endpoint_')}, {attempt + 1} tries)",
                where=self._url,
                hint=f"check that it runs, or {URL_HINT}",
            )
        return _Answer(Generation("", reason=reason), Usage(retries=attempt + 1), error)

    def _post(self, prompt: str, cap: int, stop: list[str]) -> tuple[httpx.Response, bytes | None]:
        """The response and its content; None where that is larger than any answer."""
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": cap,
            "temperature": 0,
            "seed": 0,
            **({"stop": stop} if stop else {}),
            **self._extra,
        }
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise ModelError(f"what the environment variable {self._key_env} holds can't be a key", hint="set it anew")
        given = {name: value for name, value in body.items() if value is not None}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        asking = asyncio.run_coroutine_threadsafe(self._send(given, headers), self._loop)
        try:
            return asking.result()
        except TimeoutError as error:
            raise httpx.ReadTimeout("the answer is not complete") from error

    async def _send(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[httpx.Response, bytes | None]:
        # httpx bounds each read. A server that sends a byte at a time, headers included, is bounded only from outside.
        async with (
            asyncio.timeout(self._timeout),
            self._client.stream("POST", f"{self._url}/chat/completions", json=body, headers=headers) as response,
        ):
            received = bytearray()
            async for part in response.aiter_bytes():
                received += part
                if len(received) > _MOST_BYTES:
                    return response, None
            return response, bytes(received)

    def _key(self) -> str:
        return os.environ.get(self._key_env, "").strip()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:  # two threads that ask first have one loop
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="endpoint", daemon=True).start()
            return self._running

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        # Redirections are not followed: the key would go with them.
        connections = httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        return httpx.AsyncClient(timeout=self._timeout, limits=connections, follow_redirects=False)

    def _read(self, received: bytes | None, attempt: int) -> _Answer:
        try:
            content = json.loads(received or b"")
            choice = content["choices"][0]
            text = choice["message"]["content"] or ""
            ended = choice.get("finish_reason")
            said = content.get("usage") or {}
            tokens = [int(said.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
            if not isinstance(text, str) or not all(0 <= count <= _MOST_TOKENS for count in tokens):
                raise TypeError(type(text))
            key = self._key()
            if limits.text_reason(text) == limits.BAD_UNICODE or (key and key in text):
                raise ValueError("an unpaired surrogate, or the key")
        # A number may be infinite, and brackets deeper than the parser goes.
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            return _Answer(Generation("", reason=BAD_ANSWER), Usage(1, attempt), "its answer can't be read")
        cost = tokens[0] * self._prices[0] + tokens[1] * self._prices[1]
        usage = Usage(1, attempt, tokens[0], tokens[1], cost)
        reason = {"length": limits.OUTPUT_TRUNCATED, "content_filter": CONTENT_FILTER}.get(str(ended))
        text = text.strip()
        if reason or not text:
            cut = reason == limits.OUTPUT_TRUNCATED
            return _Answer(Generation("", tokens[1], truncated=cut, reason=reason or EMPTY_OUTPUT), usage)
        return _Answer(Generation(text, tokens[1]), usage)

    def _fatal(self, status: int) -> ModelError:
        # What the endpoint says of it is not shown: some repeat the key.
        hints = {404: f"--translator endpoint:MODEL, {URL_HINT}"}
        return ModelError(
            f"the endpoint {_FATAL[status]} (status {status}, model {self.name!r})",
            where=self._url,
            hint=hints.get(status, f"put the key into the environment variable {self._key_env}"),
        )
