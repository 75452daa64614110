"""What an endpoint will take for many rows, estimated from a sample that it was asked about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spanferry.translators.endpoints.limits import Usage


@dataclass(frozen=True, slots=True)
class Estimate:
    """What all rows will take, the sample's share included.

    Attributes:
        requests: Requests that are answered.
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens written.
        cost: In the currency of the prices.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


def sample_positions(lengths: Sequence[int], size: int) -> list[int]:
    """The positions of a sample that stands for all rows: every so many of them in the order of their lengths.

    Args:
        lengths: Of each row's prompt, as ``Endpoint.length`` gives it.
        size: Rows in the sample, at least 1.

    Returns:
        Ascending positions, at most ``size``; all of them where there are no more.
    """
    by_length = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    size = min(size, len(lengths))
    return sorted(by_length[(2 * k + 1) * len(lengths) // (2 * size)] for k in range(size))


def estimate(lengths: Sequence[int], sampled: Sequence[int], usage: Usage) -> Estimate:
    """What all rows take where ``sampled`` of them took ``usage``.

    Tokens sent and written grow with the length of the prompt (a ratio estimate, which a stratified sample keeps
    unbiased); the number of requests with the number of rows.

    Args:
        lengths: Of each row's prompt.
        sampled: Positions of the rows that were asked, from :func:`sample_positions`.
        usage: What they took, from ``Endpoint.usage``.
    """
    asked = sum(lengths[i] for i in sampled)
    if not asked:
        return Estimate(0, 0, 0, 0.0)
    ratio = sum(lengths) / asked
    return Estimate(
        math.ceil(usage.requests * len(lengths) / len(sampled)),
        round(usage.prompt_tokens * ratio),
        round(usage.completion_tokens * ratio),
        usage.cost * ratio,
    )
