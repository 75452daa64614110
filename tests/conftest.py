"""What the tests share: where gold data lies, and a way to run the command as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    return [sys.executable, "-m", "flows.cli", *map(str, arguments)]


@pytest.fixture(scope="session")
def spanferry() -> Run:
    """Runs ``spanferry ARGUMENTS`` in a process of its own and returns its exit status and output."""

    def run(*arguments: object, timeout: float = 300, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*arguments),
            cwd=ROOT,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
