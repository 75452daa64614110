"""What may be spent on an endpoint, and the errors with which that ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from spanferry.corpora.errors import ModelError


class BudgetError(ModelError):
    """The budget is spent. What is finished is kept; the same command with a larger budget resumes the run."""


class RunStoppedError(BudgetError):
    """The budget of a whole run is spent, or its time is over."""


class Spending(Protocol):
    """What a run may spend, whatever endpoints, threads and processes spend it."""

    def admit(self) -> None:
        """Counts a request that is about to be sent.

        Raises:
            RunStoppedError: It would be one more than the run may send, or too much was paid, or the time is over.
        """
        ...

    def pay(self, cost: float) -> None:
        """Adds the cost of an answer."""
        ...


_of_run: ContextVar[Spending | None] = ContextVar("of_run", default=None)


@contextmanager
def spending(budget: Spending | None) -> Iterator[None]:
    """What is asked of endpoints in this context counts for ``budget``."""
    token = _of_run.set(budget)
    try:
        yield
    finally:
        _of_run.reset(token)


def of_run() -> Spending | None:
    """The budget of the run that this context works for, if it has one."""
    return _of_run.get()


class Budget:
    """Admits requests of one endpoint until so many were sent or so much was paid.

    A request counts when it is sent, its cost when its answer is there: the cost exceeds ``max_cost`` by at most that
    of the requests that were under way.

    Args:
        max_requests: Requests, further tries included; 0: no limit.
        max_cost: In the currency of the prices; 0: no limit.
    """

    def __init__(self, max_requests: int = 0, max_cost: float = 0.0) -> None:
        self.max_requests, self.max_cost = max_requests, max_cost
        self._lock, self._requests, self._cost = threading.Lock(), 0, 0.0

    def admit(self) -> None:
        """Counts a request that is about to be sent.

        Raises:
            BudgetError: It would be one more than the budget allows.
        """
        with self._lock:
            if self.max_requests and self._requests >= self.max_requests:
                raise _spent(f"{self._requests:,} requests", f"max_requests={self.max_requests}", "max_requests")
            if self.max_cost and self._cost >= self.max_cost:
                raise _spent(f"a cost of {self._cost:,.4f}", f"max_cost={self.max_cost:g}", "max_cost")
            self._requests += 1

    def pay(self, cost: float) -> None:
        """Adds the cost of an answer."""
        with self._lock:
            self._cost += cost


def _spent(amount: str, limit: str, option: str) -> BudgetError:
    return BudgetError(
        f"stopped: budget spent ({amount}, {limit}); the same command with a larger budget resumes the run",
        hint=f"--set translator.options.{option}=VALUE",
    )
