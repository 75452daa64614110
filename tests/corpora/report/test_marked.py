"""Highlighted rows: the text is whole, partners share a number and a colour, pieces of overlapping spans add up."""

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.report.marked import marked, rows_html
from spanferry.corpora.report.tally import Tally
from spanferry.corpora.schema import Span
from tests.corpora.filter_pairs import pair

_ADDED = re.compile(r"<sup>.*?</sup>|<small>.*?</small>|</?mark[^>]*>")


def text_of(html: str) -> str:
    """What is left without marks, numbers and labels."""
    return unescape(_ADDED.sub("", html))


@pytest.mark.parametrize(
    ("text", "spans", "html"),
    [
        ("no spans", [], "no spans"),
        ("In Bonn.", [(3, 7)], 'In <mark class="c0"><sup>1</sup>Bonn<small> L0</small></mark>.'),
        (
            "ab",
            [(0, 2), (1, 2)],
            '<mark class="c0"><sup>1</sup>a</mark><mark class="c0"><mark class="c1"><sup>2</sup>b<small> L1</small>'
            "</mark><small> L0</small></mark>",
        ),
        ("<b>", [(0, 3)], '<mark class="c0"><sup>1</sup>&lt;b&gt;<small> L0</small></mark>'),
        ("世界🙂א", [(2, 3)], '世界<mark class="c0"><sup>1</sup>🙂<small> L0</small></mark>א'),
        ("a\x1b\n\x00", [], "a␛\n␀"),
    ],
)
def test_marks_by_hand(text: str, spans: list[tuple[int, int]], html: str) -> None:
    made = [Span(start, end, f"L{i}", str(i)) for i, (start, end) in enumerate(spans)]
    assert marked(text, made, {s.id: i + 1 for i, s in enumerate(made)}, {}) == html


def test_parts_of_a_discontinuous_span_are_marked_one_by_one() -> None:
    html = marked("put it on", [Span(0, 9, "v", "0", fragments=((0, 3), (7, 9)))], {"0": 1}, {})
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", html) == [
        "<sup>1</sup>put<small> v</small>",
        "<sup>1</sup>on<small> v</small>",
    ]


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_no_character_is_lost(text: str, places: list[tuple[int, int]]) -> None:
    text = "".join(c for c in text if c.isprintable())
    spans = [Span(a, b, "x", str(i)) for i, (a, b) in enumerate(places) if a < b <= len(text)]
    html = marked(text, spans, {s.id: i for i, s in enumerate(spans, 1)}, {})
    assert text_of(html) == text
    assert html.count("<mark") == html.count("</mark>")
    assert html.count("<sup>") == html.count("<small>") == len(spans)


def test_partners_share_number_and_colour_and_what_is_lost_has_its_reason() -> None:
    row = pair("[Ann|per] in [Bonn|loc]", "En [Bonn|loc] [Ana|per]", id="a")
    spans = row.source.spans
    crossed = tuple(
        replace(p, span=next(s for s in row.target.spans if s.label == span.label)) if row.target else p
        for p, span in zip(row.projections, spans, strict=True)
    )
    targets = tuple(replace(p.span, id=p.source_span_id) for p in crossed if p.span)
    row = replace(row, target=replace(row.target, spans=targets), projections=crossed)
    html = rows_html(Tally("es").add([row]).random)
    for number, quotes in ((1, ("Ann", "Ana")), (2, ("Bonn", "Bonn"))):
        for quote in quotes:
            assert f'<mark class="c{number - 1}"><sup>{number}</sup>{quote}<small>' in html
    lost = tuple(replace(p, span=None, score=0.0, reason="no_words") for p in row.projections[:1])
    html = rows_html(Tally("es").add([replace(row, projections=lost + row.projections[1:])]).random)
    assert 'class="c0 lost"' in html and "1 <bdi>per</bdi> not projected: <bdi>no_words</bdi>" in html


def test_a_long_text_and_many_spans_are_cut_and_it_says_so() -> None:
    row = pair(" ".join(f"[w{i}|x]" for i in range(400)), " ".join(f"[v{i}|x]" for i in range(400)), id="a")
    html = rows_html(Tally("es").add([row]).random)
    assert "385 more labels are not shown" in html and "…</p>" in html and len(html) < 8000
