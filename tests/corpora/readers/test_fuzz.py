"""Readers over inputs that nobody would write; ``SPANFERRY_FUZZ`` is how many for each, a thousand by default."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.corpora.readers.fuzz_driver import ARROW, fuzz
from tests.corpora.readers.fuzz_inputs import GOOD

_COUNT = int(os.environ.get("SPANFERRY_FUZZ", "1000"))
# A file of the library's takes ten times as long to open as a text.
_ARROW_COUNT = max(_COUNT // 20, 10)


@pytest.mark.parametrize("name", GOOD)
def test_a_reader_raises_our_errors_or_gives_every_row(name: str) -> None:
    found = fuzz(name, _COUNT, "18")
    assert found["failures"] == []
    assert 0 < found["refused"] < _COUNT or name in ("jsonl", "doccano"), "too few are read, or all of them"


@pytest.mark.parametrize("name", ARROW)
def test_an_arrow_file_never_ends_the_process(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.corpora.readers.fuzz_driver", name, str(_ARROW_COUNT), "18"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr} {(tmp_path / 'fuzz-input.txt').read_text()[:3000]}"
    found = json.loads(done.stdout)
    assert found["failures"] == [] and 0 < found["refused"] < _ARROW_COUNT
