"""Text of strangers in what people open: no raw HTML in Markdown, no formula in a table, no odd language tag."""

import re

import pytest

from spanferry.corpora.cells import safe_cell
from spanferry.corpora.errors import RowError
from spanferry.corpora.report.card import CardOptions, Made, card
from spanferry.corpora.report.markdown import code, escaped, report_files, table
from spanferry.corpora.report.tally import Tally
from spanferry.corpora.schema import Example, Span, validate
from tests.corpora.writer_rows import pair

BAD = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-0.5", "-0.5"),
        ("+1e3", "+1e3"),
        (-0.5, -0.5),
        (None, None),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_cells_that_a_spreadsheet_would_run(value, cell):
    assert safe_cell(value) == cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (BAD, "&lt;img src=x onerror=alert(1)&gt;"),
        ("`list<string>`", "`list<string>`"),
        ("``<b>`x`", "``&lt;b&gt;`x`"),
        ("`a` <b> `c`", "`a` &lt;b&gt; `c`"),
        ("R&D", "R&amp;D"),
        ("a | b", "a | b"),
    ],
)
def test_markdown_shows_html_as_it_is(text, shown):
    assert escaped(text) == shown
    assert shown.replace("|", "\\|") in table(("x",), [(text,)])


def test_a_code_span_holds_whatever_it_is_given():
    assert [code(text) for text in ("a", "a`b", "`a", "a\nb")] == ["`a`", "``a`b``", "`` `a ``", "`a b`"]


def test_nothing_in_report_and_card_is_html():
    made = pair(0, label=BAD).rejected(f"filter:{BAD}")
    spans = (Span(0, 3, BAD, "a"),)
    made = type(made)(
        Example("x", "en", {BAD: "Ann"}, (Span(0, 3, BAD, "a", BAD),), label=BAD, split="train"),
        Example("x", "es", {BAD: "Ana"}, spans),
        made.projections[:1],
        kept=False,
        reasons=made.reasons,
    )
    tally = Tally("es").add([made, pair(1, label=BAD)])
    facts = Made(BAD, BAD, f"sig`{BAD}\n```\n{BAD}", f"mt{BAD}", "p", [(BAD, "s", "t")], command=f"```\n{BAD}")
    texts = [
        report_files([tally], title=BAD, signatures={"es": BAD})["report.md"],
        card([tally], facts, CardOptions(BAD, BAD)),
    ]
    for text in texts:
        body = re.sub(r"^---\n.*?^---\n", "", text, flags=re.S | re.M)
        fenced = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", body, flags=re.S | re.M)
        assert BAD in text and BAD not in re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", fenced)


@pytest.mark.parametrize("lang", ["", "<b>", "../x", "en es", "en/", "a" * 9, "-en", "en-", "e\u0301n", "=1"])
def test_a_row_in_no_language_is_a_bad_row(lang):
    with pytest.raises(RowError) as caught:
        validate(Example("x", lang, {"text": "a"}))
    assert caught.value.reason == "bad_lang"


@pytest.mark.parametrize("lang", ["en", "pt-BR", "pt_BR", "zh-Hant-TW", "und", "x-klingon", "mt-Arab", "nap"])
def test_tags_of_languages(lang):
    assert validate(Example("x", lang, {"text": "a"})).lang == lang
