"""What keeps runs on one machine apart."""

import os
import subprocess
import sys

import pytest

from spanferry.flows.prefect.setup import ports
from tests.conftest import ROOT, alone

_SHOW = "from spanferry.flows.prefect.setup import ports; r = ports(); print(r.start, r.stop); input()"


def test_runs_at_the_same_time_look_for_ports_in_different_places() -> None:
    command = [sys.executable, "-c", _SHOW]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    several = [subprocess.Popen(command, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    found = [range(*map(int, one.communicate("\n")[0].split())) for one in several]
    taken = [port for one in (*found, ports()) for port in one]
    assert len(set(taken)) == len(taken) >= 5 * 20
    assert min(taken) > 1024 and max(taken) < 32_768


# Another program has the first port; says on which one the server answers. One that stands still is ended.
_TAKEN = """
import os, signal, socket, urllib.request
from spanferry.flows.prefect import server, setup
other = socket.create_server(("127.0.0.1", setup.ports().start))
server.start()
server._STUCK, server._LOOK_EVERY = 1.0, 0.2
with server.used():
    from prefect.settings import PREFECT_API_URL
    assert PREFECT_API_URL.value() == os.environ["PREFECT_API_URL"] == server.url()
    health = urllib.request.urlopen(server.url() + "/health").read()
    print(setup.ports().start, server.url(), health)
    os.kill(server._running[0].process.pid, signal.SIGSTOP)
    server._running[0].process.wait(60)
    assert server.lost()
"""


def test_the_server_answers_on_the_next_port_where_one_is_taken_and_ends_where_it_stands_still() -> None:
    done = subprocess.run([sys.executable, "-c", _TAKEN], cwd=ROOT, env=alone(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    first, url, health = done.stdout.split()
    assert url == f"http://127.0.0.1:{int(first) + 1}/api" and health == "b'true'"


def test_a_server_of_the_users_is_not_started_again() -> None:
    code = "from spanferry.flows.prefect import server as p; p.start(); print(p.url())"
    theirs = {"PREFECT_API_URL": "http://127.0.0.1:1/api"}, {"PREFECT_HOME": str(ROOT)}
    for own in theirs:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**alone(), **own}, capture_output=True)
        assert (done.returncode, done.stdout) == (0, b"None\n"), done.stderr


@pytest.mark.xdist_group("kept")
def test_what_a_module_makes_once_is_made_by_one_worker(request: pytest.FixtureRequest) -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ or request.node.nodeid.endswith("@kept")
