"""The marks of measured numbers in the pages, and the comparison that ``tests/bench/page_numbers.py`` makes."""

import re
from pathlib import Path

import pytest

from tests.bench.page_numbers import missing, prepare, regions_of, run
from tests.pages.extract import Command, problem_of
from tests.write_reference import ROOT, pages

TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in pages()}
# A mark, not its name in CONTRIBUTING.md.
_MARK = re.compile("(?<!`)<!-- numbers")


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if _MARK.search(text)])
def test_every_measured_region_has_numbers_and_commands_that_exist(page: str) -> None:
    regions = list(regions_of(page, TEXTS[page]))
    assert len(regions) == len(_MARK.findall(TEXTS[page])), "a mark without an end, or one that is misspelled"
    for region in regions:
        assert region.numbers and region.commands, f"{page}:{region.line}"
        assert [str(one) for one in region.commands if problem_of(one)] == []


def test_marks_begin_and_end() -> None:
    for page, text in TEXTS.items():
        marks = re.findall(r"<!-- (numbers|options|end)", re.sub("`[^`]*`", "", text))
        assert marks[::2] == [mark for mark in marks if mark != "end"] and len(marks) % 2 == 0, page


PAGE = """\
# Page with 7 numbers
<!-- numbers -->
| rows 9 | F1 |
|---|---|
| 10 | .935 |
| 25, before | .5 |
| [80](other.md) | .4 |

It took 3.5 s for 1,234 rows `of 99`, 93.5 % of them right.

```
spanferry list  # 5
```
<!-- end -->
<!-- numbers 20%: make demo -->
It took 3.5 s.
<!-- end -->
"""


def test_what_is_compared() -> None:
    first, second = regions_of("page.md", PAGE)
    assert [number for number, _ in first.numbers] == [".935", "1,234", "93.5"]
    assert (first.line, [str(one) for one in first.commands]) == (2, ["spanferry list"])
    assert [number for number, _ in second.numbers] == ["3.5"]
    assert (second.tolerance, [str(one) for one in second.commands]) == (0.2, ["make demo"])


@pytest.mark.parametrize(
    ("printed", "differ"),
    [
        ("0.9349 and 1234 rows", []),
        ("93.5% of 1,234", []),
        ("0.9344 0.935 1234", []),
        ("0.9334 1234", [".935", "93.5"]),
        ("0.935", ["1,234"]),
        ("0.935 1,235", ["1,234"]),
    ],
)
def test_numbers_are_compared_as_exactly_as_the_page_has_them(printed: str, differ: list[str]) -> None:
    first, _ = regions_of("page.md", PAGE)
    assert [number for number, _ in missing(first, printed)] == differ


def test_a_tolerance_allows_for_other_machines() -> None:
    _, second = regions_of("page.md", PAGE)
    assert missing(second, "4.1 s") == [] and missing(second, "4.3 s")


def test_commands_run_where_the_gold_has_its_own_names(tmp_path: Path, gold: Path) -> None:
    work = prepare(tmp_path, gold)
    code = "import pathlib; print(*map(pathlib.Path.exists, map(pathlib.Path, ['xsid', 'en.test.conll', 'tests'])))"
    assert run([Command(("python", "-c", code), True)], work) == "False True True\n"
    with pytest.raises(SystemExit, match="no such name"):
        run([Command(("python", "-c", "raise SystemExit('no such name')"), True)], work)
