"""The page: what Markdown says stands in it, nothing of strangers is obeyed, and it stays small."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from spanferry.corpora.report.markdown import report_files
from spanferry.corpora.report.page import report_page
from spanferry.corpora.report.svg import histogram_svg, without_style
from spanferry.corpora.report.tally import Tally
from spanferry.corpora.schema import Example, Pair, Projection, Span
from tests.corpora.filter_pairs import pair

_VOID = {"meta", "link", "img", "br", "hr"}


class Elements(HTMLParser):
    """Every element with its attributes; fails where one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_tables_have_captions_and_heads() -> None:
    html = report_page("# T\n\n## Labels\n\n| label | spans |\n| --- | ---: |\n| a_b*c* | 1,000 |\n")
    assert "<title>T</title>" in html and "<caption>Labels</caption>" in html
    assert '<th scope="col">label</th>' in html and '<td dir="auto" class="number">1,000</td>' in html
    assert "a_b*c*" in html


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/pixel.png)",
        "![x](plots/other.svg)",
        "[x](https://evil.example)",
        "[x](javascript:alert(1))",
        "[x](plots/../../secret)",
        "<https://evil.example>",
        "[x]: https://evil.example",
        "`<script>alert(1)</script>`",
        "```rows\nother\n```",
        "</main><script>alert(1)</script>",
    ],
)
def test_nothing_of_strangers_is_obeyed(text: str) -> None:
    found = Elements(report_page(f"# T\n\n{text}\n\n| {text.splitlines()[0]} |\n| --- |\n| x |\n")).found
    assert not {"script", "img", "svg", "iframe", "object", "link"} & {tag for tag, _ in found}
    assert not [attrs for _, attrs in found if {"href", "src", "onerror"} & set(attrs)]


def test_a_picture_is_put_in_without_its_style() -> None:
    svg = histogram_svg("a", (0.0, 0.5, 1.0), (1, 2), low=0.5)
    html = report_page("![a](plots/a.svg) [numbers](plots/a.csv)", pictures={"plots/a.svg": svg})
    assert without_style(svg) in html and "<style>" in svg and html.count("<style>") == 1
    assert '<a href="plots/a.csv">numbers</a>' in html


def test_a_threshold_at_the_greatest_value_leaves_the_last_bar_good() -> None:
    svg = histogram_svg("a", (0.0, 0.5, 1.0), (1, 2), low=1.0)
    assert re.findall(r'<rect class="(\w+)"', svg) == ["bad", "bar"]
    svg = histogram_svg("a", (0.0, 0.5, 1.0), (1, 2), low=0.5)
    assert re.findall(r'<rect class="(\w+)"', svg) == ["bad", "bar"]


def test_the_report_has_rows_of_every_kind_and_nothing_to_fetch() -> None:
    rows = [pair("See [Ann|per].", "Ve a [Ana|per].", id="a"), pair("<b>", None, id="b").rejected("translate:<i>")]
    html = report_files([Tally("es").add(rows)], title="x", signatures={"es": "src:<x>"})["report.html"]
    found = Elements(html).found
    assert [tag for tag, _ in found].count("article") == 3
    assert not [attrs for _, attrs in found if "src" in attrs]
    assert {attrs["href"] for _, attrs in found if "href" in attrs} == {"plots/es-projection_score.csv"}
    assert "translate:&lt;i&gt;" in html and "no translation" in html and "src:&lt;x&gt;" in html


def test_long_tables_and_texts_are_cut_and_it_says_so() -> None:
    table = "| label |\n| --- |\n" + "".join(f"| l{i} |\n" for i in range(130))
    html = report_page(f"# T\n\n{table}\nafter\n\n| x |\n| --- |\n| y |\n\n```json\n{'z' * 90_000}\n```\n")
    assert Elements(html).found and "l99</td>" in html and "l100</td>" not in html
    assert "30 more stand in report.json." in html and "<p>after</p>" in html and ">y</td>" in html
    assert "z…</pre>" in html and len(html) < 40_000


def test_it_stays_below_half_a_megabyte() -> None:
    text = "𝔘&" * 5000
    spans = tuple(Span(i, i + 9, "L" * 400, f"s{i}") for i in range(0, 2000, 3))
    rows = []
    for i in range(40):
        source, target = (Example(f"{i}" * 300, lang, {"text": text}, spans) for lang in ("en", "es"))
        target = replace(target, spans=tuple(replace(s, label=f"{i}{s.id}{s.label}") for s in spans))
        source = replace(source, spans=target.spans)
        made = Pair(source, target, tuple(Projection(s.id, s, i / 40, "m") for s in spans))
        rows.append(made if i % 2 else made.rejected(*(f"{n}" * 300 for n in range(30))))
    html = report_files([Tally("es").add(rows)], title="x")["report.html"]
    assert len(html.encode()) < 500_000
