"""What the tests share: where gold data lies, and a way to run the command as a user does."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# On a server the same commit must pass twice: the examples follow from the tests. At home they are new every time.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("home", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def gold() -> Path:
    """The folder of gold data: ``SPANFERRY_DATA``, else beside the checkout; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SPANFERRY_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no gold data at {folder}; set SPANFERRY_DATA")
    return folder


def command(*arguments: object) -> list[str]:
    """``spanferry …`` with this interpreter."""
    return [sys.executable, "-m", "spanferry.flows.cli.main", *map(str, arguments)]


@pytest.fixture(scope="session")
def prefect_url() -> Iterator[str]:
    """A Prefect server of the tests' own, as users have one; a run of its own server takes some seconds longer."""
    code = "from spanferry.flows.prefect import server as p; p.start()\nwith p.used(): print(p.url()); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=alone(), **pipes) as server:  # type: ignore[call-overload]
        yield server.stdout.readline().strip()
        server.communicate("\n")


def alone() -> dict[str, str]:
    """The environment of a run that has no server yet."""
    others = ("PREFECT_API_URL", "PREFECT_HOME", "PYTEST_CURRENT_TEST")
    return {name: value for name, value in os.environ.items() if name not in others}


@pytest.fixture(scope="session")
def spanferry(prefect_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs ``spanferry ARGUMENTS`` in a process of its own and returns its exit status and output.

    Flows use `prefect_url`; with ``own_server`` they start one. A command that needs no environment of its own is a
    fork of a process that has imported what commands need.
    """
    start = alone()
    warm = Warm(
        {**start, "PREFECT_API_URL": prefect_url, "NO_COLOR": "1", "COLUMNS": "160"}, tmp_path_factory.mktemp("warm")
    )

    def run(
        *arguments: object, timeout: float = 300, own_server: bool = False, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        if not own_server and not environment and alone() == start:
            return warm.run([str(argument) for argument in arguments], timeout)
        server = {} if own_server else {"PREFECT_API_URL": prefect_url}
        return subprocess.run(
            command(*arguments),
            cwd=ROOT,
            env={**alone(), **server, "NO_COLOR": "1", "COLUMNS": "160", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    yield run
    warm.close()


class Warm:
    """``tests/warm.py``: commands as forks of one process."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment, self._folder = environment, folder
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: list[str], timeout: float) -> "subprocess.CompletedProcess[str]":
        """Runs one command to its end; raises ``TimeoutExpired`` as ``subprocess.run`` does."""
        if self._process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                [sys.executable, "-m", "tests.warm"], cwd=ROOT, env=self._environment, **pipes
            )
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        out, err = self._folder / "out", self._folder / "err"
        for file in (out, err):
            file.unlink(missing_ok=True)
        requests.write(json.dumps({"arguments": arguments, "out": str(out), "err": str(err)}) + "\n")
        requests.flush()
        child = int(answers.readline())
        overdue = threading.Event()
        timer = threading.Timer(timeout, lambda: (overdue.set(), os.kill(child, signal.SIGKILL)))
        timer.start()
        status = int(answers.readline())
        timer.cancel()
        if overdue.is_set():
            raise subprocess.TimeoutExpired(arguments, timeout)
        texts = [file.read_text(encoding="utf-8") for file in (out, err)]
        return subprocess.CompletedProcess(command(*arguments), status, *texts)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.communicate()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Ends with what was skipped, by reason: a test that did not run holds nothing."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(skip_reason(report.longrepr) for report in reports)
    if reasons:
        terminalreporter.section(f"{sum(reasons.values())} tests were skipped")
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        terminalreporter.write_line(f"{count:5}  {reason}")


def skip_reason(report: Any) -> str:
    """Why a test was skipped, without pytest's prefix; pytest gives file, line and reason."""
    reason = report[2] if isinstance(report, tuple) else str(report)
    return str(reason).removeprefix("Skipped: ").strip()
