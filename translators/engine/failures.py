"""What a model said of the rows that it failed on: logged, counted for whoever does the work, or raised."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from spanferry.corpora.errors import ModelError

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")
_LOG = logging.getLogger("spanferry")
_LONGEST = 500  # characters of an error that are kept; some engines list whole tensors


@dataclass(frozen=True, slots=True)
class Failed:
    """The rows of one kind of call that failed, and the error of the last one."""

    rows: int
    last: str


class Failures:
    """The failures of a piece of work, by kind of call; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Failed] = {}

    @property
    def found(self) -> Mapping[str, Failed]:
        """Kind of call to its failures, sorted by name."""
        with self._lock:
            return dict(sorted(self._found.items()))

    def add(self, call: str, rows: int, last: str) -> None:
        """Counts ``rows`` more."""
        with self._lock:
            before = self._found.get(call, Failed(0, ""))
            self._found[call] = replace(before, rows=before.rows + rows, last=last)


_gathering: ContextVar[Failures | None] = ContextVar("gathering", default=None)


@contextmanager
def gathered() -> Iterator[Failures]:
    """Gathers what models fail at in this block, in this thread and in work that `carried` takes to others."""
    found = Failures()
    token = _gathering.set(found)
    try:
        yield found
    finally:
        _gathering.reset(token)


def carried(work: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
    """``work`` for another thread, whose failures count where it was made."""
    found = _gathering.get()

    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        token = _gathering.set(found)
        try:
            return work(*args, **kwargs)
        finally:
            _gathering.reset(token)

    return run


def settle(
    errors: Sequence[str],
    rows: int,
    call: str,
    where: str | None = None,
    *,
    hint: str = "device=cpu, or a smaller batch_tokens",
) -> None:
    """Ends a call of a model: one failed row of several is a row with a reason; where all fail, the model is broken.

    Args:
        errors: What the engine said of each row that failed, in order.
        rows: How many rows it was given.
        call: What it was asked for: ``translate``, ``score`` …
        where: The model's directory or address.
        hint: What may help.

    Raises:
        ModelError: All of ``rows``, more than one, failed.
    """
    if not errors:
        return
    last = errors[-1][:_LONGEST]
    if len(errors) == rows > 1:
        raise ModelError(f"the model fails on every row: {last}", where=where, hint=hint)
    _LOG.warning("%s: the model failed on %d of %d rows: %s", call, len(errors), rows, last)
    if (found := _gathering.get()) is not None:
        found.add(call, len(errors), last)
