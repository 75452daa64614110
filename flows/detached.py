"""Tasks that go on when Prefect's server is gone: the work is ours, and the server only reports it.

Prefect's client raises as soon as its server does not answer, in a task as well as when the flow ends. A task that
fails while the server is lost is computed again in a thread of this process; stage files make that safe.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any


class Task:
    """One call of the step, under Prefect or on its own.

    Args:
        arguments: Of the call.
        future: Prefect's future, or one of this process's own threads.
    """

    def __init__(self, arguments: tuple[Any, ...], future: Any) -> None:
        self.arguments = arguments
        self.future = future

    def result(self, raise_on_failure: bool = True) -> Any:
        """What the call returned; its error is raised, or returned where that is not wanted."""
        try:
            own = isinstance(self.future, Future)
            result = self.future.result() if own else self.future.result(raise_on_failure=False)
        except Exception as error:
            result = error
        if raise_on_failure and isinstance(result, BaseException):
            raise result
        return result


class Tasks:
    """Submits the calls of one function to Prefect while its server is there, then to threads of this process.

    Args:
        function: What a task does.
        workers: Threads, where they are needed.
        lost: Whether the server is gone.
    """

    def __init__(self, function: Callable[..., Any], workers: int, lost: Callable[[], bool]) -> None:
        self._function = function
        self._workers = workers
        self._lost = lost
        self._own: ThreadPoolExecutor | None = None
        self.prefect: tuple[Callable[..., Any], Callable[..., Iterator[Any]]] | None = None

    @property
    def detached(self) -> bool:
        """Whether the work goes on without Prefect."""
        return self._own is not None

    def detach(self) -> bool:
        """Goes on without Prefect if its server is gone, and says so once; returns whether it does."""
        if self._own is None and self._lost():
            self._own = ThreadPoolExecutor(self._workers)
            print("warning: Prefect's server is gone; the run goes on without it", file=sys.stderr)
        return self.detached

    def submit(self, *arguments: Any) -> Task:
        """Starts one call."""
        if self._own is None and self.prefect is not None:
            try:
                return Task(arguments, self.prefect[0](*arguments))
            except Exception:
                if not self.detach():
                    raise
        return self._start(arguments)

    def _start(self, arguments: tuple[Any, ...]) -> Task:
        assert self._own is not None
        return Task(arguments, self._own.submit(self._function, *arguments))

    def completed(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Yields the tasks as they are done; those that fell with the server are computed before."""
        again: list[Task] = []
        waiting = {id(task.future): task for task in tasks if not isinstance(task.future, Future)}
        if waiting and self.prefect is not None:
            for future in self.prefect[1]([task.future for task in waiting.values()]):
                task = waiting.pop(id(future))
                if isinstance(task.result(raise_on_failure=False), Exception) and self.detach():
                    again.append(task)
                else:
                    yield task
        for task in again:
            task.future = self._start(task.arguments).future
        own = {task.future: task for task in tasks if isinstance(task.future, Future)}
        for done in as_completed(own):
            yield own[done]

    def close(self) -> None:
        """Ends the threads."""
        if self._own is not None:
            self._own.shutdown()
