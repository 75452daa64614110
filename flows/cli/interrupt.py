"""Ctrl-C while a command works: one line says what is kept, and the process ends at once, whatever it is doing.

Python calls a signal's handler between two steps of the main thread, which a long call into native code puts off, by
minutes in a large fit. So the signal's number is written to a pipe (`signal.set_wakeup_fd`, which the interpreter does
from the C handler) that a process of its own reads. It asks a thread of ours to end the process, and where that thread
does not get to run, because native code holds the interpreter's lock, ends it from outside. Ending so is safe: every
file of a run appears by a rename, and what was half written is swept by the next run.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

EXIT_STATUS = 130  # 128 + SIGINT, as shells report it
# A progress bar hides the cursor and leaves its line open.
_RESTORE = "\r\x1b[?25h\x1b[K"

# Reads signal numbers from its standard input until that ends with the process that is watched.
_WATCHER = """
import os, select, signal, sys
watched, ask, message = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
asked = False
while True:
    ready = select.select([0], [], [], 1.0 if asked else None)[0]
    numbers = os.read(0, 64) if ready else b""
    if ready and not numbers:
        break
    if asked:
        os.write(2, os.fsencode(message))
        os.kill(watched, signal.SIGKILL)
        break
    if signal.SIGINT in numbers:
        asked = True
        try:
            os.write(ask, b"!")
        except OSError:
            break
"""


@dataclass(frozen=True)
class Left:
    """What an interrupted command leaves.

    Attributes:
        kept: For the message: what is kept, or that nothing is.
        goes_on: Whether the same command goes on from there; else it starts again.
    """

    kept: str
    goes_on: bool = False


_NOTHING, _UNCHANGED = Left("nothing is kept"), Left("nothing was changed")
# By the first words of the command; the one with the most of them counts.
LEFT = {
    "run": _UNCHANGED,
    "evaluate": _NOTHING,
    "inspect": Left("all decisions are kept", goes_on=True),
    "convert": _UNCHANGED,
    "verify": _UNCHANGED,
    "filter": _UNCHANGED,
    "calibrate": _UNCHANGED,
    "decisions": _NOTHING,
    "decisions import": Left("decisions taken over so far are kept", goes_on=True),
    "list": _UNCHANGED,
    "models": _UNCHANGED,
    "models add": Left("files that were downloaded are kept", goes_on=True),
}


def left_by(arguments: Sequence[str]) -> Left:
    """What a command leaves when it is interrupted before, or without, work in a run's folder."""
    if "--dry-run" in arguments:
        return Left("nothing was written")
    known = [name for name in LEFT if list(arguments[: len(name.split())]) == name.split()]
    return LEFT[max(known, key=len)] if known else _UNCHANGED


def message(left: Left, arguments: Sequence[str], *, terminal: bool) -> str:
    """The line that an interrupted command ends with.

    Args:
        left: What it leaves.
        arguments: The command's own. ``--overwrite`` would not go on, so it is left out where it does.
        terminal: Whether a progress bar may be on the screen.
    """
    again = shlex.join(["spanferry", *(one for one in arguments if one != "--overwrite" or not left.goes_on)])
    how = "goes on from there" if left.goes_on else "starts again"
    return f"{_RESTORE if terminal else ''}interrupted: {left.kept}; this command {how}: {again}\n"


_ours: set[Any] = set()  # handlers that `watched` has set


@contextlib.contextmanager
def watched(left: Left) -> Iterator[None]:
    """Ctrl-C ends the process with a line about what it leaves; a second one ends it at once, whatever it does.

    Within another one it has its own line. It does nothing outside the main thread, and where somebody else handles
    the signal.

    Args:
        left: What the command leaves.
    """
    main = threading.current_thread() is threading.main_thread()
    current = signal.getsignal(signal.SIGINT)
    if not main or (current is not signal.default_int_handler and current not in _ours):
        yield
        return
    line = message(left, sys.argv[1:], terminal=sys.stderr.isatty())
    numbers, wakeup = os.pipe()
    asked, ask = os.pipe()
    command = [sys.executable, "-ISc", _WATCHER, str(os.getpid()), str(ask), line]
    watcher = subprocess.Popen(command, stdin=numbers, pass_fds=[ask], start_new_session=True)
    os.close(numbers)
    os.close(ask)
    threading.Thread(target=_end_when_asked, args=(asked, line), daemon=True).start()
    os.set_blocking(wakeup, False)
    # Only a handler of Python's own makes the interpreter write to the pipe.
    handler = _ending_with(line)
    _ours.add(handler)
    before = signal.signal(signal.SIGINT, handler)
    previous = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        signal.signal(signal.SIGINT, before)
        _ours.discard(handler)
        os.close(wakeup)
        watcher.terminate()  # a process forked meanwhile may hold the pipe open
        watcher.wait()


_ending = threading.Lock()  # taken once: the main thread and ours may both be asked


def _ending_with(line: str) -> Callable[[int, Any], None]:
    return lambda number, frame: _end(line)


def _end(line: str) -> None:
    if _ending.acquire(blocking=False):
        os.write(2, os.fsencode(line))
        os._exit(EXIT_STATUS)


def _end_when_asked(asked: int, line: str) -> None:
    if os.read(asked, 1):
        _end(line)
    os.close(asked)
