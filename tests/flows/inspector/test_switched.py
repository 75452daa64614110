"""Code-switched datasets in the inspector: the matrix text comes back, with spans and the languages of the switches."""

from pathlib import Path

import pyarrow as pa
import pytest

from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.stored.records import Record, write_records
from spanferry.flows.inspector.edits import Edit
from spanferry.flows.inspector.query import Query
from spanferry.flows.inspector.views import pair_view
from tests.flows.inspector.inspector_runs import open_session, write_switched


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_switched(tmp_path)


def test_the_matrix_text_and_its_spans_come_back(out: Path) -> None:
    pair = EmittedDataset(out / "en-es-de").pair(0)
    assert pair.source.text == "😀 The red house in Milan."
    assert [pair.source.quote(s) for s in pair.source.spans] == ["Milan", "The red house"]
    assert [pair.target.quote(s) for s in pair.target.spans] == ["Mailand", "The casa"]
    assert [p.method for p in pair.projections] == ["alignment", "alignment"]
    assert pair.source.split == pair.target.split == "test"
    assert pair.scores == {"cmi": 40.0, "spf": 0.5}
    assert EmittedDataset(out / "en-es-de").pair(1).projections[0].method == "unswitched"


def test_switches_go_to_the_browser_in_utf16(out: Path) -> None:
    session = open_session(out)
    pair = session.row_index.pair(0)
    found = pair_view(pair, session.state(0, pair))["switches"]
    assert [(s["lang"], s["place"]["start"], s["place"]["end"]) for s in found] == [("es", 7, 16), ("de", 20, 27)]


def test_filters_and_decisions_work_on_them(out: Path) -> None:
    session = open_session(out)
    assert session.rows(Query(label="thing")).tolist() == [0]
    assert session.rows(Query(method="alignment")).tolist() == [0]
    assert session.rows(Query(kept="rejected", reason="switch:no_unit")).tolist() == [2]
    version = session.row_index.data[0].version
    session.decide(0, 0, version, Edit("move", "s1", start=2, end=15, quote="The casa roja"))
    assert session.rows(Query(review="partly")).tolist() == [0]
    rejected = session.row_index.pair(2)
    assert rejected.target is None and rejected.source.texts == {"text": "Hm.", "more": '{"en": "x"}'}


def test_a_dataset_without_spans_is_no_corpus_to_review(out: Path) -> None:
    write_records([Record("a", {"x": "1"})], out / "derived", pa.schema([("id", pa.string()), ("x", pa.string())]))
    assert [c.name for c in open_session(out).row_index.corpora] == ["en-es-de"]
