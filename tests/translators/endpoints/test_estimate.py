"""Tokens, requests and price of a thousand rows, estimated from fifty of them, against a server that counts."""

import random
from typing import Any

import pytest

from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.endpoints.estimate import Estimate, estimate, sample_positions
from spanferry.translators.endpoints.limits import Usage
from tests.translators.endpoint_server import Reply, Server, answer, prompt_of

WORDS = [
    "the",
    "committee",
    "has",
    "not",
    "yet",
    "said",
    "whether",
    "Reykjavík",
    "or",
    "Łódź",
    "will",
    "be",
    "asked",
    "about",
    "it,",
    "你好",
    "мир",
]


def _counted(body: dict[str, Any], _: int) -> Reply:
    """Counts words for tokens, and writes a translation that is a fifth longer, or shorter by row."""
    words = prompt_of(body).split()
    return answer("fine", tokens=(len(words) + 12, round(len(words) * (1.1 + len(words[0]) / 50))))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_within_five_percent_of_a_thousand_rows(server: Server, seed: int) -> None:
    server.reply = _counted
    chance = random.Random(seed)
    prompts = [" ".join(chance.choices(WORDS, k=min(200, 3 + int(chance.expovariate(1 / 20))))) for _ in range(1000)]
    prices: dict[str, Any] = {"url": server.url, "price_in": 2.0, "price_out": 8.0}
    asked, everything = Endpoint("m", **prices), Endpoint("m", **prices)
    lengths = [asked.length(prompt) for prompt in prompts]
    sampled = sample_positions(lengths, 50)
    asked.generate([prompts[i] for i in sampled])
    found = estimate(lengths, sampled, asked.usage)
    everything.generate(prompts)
    used = everything.usage
    for name in ("requests", "prompt_tokens", "completion_tokens", "cost"):
        assert getattr(found, name) == pytest.approx(getattr(used, name), rel=0.05), name


@pytest.mark.parametrize(("rows", "size", "expected"), [(0, 5, 0), (1, 5, 1), (5, 5, 5), (100, 7, 7)])
def test_a_sample_has_as_many_rows_as_asked(rows: int, size: int, expected: int) -> None:
    positions = sample_positions([i % 13 for i in range(rows)], size)
    assert len(positions) == len(set(positions)) == expected and all(0 <= i < rows for i in positions)


def test_of_all_rows_it_is_what_was_used() -> None:
    assert estimate([3, 9], [0, 1], Usage(2, 0, 40, 20, 0.5)) == Estimate(2, 40, 20, 0.5)
    assert estimate([], [], Usage()) == Estimate(0, 0, 0, 0.0)
