"""A person with a keyboard, in every script: what is seen, what is decided, what is on the disk, what is exported."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import regex

from spanferry.corpora.review.decisions import fold
from spanferry.flows.inspector.languages import direction
from tests.flows.inspector.inspector_runs import CASES, Case, pair, write_run

# Each key with the edge it moves and where to, in characters as people see them.
MOVES = (("}", 1, 1), ("{", 1, -1), ("{", 1, -1), ("[", 0, -1), ("[", 0, -1), ("]", 0, 1), ("]", 0, 1), ("]", 0, 1))


def _edges(text: str) -> list[int]:
    return [0, *(m.end() for m in regex.finditer(r"\X", text))]


@pytest.fixture
def site(serve: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    case: Case = request.getfixturevalue("case")
    return serve(write_run(tmp_path / "run", {case.lang: [case.pair("one"), case.pair("two")]}))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_review_of_a_row(case: Case, site: Any, tab: Any) -> None:
    page = tab(site).open("/pair/0")
    text = page.page.locator("#target .text")
    assert text.text_content() == case.text
    assert text.get_attribute("dir") == direction(case.lang) and text.get_attribute("lang") == case.lang
    assert text.evaluate("e => e.childNodes.length") == 1, "one text node"
    assert page.quotes() == [case.kept, case.wrong, case.moved, "not placed: unaligned"]
    assert _drawn(page) == {f"a0|{case.kept}", f"s1|{case.wrong}", f"s2|{case.moved}"}
    assert page.page.locator("#target .badge").all_text_contents() == ["1", "2", "3"]

    page.press("a", "x")
    assert page.state == (0, 2, 2) and page.states() == ["accepted", "rejected", "open", "open"]
    start = case.text.index(case.moved)
    edges = _edges(case.text)
    place = [edges.index(start), edges.index(start + len(case.moved))]
    for key, edge, by in MOVES:
        place[edge] += by
        page.press(key)
        assert page.quotes()[2] == case.text[edges[place[0]] : edges[place[1]]], key
    moves = [d for d in site.log if d.action == "move"]
    assert len(moves) == len(MOVES), "one key, one saved decision"

    page.press("j").mark(case.marked)
    assert page.quotes()[3] == case.marked
    page.press("u")
    assert page.quotes()[3] == "not placed: unaligned"
    page.mark(case.marked)
    page.press("u", "u")
    assert page.quotes()[2:] == [case.text[edges[place[0] - 1] : edges[place[1]]], "not placed: unaligned"]
    page.press("k", "]", "j").mark(case.marked)

    before = page.quotes(), page.states(), page.state[1]
    page.page.reload()
    page.page.wait_for_selector("main[data-loaded]")
    assert (page.quotes(), page.states(), page.state[1]) == before
    final = {
        "s0": (case.text.index(case.kept), case.kept),
        "s2": (edges[place[0]], case.text[edges[place[0]] : edges[place[1]]]),
        "s3": (case.text.index(case.marked), case.marked),
    }
    verdicts = {name: v for name, (_, v) in fold(site.log).verdicts.items()}
    assert {n: (verdicts[n].start, verdicts[n].quote) for n in final} == final
    assert _exported(page)["one"] == {n: (start, start + len(q), q) for n, (start, q) in final.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_by_words_and_without_a_mouse(case: Case, site: Any, tab: Any) -> None:
    page = tab(site).open("/rows")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("main[data-loaded]")
    assert page.state[0] == 1
    page.press("k", "w")
    assert page.state[2] == 3, "before the first span comes the last"
    first = page.quotes()[3]
    assert case.text.startswith(first, len(case.text) - len(case.text.lstrip())) or first in case.text
    page.press("w")
    second = page.quotes()[3]
    assert case.text.index(second, len(first)) >= len(first)
    page.press("Alt+}", "Alt+[")
    assert page.quotes()[3].startswith(first) and second in page.quotes()[3]
    page.press("W")
    assert page.quotes()[3] in case.text
    page.press("+", "1", "w")
    assert page.states()[4] == "added"
    added = fold(site.log).verdicts["added-1"][1]
    assert added.quote == page.quotes()[4] == case.text[added.start : added.end]


def test_from_row_to_row_with_accept_alone(serve: Any, tab: Any, tmp_path: Path) -> None:
    rows = [pair(f"r{i}", ("A cat", [("cat", "animal")]), ("Un gato", ["gato"]), lang="es") for i in range(2)]
    rows.append(pair("r2", ("Hello", []), ("Hola", []), lang="es"))
    site = serve(write_run(tmp_path / "run", {"es": rows}))
    page = tab(site).open("/pair/0?review=open")
    page.press("a", "a")
    assert page.state[0] == 2 and [d.example for d in site.log] == ["r0", "r1"]
    page.press("a")
    assert "last row" in page.message()
    page.press("u", "u")
    assert page.state[0] == 1, "undo goes back to the row it was on"
    assert [d.action for d in site.log] == ["accept", "accept", "keep", "undo", "undo"]
    page.press("p")
    assert page.state[0] == 0 or "first row" in page.message()


def test_labels_flags_skips_and_whole_rows(serve: Any, tab: Any, tmp_path: Path) -> None:
    rows = [
        pair(
            "r0",
            ("A cat and a dog", [("cat", "cat"), ("dog", "dog")]),
            ("Un gato y un perro", ["gato", "perro"]),
            lang="es",
        ),
        pair("r1", ("A cow", [("cow", "cow")]), ("Una vaca", ["vaca"]), lang="es", reasons=["length_ratio:short"]),
        pair("r2", ("A cow", [("cow", "cow")]), ("Una vaca", ["vaca"]), lang="es", reasons=["language:pt"]),
    ]
    site = serve(write_run(tmp_path / "run", {"es": rows}))
    page = tab(site).open("/pair/0")
    page.press("f")
    assert "flagged" in page.page.text_content("#facts")
    page.press("f", " ")
    assert "flagged" not in page.page.text_content("#facts") and page.state[2] == 1
    labels = page.page.locator("#labels bdi").all_text_contents()
    page.press(str(labels.index("cow") + 1))
    assert page.states()[1] == "relabelled"
    assert fold(site.log).verdicts["s1"][1].label == "cow"
    page.press("A")
    assert page.state[0] == 1
    assert "length_ratio:short" in page.page.text_content("#reasons")
    assert page.page.text_content("#keep") == "A accept anyway"
    page.press("A", "X")
    page.page.goto(site.address + "/pair/1")
    page.page.wait_for_selector("main[data-loaded]")
    assert "accepted anyway" in page.page.text_content("#facts")
    assert [d.action for d in site.log] == ["flag", "unflag", "skip", "label", "keep", "keep", "drop"]
    page.press("?")
    assert page.page.locator("#help").evaluate("e => e.open")


def _drawn(page: Any) -> set[str]:
    """The highlights on the target, by kind and text."""
    return set(
        page.page.evaluate(
            """() => [...CSS.highlights].flatMap(([name, ranges]) => [...ranges]
                 .filter((r) => r.startContainer.parentElement.closest("#target"))
                 .map((r) => `${name}|${r.toString()}`))"""
        )
    )


def _exported(page: Any) -> dict[str, dict[str, tuple[int, int, str]]]:
    """What the export page gives as JSONL: id to span id to (start, end, quote by these offsets)."""
    page.page.click("nav >> text=Export")
    with page.page.expect_download() as waiting:
        page.page.click("text=Download")
    archive = zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    found = {}
    for name in archive.namelist():
        for line in archive.read(name).decode().splitlines() if name.endswith(".jsonl") else ():
            row = json.loads(line)
            spans = {s["id"]: (s["start"], s["end"], row["text"][s["start"] : s["end"]]) for s in row["spans"]}
            found[row["id"]] = spans
    return found
