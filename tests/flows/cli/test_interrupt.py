"""Ctrl-C, a killed run and a killed server, with real processes in a pseudo-terminal."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spanferry.flows.cli import main
from spanferry.flows.cli.interrupt import LEFT, Left, left_by, message
from tests.conftest import ROOT, alone, command
from tests.flows.inspector.inspector_runs import write_switched

# Blocks as the fit of a large input does: Python's own sleep, native code that lets others run, native code that keeps
# the interpreter's lock, and a pool of threads that the interpreter waits for at its end.
BLOCKED = {
    "python": "import time; time.sleep(60)",
    "native": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "lock held": "sum(range(10**11))",
    "threads": (
        "import concurrent.futures as f, time\n    with f.ThreadPoolExecutor() as p: p.submit(time.sleep, 60).result()"
    ),
}


class Terminal:
    """A process whose terminal we hold; ``\\x03`` typed into it is Ctrl-C."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(arguments[0], arguments, {**alone(), "COLUMNS": "200", **environment})
        self.shown = ""

    def read_until(self, found: Callable[[str], bool], seconds: float = 120) -> bool:
        end = time.monotonic() + seconds
        while not found(self.shown):
            ready = select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                return False
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # the other side is closed
                return found(self.shown)
            if not data:
                return found(self.shown)
            self.shown += data.decode(errors="replace")
        return True

    def read_until_busy(self) -> bool:
        """Waits for ``ready``, and for what is computed behind it: until then Python itself would take the signal."""
        if not self.read_until(lambda shown: "ready" in shown):
            return False
        stat = Path(f"/proc/{self.pid}/stat")
        started = _ticks(stat)
        for _ in range(1000):
            if _ticks(stat) > started + 5:
                return True
            time.sleep(0.01)
        return True  # it sleeps, or waits

    def interrupt(self) -> int:
        """Types Ctrl-C, reads to the end and returns the exit status (negative: the signal)."""
        os.write(self.fd, b"\x03")
        self.read_until(lambda shown: False, 30)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def _ticks(stat: Path) -> int:
    """Processor time of a process, in hundredths of a second."""
    return int(stat.read_text().rpartition(")")[2].split()[11])


@pytest.mark.parametrize("how", BLOCKED)
def test_ctrl_c_ends_what_blocks(how: str, tmp_path: Path) -> None:
    code = (
        "from spanferry.flows.cli.interrupt import Left, watched\n"
        "with watched(Left('finished shards are kept in some-out', True)):\n"
        f"    print('ready', flush=True)\n    {BLOCKED[how]}\n"
    )
    terminal = Terminal([sys.executable, "-c", code])
    assert terminal.read_until_busy() if how == "lock held" else terminal.read_until(lambda shown: "ready" in shown)
    assert terminal.interrupt() == (-signal.SIGKILL if how == "lock held" else 130)
    assert terminal.shown.count("finished shards are kept in some-out; this command goes on") == 1
    assert "Traceback" not in terminal.shown


# A command, and what it leaves.
COMMANDS = {
    "evaluate projection --gold g -t es": "nothing is kept; this command starts again",
    "evaluate switching -i x": "nothing is kept; this command starts again",
    "models add opus-mt -s en -t es": "files that were downloaded are kept; this command goes on from there",
    "models check mini": "nothing was changed; this command starts again",
    "verify out": "nothing was changed; this command starts again",
    "inspect out": "all decisions are kept; this command goes on from there",
    "decisions import out f.json": "decisions taken over so far are kept; this command goes on from there",
    "list readers": "nothing was changed; this command starts again",
    "run derive prompts -i x --dry-run": "nothing was written; this command starts again",
    "run code-switch -i x": "nothing was changed; this command starts again",
}


def test_ctrl_c_in_every_command() -> None:
    """As soon as a command begins, before it has a folder; all at once, since each waits for its process to start."""
    code = (
        "import time\nfrom spanferry.flows.cli import main\n"
        "main.app = lambda: (print('ready', flush=True), time.sleep(60))\nmain.main()"
    )
    terminals = {given: Terminal([sys.executable, "-c", code, *given.split()]) for given in COMMANDS}
    for given, terminal in terminals.items():
        assert terminal.read_until(lambda shown: "ready" in shown)
        assert terminal.interrupt() == 130
        (line,) = [line for line in terminal.shown.splitlines() if "interrupted" in line]
        assert line.endswith(f"interrupted: {COMMANDS[given]}: spanferry {given}")
        assert "Traceback" not in terminal.shown


