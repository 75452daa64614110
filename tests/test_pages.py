"""The pages: their length, commands, links, Python examples, and a row for every component."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from spanferry.flows.cli.main import app
from spanferry.flows.components import KINDS

ROOT = Path(__file__).resolve().parent.parent
TOP = ROOT / "README.md"
_SKIPPED = {".venv", ".types", "node_modules", "demo-out"}
PAGES = sorted(p for p in ROOT.rglob("*.md") if not _SKIPPED & set(p.relative_to(ROOT).parts) and ".git" not in p.parts)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(spanferry\s[^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")

# Where a component of each kind has its row or mention.
HOMES = {
    "flows": "flows/README.md",
    "readers": "corpora/README.md",
    "writers": "corpora/README.md",
    "parallel-readers": "corpora/README.md",
    "parallel-writers": "corpora/derive/README.md",
    "derivations": "corpora/derive/README.md",
    "units": "corpora/switching/README.md",
    "counterparts": "corpora/switching/README.md",
    "constraints": "corpora/switching/README.md",
    "samplers": "corpora/switching/README.md",
    "presets": "corpora/switching/README.md",
    "projectors": "projectors/README.md",
    "aligners": "projectors/README.md",
    "filters": "corpora/filters/README.md",
    "translators": "translators/README.md",
    "families": "translators/README.md",
    "samples": "flows/README.md",
}
# Not a choice of the user's: ``project`` makes it of its second input.
_INTERNAL = {("translators", "parallel")}


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _blocks(text: str, language: str) -> list[str]:
    return [body for found, body in _FENCE.findall(text) if found == language]


def commands_in(text: str) -> list[list[str]]:
    """The arguments of every ``spanferry`` command in a page, in code blocks and in running text."""
    lines = [
        line for language in ("", "bash", "sh") for block in _blocks(text, language) for line in block.splitlines()
    ]
    prose = _FENCE.sub("", text)
    lines += [" ".join(found.split()) for found in _INLINE.findall(prose)]
    # Output of a run names commands too, behind a word of its own.
    found = [match[0] for line in lines if (match := re.search(r"(?:^|(?<=  ))\s*spanferry .*", line))]
    return [[word for word in shlex.split(line, comments=True)[1:] if word != "…"] for line in found]


def problem_of(arguments: list[str]) -> str | None:
    """What is wrong with a command's names, or None. Nothing runs; what a page leaves out may be missing."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="spanferry")
    rest = list(arguments)
    try:
        while hasattr(command, "list_commands"):
            if not rest or rest[0].startswith("-"):
                break
            name, command, rest = command.resolve_command(context, rest)
            context = command.context_class(command, info_name=name, parent=context)
        # Typer brings a copy of click, whose parser returns values, the rest, and the order.
        _, left, _ = command.make_parser(context).parse_args(args=rest)
        if left:
            return f"unexpected argument {left[0]!r}"
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message())
    return None


def test_the_check_of_commands_sees_what_is_wrong() -> None:
    assert problem_of(["run", "project", "--target-input", "x", "--dry-run"]) is None
    assert problem_of(["list", "filters"]) is None
    assert problem_of(["--version"]) is None
    assert "projekt" in (problem_of(["run", "projekt"]) or "")
    assert "--outt" in (problem_of(["run", "project", "--outt", "x"]) or "")
    assert "argument" in (problem_of(["run", "project", "--out"]) or "")
    assert "unexpected" in (problem_of(["inspect", "OUT", "more"]) or "")
    page = "```\nspanferry a b  # why\n go  spanferry c\n```\nand `spanferry\nd`"
    assert commands_in(page) == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_parse(page: Path) -> None:
    commands = commands_in(page.read_text())
    problems = [f"spanferry {shlex.join(one)}: {why}" for one in commands if (why := problem_of(one))]
    assert not problems, "\n".join(problems)


def test_the_pages_show_commands() -> None:
    assert {"run", "evaluate", "filter", "inspect", "verify", "decisions", "list", "models"} <= {
        one[0] for page in PAGES for one in commands_in(page.read_text()) if one
    }


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_modules_and_scripts_of_other_commands_exist(page: Path) -> None:
    text = page.read_text()
    modules: list[str] = re.findall(r"python -m (spanferry[\w.]*)", text)
    files = [ROOT / Path(*name.split(".")[1:]).with_suffix(".py") for name in modules if "." in name]
    files += [ROOT / name for name in re.findall(r"python (tests/[\w/]+\.py)", text)]
    missing = [str(file.relative_to(ROOT)) for file in files if not file.is_file()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:corpora|translators|projectors|flows|tests)/[\w./-]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_and_images_exist(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]
    missing = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_pages_are_short(page: Path) -> None:
    lines = page.read_text().count("\n")
    assert lines <= 150 if page == TOP else lines < 200


@pytest.mark.parametrize("page", [p for p in PAGES if p != TOP and p.name == "README.md"], ids=_name)
def test_every_page_can_be_reached_from_the_first(page: Path) -> None:
    seen, waiting = {TOP}, [TOP]
    while waiting:
        here = waiting.pop()
        for link in _LINK.findall(here.read_text()):
            there = (here.parent / link.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.is_file() and there not in seen:
                seen.add(there)
                waiting.append(there)
    assert page in seen


_NOT_OURS = re.compile(r"\b(?:is|are|was|were) told\b|\bhangs? on\b|\btold from\b|\b(?:is|are) no (?!longer|more)\w+")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_pages_keep_to_plain_phrases(page: Path) -> None:
    assert _NOT_OURS.findall(_FENCE.sub("", page.read_text())) == []


def test_the_check_of_phrases_sees_them() -> None:
    for phrase in ("the cost is told", "scores hang on it", "told from links", "a span is no unit"):
        assert _NOT_OURS.search(phrase), phrase
    assert not _NOT_OURS.search("it is not a unit and is no longer here; this depends on that")


def test_every_kind_of_component_has_a_page() -> None:
    assert set(HOMES) == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "name"), [(k, n) for k, names in KINDS.items() for n in names if (k, n) not in _INTERNAL], ids=str
)
def test_every_component_is_on_its_page(kind: str, name: str) -> None:
    text = (ROOT / HOMES[kind]).read_text()
    mention = rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`"
    assert re.search(mention, text), f"{HOMES[kind]} lacks {kind} {name}"


# A few rows under the names that the examples use.
_TRAIN = """\
# text = Anna lives in Berlin.
Anna B-PER
lives O
in O
Berlin B-LOC
. O

# text = Book a table for two in Rome.
Book O
a O
table O
for O
two O
in O
Rome B-LOC
. O
"""


def _examples() -> list[tuple[str, str]]:
    pages = ("README.md", "flows/api/README.md", "translators/README.md")
    return [(page, block) for page in pages for block in _blocks((ROOT / page).read_text(), "python")]


@pytest.mark.parametrize(("page", "block"), _examples(), ids=lambda value: value if value.endswith(".md") else "")
def test_python_examples_run(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(_TRAIN)
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    claimed = re.findall(r"^print\(.*\)  # (.+)$", block, re.MULTILINE)
    assert [line for line in claimed if line not in done.stdout] == []
    if "spanferry.write" in block:
        assert any(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
