"""A small run that is crashed at its boundaries with the disk: the same command again gives the same bytes.

A seeded twentieth by default; all of them with ``SPANFERRY_CRASHES=all`` (another number: one in so many).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_same_command_after_a_crash_gives_the_same_bytes(tmp_path: Path) -> None:
    asked = os.environ.get("SPANFERRY_CRASHES", "20")
    share = "1" if asked == "all" else asked
    arguments = [sys.executable, "-m", "tests.flows.engine.crash_driver", str(tmp_path), share, "18"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print({**found, "failures": len(found["failures"])})
    assert found["failures"] == []
    assert found["boundaries"] > 100 and found["tries"] >= 4 * found["boundaries"] // int(share) > 0
    assert found["ends"].get("killed") and found["ends"].get("refused"), "nothing was disturbed"
