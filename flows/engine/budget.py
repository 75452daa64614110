"""The budget of a whole run: requests, cost and time, over all its languages, endpoints, threads and processes.

What was spent stands in a file beside the stages, so that workers of other processes spend from the same budget and a
run that goes on knows what it has spent before. The time is that of one command: the same command has it again.
"""

import fcntl
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.files import writing
from spanferry.flows.config import BudgetConfig
from spanferry.flows.engine import place as places
from spanferry.translators.endpoints.budget import RunStoppedError

_ENDPOINT = "endpoint:"
_PRICES = ("price_in", "price_out")


class RunBudget:
    """What a run may spend and has spent.

    Args:
        path: The file.

    Attributes:
        refused: The error with which a request was refused through this object; None: none was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused: RunStoppedError | None = None

    @classmethod
    def begin(cls, root: Path, limits: BudgetConfig) -> "RunBudget | None":
        """The budget of a command that begins; None where it has no limit and spends from no earlier one.

        Args:
            root: The folder of the run's stages.
            limits: Of the configuration.
        """
        path = root / places.BUDGET
        if limits == BudgetConfig() and not path.is_file():
            return None
        with writing(path):
            root.mkdir(parents=True, exist_ok=True)
            path.touch()
        budget = cls(path)
        with budget._held() as state:
            state["max_requests"], state["max_cost"] = limits.max_requests, limits.max_cost
            state["max_time"], state["began"] = limits.seconds, time.time()
        return budget

    @classmethod
    def of(cls, root: Path) -> "RunBudget | None":
        """The budget of a run that is under way, if it has one."""
        path = root / places.BUDGET
        return cls(path) if path.is_file() else None

    def admit(self) -> None:
        """Counts a request that is about to be sent.

        Raises:
            RunStoppedError: It would be one more than the run may send, or too much was paid, or the time is over.
        """
        with self._held() as state:
            self.refused = self.refused or _over(state)
            if self.refused is None:
                state["requests"] = state.get("requests", 0) + 1
        if self.refused is not None:
            raise self.refused

    def pay(self, cost: float) -> None:
        """Adds the cost of an answer."""
        if cost:
            with self._held() as state:
                state["cost"] = state.get("cost", 0.0) + cost

    def time_is_over(self) -> RunStoppedError | None:
        """The error of a run whose time is over; None while there is some."""
        with self._held() as state:
            return _out_of_time(state)

    def over(self) -> RunStoppedError | None:
        """The error of a run that may spend nothing more; None while it may."""
        with self._held() as state:
            return _over(state)

    @contextmanager
    def _held(self) -> Iterator[dict[str, Any]]:
        """The state, for this thread of this process alone; what the block changes is written."""
        with writing(self.path), self.path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = _read(file)
            before = dict(state)
            yield state
            if state != before:
                file.seek(0)
                file.truncate()
                json.dump(state, file)


def _read(file: IO[str]) -> dict[str, Any]:
    try:
        found = json.load(file)
    except ValueError:  # a new file, or one that a crash cut off: what it counted is lost
        return {}
    return found if isinstance(found, dict) else {}


def _over(state: Mapping[str, Any]) -> RunStoppedError | None:
    requests, cost = state.get("requests", 0), state.get("cost", 0.0)
    if state.get("max_requests") and requests >= state["max_requests"]:
        return _stopped(state, "max-requests", f"{state['max_requests']:,}")
    if state.get("max_cost") and cost >= state["max_cost"]:
        return _stopped(state, "max-cost", f"{state['max_cost']:g}")
    return _out_of_time(state)


def _out_of_time(state: Mapping[str, Any]) -> RunStoppedError | None:
    if state.get("max_time") and time.time() - state["began"] >= state["max_time"]:
        spent = f"{time.time() - state['began']:.0f} s"
        return RunStoppedError(f"stopped: the time is over ({spent}); the same command goes on from there")
    return None


def _stopped(state: Mapping[str, Any], option: str, limit: str) -> RunStoppedError:
    spent = f"{state.get('requests', 0):,} requests"
    spent += f", a cost of {state['cost']:,.4f}" if state.get("cost") else ""
    return RunStoppedError(
        f"stopped: the budget is spent ({spent}, --{option} {limit}); the same command with a larger one goes on from "
        f"there",
        hint=f"--{option} VALUE",
    )


def check_budget(limits: BudgetConfig, models: Iterable[str | None], *options: Mapping[str, Any]) -> None:
    """Checks that a budget limits something.

    Args:
        limits: Of the configuration.
        models: The translators that it names.
        options: Of the translator and of what else may ask a model.

    Raises:
        ConfigError: Requests are limited and no endpoint is asked, or the cost and nothing has a price.
    """
    given = dict(_leaves(options))
    asked = [name for name in (*models, *given.values()) if isinstance(name, str) and name.startswith(_ENDPOINT)]
    for name in ("max_requests", "max_cost"):
        if getattr(limits, name) and not asked:
            raise ConfigError(
                f"budget.{name} is not used: no endpoint is asked", hint="--translator endpoint:MODEL, or --max-time"
            )
    if limits.max_cost and not any(given.get(name) for name in _PRICES):
        raise ConfigError(
            f"budget.max_cost={limits.max_cost:g} without a price",
            valid="price_in and price_out: the price of a million tokens",
            hint="--set translator.options.price_in=VALUE",
        )


def _leaves(found: object) -> Iterator[tuple[str, Any]]:
    for part in found if isinstance(found, tuple) else (found,):
        if isinstance(part, Mapping):
            for name, value in part.items():
                yield from _leaves(value) if isinstance(value, Mapping) else [(name, value)]
