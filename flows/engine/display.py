"""Progress of a run: on a terminal one bar per step with rows/s and time left, elsewhere a line every ten seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from spanferry.flows.engine.progress import Progress

_EVERY = 10.0  # seconds between two lines where there is no terminal


@contextmanager
def shown_on(console: Console) -> Iterator[Progress]:
    """Progress on ``console``: bars on a terminal, else lines.

    Args:
        console: Console of standard error.
    """
    if not console.is_terminal:
        yield LineProgress(console)
        return
    with TerminalProgress(console) as progress:
        yield progress


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="cyan")


class TerminalProgress(Progress):
    """Bars while the engine works.

    Args:
        console: Console of standard error.
    """

    def __init__(self, console: Console) -> None:
        self._bars = RichProgress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
        )
        self._ids: dict[str, TaskID] = {}

    def __enter__(self) -> "TerminalProgress":
        self._bars.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._bars.stop()

    def update(self, step: str, done: int, total: int | None) -> None:
        if step not in self._ids:
            self._ids[step] = self._bars.add_task(step, total=total, completed=done)
        self._bars.update(self._ids[step], completed=done, total=total)

    def finish(self, step: str) -> None:
        if step in self._ids:
            task = next(task for task in self._bars.tasks if task.id == self._ids[step])
            self._bars.update(task.id, total=task.completed)


class LineProgress(Progress):
    """A line every ten seconds: rows of the steps at work, rows/s and time left of the one that is furthest behind.

    A run that is over by then prints none.

    Args:
        console: Console of standard error.
        every: Seconds between two lines.
    """

    def __init__(self, console: Console, every: float = _EVERY) -> None:
        self._console, self._every = console, every
        self._last = time.monotonic()
        self._began: dict[str, tuple[float, int]] = {}  # when a step began, and what was there then
        self._rows: dict[str, tuple[int, int | None]] = {}  # of the steps at work

    def update(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        self._began.setdefault(step, (now, done))
        self._rows[step] = done, total
        if now - self._last >= self._every and self._rows:
            self._last = now
            self._console.print(self._line(now), markup=False, highlight=False, soft_wrap=True)

    def finish(self, step: str) -> None:
        self._rows.pop(step, None)

    def _line(self, now: float) -> str:
        rows = {step: found for step, found in self._rows.items() if found[0]} or self._rows
        parts = [
            f"{step} {done:,}" + (f" of {total:,}" if total is not None else "") for step, (done, total) in rows.items()
        ]
        slowest = min(rows, key=lambda step: rows[step][0] / (rows[step][1] or 1))
        (done, total), (began, there) = rows[slowest], self._began[slowest]
        speed = (done - there) / (now - began) if now > began else 0.0
        shown = [f"{', '.join(parts)} rows"]
        shown += [f"{speed:,.1f} rows/s"] if speed else []
        shown += [f"{_clock((total - done) / speed)} left"] if speed and total is not None else []
        return ", ".join(shown)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
