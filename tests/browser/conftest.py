"""A real browser, one for all tests, and the inspector served to it from a thread."""

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from spanferry.corpora.review.decisions import Decision, DecisionLog
from spanferry.flows.inspector.app import build_app
from tests.flows.inspector.inspector_runs import open_session

CHROMIUM = os.environ.get("SPANFERRY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = Path(__file__).parent / "screenshots"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process, one browser."""
    for item in items if config.pluginmanager.hasplugin("xdist") else ():
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the system's, else Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        if CHROMIUM is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: make browser, or apt-get install chromium fonts-noto-core fonts-noto-cjk")
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@dataclass
class Site:
    """A served run.

    Attributes:
        out: The run.
        address: Without a slash at the end.
    """

    out: Path
    address: str

    @property
    def log(self) -> list[Decision]:
        """What is on the disk."""
        return DecisionLog(self.out / "decisions.jsonl").decisions


@pytest.fixture
def serve() -> Iterator[Any]:
    """Serves a run on a free port until the test ends."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(out: Path, **options: Any) -> Site:
        listener = socket.create_server(("127.0.0.1", 0))
        app = build_app(open_session(out), title=out.name, **options)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        return Site(out, f"http://127.0.0.1:{listener.getsockname()[1]}")

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


class Tab:
    """One tab of the browser, with words for what a person does."""

    def __init__(self, page: Any, site: Site) -> None:
        self.page, self.site = page, site
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def open(self, path: str) -> "Tab":
        self.page.goto(self.site.address + path)
        if path.startswith("/pair/"):
            self.page.wait_for_selector("main[data-loaded]")
        return self

    @property
    def state(self) -> tuple[int, int, int]:
        """(row, version, chosen span), once everything asked for so far has been answered."""
        return tuple(map(int, self.page.get_attribute("main", "data-loaded").split(":")))

    def press(self, *keys: str) -> "Tab":
        """Presses keys one after the other; each is waited for until the page says what it did."""
        for key in keys:
            done = int(self.page.get_attribute("main", "data-handled") or 0)
            self.page.keyboard.press(key)
            self.page.wait_for_selector(f'main[data-handled="{done + 1}"]')
        return self

    def quotes(self, side: str = "target") -> list[str]:
        """What the list of spans says of each."""
        texts = self.page.locator("#spans .span").evaluate_all(
            "buttons => buttons.map(b => [...b.querySelectorAll('.quote, .why')].map(e => e.textContent))"
        )
        return [pair[0 if side == "source" else 1] for pair in texts]

    def states(self) -> list[str]:
        """How each span stands."""
        return list(self.page.locator("#spans .state").all_text_contents())

    def mark(self, quote: str) -> "Tab":
        """Drags the mouse over a quote in the target."""
        done = int(self.page.get_attribute("main", "data-handled") or 0)
        x1, y1, x2, y2 = self.page.evaluate(_ENDS, quote)
        self.page.mouse.move(x1, y1)
        self.page.mouse.down()
        self.page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
        self.page.mouse.move(x2, y2)
        self.page.mouse.up()
        self.page.wait_for_selector(f'main[data-handled="{done + 1}"]')
        return self

    def shot(self, name: str, width: int = 1180, height: int = 560) -> None:
        """A picture; kept for the README where SPANFERRY_SCREENSHOTS is set."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.mouse.move(2, 2)
        self.page.wait_for_timeout(50)  # a frame, for the lines between partners
        picture = self.page.screenshot()
        assert picture.startswith(b"\x89PNG")
        if os.environ.get("SPANFERRY_SCREENSHOTS"):
            (SHOTS / f"{name}.png").write_bytes(picture)

    def message(self) -> str:
        """What the page says to the person."""
        return str(self.page.text_content("#message"))


# From just inside the first character to just inside the last one, as a hand would; on the right first, right to left.
_ENDS = """quote => {
  const text = document.querySelector("#target .text");
  const at = text.firstChild.data.indexOf(quote);
  const rect = (start, end) => {
    const range = new Range();
    range.setStart(text.firstChild, start);
    range.setEnd(text.firstChild, end);
    return range.getBoundingClientRect();
  };
  const edges = [...new Intl.Segmenter().segment(quote)].map((s) => s.index);
  const first = rect(at, at + (edges[1] ?? quote.length));
  const last = rect(at + edges[edges.length - 1], at + quote.length);
  const rtl = text.dir === "rtl";
  return [rtl ? first.right - 1 : first.left + 1, first.top + first.height / 2,
          rtl ? last.left + 1 : last.right - 1, last.top + last.height / 2];
}"""


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """Opens tabs; what went wrong in any of them fails the test."""
    contexts, tabs = [], []

    def start(site: Site, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": 1180, "height": 700}, locale="en-GB", **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        tabs.append(Tab(context.new_page(), site))
        return tabs[-1]

    yield start
    for context in contexts:
        context.close()
    expected = re.compile(r"status of (404|409|422)|ERR_CONNECTION_REFUSED")
    assert [p for t in tabs for p in t.problems if not expected.search(p)] == []
