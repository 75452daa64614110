"""What bounds an endpoint and what it costs: requests and tokens a minute, waits, counts."""

import threading
from datetime import UTC, datetime

import pytest

from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.endpoints.limits import RateLimiter, Usage, backoff, retry_after
from tests.translators.endpoint_server import Server, answer


def test_the_cost_is_counted(server: Server) -> None:
    server.reply = lambda body, _: answer("x", tokens=(1000, 200))
    endpoint = Endpoint("m", url=server.url, price_in=2.5, price_out=10.0)
    endpoint.generate(["a", "b", "c"])
    assert endpoint.usage == Usage(3, 0, 3000, 600, pytest.approx(0.0135))


def test_each_thread_has_its_own_count(server: Server) -> None:
    endpoint = Endpoint("m", url=server.url, price_in=1.0)
    endpoint.generate(["a", "b"])
    other: list[Usage] = []
    thread = threading.Thread(target=lambda: (endpoint.generate(["c"]), other.append(endpoint.take_usage())))
    thread.start()
    thread.join()
    assert other[0].requests == 1
    assert endpoint.take_usage().counts() == {
        "requests": 2, "prompt_tokens": 20, "completion_tokens": 10, "cost_millionths": 20,
    }  # fmt: skip
    assert endpoint.take_usage() == Usage() and endpoint.usage.requests == 3


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def limiter(**limits: int) -> tuple[RateLimiter, Clock]:
    clock = Clock()
    return RateLimiter(**limits, clock=lambda: clock.now, sleep=clock.sleep), clock


def test_no_minute_holds_more_requests_than_its_share() -> None:
    gate, clock = limiter(requests=3)
    passed = []
    for _ in range(10):
        gate.wait(1)
        passed.append(clock.now)
        clock.now += 5
    assert passed == [0, 5, 10, 60, 65, 70, 120, 125, 130, 180]
    assert all(later - earlier >= 60 for earlier, later in zip(passed, passed[3:], strict=False))


def test_no_minute_holds_more_tokens_than_its_share() -> None:
    gate, clock = limiter(tokens=100)
    gate.wait(40)
    clock.now = 10
    entry = gate.wait(60)
    gate.wait(40)
    assert clock.now == 60, "until the first 40 are a minute old"
    gate.settle(entry, 10)  # they were only ten
    gate.wait(50)
    assert clock.now == 60
    gate.wait(500)
    assert clock.now == 120, "what is larger than the share goes alone"


def test_a_server_that_says_wait_stops_everybody() -> None:
    gate, clock = limiter()
    gate.wait(1)
    gate.pause(17)
    gate.wait(1)
    assert clock.now == 17 and clock.slept == [17]


def test_retry_after_is_waited_for(server: Server) -> None:
    server.reply = lambda body, number: answer("fine") if number else (429, {"Retry-After": "7"}, {})
    endpoint = Endpoint("m", url=server.url)
    clock = Clock()
    endpoint._limiter = RateLimiter(clock=lambda: clock.now, sleep=clock.sleep)
    assert endpoint.generate(["a"])[0].text == "fine"
    assert clock.slept == [7.0]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
     ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0), ("soon", None), ("", None)],
)  # fmt: skip
def test_retry_after(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_waits_grow_and_are_spread_without_chance() -> None:
    waits = [backoff("a", attempt) for attempt in range(12)]
    assert waits == [backoff("a", attempt) for attempt in range(12)]
    for attempt, seconds in enumerate(waits):
        longest = min(30.0, 0.5 * 2**attempt)
        assert longest / 2 <= seconds <= longest
    assert len({backoff(prompt, 3) for prompt in "abcdefgh"}) == 8
