"""How fast an endpoint may be asked, how often again, and what it has cost."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b

_MINUTE = 60.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between tries, where the server names no time


@dataclass(frozen=True, slots=True)
class Usage:
    """What has been asked and paid for.

    Attributes:
        requests: Requests that were answered.
        retries: Tries that were not.
        prompt_tokens: Tokens sent, as the endpoint counts them.
        completion_tokens: Tokens written, likewise.
        cost: In the currency of the prices; 0 without prices.
    """

    requests: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def counts(self) -> dict[str, int]:
        """Whole numbers by name, the cost in millionths; only what is not zero."""
        found = {
            "requests": self.requests,
            "retries": self.retries,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_millionths": round(self.cost * 1e6),
        }
        return {name: value for name, value in found.items() if value}

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.retries + other.retries,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


class RateLimiter:
    """Lets requests through so that no minute holds more than its share.

    Args:
        requests: Requests in any minute; 0: no limit.
        tokens: Tokens in any minute; 0: no limit. A request larger than that goes alone.
        clock: Seconds that never run back.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        requests: int = 0,
        tokens: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.requests, self.tokens = requests, tokens
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._passed: deque[list[float]] = deque()  # [when, tokens], oldest first
        self._closed_until = 0.0

    def wait(self, tokens: int) -> list[float]:
        """Returns when a request of so many tokens may go; what it returns is for :meth:`settle`."""
        while True:
            with self._lock:
                now = self._clock()
                while self._passed and self._passed[0][0] <= now - _MINUTE:
                    self._passed.popleft()
                pause = max(self._closed_until - now, self._over(now, tokens))
                if pause <= 0:
                    entry = [now, float(tokens)]
                    self._passed.append(entry)
                    return entry
            self._sleep(pause)

    def _over(self, now: float, tokens: int) -> float:
        """Seconds until enough of the last minute has passed for one more request."""
        if self.requests and len(self._passed) >= self.requests:
            return self._passed[len(self._passed) - self.requests][0] + _MINUTE - now
        spent = sum(entry[1] for entry in self._passed)
        if not self.tokens or spent + tokens <= self.tokens or not self._passed:
            return 0.0
        for when, freed in self._passed:
            spent -= freed
            if spent + tokens <= self.tokens:
                return when + _MINUTE - now
        return self._passed[-1][0] + _MINUTE - now

    def settle(self, entry: list[float], tokens: int) -> None:
        """Puts the tokens that a request really took in the place of those it was guessed to take."""
        with self._lock:
            entry[1] = float(tokens)

    def pause(self, seconds: float) -> None:
        """Nobody goes for so long: the server said so."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the header ``Retry-After`` asks to wait (RFC 9110, section 10.2.3: seconds or a date), or None."""
    said = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def backoff(prompt: str, attempt: int) -> float:
    """Seconds before try ``attempt`` + 1 where the server names none: doubled each time, and spread by the prompt so
    that rows that failed together do not come back together; no chance in it."""
    spread = blake2b(f"{attempt}\0{prompt}".encode(), digest_size=2).digest()
    share = 0.5 + int.from_bytes(spread, "big") / 2**17
    return min(_LONGEST_WAIT, _FIRST_WAIT * float(2**attempt)) * share
