"""Prefect's environment, set before Prefect is imported: quiet, offline, and with a home of its own.

An ephemeral server keeps its state in SQLite under ``PREFECT_HOME``. The home lies in the user's cache, so the
database is made once; a second run at the same time takes the next slot, so that neither waits for the other's lock.
"""

import atexit
import contextlib
import fcntl
import os
import signal
from pathlib import Path
from typing import IO

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    # Events that a lost server did not get, a line each; the run says once that the server is gone.
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
_FIRST_PORT, _PORTS = 10_000, 20
_held: list[IO[str]] = []


def cache_home() -> Path:
    """Spanferry's folder in the user's cache: ``SPANFERRY_CACHE``, else ``$XDG_CACHE_HOME/spanferry``."""
    if given := os.environ.get("SPANFERRY_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spanferry"


def prepare() -> bool:
    """Sets the environment; a setting that the user has made stays.

    Returns:
        Whether the server is ours to start: with ``PREFECT_API_URL`` it is the user's, and a ``PREFECT_HOME`` of theirs
        may name one in its profile.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" in os.environ:
        return False
    # At exit the ephemeral server's recorder is cancelled in mid-write and prints a traceback.
    os.environ.setdefault("PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED", "false")
    if "PREFECT_HOME" not in os.environ:
        os.environ["PREFECT_HOME"] = str(_free_home())
        return True
    return bool(_held)


def _free_home() -> Path:
    """The first home whose lock is free, held until this process ends."""
    base = cache_home()
    for slot in range(64):
        home = base / f"prefect-{slot}"
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w")
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _held.append(lock)
            _end_leftover(home)
            return home
        lock.close()
    return base / f"prefect-{os.getpid()}"


def ports() -> range:
    """Ports for the ephemeral server that no other run of this machine is likely to try at the same moment.

    Whether one is free is seen some time before the server takes it: of two runs that start together and try the same
    ones, one would now and then talk to the other's server, and wait for ever when that one ends.
    """
    first = _FIRST_PORT + _PORTS * (os.getpid() % 1000)
    return range(first, first + _PORTS)


def note_server(pid: int) -> None:
    """Remembers the ephemeral server, so that the next run ends it if this one is killed."""
    home = os.environ.get("PREFECT_HOME")
    if home and _held:
        note = Path(home) / "server.pid"
        note.write_text(str(pid))
        atexit.register(note.unlink, missing_ok=True)


def _end_leftover(home: Path) -> None:
    """Ends the server that a killed run left behind in this home."""
    note = home / "server.pid"
    with contextlib.suppress(OSError, ValueError):
        pid = int(note.read_text())
        if b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    note.unlink(missing_ok=True)
