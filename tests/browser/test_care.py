"""What must not happen: text that becomes code, a decision that gets lost, a page that does not know it is old."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.review.decisions import DecisionLog, fold
from tests.browser.conftest import Site
from tests.conftest import ROOT, command
from tests.flows.inspector.inspector_runs import BIDI, LINE_END, NULLS, SCRIPTS, pair, write_run

LONG = "gold " * 20_000  # 100 kB on one line
HOSTILE = {
    "../../etc/passwd": SCRIPTS,
    "<script>window.pwned=3</script>": BIDI,
    "..%2f..%2fsecret\u202egpj": NULLS,
    "C:\\con\0": LINE_END,
    "{{ 7*7 }}{% raw %}": f"{LONG}silver",
    "\u200f": "\"'><svg onload=window.pwned=4>",
}


def _hostile(tmp_path: Path) -> Path:
    rows = []
    for number, (name, text) in enumerate(HOSTILE.items()):
        end = text.rstrip()[-4:]
        label = f"<b>{number}</b>\u202e" if number else "'; DROP TABLE"
        rows.append(pair(name, (text, [(end, label)]), (text, [end]), lang="en", source_lang="ar"))
    return write_run(tmp_path / "run", {"en": rows})


def test_text_never_becomes_code(serve: Any, tab: Any, tmp_path: Path) -> None:
    site = serve(_hostile(tmp_path))
    before = {p for p in tmp_path.rglob("*") if "decisions" not in p.name and ".inspect" not in p.parts}
    page = tab(site)
    for number, (name, text) in enumerate(HOSTILE.items()):
        page.open(f"/pair/{number}")
        for side in ("#source", "#target"):
            assert page.page.locator(f"{side} .text").evaluate("e => e.firstChild.data") == text
        assert page.page.evaluate("document.querySelector('#id').firstChild.data") == name
        page.press("A")
    for path in ("/", "/rows", "/rows?id=passwd", "/report", "/history", "/export"):
        page.open(path)
        assert (
            page.page.evaluate("document.querySelectorAll('main script, main svg[onload], main img[onerror]').length")
            == 0
        )
    assert page.page.evaluate("window.pwned") is None
    assert [d.example for d in site.log] == list(HOSTILE)
    for decision in site.log:
        verdict = decision.verdicts[0]
        assert HOSTILE[decision.example][verdict.start : verdict.end] == verdict.quote
    after = {p for p in tmp_path.rglob("*") if "decisions" not in p.name and ".inspect" not in p.parts}
    assert after == before, "no id became a path"


def test_the_page_names_what_hides(serve: Any, tab: Any, tmp_path: Path) -> None:
    page = tab(serve(_hostile(tmp_path))).open("/pair/1")
    reported = page.page.locator("#target .hidden-characters").text_content()
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in reported and "U+2066" in reported
    # What turns the text around stays within its box.
    heading = page.page.locator(".actions button").first.bounding_box()
    assert heading["x"] < 100


def test_a_long_line_is_quick_and_in_place(serve: Any, tab: Any, tmp_path: Path) -> None:
    page = tab(serve(_hostile(tmp_path))).open("/pair/4")
    page.press("[", "{", "]", "}")
    assert page.quotes() == ["lver"]
    assert page.page.locator("#target .badge.active").is_visible(), "the span was scrolled to"


def test_two_tabs_lose_nothing_and_the_stale_one_says_so(serve: Any, tab: Any, tmp_path: Path) -> None:
    two = ("A cat and a dog", [("cat", "a"), ("dog", "b")]), ("Un gato y un perro", ["gato", "perro"])
    site = serve(write_run(tmp_path / "run", {"es": [pair("r0", *two, lang="es")]}))
    one, other = tab(site).open("/pair/0"), tab(site).open("/pair/0")
    one.press("a")
    other.press("x")
    assert "Out of date, and not saved" in other.message() and "elsewhere" in other.message()
    assert other.states() == ["accepted", "open"] and len(site.log) == 1
    other.press("x")
    assert other.states()[0] == "rejected" and [d.action for d in site.log] == ["accept", "reject"]
    one.press("u")
    assert fold(site.log).verdicts["s0"][0].action == "reject", "undo takes back one's own decision"


def test_the_page_says_that_a_dataset_was_written_anew(serve: Any, tab: Any, tmp_path: Path) -> None:
    rows = [pair("r0", ("A cat", [("cat", "a")]), ("Un gato", ["gato"]), lang="es")]
    site = serve(write_run(tmp_path / "run", {"es": rows}))
    page = tab(site).open("/pair/0")
    write_run(site.out, {"es": [pair("r0", ("A cat", [("cat", "a")]), ("Mi gato", ["gato"]), lang="es")]})
    page.press("a")
    assert "rewritten" in page.message() and site.log == []
    assert page.page.text_content("#target .text") == "Mi gato"
    page.press("a")
    assert [d.verdicts[0].quote for d in site.log] == ["gato"]


def test_a_killed_server_loses_nothing(tab: Any, tmp_path: Path) -> None:
    three = ("One two three", [("One", "n"), ("two", "n"), ("three", "n")]), ("Uno dos tres", ["Uno", "dos", "tres"])
    out = write_run(tmp_path / "run", {"es": [pair("r0", *three, lang="es")]})
    server, address = _start(out, 0)
    page = tab(Site(out, address.partition("/?")[0])).open("/?" + address.partition("?")[2]).open("/pair/0")
    page.press("a")
    server.send_signal(signal.SIGKILL)
    server.wait()
    page.press("a")
    assert "Not saved" in page.message() and page.state[1] == 1
    assert [d.action for d in DecisionLog(out / "decisions.jsonl").decisions] == ["accept"]
    server, _ = _start(out, int(address.split(":")[2].partition("/")[0]))
    try:
        page.press("a", "x")
        assert page.states() == ["accepted", "accepted", "rejected"]
        log = DecisionLog(out / "decisions.jsonl")
        assert [d.action for d in log.decisions] == ["accept", "accept", "reject"] and not log.unread
    finally:
        server.kill()
        server.wait()


def _start(out: Path, port: int) -> "tuple[subprocess.Popen[str], str]":
    server = subprocess.Popen(command("inspect", out, "--port", port), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", line):
            return server, found[0]
    pytest.fail("the server did not start")


def test_bulk_acceptance_asks_for_the_count(serve: Any, tab: Any, tmp_path: Path) -> None:
    rows = [
        pair(f"r{i}", ("A cat", [("cat", "a")]), ("Un gato", ["gato"]), lang="es", scores=[0.5 + i / 10])
        for i in range(5)
    ]
    site = serve(write_run(tmp_path / "run", {"es": rows}))
    page = tab(site).open("/rows?low=0.7&sort=-score")
    assert page.page.locator("a.row").all_text_contents() == ["r4", "r3", "r2"]
    page.page.click("#bulk")
    page.page.keyboard.type("4")
    assert page.page.is_disabled("#sure")
    page.page.keyboard.press("Enter")
    page.page.fill("#typed", "3")
    with page.page.expect_navigation():
        page.page.keyboard.press("Enter")
    assert sorted(d.example for d in site.log) == ["r2", "r3", "r4"] and {d.via for d in site.log} == {"bulk"}
    assert page.page.locator("#bulk").count() == 0
