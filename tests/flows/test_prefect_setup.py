"""What keeps runs on one machine apart."""

import subprocess
import sys

from flows.prefect_setup import ports
from tests.conftest import ROOT

_SHOW = "from flows.prefect_setup import ports; r = ports(); print(r.start, r.stop); input()"


def test_runs_at_the_same_time_look_for_ports_in_different_places() -> None:
    command = [sys.executable, "-c", _SHOW]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    several = [subprocess.Popen(command, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    found = [range(*map(int, one.communicate("\n")[0].split())) for one in several]
    taken = [port for one in (*found, ports()) for port in one]
    assert len(set(taken)) == len(taken) >= 5 * 20
    assert min(taken) > 1024 and max(taken) < 32_768
