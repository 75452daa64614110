"""What goes over with the spans: attributes, relations, and no places of the source's text."""

import json
from dataclasses import replace

import pytest

from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.placing import lost_relations, with_projections, without_places
from spanferry.corpora.readers import open_reader
from spanferry.corpora.report.tally import Tally
from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span
from spanferry.corpora.writers import WRITERS, open_writer, writer_options
from spanferry.flows.engine.emit import CountError, check_sum
from spanferry.projectors.pipeline import stages
from tests.corpora.row_sums import pair_problems
from tests.corpora.writer_rows import failed, pair

SOURCE = Example(
    "r",
    "en",
    {"text": "Ann met Bob in Oslo"},
    (
        Span(0, 3, "PER", "a", attributes={"kb": "Q1", "token_start": 0}),
        Span(8, 11, "PER", "b", attributes={"kb": "Q2"}),
        Span(15, 19, "LOC", "c", attributes={"note": ["sic"]}),
    ),
    (Relation("a", "b", "met"), Relation("b", "c", "in"), Relation("a", "c", "in")),
    meta={"n": 1},
)
TARGET = Example("r", "es", {"text": "En Oslo vio Ana"}, (), label="x", meta={"own": 1})
PLACED = (
    Projection("a", Span(12, 15, "PER", "a"), 0.9, "copy"),
    Projection("b", None, 0.0, "copy", "no_match"),
    Projection("c", Span(3, 7, "LOC", "c"), 0.8, "copy"),
)


def projected():
    return stages.assemble_given([Pair(SOURCE, TARGET)], [PLACED], "sig")[0]


def test_what_was_placed_goes_over_whole():
    target = with_projections(TARGET, SOURCE, PLACED)
    assert [(s.id, dict(s.attributes)) for s in target.spans] == [("a", {"kb": "Q1"}), ("c", {"note": ["sic"]})]
    assert target.relations == (Relation("a", "c", "in"),)


def test_a_given_target_gets_what_a_translated_one_gets():
    done = projected()
    assert done.target.spans == with_projections(TARGET, SOURCE, PLACED).spans
    assert [p.span for p in done.projections if p.span] == list(done.target.spans)
    assert [(r.label, why) for r, why in lost_relations(done)] == [
        ("met", "tail_not_placed"),
        ("in", "head_not_placed"),
    ]
    assert stages.count_pairs([done]) == {
        "failed_rows": 0,
        "projected": 2,
        "relations": 3,
        "relations_kept": 1,
        "relations_lost:head_not_placed": 1,
        "relations_lost:tail_not_placed": 1,
        "spans": 3,
        "unprojected:no_match": 1,
    }


def test_relations_without_any_end_and_without_a_target():
    nothing = stages.assemble_given([Pair(SOURCE, None)], [()], "sig")[0]
    assert [why for _, why in lost_relations(nothing)] == ["no_end_placed"] * 3
    bare = replace(projected(), target=replace(projected().target, relations=()))
    assert [why for _, why in lost_relations(bare)] == ["tail_not_placed", "head_not_placed", "not_carried"]


@pytest.mark.parametrize(
    ("max_lost", "reasons"),
    [(1, []), (0.7, []), (0.5, ["relations:in", "relations:met"]), (0, ["relations:in", "relations:met"])],
)
def test_a_lost_relation_may_be_a_reason_to_reject(max_lost, reasons):
    filters = build([{"kind": "relations", "max_lost": max_lost}])
    whole = Pair(SOURCE, replace(SOURCE, lang="es"))
    assert decide(filters, score(filters, [projected(), whole, failed()]))[:2] == [reasons, []]


def test_the_report_counts_them():
    summary = Tally("es").add([projected(), pair(0)]).summary()
    assert (summary["relations"], summary["relations_kept"]) == (4, 1)
    lost = {"head_not_placed": 1, "not_carried": 1, "tail_not_placed": 1}
    assert summary["relations_lost"] == lost
    check_sum("relations", summary["relations"], {"kept": summary["relations_kept"], **lost}, "es")


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"plausible_answers": [{"text": "Rome", "answer_start": 71}], "title": "T"}, {"title": "T"}),
        ({"answer_start": 3, "answer": "x"}, {"answer": "x"}),
        ({"answers": {"text": ["x"], "answer_start": [3]}}, {}),
        ({"entities": [[0, 4, "PER"]], "pages": [1, 2, 3]}, {"pages": [1, 2, 3]}),
        ({"deep": {"a": [{"span": [0, 3]}]}}, {}),
        ({"startOffset": 1, "tokenEnd": 2, "char_span": [0, 2]}, {}),
        ({"start": "Monday", "end": None, "start_time": 3.5, "weekend": 1, "offset": True}, None),
        ({"year": 1999, "score": 0.5, "scores": [1, 2]}, None),
    ],
)
def test_places_in_another_text_stay_behind(values, left):
    assert without_places(values) == (values if left is None else left)


