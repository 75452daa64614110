"""``report.html`` in a browser, without network: contrast in light, dark and on paper; no wider than the window."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.filters import build, removal_table, score
from spanferry.corpora.report.markdown import report_files
from spanferry.corpora.report.tally import Tally
from tests.browser.test_looks import _CONTRASTS
from tests.flows.inspector.inspector_runs import CASES


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [case.pair(f"{name}-{i}") for name, case in CASES.items() for i in (1, 2)]
    rows += [row.rejected("confidence:low") for row in rows[:2]]
    filters = build([{"kind": "confidence", "min_score": 0.3}])
    removal = removal_table(filters, score(filters, rows))
    page = tmp_path_factory.mktemp("report") / "report.html"
    files = report_files(
        [Tally("x-all").add(rows)], {"x-all": removal}, title="Report", signatures={"x-all": "a|b" * 90}
    )
    page.write_text(files["report.html"], encoding="utf-8")
    return page


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    contexts = []

    def start(scheme: str, width: int) -> Any:
        # No script of the page may run; those of the test do.
        contexts.append(
            browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
        )
        page = contexts[-1].new_page()
        page.goto(report.as_uri())
        return page

    yield start
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("scheme", "width", "media"), [("light", 1180, "screen"), ("dark", 390, "screen"), ("dark", 900, "print")]
)
def test_it_can_be_read(opened: Any, scheme: str, width: int, media: str) -> None:
    page = opened(scheme, width)
    page.emulate_media(media=media, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for selector in ("p", "td", "th", "code", "mark", "mark small", ".facts", ".reasons li", ".notes li", "h2", "a"):
        ratios = page.evaluate(_CONTRASTS, selector)
        assert ratios and min(ratios) >= 4.5, f"{selector}: contrast {min(ratios, default=0):.2f}"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light" or media == "print")


def test_a_screen_reader_finds_headings_tables_and_pictures(opened: Any) -> None:
    page = opened("light", 900)
    assert page.get_by_role("heading", level=1).all_text_contents() == ["Report"]
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(h => Number(h.tagName[1]))")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.get_by_role("img").count() == page.locator("svg").count() > 0
    assert all(page.locator("svg").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))"))


def test_right_to_left(opened: Any) -> None:
    page = opened("light", 900)
    for lang in ("he", "ar"):
        text = page.locator(f'.text[lang="{lang}"]').first
        assert text.evaluate("e => getComputedStyle(e).direction") == "rtl"
