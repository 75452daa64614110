"""What the checks of encoder-decoders and of language models share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanferry.translators.conversion.convert import file_facts

TOLERANCE = 1e-3  # nats
STEPS = 32
# One line each, in the scripts of most models, with what tokenisers disagree about.
SAMPLES = (
    "The two cats were asleep under the kitchen table.",
    "Is it true that 25 % of them cost less than €3.50?",
    "Anna  and Łukasz met in São Paulo on 3 May 2021.",
    "Сегодня в Москве идёт снег.",
    "今天天气很好。",
    "القطة نائمة تحت الطاولة.",
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was checked.

    Attributes:
        name: What: ``family``, ``files``, ``language tokens``, ``round trip``, and against the origin ``tokens in``,
            ``special pieces``, ``log-probabilities``, ``greedy output``.
        passed: Whether it holds; None where it could not be looked at, which is not a failure.
        detail: The numbers, or why not.
    """

    name: str
    passed: bool | None
    detail: str


def files_as_recorded(directory: Path, facts: Mapping[str, Any]) -> CheckResult:
    """Whether the files are those whose hashes the conversion wrote down."""
    recorded = {**facts.get("files", {})}
    if not recorded:
        return CheckResult("files", None, "no hashes were recorded when it was converted")
    wrong = [
        name for name, known in recorded.items()
        if not (directory / name).is_file() or file_facts(directory / name)["sha256"] != known["sha256"]
    ]  # fmt: skip
    if wrong:
        return CheckResult("files", False, f"not as they were recorded: {', '.join(sorted(wrong))}")
    return CheckResult("files", True, f"{len(recorded)} as they were recorded")
