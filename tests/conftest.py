"""What the tests share: where gold data lies, and a way to run the command as a user does."""

import os
import subprocess
import sys
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
    return {name: value for name, value in os.environ.items() if name not in ("PREFECT_API_URL", "PREFECT_HOME")}


@pytest.fixture(scope="session")
def spanferry(prefect_url: str) -> Run:
    """Runs ``spanferry ARGUMENTS`` in a process of its own and returns its exit status and output.

    Flows use `prefect_url`; with ``own_server`` they start one.
    """

    def run(
        *arguments: object, timeout: float = 300, own_server: bool = False, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
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

    return run


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
