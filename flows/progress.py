"""Progress on the terminal: one bar per stage with rows/s and time left; silent where there is no terminal."""

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

from flows.engine import Progress


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="cyan")


class TerminalProgress(Progress):
    """Bars on standard error while the engine works.

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
            disable=not console.is_terminal,
        )
        self._ids: dict[str, TaskID] = {}

    def __enter__(self) -> "TerminalProgress":
        self._bars.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._bars.stop()

    def start(self, stage: str, total: int, done: int) -> None:
        self._ids[stage] = self._bars.add_task(stage, total=total or None, completed=done)

    def advance(self, stage: str, rows: int) -> None:
        self._bars.advance(self._ids[stage], rows)

    def finish(self, stage: str) -> None:
        task = self._ids[stage]
        known = self._bars.tasks[task]
        if known.total is None:  # the input's size is known only once it has been read
            self._bars.update(task, total=known.completed)
