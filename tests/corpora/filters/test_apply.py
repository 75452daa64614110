"""The contract that all filters share: configuration, columns, decisions, tables."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.filters import FILTERS, OPTIONAL, Filter, build, decide, default_filters, removal_table, score
from spanferry.corpora.filters.base import Column
from spanferry.corpora.filters.table import histogram
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.projectors.aligners.encoder.convert import encoder_directory
from tests.corpora.filter_pairs import pair

GOOD = pair("Where is [the bank|loc] in this old town?", "¿Dónde está [el banco|loc] en esta vieja ciudad?")
FAILED = pair("Where is [the bank|loc]?", None).rejected("translate:too_long")


@pytest.mark.parametrize("kind", FILTERS)
def test_every_filter_keeps_the_contract(kind: str) -> None:
    (one,) = build([{"kind": kind}])
    assert isinstance(one, Filter)
    assert one.name == kind
    assert one.signature.startswith(kind) and one.threshold_signature.startswith(kind)
    names = [c.name for c in one.columns]
    assert all(name.startswith(f"{kind}.") for name in names)
    frame = score([one], [GOOD, FAILED])
    assert frame.columns == ["id", "target_lang", "prior", *names]
    # Types do not depend on the rows, so shards fit together.
    assert score([one], [FAILED]).schema == frame.schema == score([one], []).schema
    # One row is too few to prove an error with.
    assert decide([one], frame) == [["max_error:no_bound"] if kind == "max_error" else [], ["translate:too_long"]]
    assert decide([one], score([one], [])) == []
    for reason, expression in one.reject():
        assert reason.split(":")[0] == kind
        assert frame.select(expression.alias("x"))["x"].dtype in (pl.Boolean, pl.List(pl.String))


def test_defaults_are_the_table_in_order() -> None:
    assert [f.name for f in default_filters()] == [kind for kind in FILTERS if kind not in OPTIONAL]
    assert not OPTIONAL - set(FILTERS)


def test_default_filters_are_mild_on_labelled_rows() -> None:
    rows = [
        pair("[Tokyo|loc]", "[Tokio|loc]"),
        pair("[Bosch GSR 12V|product]", "[Bosch GSR 12V|product]"),
        pair("[4|n] / [12|n]", "[4|n] / [12|n]"),
        pair("Hello [{name}|x]!", "¡Hola [{name}|x]!"),
        pair("OK 👍", "OK 👍"),
        pair("Play [Yesterday|song]", "Pon [Yesterday|song]"),
    ]
    filters = default_filters()
    assert decide(filters, score(filters, rows)) == [[]] * len(rows)


def test_all_rules_run_and_prior_reasons_come_first() -> None:
    row = pair("Call [Ann|per] at 19:45 at a.b@c.example, please, in 37 minutes.", "Llama.").rejected("model:doubt")
    filters = default_filters()
    assert decide(filters, score(filters, [row])) == [
        ["model:doubt", "span_count:per", "copy:number", "copy:email", "length_ratio:short"]
    ]


def test_thresholds_change_decisions_without_scoring_again() -> None:
    rows = [GOOD, pair("Stop.", "Alto. " * 12), FAILED]
    strict, mild = build([{"kind": "length_ratio"}]), build([{"kind": "length_ratio", "high": 9}])
    frame = score(strict, rows)
    assert frame.equals(score(mild, rows))
    assert decide(strict, frame)[1] == ["length_ratio:long"]
    assert decide(mild, frame)[1] == []
    assert strict[0].signature == mild[0].signature == "length_ratio(smoothing=15)"
    assert strict[0].threshold_signature != mild[0].threshold_signature


@pytest.mark.parametrize("kind", FILTERS)
def test_every_option_is_in_exactly_one_signature(kind: str, tmp_path: Path) -> None:
    (tmp_path / "terms.tsv").write_text("dog\tperro\n", encoding="utf-8")
    encoder = tmp_path / "encoder"
    shutil.copytree(encoder_directory("bundled", None, "int8"), encoder)
    facts = json.loads((encoder / "spanferry.json").read_text())
    (encoder / "spanferry.json").write_text(json.dumps({**facts, "name": "another"}))
    review = {"format": "spanferry calibration 1", "languages": {"xx": {}}}
    (tmp_path / "calibration.json").write_text(json.dumps(review), encoding="utf-8")
    (one,) = build([{"kind": kind}])
    changes: dict[str, Any] = {
        "keep": "none", "side": "both", "kinds": ("url",), "others": ("en",), "max_run": 3, "words_up_to": 3,
        "smoothing": 9, "min_letters": 5, "longest": 3, "ngram": 4, "max_letters": 7, "high": 4.5, "span_high": 4.5,
        "max_words": 2, "max_lost": 0 if kind == "relations" else 3, "splits": ("test",),
        "min_words": 6, "min_rows": 5, "max_added": 3, "path": str(tmp_path / "terms.tsv"), "model": str(encoder),
        "paths": (str(tmp_path / "terms.tsv"),), "format": "text", "min_names": 3, "method": "copy",
        "options": {"aligner": "lexical"}, "device": "cpu", "beam": 2, "min_links": 0.5,
        "text": "given", "calibration": str(tmp_path / "calibration.json"),
    }  # fmt: skip
    for option in type(one).model_fields:  # type: ignore[attr-defined]
        (other,) = build([{"kind": kind, option: changes.get(option, 0.35)}])
        scoring, threshold = other.signature != one.signature, other.threshold_signature != one.threshold_signature
        assert scoring != threshold, option
        if threshold:
            assert score([other], [GOOD, FAILED]).equals(score([one], [GOOD, FAILED]))


def test_a_shard_at_a_time_is_the_same_as_all_at_once() -> None:
    rows = [GOOD, FAILED, replace(GOOD, source=replace(GOOD.source, id="again")), pair("[a|x] b", "b [a|x]"), GOOD]
    filters = default_filters()
    whole = score(filters, rows)
    parts = pl.concat([score(filters, rows[:2]), score(filters, rows[2:3]), score(filters, rows[3:])])
    assert parts.equals(whole)
    assert decide(filters, whole) == [[], ["translate:too_long"], ["duplicates:row"], [], ["duplicates:row"]]


def test_a_row_without_target_or_reason_is_still_rejected() -> None:
    filters = default_filters()
    rows = [pair("no target", None), replace(GOOD, kept=False)]
    assert decide(filters, score(filters, rows)) == [["no_target"], ["rejected"]]


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        (
            {"kind": "lenght_ratio"},
            [
                "unknown filter 'lenght_ratio'\n",
                "Valid: agreement, aligned, average_word_length, ",
                "Hint: did you mean 'length_ratio'?",
            ],
        ),
        (
            {"kind": "length_ratio", "hihg": 3},
            ["unknown option of the filter 'length_ratio' 'hihg'\n", "Valid: high, ", "Hint: did you mean 'high'?"],
        ),
        (
            {"kind": "length_ratio", "high": "long"},
            ["does not take high='long'\n", "Valid: float, >= 1", "Hint: --set filters.length_ratio.high=2.5"],
        ),
        ({"kind": "length_ratio", "high": 0.5}, ["does not take high=0.5\n", "Valid: float, >= 1", "Hint: --set "]),
        (
            {"kind": "average_word_length", "low": 9, "high": 3},
            ["'average_word_length' can't be made: low is above high (9.0 > 3.0)\n", "Hint: spanferry list filters "],
        ),
        ({"high": 3}, ["filter {'high': 3} has no kind\n", "Valid: span_count, ", "Hint: kind = "]),
        (
            {"kind": "spanferry.corpora.schema:Span", "start": 0, "end": 1, "label": "x"},
            ["makes a Span, which is not a filter\n", "Hint: see spanferry.corpora.filters.base.Filter"],
        ),
        (
            {"kind": "spanferry.corpora.schema:Span", "begin": 0},
            ["unknown option of the filter 'spanferry.corpora.schema:Span' 'begin'\n", "Valid: attributes, end, "],
        ),
    ],
)
def test_bad_configuration(config: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        build([config])
    for part in parts:
        assert part in str(caught.value)


def test_strings_become_what_a_filter_takes() -> None:
    # As ``--set filters.length_ratio.high='"3"'`` gives them, and as every other component takes them.
    (text,), (number,) = build([{"kind": "length_ratio", "high": "3"}]), build([{"kind": "length_ratio", "high": 3}])
    assert text.threshold_signature == number.threshold_signature


def test_a_filter_named_twice() -> None:
    with pytest.raises(ConfigError, match="filter 'copy' is named twice\nHint: "):
        build([{"kind": "copy"}, {"kind": "copy", "words_up_to": 3}])


def test_a_class_from_outside_needs_no_change_here() -> None:
    (one,) = build([{"kind": "spanferry.corpora.filters.confidence:Confidence", "min_score": 0.95}])
    assert decide([one], score([one], [GOOD])) == [["confidence:low"]]


def test_removal_table_by_hand() -> None:
    lost = pair("[Ann|per] sings well", "Ana canta bien")
    both = pair("[Ann|per] at 19:45", "a las [ocho y media|loc]")
    rows = [GOOD, lost, both, FAILED]
    filters = build([{"kind": "span_count"}, {"kind": "copy"}, {"kind": "repetition"}])
    table = removal_table(filters, score(filters, rows))
    assert (table.rows, table.kept, table.prior) == (4, 1, 1)
    assert [(f.name, f.removed, f.only, f.share) for f in table.filters] == [
        ("span_count", 2, 1, 0.5),
        ("copy", 1, 0, 0.25),
        ("repetition", 0, 0, 0.0),
    ]
    # Decisions 0110 and 0010: phi = (4·1 - 2·1) / sqrt(2·2·1·3).
    assert table.correlation[0][1] == table.correlation[1][0] == pytest.approx(2 / 12**0.5, abs=1e-4)
    assert table.correlation[0][0] == 1
    assert table.correlation[2] == (None, None, None)
    (shown,) = table.filters[0].histograms
    assert (shown.column, shown.low, shown.high, shown.good) == ("span_count.difference", None, 0.0, "low")
    assert sum(shown.counts) == 3 and shown.missing == 1


def test_removal_table_of_nothing() -> None:
    table = removal_table(default_filters(), score(default_filters(), []))
    assert (table.rows, table.kept) == (0, 0)
    assert all(f.share == 0 for f in table.filters)


def test_histogram_covers_the_threshold_and_clips() -> None:
    values = pl.Series([0.0, 0.5, 1.0, float("nan"), None])
    shown = histogram(values, Column("x", pl.Float64, low=-1.0), bins=4)
    assert shown is not None
    assert shown.edges[0] == -1.0 and shown.edges[-1] == pytest.approx(1.0, abs=0.01)
    assert sum(shown.counts) == 3 and shown.missing == 2
    assert np.all(np.diff(shown.edges) > 0)
    assert histogram(values, Column("x", pl.Float64)) is None
    constant = histogram(pl.Series([2.0, 2.0]), Column("x", pl.Float64, high=2.0), bins=2)
    assert constant is not None and constant.counts == (2, 0)


@pytest.mark.parametrize(
    "text",
    ["9" * 6_000, "1.1" * 3_000, "1,1億" * 2_000, "万" * 5_000 + "1", "字" * 20_000 + "@{", "a" * 20_000 + "@",
     "{ " * 3_000, "<a " * 3_000, "`" * 3_000, "ab" * 10_000, "% " * 3_000, "1 000" * 2_000, "https://" * 2_000],
)  # fmt: skip
def test_odd_long_texts_are_judged_like_any_other(text: str) -> None:
    one = Example("row", "en", {"text": text}, (Span(0, 1, "x", "s0"),))
    copied = replace(one, lang="ja")
    row = Pair(one, copied, (Projection("s0", copied.spans[0], 1.0, "any"),))
    filters = default_filters()
    (found,) = decide(filters, score(filters, [row]))
    assert {reason.split(":")[0] for reason in found} <= {"language", "untranslated", "length_ratio"}


TEXTS = st.text(alphabet="aб1 ,.%{}<>`@:/[年مिา👩‍\u0301\n", max_size=25)


@st.composite
def any_pairs(draw: st.DrawFn) -> Pair:
    texts = draw(TEXTS), draw(TEXTS)
    sides = []
    for text, lang in zip(texts, ("en", draw(st.sampled_from(["es", "zh-Hans", "xx", ""]))), strict=True):
        edges = st.integers(-1, len(text) + 1)
        spans = draw(st.lists(st.tuples(edges, edges, st.sampled_from("xy")), max_size=3))
        made = tuple(Span(min(a, b), max(a, b), c, f"s{i}") for i, (a, b, c) in enumerate(spans))
        sides.append(Example("row", lang, {"text": text}, made))
    projections = tuple(Projection(s.id, None, draw(st.floats()), "any") for s in sides[0].spans)
    return Pair(sides[0], draw(st.sampled_from([sides[1], None])), projections)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_pairs(), max_size=3))
def test_no_filter_ever_raises_for_a_row(rows: list[Pair]) -> None:
    filters = default_filters()
    frame = score(filters, rows)
    decided = decide(filters, frame)
    assert len(decided) == len(rows)
    for row, found in zip(rows, decided, strict=True):
        assert len(set(found)) == len(found)
        assert row.target is not None or found == ["no_target"]
