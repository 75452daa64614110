"""Readers over inputs that nobody would write; ``SPANFERRY_FUZZ`` is how many for each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.corpora.readers.fuzz_driver import ARROW, fuzz
from tests.corpora.readers.fuzz_inputs import GOOD

_COUNT = int(os.environ.get("SPANFERRY_FUZZ", "300"))
# A file of the library's takes ten times as long to open as a text.
_ARROW_COUNT = max(_COUNT // 15, 10)


@pytest.mark.parametrize("name", GOOD)
def test_a_reader_raises_our_errors_or_gives_every_row(name: str) -> None:
    found = fuzz(name, _COUNT, "18")
    assert found["failures"] == []
    assert 0 < found["refused"] < _COUNT or name in ("jsonl", "doccano", "brat"), "too few are read, or all of them"


def test_an_arrow_file_never_ends_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.corpora.readers.fuzz_driver", "arrow", str(_ARROW_COUNT), "18"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr} {(tmp_path / 'fuzz-input.txt').read_text()[:3000]}"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["name"] for one in found] == list(ARROW)
    assert [failure for one in found for failure in one["failures"]] == []
    assert all(one["refused"] for one in found) and sum(one["refused"] for one in found) < len(found) * _ARROW_COUNT