def test_ctrl_c_in_the_inspector(tmp_path: Path) -> None:
    out = write_switched(tmp_path)
    terminal = Terminal(command("inspect", out, "--port", "0"))
    assert terminal.read_until(lambda shown: "the decisions:" in shown)
    address = re.findall(r"127\.0\.0\.1:(\d+)", terminal.shown)[0]
    # A browser keeps its connection: nothing waits for it.
    with socket.create_connection(("127.0.0.1", int(address))) as open_page:
        open_page.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert open_page.recv(12).startswith(b"HTTP/1.1")
        assert terminal.interrupt() == 130
    assert f"all decisions are kept; this command goes on from there: spanferry inspect {out}" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_every_command_says_what_it_leaves() -> None:
    assert {name.split()[0] for name in LEFT} == set(main.COMMANDS)
    assert left_by(["models", "add", "x"]).goes_on and not left_by(["models", "list"]).goes_on
    assert left_by(["run", "project", "--dry-run"]).kept == "nothing was written"


def test_a_second_ctrl_c_ends_what_the_first_one_does_not() -> None:
    code = (
        "from spanferry.flows.cli.interrupt import Left, watched\n"
        "with watched(Left('outer')), watched(Left('inner')):\n    print('ready', flush=True)\n    sum(range(10**11))\n"
    )
    terminal = Terminal([sys.executable, "-c", code])
    assert terminal.read_until_busy()
    os.write(terminal.fd, b"\x03")
    assert terminal.interrupt() == -signal.SIGKILL
    assert terminal.shown.count("interrupted: inner; ") == 1 and "outer" not in terminal.shown


def test_the_command_that_goes_on_does_not_start_again() -> None:
    given = ["run", "project", "--input", "my file.txt", "--overwrite", "--out", "o"]
    line = message(Left("shards are kept", goes_on=True), given, terminal=False)
    assert line.endswith("goes on from there: spanferry run project --input 'my file.txt' --out o\n")
    line = message(Left("nothing was written"), given, terminal=False)
    assert line.endswith("starts again: spanferry run project --input 'my file.txt' --overwrite --out o\n")


def _children(pid: int) -> list[int]:
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(one) for one in text.split()]


def _server_of(pid: int) -> int:
    """The Prefect server that a run has started."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for child in _children(pid):
            arguments = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"prefect.server.api.server:create_app" in arguments:
                return child
        time.sleep(0.05)
    raise AssertionError("no server")


def _ended(pid: int, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def _run(out: Path) -> list[str]:
    return command("run", "translate-train", "-i", "sample:sentences", "-t", "es", "-o", out, "--set", "shard_rows=8")


def test_ctrl_c_in_a_run_and_the_command_it_names(tmp_path: Path) -> None:
    out = tmp_path / "out"
    terminal = Terminal(_run(out))
    server = _server_of(terminal.pid)
    assert os.getsid(server) == server
    assert terminal.read_until(lambda shown: "translate" in shown)
    assert terminal.interrupt() == 130
    assert f"kept in {out}" in terminal.shown and "Traceback" not in terminal.shown
    assert _ended(server)
    again = subprocess.run(_run(out), cwd=ROOT, env=alone(), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert (out / "es" / "dataset_dict.json").exists()


def test_the_server_of_a_killed_run_ends(tmp_path: Path) -> None:
    run = subprocess.Popen(_run(tmp_path / "out"), cwd=ROOT, env=alone(), stderr=subprocess.DEVNULL)
    server = _server_of(run.pid)
    run.kill()
    run.wait()
    assert _ended(server)


def test_a_killed_server_does_not_end_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = subprocess.Popen(
        [*_run(out), "--json"], cwd=ROOT, env=alone(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    server = _server_of(run.pid)
    end = time.monotonic() + 120
    while time.monotonic() < end and not list(out.glob("stages/translate-*/*.arrow")):
        time.sleep(0.02)
    os.kill(server, signal.SIGKILL)
    shown, errors = run.communicate(timeout=240)
    assert run.returncode == 0, errors
    assert errors.count("Prefect's server is gone") == 1 and "Traceback" not in errors
    assert json.loads(shown) and (out / "es" / "dataset_dict.json").exists()


class _Failing(BaseHTTPRequestHandler):
    """Prefect's server when its memory is short: it lives, and answers with errors."""

    def _answer(self) -> None:
        healthy = self.path.endswith("/health")
        self.rfile.read(int(self.headers["content-length"] or 0))
        self.send_response(200 if healthy else 500)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"true")

    do_GET = do_POST = do_PATCH = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("how", ["dead", "failing"])
def test_a_run_goes_on_without_a_server_of_the_users_that_does_not_work(how: str, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Failing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    if how == "dead":
        server.shutdown()
        server.server_close()
    given = tmp_path / "en.jsonl"
    given.write_text('{"text": "Anna calls.", "spans": [{"start": 0, "end": 4, "label": "PER"}]}\n')
    own = ["run", "project", "-i", given, "--target-input", given, "-t", "sw", "-o", tmp_path / "out", "--json"]
    done = subprocess.run(
        command(*own, "--projector", "copy", "--set", "filters=[]"),
        cwd=ROOT,
        env={**alone(), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = "no Prefect server answers at this address" if how == "dead" else "Prefect's server fails ("
    assert said in done.stderr and done.stderr.count("the run goes on without it") == 1
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["languages"]["sw"]["kept"] == 1
