"""Every command of the pages is run, in order, in a folder with the files that they name; the rest has a reason."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, alone
from tests.pages.driver import adapted
from tests.pages.extract import Command, commands_of, is_mention, problem_of
from tests.pages.not_run import NOT_RUN, entry_of
from tests.write_reference import pages

pytestmark = pytest.mark.xdist_group("pages")


def _commands() -> dict[str, list[Command]]:
    found = {str(page.relative_to(ROOT)): commands_of(page.read_text()) for page in pages()}
    return {page: [one for one in commands if not is_mention(one)] for page, commands in found.items()}


COMMANDS = _commands()
RUN = {page: [list(one.words) for one in commands if entry_of(str(one)) is None] for page, commands in COMMANDS.items()}


@pytest.fixture(scope="module")
def results(prefect_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What each command did, by page."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pages.driver", str(tmp_path_factory.mktemp("pages"))],
        cwd=ROOT,
        env={**alone(), "PREFECT_API_URL": prefect_url, "NO_COLOR": "1", "COLUMNS": "160", "PYTHONPATH": str(ROOT)},
        input=json.dumps({page: commands for page, commands in RUN.items() if commands}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        result = json.loads(line)
        found.setdefault(result["page"], []).append(result)
    return found


@pytest.mark.parametrize("page", [page for page, commands in RUN.items() if commands])
def test_commands_of_a_page_work(page: str, results: dict[str, list[dict[str, Any]]]) -> None:
    assert [one["command"] for one in results[page]] == RUN[page]
    failed = [f"{' '.join(one['command'])}\n{one['printed']}" for one in results[page] if one["status"]]
    assert not failed, "\n".join(failed)
    assert not [one["command"] for one in results[page] if "Traceback" in one["printed"]]


@pytest.mark.parametrize("page", [page for page, commands in COMMANDS.items() if commands])
def test_names_and_options_of_every_command_exist(page: str) -> None:
    problems = [f"{one}: {why}" for one in COMMANDS[page] if (why := problem_of(one))]
    assert not problems, "\n".join(problems)


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    used = {entry_of(str(one)) for commands in COMMANDS.values() for one in commands}
    assert sorted(set(NOT_RUN) - used) == [], "no page has such a command"


def test_most_commands_are_run() -> None:
    ours = [one for commands in COMMANDS.values() for one in commands if one.words[0] == "spanferry"]
    assert sum(len(commands) for commands in RUN.values()) > 0.7 * len(ours)


def test_commands_are_found_in_blocks_and_in_text() -> None:
    page = (
        "```\nspanferry a B \\\n  -c  # why\n go  spanferry d\n```\nand `spanferry\ne f`, `python x.py`, ```` `no` ````"
    )
    assert [str(one) for one in commands_of(page)] == [
        "spanferry a B -c",
        "spanferry d",
        "spanferry e f",
        "python x.py",
    ]
    assert [is_mention(one) for one in commands_of(page)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("spanferry run projekt", "projekt"),
        ("spanferry run project --outt x", "--outt"),
        ("spanferry run project --out", "argument"),
        ("spanferry inspect OUT more", "unexpected"),
        ("make tests", "tests"),
        ("pip install spanferry[filters,converd]", "converd"),
        ("python tests/bench/none.py", "no file"),
        ("python tests/bench/few_rows.py --no-such", "--no-such"),
        ("python -m spanferry.translators.bundled.train --stepz 1", "--stepz"),
    ],
)
def test_what_is_wrong_with_a_command_is_seen(words: str, what: str) -> None:
    assert what in (problem_of(Command(tuple(words.split()), True)) or "")


@pytest.mark.parametrize(
    "words",
    [
        "spanferry run project --target-input x --dry-run",
        "spanferry --version",
        "make demo",
        "pip install spanferry[convert]",
        "python -m spanferry.translators.bundled.train --out WORK --steps 3000",
    ],
)
def test_nothing_is_wrong_with_a_command(words: str) -> None:
    assert problem_of(Command(tuple(words.split()), True)) is None


def test_runs_that_nobody_reads_are_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = ["spanferry", "run", "translate-train", "--input", "x", "--out", "OUT"]
    seen: set[str] = set()
    assert "--dry-run" not in adapted(run, [], seen), "the first of a flow"
    assert adapted(run, [run], seen)[-3:] == ["--limit", "4", "--dry-run"], "the next one makes OUT anew"
    verify = ["spanferry", "verify", "OUT/es"]
    assert "--dry-run" not in adapted(run, [verify], seen)
    assert "--dry-run" in adapted(run, [run, verify], seen), "OUT is another one by then"
    assert adapted(["spanferry", "list", "KIND"], [], seen) == ["spanferry", "list", "filters"]
    (tmp_path / "OUT" / "es").mkdir(parents=True)
    (tmp_path / "OUT" / "decisions.jsonl").touch()
    adapted(run, [], seen)
    assert [path.name for path in Path("OUT").iterdir()] == ["decisions.jsonl"]
