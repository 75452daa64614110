"""The pages: their length, links, Python examples, and a row for every component."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spanferry.flows.components import KINDS
from tests.pages.extract import FENCE, blocks_of, commands_of
from tests.write_reference import ROOT, pages

TOP = ROOT / "README.md"
PAGES = pages()

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


def test_the_pages_show_commands() -> None:
    commands = [one.words for page in PAGES for one in commands_of(page.read_text())]
    assert {"run", "evaluate", "filter", "inspect", "verify", "decisions", "list", "models"} <= {
        words[1] for words in commands if words[0] == "spanferry" and len(words) > 1
    }


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
    assert _NOT_OURS.findall(FENCE.sub("", page.read_text())) == []


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
    return [(page, block) for page in pages for block in blocks_of((ROOT / page).read_text(), "python")]


@pytest.mark.parametrize(("page", "block"), _examples(), ids=lambda value: value if value.endswith(".md") else "")
def test_python_examples_run(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(_TRAIN)
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    claimed = re.findall(r"^print\(.*\)  # (.+)$", block, re.MULTILINE)
    assert [line for line in claimed if line not in done.stdout] == []
    if "spanferry.write" in block:
        assert any(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
