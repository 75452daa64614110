"""What help and completion load: the command line starts at once only while no heavy package is among it."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Not pydantic: typer reads options with it.
HEAVY = {
    *("pyarrow", "numpy", "ctranslate2", "prefect", "datasets", "spacy", "polars", "transformers"),
    *("tokenizers", "sentencepiece", "torch", "fastapi", "uvicorn", "httpx", "pandas", "lingua"),
}
_LOADED = """
import sys
from spanferry.flows.cli.main import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    "arguments",
    ["--help", "run --help", "run translate-train --help", "run project --help"],
)
def test_help_loads_nothing_heavy(arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED, *arguments.split()], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    loaded = set(done.stdout.rpartition("loaded ")[2].split())
    assert "typer" in loaded and not loaded & HEAVY


def test_the_help_lists_every_command_that_there_is() -> None:
    from importlib import import_module

    from spanferry.flows.cli.main import COMMANDS, RUN
    from spanferry.flows.components import FLOWS

    assert list(RUN) == list(FLOWS)
    for place, about in (*COMMANDS.values(), *RUN.values()):
        module, name = place.split(":")
        assert hasattr(import_module(module), name) and about.endswith(".")
