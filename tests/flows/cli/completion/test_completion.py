"""Completion as a shell asks for it, and what it reads from source files against what the imported components say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.options import options_of
from spanferry.corpora.registry import resolve
from spanferry.flows.cli.completion.declared import TABLES, options_at, table
from spanferry.flows.cli.completion.offers import keys
from spanferry.flows.components import KINDS
from spanferry.flows.configs import CONFIGS
from tests.conftest import ROOT
from tests.flows.cli.test_startup import HEAVY
from tests.flows.identity_flows import leaves

# Completes lines as the script of ``spanferry --install-completion`` asks for it, and says what was loaded for each.
_COMPLETE = """
import json, os, sys
from spanferry.flows.cli.main import app
for line in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    os.environ |= {"_SPANFERRY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    try:
        app([], prog_name="spanferry")
    except SystemExit:
        pass
    loaded = {name.partition(".")[0] for name in sys.modules}
    print("\\0" + " ".join(sorted(loaded)), end="\\0", flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[list[str], set[str]]]:
    """Line to what a shell is offered at its end, and to the packages that were loaded for that."""
    lines = [line for line, _ in OFFERED]
    command = [sys.executable, "-c", _COMPLETE]
    done = subprocess.run(command, input=json.dumps(lines), cwd=ROOT, capture_output=True, text=True, check=True)
    parts = done.stdout.split("\0")
    return {line: (parts[2 * k].split(), set(parts[2 * k + 1].split())) for k, line in enumerate(lines)}


RUN = "spanferry run translate-train"


ALIGNER_OPTIONS = [f"projector.options.aligner_options.{o}=" for o in options_at(table("aligners")["lexical"])]
OFFERED = [
    (f"{RUN} --projector co", ["constrained", "contextual", "copy"]),
    (f"{RUN} --translator ", ["bundled", "none", "parallel", "endpoint", "firefox"]),
    (f"{RUN} --format b", ["brat"]),
    (f"{RUN} --input sample:s", ["sample:sentences"]),
    (f"{RUN} --projector alignment --set projector.options.al", ["projector.options.aligner=", *ALIGNER_OPTIONS]),
    (f"{RUN} --projector alignment --set projector.options.aligner_", ALIGNER_OPTIONS),
    (f"{RUN} --set translator.protect=", ["translator.protect=true", "translator.protect=false"]),
    (f"{RUN} --set filters.letters.", ["filters.letters.max_lost="]),
    (f"{RUN} --format squad --set read.options.o", ["read.options.offsets="]),
    ("spanferry run derive cross", ["cross-qa"]),
    ("spanferry run code-switch --sampler ", ["probability", "cmi", "histogram"]),
    ("spanferry run parallel --aligner s", ["simalign"]),
    ("spanferry run apply-decisions --write js", ["jsonl"]),
    ("spanferry list al", ["aligners"]),
    ("spanferry evaluate pro", ["projection"]),
    ("spanferry evaluate projection -p co", ["constrained", "contextual", "copy"]),
    ("spanferry evaluate projection -p alignment[ru", ["alignment[rule="]),
    ("spanferry evaluate alignment -a lexical[prior=none,sym", ["lexical[prior=none,symmetrisation="]),
    ("spanferry evaluate projection --gold europarl-", ["europarl-es", "europarl-de"]),
    ("spanferry evaluate alignment --gold align-multi-e", ["align-multi-es"]),
    ("spanferry evaluate projection --format squad --set o", ["offsets="]),
    (f"{RUN} --device c", ["cpu", "cuda"]),
]


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_a_shell_is_offered(answers: dict[str, tuple[list[str], set[str]]], line: str, offered: list[str]) -> None:
    found, loaded = answers[line]
    assert found == offered
    assert "typer" in loaded and not loaded & HEAVY


def test_the_installed_command_completes() -> None:
    line = f"{RUN} --projector def"
    environment = {**os.environ, "_SPANFERRY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}
    script = Path(sys.executable).with_name("spanferry")
    done = subprocess.run([str(script)], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["default"], done.stderr


def test_the_tables_are_those_of_the_list() -> None:
    assert list(TABLES) == list(KINDS)
    for kind, entries in KINDS.items():
        assert list(table(kind)) == list(entries)
        if all(":" in path for path in entries.values()):
            assert table(kind) == dict(entries)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("flows", "samples", "presets")])
def test_options_read_from_the_source_are_those_of_the_component(kind: str) -> None:
    for name, path in KINDS[kind].items():
        declared: list[str] = [option.name for option in options_of(resolve(kind, name, KINDS[kind]))]
        assert sorted(options_at(path)) == sorted(declared), name


@pytest.mark.parametrize("flow", CONFIGS)
def test_keys_are_those_of_the_configuration(flow: str) -> None:
    module, _, name = CONFIGS[flow].partition(":")
    config: Any = resolve("flow", f"{module}:{name}", {})
    offered = list(keys(flow, {"kind": "cross-qa", "unit": "span"}))
    for key in leaves(config):
        assert any(found == key or found.startswith(f"{key}.") for found in offered), key
    known = tuple(leaves(config))
    assert all(found in known or found.startswith(tuple(f"{key}." for key in known)) for found in offered)


def test_options_are_those_of_the_chosen_component() -> None:
    chosen = {"set": ["projector.kind=alignment", 'projector.options.aligner="encoder"'], "translator": "endpoint:m"}
    found = set(keys("translate-train", chosen))
    assert {"projector.options.rule", "projector.options.aligner_options.method"} <= found
    assert {"translator.options.url", "translator.options.shots"} <= found
    assert not {"projector.options.calibrate", "projector.options.aligner_options.max_pairs"} & found
    assert options_at("tests.flows.test_signatures:Echo") == {}, "nothing of a user's own code is looked at"
