"""Tally, report and plots: numbers by hand, the same bytes in whatever order rows come."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from spanferry.corpora.filters import build, decide, removal_table, score
from spanferry.corpora.report.markdown import report_files, share, table
from spanferry.corpora.report.svg import histogram_csv, histogram_svg
from spanferry.corpora.report.tally import SCORE_BINS, Tally, inline
from spanferry.corpora.schema import Pair, Projection, Span
from tests.corpora.filter_pairs import example, pair

ROWS = [
    pair("See [Ann|per] in [Bonn|loc].", "Ve a [Ana|per] en [Bonn|loc].", scores=(0.9, 0.4), id="a"),
    pair("[Tom|per] | runs", "[Tom|per] | corre", scores=(1.0,), id="b", split="test", label="sport"),
    pair("Nothing", "Nada", id="c"),
    pair("See [Ann|per].", "Ve.", id="d").rejected("span_count:per"),
    pair("Too [long|size]", None, id="e").rejected("translate:too_long", "no_target"),
]


def failing(row: Pair, reason: str) -> Pair:
    return replace(row, projections=tuple(replace(p, span=None, score=0.0, reason=reason) for p in row.projections))


def rows() -> list[Pair]:
    return [*ROWS[:3], failing(ROWS[3], "no_words"), ROWS[4]]


def test_summary_by_hand() -> None:
    summary = Tally("es").add(rows()).summary()
    assert (summary["rows"], summary["kept"], summary["rejected"]) == (5, 3, 2)
    assert summary["splits"] == {"test": {"rows": 1, "kept": 1}, "train": {"rows": 4, "kept": 2}}
    assert (summary["spans"], summary["projected"]) == (5, 3)
    assert summary["unprojected"] == {"no_words": 1}
    assert summary["reasons"] == {"no_target": 1, "span_count:per": 1, "translate:too_long": 1}
    assert summary["methods"] == {"test": 3}
    assert summary["labels"] == {
        "per": {"source": 3, "projected": 2, "kept": 2},
        "loc": {"source": 1, "projected": 1, "kept": 1},
        "size": {"source": 1, "projected": 0, "kept": 0},
    }
    assert summary["classes"] == {"sport": 1}
    bins = summary["projection_scores"]
    assert {i: n for i, n in enumerate(bins) if n} == {10: 1, 22: 1, SCORE_BINS - 1: 1}


def test_examples_are_the_same_in_any_order_and_change_with_the_seed() -> None:
    many = [pair(f"[A|x] {i}", f"[B|x] {i}", scores=((i % 7) / 10,), id=f"r{i}") for i in range(60)]
    many += [p.rejected("why") for p in many[:30]]
    one, other, reseeded = Tally("es").add(many), Tally("es").add(many[::-1]), Tally("es", seed=1).add(many)
    assert one.random == other.random and one.worst == other.worst and one.rejected == other.rejected
    assert len(one.random) == len(one.worst) == len(one.rejected) == 10
    assert [s.id for s in one.random] != [s.id for s in reseeded.random]
    assert [s.score for s in one.worst] == [0.0] * 9 + [0.1]
    assert all(s.reasons == ("why",) for s in one.rejected)


@pytest.mark.parametrize(
    "marked",
    [
        "A table at [Casa Lola]{restaurant} for [two]{n}.",
        "[The Hotel [Bristol]{loc}]{hotel}",
        "[[Bonn]{loc}]{org}",
        "👩‍👩‍👧 [мы]{кто} é [世界]{x}",
        "[a]{x}[b]{y}",
        "no spans",
    ],
)
def test_labels_inline(marked: str) -> None:
    written = marked.replace("]{", "|").replace("}", "]")
    assert inline(example(written, "en")) == marked


def test_labels_inline_of_crossing_broken_and_several_fields() -> None:
    one = example("abcdef", "en")
    crossing = replace(one, spans=(Span(0, 4, "x", "s0"), Span(2, 6, "y", "s1"), Span(3, 99, "z", "s2")))
    assert inline(crossing) == "[ab[cd]{x}ef]{y}"
    apart = replace(one, spans=(Span(0, 6, "x", "s0", fragments=((0, 1), (5, 6))),))
    assert inline(apart) == "[abcdef]{x*}"
    asked = replace(one, texts={"question": "who", "context": "Ann"}, spans=(Span(0, 3, "a", "s0", field="context"),))
    assert inline(asked) == "question: who\ncontext: [Ann]{a}"


def test_report_files() -> None:
    filters = build([{"kind": "span_count"}, {"kind": "confidence", "min_score": 0.3}, {"kind": "length_ratio"}])
    removal = removal_table(filters, score(filters, rows()))
    tally = Tally("es").add(rows())
    more = {"f1": 0.5}
    files = report_files([tally], {"es": removal}, title="Run", signatures={"es": "src:x|mt:y"}, extra={"es": more})
    again = report_files(
        [Tally("es").add(rows()[:2]).add(rows()[2:])], {"es": removal}, title="Run",
        signatures={"es": "src:x|mt:y"}, extra={"es": more},
    )  # fmt: skip
    assert files == again
    data = json.loads(files["report.json"])
    spanish = data["languages"]["es"]
    assert spanish["signature"] == "src:x|mt:y"
    assert spanish["rows"] == 5 and spanish["more"] == more
    assert [f["name"] for f in spanish["filters"]["filters"]] == ["span_count", "confidence", "length_ratio"]
    assert [e["id"] for e in spanish["examples"]["worst"]] == ["a", "b"]
    assert spanish["examples"]["rejected"][0].keys() == {"id", "source", "target", "score", "reasons"}
    text = files["report.md"]
    assert "| es | 5 | 5 | 3 (60.0 %) | 1 | 2 (40.0 %) | 3 (60.0 %) |" in text
    assert "| span_count:per | 1 |" in text and "| no_words | 1 |" in text
    assert "    See [Ann]{per} in [Bonn]{loc}.\n  → Ve a [Ana]{per} en [Bonn]{loc}." in text
    assert "e · translate:too_long · no_target\n    Too [long]{size}\n  → —" in text
    assert "![es-projection_score](plots/es-projection_score.svg) [numbers](plots/es-projection_score.csv)" in text
    assert "threshold 0.3" in files["plots/es-projection_score.svg"]
    assert "plots/es-length_ratio.text.csv" in files
    for name in files:
        assert name in ("report.json", "report.md", "report.html") or f"]({name})" in text


def test_report_of_no_rows() -> None:
    files = report_files([Tally("es")], title="Nothing")
    assert set(files) == {"report.json", "report.md", "report.html"}
    assert "| es | 0 | 0 | 0 (–) | 0 | 0 (–) | 0 (–) |" in files["report.md"]


def test_a_score_that_is_no_number_stays_out_of_the_json() -> None:
    row = replace(ROWS[0], projections=(Projection("s0", Span(0, 1, "per", "s0"), float("nan"), "m"),))
    files = report_files([Tally("es").add([row])], title="x")
    assert json.loads(files["report.json"])["languages"]["es"]["examples"]["worst"][0]["score"] == 0.0


def test_text_with_a_fence_stays_inside_the_fence() -> None:
    files = report_files([Tally("es").add([pair("```code```", "```code```")])], title="x")
    assert "````text\n" in files["report.md"]


def test_control_characters_are_shown_and_not_obeyed() -> None:
    rows = [pair("a\x00 \x1bred\r\n\tb", "a\x9b\x7f", id="i\n1")]
    shown = report_files([Tally("es").add(rows)], title="x")["report.md"]
    assert "a␀ ␛red\n    \tb\n" in shown and "a\ufffd␡" in shown and "i␊1" in shown
    assert not any(c in shown for c in "\x00\x1b\r\x9b\x7f")


def test_svg_and_csv() -> None:
    edges, counts = (0.0, 0.5, 1.0, 1.5), (1, 0, 1_000_000)
    picture = histogram_svg("a <b> & c", edges, counts, low=0.5, high=None)
    root = ET.fromstring(picture)
    name = "{http://www.w3.org/2000/svg}"
    bars = root.findall(f"{name}rect")
    assert [b.get("class") for b in bars] == ["bad", "bar"]
    assert float(bars[0].get("height", "0")) == 1.0
    lines = [line.get("x1") for line in root.findall(f"{name}line") if line.get("class") == "line"]
    assert lines == [f"{56 + (520 - 56 - 48) / 3:.1f}"]
    assert "prefers-color-scheme:dark" in picture
    assert histogram_csv(edges, counts) == "from,to,count\n0,0.5,1\n0.5,1,0\n1,1.5,1000000\n"


def test_table_escapes_and_aligns() -> None:
    assert table(("a", "b"), [("x|y\nz", 1234)]) == "| a | b |\n| --- | ---: |\n| x\\|y z | 1,234 |\n"
    assert table(("a",), []) == "| a |\n| --- |\n"
    assert share(1, 8) == "12.5 %"


def test_filters_of_the_report_see_what_was_decided() -> None:
    filters = build([{"kind": "confidence", "min_score": 0.5}])
    frame = score(filters, rows())
    decided = [p.rejected(*why) if why else p for p, why in zip(rows(), decide(filters, frame), strict=True)]
    assert Tally("es").add(decided).summary()["reasons"]["confidence:low"] == 1