@pytest.mark.parametrize(
    ("what", "whole", "parts", "adds_up"),
    [
        ("rows", 3, {"kept": 2, "rejected": 1}, True),
        ("rows", 3, {"kept": 3, "rejected": 1}, False),
        ("spans", 2, {"placed": 1, "x": 1}, True),
        ("spans", 2, {"placed": 1}, False),
        ("spans", 2, {"placed": 1, "": 1}, False),
        ("relations", 2, {"kept": 1, "x": 2}, False),
    ],
)
def test_counts_add_up(what, whole, parts, adds_up):
    if adds_up:
        check_sum(what, whole, parts, "es")
        return
    with pytest.raises(CountError, match=f"{what} do not add up: {whole} in"):
        check_sum(what, whole, parts, "es")


def test_rows_add_up():
    done = projected()
    assert [pair_problems(row) for row in (done, pair(0), pair(1, kept=False), failed())] == [[]] * 4
    lost = replace(done.target, spans=done.target.spans[:1])
    assert pair_problems(replace(done, target=lost)) == [
        "span 'c' was placed and is not in the target",
        "relation 'in' dangles",
    ]
    assert pair_problems(replace(done, projections=done.projections[:2])) == ["span 'c' has 0 projections"]
    silent = replace(done.projections[1], reason=None)
    assert pair_problems(replace(done, projections=(done.projections[0], silent, done.projections[2]))) == [
        "span 'b' has no place and no reason"
    ]
    assert pair_problems(replace(done, kept=False)) == ["it is rejected without a reason"]


# Readers of what each writer leaves, with the options they need.
READ = {
    "arrow": ("", "saved", {}),
    "parquet": ("", "parquet", {}),
    "jsonl": ("train.jsonl", "jsonl", {}),
    "label_studio": ("train.json", "label_studio", {"predictions": True}),
    "doccano": ("train.jsonl", "doccano", {}),
    "conll": ("train.iob", "conll", {}),
    "squad": ("train.json", "squad", {}),
    "docbin": ("train.spacy", "docbin", {}),
}


@pytest.mark.parametrize("name", READ)
def test_our_reader_takes_back_every_row_and_nothing_dangles(tmp_path, name):
    dangling = replace(projected(), target=replace(projected().target, relations=SOURCE.relations))
    options = {"allow_loss": True} if "allow_loss" in writer_options(name) else {}
    options |= {"relations": True} if name == "doccano" else {}
    report = open_writer(name, options).write([[projected(), dangling]], tmp_path)
    place, reader, read = READ[name]
    back = list(open_reader(tmp_path / place, lang="es", format=reader, options=read).read())
    assert [type(row) for row in back] == [Example, Example]
    ids = [{span.id for span in row.spans} for row in back]
    assert all({r.head, r.tail} <= there for row, there in zip(back, ids, strict=True) for r in row.relations)
    if name in ("arrow", "parquet", "jsonl", "label_studio", "doccano"):
        assert [len(row.relations) for row in back] == [1, 1] and report.lost["relations"] == 2
    if name in ("arrow", "parquet", "jsonl", "label_studio"):
        assert [dict(s.attributes) for s in back[0].spans] == [{"kb": "Q1"}, {"note": ["sic"]}]
    elif name != "squad":
        assert report.lost["attributes"] == 4
    assert set(READ) | {"translation", "moses", "tmx"} == set(WRITERS)


def test_attributes_follow_their_spans_when_order_and_number_change(tmp_path):
    source = {"id": "r", "text": "Ann met Bob", "lang": "en"}
    source["spans"] = [
        {"start": 0, "end": 3, "label": "P", "id": "a"},
        {"start": 8, "end": 11, "label": "P", "id": "b"},
    ]
    # What an earlier version wrote: numbers of the source's spans, of which the target has only the second.
    row = {"id": "r", "text": "Bob", "spans": [{"start": 0, "end": 3, "label": "P", "id": "b"}], "source": source}
    row["meta"] = {"span_extra": {"0": {"kb": "Q1"}, "1": {"kb": "Q2"}}, "n": 1}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    (example,) = open_reader(path, lang="es").read()
    assert dict(example.spans[0].attributes) == {"kb": "Q2"} and "span_extra" not in example.meta
