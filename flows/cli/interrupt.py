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
from collections.abc import Iterator
from pathlib import Path

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


def message(out: Path | None, arguments: list[str], *, terminal: bool) -> str:
    """The line that an interrupted command ends with.

    Args:
        out: The run's folder; None where the command keeps nothing.
        arguments: The command's own arguments. ``--overwrite`` would start again, so it is left out.
        terminal: Whether a progress bar may be on the screen.
    """
    if out is None:
        line = "interrupted"
    else:
        again = shlex.join(["spanferry", *(one for one in arguments if one != "--overwrite")])
        line = f"interrupted: finished shards are kept in {out}; this command resumes it: {again}"
    return f"{_RESTORE if terminal else ''}{line}\n"


@contextlib.contextmanager
def watched(out: Path | None = None) -> Iterator[None]:
    """Ctrl-C ends the process with a line about ``out``; outside the main thread and below another this does nothing.

    Args:
        out: The run's folder, from which the same command goes on.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    line = message(out, sys.argv[1:], terminal=sys.stderr.isatty())
    numbers, wakeup = os.pipe()
    asked, ask = os.pipe()
    command = [sys.executable, "-ISc", _WATCHER, str(os.getpid()), str(ask), line]
    watcher = subprocess.Popen(command, stdin=numbers, pass_fds=[ask], start_new_session=True)
    os.close(numbers)
    os.close(ask)
    threading.Thread(target=_end_when_asked, args=(asked, line), daemon=True).start()
    os.set_blocking(wakeup, False)
    # Only a handler of Python's own makes the interpreter write to the pipe.
    before = signal.signal(signal.SIGINT, lambda number, frame: _end(line))
    previous = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        signal.signal(signal.SIGINT, before)
        os.close(wakeup)
        watcher.terminate()  # a process forked meanwhile may hold the pipe open
        watcher.wait()


_ending = threading.Lock()  # taken once: the main thread and ours may both be asked


def _end(line: str) -> None:
    if _ending.acquire(blocking=False):
        os.write(2, os.fsencode(line))
        os._exit(EXIT_STATUS)


def _end_when_asked(asked: int, line: str) -> None:
    if os.read(asked, 1):
        _end(line)
    os.close(asked)
