"""Attributes belong to their spans, whatever becomes of these; data of earlier versions still loads."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from spanferry.corpora.arrow import PAIR_SCHEMA, pairs_from_table, pairs_to_table
from spanferry.corpora.attributes import attributes_from_json, with_earlier_attributes
from spanferry.corpora.multiway import rows_from_table, rows_to_table
from spanferry.corpora.readers import open_reader
from spanferry.corpora.review.applying import review_row
from spanferry.corpora.review.decisions import Decision, Verdict, fold, text_digest
from spanferry.corpora.schema import Example, Pair, Projection, Span, Translation
from spanferry.corpora.stored.base import Survey
from spanferry.corpora.stored.emitted import EmittedDataset, row_to_pair, shape_of
from spanferry.corpora.stored.rows import RowShape
from spanferry.corpora.text.segment import reassemble, segment
from spanferry.corpora.writers import open_writer
from tests.corpora.switching_rows import HOUSE, switched
from tests.corpora.writer_rows import pair


def earlier(made: Pair) -> Pair:
    """The pair as an earlier version had it."""
    extra = {str(i): dict(s.attributes) for i, s in enumerate(made.source.spans) if s.attributes}
    bare = [replace(e, spans=tuple(replace(s, attributes={}) for s in e.spans)) for e in (made.source, made.target)]
    source, target = (replace(e, meta={**e.meta, "span_extra": extra}) for e in bare)
    projections = tuple(replace(p, span=p.span and replace(p.span, attributes={})) for p in made.projections)
    return replace(made, source=source, target=target, projections=projections)


def test_an_earlier_pair_gets_its_attributes_back():
    assert with_earlier_attributes(earlier(pair(0))) == pair(0)
    kept = replace(earlier(pair(0)), target=replace(earlier(pair(0)).target, spans=earlier(pair(0)).target.spans[1:]))
    assert [dict(s.attributes) for s in with_earlier_attributes(kept).target.spans] == [{"kb": "Q1"}]


@pytest.mark.parametrize("extra", ["x", {"0": 1}, {"9": {"a": 1}}, {"a": {}}, {"²": {}}, [1]])
def test_a_key_of_that_name_that_is_no_such_thing_stays(extra):
    made = pair(0)
    odd = replace(made, source=replace(made.source, meta={"span_extra": extra}))
    found = with_earlier_attributes(odd).source
    assert found.spans == made.source.spans and (found.meta.get("span_extra") == extra or extra == {"0": 1})


NEW = ("attributes", "numeric")


def without(kind: pa.DataType) -> pa.DataType:
    """The type as an earlier version had it, at any depth."""
    if pa.types.is_list(kind):
        return pa.list_(without(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, without(f.type)) for f in kind if f.name not in NEW])
    return kind


def test_stage_files_of_an_earlier_version_are_read():
    old = pa.schema([pa.field(f.name, without(f.type)) for f in PAIR_SCHEMA])
    table = pairs_to_table([earlier(pair(0)), pair(1)])
    assert pairs_from_table(pa.Table.from_pylist(table.to_pylist(), schema=old))[0] == pair(0)


def test_emitted_rows_of_an_earlier_version_are_read():
    made = earlier(pair(0))
    shape = RowShape.of(Survey(), ("text",), False, False, False)
    (row,) = shape.table([made], {}).to_pylist()  # type: ignore[arg-type]
    for spans in (row["spans"], row["source"]["spans"]):
        for span in spans:
            del span["attributes"]
    del row["source"]["meta"]
    assert row_to_pair(row, shape=shape_of(shape.schema), group="train") == pair(0)


def test_cells_that_hold_no_attributes():
    assert [attributes_from_json(value) for value in (None, "", "{", "[1]", 3, '{"a": 1}', {"a": 1})] == [
        *[{}] * 5,
        {"a": 1},
        {"a": 1},
    ]


def decided(action: str, verdict: Verdict, made: Pair) -> Decision:
    return Decision("es", "train", "ex-0", action, (verdict,), {"text": text_digest(made.target.text)}, id=action)


def test_a_review_keeps_what_the_data_says_of_a_span():
    made = pair(0)
    moved = Verdict("b", "text", 10, 18, "PLACE", "a Málaga", was="LOC", source_quote="Málaga")
    found = Verdict("c", "text", 19, 20, "EMO", "😀", source_quote="😀")
    made = replace(
        made,
        source=replace(made.source, spans=(*made.source.spans[:2], replace(made.source.spans[2], attributes={"x": 1}))),
    )
    lines = [decided("move", moved, made), decided("add", found, made)]
    spans = {s.id: s for s in review_row(made, fold(lines)).pair.target.spans}
    assert (spans["b"].start, spans["b"].label, spans["b"].attributes) == (10, "PLACE", {"kb": "Q1"})
    assert spans["c"].attributes == {"x": 1}


def test_a_span_cut_between_segments_keeps_them():
    text = "Ann met Bob. He left."
    spans = (
        Span(0, 21, "ALL", "a", attributes={"kb": 1, "token_start": 4}),
        Span(8, 11, "PER", "b", attributes={"n": []}),
    )
    example = Example("x", "en", {"text": text}, spans, meta={"answer_start": 3, "k": 1})
    pieces = segment(example, length=len, limit=14)
    found = [[Projection(s.id, replace(s, attributes={}), 0.5, "copy") for s in p.spans] for p in pieces]
    done = reassemble(example, pieces, [Translation(p.text) for p in pieces], found, target_lang="es")
    assert len(pieces) == 2 and {s.id: dict(s.attributes) for s in done.target.spans} == {
        "a": {"kb": 1},
        "b": {"n": []},
    }
    assert [p.span.attributes for p in done.projections] == [{"kb": 1}, {"n": []}]
    assert done.target.meta == {"k": 1} and done.source.meta == example.meta


def test_the_source_keeps_its_own_meta(tmp_path):
    made = pair(0)
    made = replace(made, source=replace(made.source, meta={"answer_start": 3}))
    open_writer("arrow").write([[made]], tmp_path)
    assert EmittedDataset(tmp_path).pair(0) == made


def test_attributes_of_annotation_tools(tmp_path):
    rows = [
        {"text": "Ann", "entities": [{"id": 1, "label": "P", "start_offset": 0, "end_offset": 3, "note": "?"}]},
        {"text": "Bob", "label": [[0, 3, "P"]]},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = list(open_reader(path, lang="en", format="doccano").read())
    assert [dict(e.spans[0].attributes) for e in found] == [{"note": "?"}, {}]
    region = {"id": "r1", "type": "labels", "to_name": "text", "meta": {"text": ["unsure"]}}
    region["value"] = {"start": 0, "end": 3, "text": "Ann", "labels": ["P"]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"data": {"text": "Ann"}, "annotations": [{"result": [region]}]}]), encoding="utf-8")
    (example,) = open_reader(path, lang="en", format="label_studio").read()
    assert dict(example.spans[0].attributes) == {"meta": {"text": ["unsure"]}}


def test_code_switching_and_multiway_rows_keep_them():
    english = HOUSE.examples["en"]
    spans = tuple(replace(s, attributes={"kb": i, "token_end": 3}) for i, s in enumerate(english.spans))
    meta = {"url": "x", "plausible_answers": [{"text": "Anna", "answer_start": 0}]}
    row = replace(HOUSE, examples={**HOUSE.examples, "en": replace(english, spans=spans, meta=meta)})
    assert rows_from_table(rows_to_table([row])) == [row]
    (found,) = switched(row)
    assert found["switches"] and [json.loads(s["attributes"]) for s in found["spans"]] == [{"kb": i} for i in range(3)]
    assert json.loads(found["meta"]) == {"url": "x"}
