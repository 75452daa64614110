"""A small run that is crashed at its calls to the disk: the same command again gives the same bytes.

A seeded share of them by default; all of them with ``SPANFERRY_CRASHES=all`` (a number: one in so many).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# One in so many of about two thousand crashes; see flows/README.md, "Reliability", for all of them.
_SHARE = "20"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands between the run and the system."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler (apt-get install gcc)")
    made = tmp_path_factory.mktemp("library") / "disk.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", made, ROOT / "tests/flows/engine/disk_calls.c", "-ldl"], check=True
    )
    return made


def test_the_same_command_after_a_crash_gives_the_same_bytes(library: Path, tmp_path: Path) -> None:
    asked = os.environ.get("SPANFERRY_CRASHES", _SHARE)
    share = "1" if asked == "all" else asked
    arguments = [sys.executable, "-m", "tests.flows.engine.crash_driver", str(tmp_path), "--share", share]
    arguments += ["--moments", "200" if share == "1" else "2", "--workers", "2"]
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print({**found, "failures": len(found["failures"])})
    assert found["failures"] == []
    assert found["calls"] > 200 and found["tries"] >= 5 * found["calls"] // int(share) > 0
    ways = {end.partition(": ")[2] for end in found["ends"]}
    assert {"killed", "refused"} <= ways, "nothing was disturbed"
