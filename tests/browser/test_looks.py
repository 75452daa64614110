"""How it looks: light and dark, narrow and wide; the pictures in the README are those of this test."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.flows.inspector.inspector_runs import CASES, pair, write_run, write_switched


@pytest.fixture
def site(serve: Any, tmp_path: Path) -> Any:
    rows = {case.lang: [case.pair(f"{name}-{i}") for i in (1, 2)] for name, case in CASES.items()}
    english = (
        "The committee of the Northern Harbour Union met Mia Holm in Oslo on 3 May.",
        [("Northern Harbour Union", "organisation"), ("Mia Holm", "person"), ("Oslo", "place"), ("3 May", "time")],
    )
    german = (
        "Der Ausschuss der Nordhafen-Union traf Mia Holm am 3. Mai in Oslo.",
        ["Nordhafen-Union", "Mia Holm", "Oslo", "3. Mai"],
    )
    hebrew = (
        "הוועדה של איגוד הנמל הצפוני פגשה את Mia Holm ב-3 במאי באוסלו.",
        ["איגוד הנמל הצפוני", "Mia Holm", None, "3 במאי"],
    )
    rows["de"].insert(0, pair("harbour-1", english, german, lang="de", scores=(0.62, 0.99, 0.97, 0.81)))
    rows["he"].insert(0, pair("harbour-2", english, hebrew, lang="he", scores=(0.71, 0.98, 0.0, 0.55)))
    late = pair("harbour-3", english, german, lang="de", scores=(0.2, 0.9, 0.9, 0.4), reasons=["length_ratio:short"])
    rows["de"].append(late)
    return serve(write_run(tmp_path / "harbour", rows), matrix=lambda *_: None)


def _row(page: Any, name: str) -> str:
    page.open(f"/rows?id={name}")
    return str(page.page.get_attribute("a.row", "href"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(scheme: str, site: Any, tab: Any) -> None:
    page = tab(site, color_scheme=scheme)
    page.open(_row(page, "harbour-1")).press("a")
    for selector in (".text", ".span .label", ".span .method", ".state", ".lang", "button.primary", ".badge", ".tag"):
        for ratio in page.page.evaluate(_CONTRASTS, selector):
            assert ratio >= 4.5, f"{selector}: contrast {ratio:.2f}"
    page.shot(f"pair-{scheme}")
    page.open("/rows?sort=score")
    if scheme == "light":
        page.shot("rows", height=620)


def test_right_to_left(site: Any, tab: Any) -> None:
    page = tab(site)
    page.open(_row(page, "harbour-2"))
    text = page.page.locator("#target .text")
    assert text.evaluate("e => getComputedStyle(e).direction") == "rtl"
    box, badge = text.bounding_box(), page.page.locator("#target .badge").first.bounding_box()
    assert badge["x"] > box["x"] + box["width"] / 3, "numbers stand where spans begin: on the right"
    page.press("j", "j")
    assert "not placed: unaligned" in page.quotes()
    page.shot("pair-rtl")


@pytest.mark.parametrize("width", [360, 820, 1600])
def test_narrow_and_wide(width: int, site: Any, tab: Any) -> None:
    page = tab(site)
    for path in (_row(page, "harbour-1"), "/", "/rows", "/report", "/history", "/export"):
        page.page.set_viewport_size({"width": width, "height": 760})
        page.open(path)
        overflow = page.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{path} is wider than the window"
    if width == 360:
        page.open(_row(page, "harbour-1"))
        page.shot("pair-narrow", width=360, height=760)


def test_partners_share_colour_number_and_underline(site: Any, tab: Any) -> None:
    page = tab(site)
    page.open(_row(page, "harbour-1"))
    drawn = page.page.evaluate(
        "() => [...CSS.highlights].map(([name, ranges]) => [name, [...ranges].map((r) => r.toString())])"
    )
    assert dict(drawn) == {
        "a0": ["Northern Harbour Union", "Nordhafen-Union"],
        "s1": ["Mia Holm", "Mia Holm"],
        "s2": ["Oslo", "Oslo"],
        "s3": ["3 May", "3. Mai"],
    }
    assert page.page.locator("#source .badge").all_text_contents() == ["1", "2", "3", "4"]
    styles = page.page.evaluate(
        """() => [...document.styleSheets].flatMap((s) => [...s.cssRules]).map((r) => r.cssText)
             .filter((t) => t.startsWith("::highlight(s")).map((t) => /double|dotted|wavy/.exec(t)?.[0] ?? "solid")"""
    )
    assert set(styles) == {"solid", "double", "dotted", "wavy"} and all(a != b for a, b in pairwise(styles))
    assert page.page.locator("#links .link").count() == 1
    target = page.page.locator("#target .text")
    x, y = page.page.evaluate(
        """() => { const r = [...CSS.highlights.get("s2")].at(-1).getBoundingClientRect();
             return [r.x + r.width / 2, r.y + r.height / 2]; }"""
    )
    page.page.mouse.move(x, y)
    page.page.wait_for_function("CSS.highlights.has('a2')")
    assert target.is_visible()


def test_languages_of_a_switched_text(serve: Any, tab: Any, tmp_path: Path) -> None:
    page = tab(serve(write_switched(tmp_path / "run"))).open("/pair/0")
    assert page.page.locator("#source .text").text_content() == "😀 The red house in Milan."
    assert page.page.locator("#target .lang").text_content() == "Switched · en, de, es"
    assert page.page.locator("#target .tongue").all_text_contents() == ["es", "de"]
    drawn = page.page.evaluate("['t0', 't1'].map((n) => [...CSS.highlights.get(n)].map((r) => r.toString()))")
    assert drawn == [["Mailand"], ["casa roja"]]
    page.shot("pair-switched", height=420)
    page.press("a", "a")
    assert [d.verdicts[0].quote for d in page.site.log] == ["Mailand", "The casa"]


# The contrast (WCAG) between each element's text and what lies behind it.
_CONTRASTS = """selector => {
  const parse = (c) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = c;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] / 255 + under[i] * (1 - top[3] / 255));
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll(selector)].filter((e) => e.textContent).map((element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
    const ground = layers.reduce((under, top) => over(top, under), [255, 255, 255]);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), ground)), light(ground)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
}"""
