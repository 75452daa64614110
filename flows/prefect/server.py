"""Prefect's server for the runs of this process, started while they get ready.

Prefect would start one itself, but only once the flow begins, and it imports all of its server into the run's own
process for that: a run then waits for both, one after the other. Here the server comes up beside the reading of the
input, and the run's own process imports the client alone.
"""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from spanferry.corpora.errors import SpanferryError
from spanferry.flows.prefect import setup as prefect_setup

# What Prefect gives its own ephemeral server: no web page, and none of the services that look after deployments.
_EPHEMERAL = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
# Seconds without an answer and without any work of the processor, after which a server counts as stuck.
_TIMEOUT = float(prefect_setup.QUIET["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"])
_SAY_AFTER, _SAY_EVERY = 30.0, 60.0
_STARTS = 3
_TRIES = 3
# Seconds without work after which a server that does not answer either is ended: stopped, or starved of memory.
_STUCK, _LOOK_EVERY = 15.0, 3.0
# The server's standard input is a pipe that ends with this process, however it ends, and the server with it.
_SERVE = """
import os, sys, threading
def end_with_the_run():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=end_with_the_run, daemon=True).start()
import uvicorn
uvicorn.main()
"""
# A proxy could not reach this machine's own address.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_running: list["_Server"] = []
_given_up: list[bool] = []


class NoServerError(SpanferryError):
    """Prefect has no server: none can be started, or the user's does not answer. The work needs none."""


class _Server:
    """A server process, on the first of our ports that it can have."""

    def __init__(self) -> None:
        self._ports = iter(prefect_setup.ports())
        self._start()
        atexit.register(self.stop)

    def _start(self) -> None:
        self.port = next((port for port in self._ports if _is_free(port)), 0)
        if not self.port:
            ports = prefect_setup.ports()
            raise _no_server(f"found no port from {ports.start} to {ports.stop - 1}")
        command = ["-c", _SERVE, "--factory", "prefect.server.api.server:create_app", "--lifespan", "on"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "error"]
        # In a session of its own: Ctrl-C in the terminal is for the run, which ends its server itself.
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **_EPHEMERAL},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        prefect_setup.note_server(self.process.pid)
        # For threads and processes that Prefect's settings don't reach.
        os.environ["PREFECT_API_URL"] = self.url

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def wait(self) -> None:
        """Returns when the server answers; one whose port was taken meanwhile is started anew.

        On a busy machine that takes minutes. The server is waited for as long as it works.

        Raises:
            NoServerError: It ended several times, or stands still.
        """
        begin = last_work = time.monotonic()
        say_at = begin + _SAY_AFTER
        work = cpu_seconds(self.process.pid)
        starts = 1
        while not self._answers():
            now = time.monotonic()
            if self.process.poll() is not None:
                if starts == _STARTS:
                    raise _no_server(f"ended with status {self.process.returncode}")
                starts += 1
                self._start()
                last_work = now
            elif (done := cpu_seconds(self.process.pid)) != work:
                work, last_work = done, now
            elif now - last_work > _TIMEOUT:
                raise _no_server(f"has done nothing for {_TIMEOUT:.0f} seconds")
            if now > say_at:
                print(f"waiting for Prefect's server: it is still starting after {now - begin:.0f} s", file=sys.stderr)
                say_at = now + _SAY_EVERY
            time.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), _DIRECT.open(f"{self.url}/health", timeout=5) as page:
            return self.process.poll() is None and bool(page.status == 200)
        return False

    def end_if_stuck(self, left: threading.Event) -> None:
        """Watches the server until ``left`` is set: its clients would wait for one that stands still."""
        work, last_work = cpu_seconds(self.process.pid), time.monotonic()
        while not left.wait(_LOOK_EVERY) and self.process.poll() is None:
            done = cpu_seconds(self.process.pid)
            if done != work:
                work, last_work = done, time.monotonic()
            elif time.monotonic() - last_work > _STUCK and not self._answers():
                self.process.kill()

    def stop(self) -> None:
        self.process.terminate()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start() -> None:
    """Has the server of this process started, unless there is one or it is not ours to start.

    Raises:
        NoServerError: There is no port for it, or it can't be started.
    """
    try:
        ours = prefect_setup.prepare()
        if _running and _running[0].process.poll() is not None:
            _running.clear()
            ours = True
        if ours and not _running:
            _running.append(_Server())
    except OSError as error:
        raise _no_server(f"can't be started: {error}") from error


def url() -> str | None:
    """Where the server of this process is, if there is one."""
    return _running[0].url if _running else None


def wait() -> None:
    """Returns once the server that was started answers, or the user's does.

    Raises:
        NoServerError: It does not.
    """
    if _running:
        _running[0].wait()
    elif "PREFECT_API_URL" in os.environ:
        _check_given(os.environ["PREFECT_API_URL"])


@contextlib.contextmanager
def used() -> Iterator[None]:
    """Prefect talks to the server that was started, once it answers; where none was, to whichever it finds or starts.

    Raises:
        NoServerError: It does not come up.
    """
    wait()
    if _running:
        from prefect.settings import PREFECT_API_URL, temporary_settings

        left = threading.Event()
        threading.Thread(target=_running[0].end_if_stuck, args=(left,), daemon=True).start()
        try:
            with temporary_settings({PREFECT_API_URL: url()}):
                yield
        finally:
            left.set()
        return
    if "PREFECT_API_URL" not in os.environ:
        from prefect.server.api.server import SubprocessASGIServer

        SubprocessASGIServer._port_range = prefect_setup.ports()
    yield


def give_up() -> None:
    """The runs of this process do without a server from here on."""
    _given_up[:] = [True]
    for server in _running:
        server.stop()
    _running.clear()


def try_again() -> None:
    """The next run asks for a server again."""
    _given_up.clear()


def given_up() -> bool:
    """Whether the runs of this process do without a server."""
    return bool(_given_up)


def lost() -> bool:
    """Whether the server of this process was started and runs no longer, or the user's does not answer."""
    if given_up():
        return True
    if _running:
        return _running[0].process.poll() is not None
    given = os.environ.get("PREFECT_API_URL")
    return given is not None and not _is_there(given)


def note_prefects_own() -> None:
    """Remembers a server that Prefect started by itself, so that the next run ends it if this one is killed."""
    if module := sys.modules.get("prefect.server.api.server"):
        for server in module.SubprocessASGIServer._instances.values():
            if server.server_process is not None:
                prefect_setup.note_server(server.server_process.pid)


def cpu_seconds(pid: int) -> float | None:
    """Processor time that a process has used; None where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, see proc(5)


def _check_given(address: str) -> None:
    for _ in range(_TRIES):
        if _is_there(address):
            return
        time.sleep(0.5)
    raise NoServerError(
        "no Prefect server answers at this address",
        where=f"PREFECT_API_URL={address}",
        hint="unset PREFECT_API_URL, and the run starts its own server",
    )


def _is_there(address: str) -> bool:
    """Whether a server answers, whatever it says: it may ask for a key that only Prefect's client has."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as own, contextlib.suppress(OSError):
        own.bind(("127.0.0.1", port))
        return True
    return False


def _no_server(why: str) -> NoServerError:
    return NoServerError(f"Prefect's server {why}", hint="PREFECT_API_URL=http://… uses one that runs already")
