"""Filters over rows of several languages, code-switched rows and derived records."""

from dataclasses import replace

import pyarrow as pa
import pytest

from spanferry.corpora.filters import build
from spanferry.corpora.filters.sets import RECORDS, SWITCHED, filter_cells, filter_records, filter_switched, pair_of
from spanferry.corpora.multiway import MultiRow, rows_to_table
from spanferry.corpora.stored.records import Record
from tests.corpora.switching_rows import HOUSE, row, switcher

PRICE = row(
    "price",
    ("en", "The house costs 1,500 euros.", [("house", "OBJ")]),
    ("es", "La casa cuesta 1,5 euros.", [("casa", "OBJ")], "0-0 1-1 2-2 3-3 4-4 5-5"),
    ("de", "Das Haus kostet 1.500 Euro.", [("Haus", "OBJ")], "0-0 1-1 2-2 3-3 4-4 5-5"),
)


def test_a_cell_that_a_filter_rejects_is_missing_with_its_reason() -> None:
    filters = build([{"kind": "copy"}])
    good, bad, before = filter_cells([HOUSE, PRICE, HOUSE.rejected("read:bad")], filters)
    assert good is HOUSE or good == HOUSE
    assert bad.languages == ("en", "de")
    assert bad.missing == {"es": ("copy:number",)}
    assert [(links.source_lang, links.target_lang) for links in bad.links] == [("en", "de")]
    assert bad.reasons == ()
    assert before.reasons == ("read:bad",)


def test_a_row_with_too_few_cells_left_is_rejected_with_the_reasons() -> None:
    two = MultiRow("price", {lang: PRICE.examples[lang] for lang in ("en", "es")})
    (found,) = filter_cells([two], build([{"kind": "copy"}]))
    assert found.reasons == ("join:too_few_languages", "es:copy:number")


def test_pairs_of_cells_have_a_projection_for_every_span() -> None:
    lost = replace(HOUSE.examples["es"], spans=HOUSE.examples["es"].spans[:1])
    found = pair_of(HOUSE.examples["en"], lost)
    assert [(p.source_span_id, p.span is None) for p in found.projections] == [
        ("s0", False), ("s1", True), ("s2", True)
    ]  # fmt: skip


@pytest.mark.parametrize("copies", [1, 3])
def test_switched_rows_are_judged_against_what_they_were_made_from(copies: int) -> None:
    rows = [HOUSE, replace(HOUSE, id="house2", examples=dict(HOUSE.examples))]
    done = switcher(copies=copies).switch(rows_to_table(rows))
    filters = build([{"kind": kind} for kind in SWITCHED])
    kept, rejected = filter_switched(done.kept, done.rejected, rows, filters)
    assert kept.schema == done.kept.schema
    assert kept.num_rows + rejected.num_rows == done.kept.num_rows + done.rejected.num_rows
    # The same sentence with the same words switched is there once.
    assert kept.num_rows == 1
    assert {tuple(r) for r in rejected["reasons"].to_pylist()} == {("duplicates:row",)}


def test_switched_rows_with_a_lost_number_are_rejected() -> None:
    done = switcher().switch(rows_to_table([HOUSE]))
    broken = done.kept.set_column(
        done.kept.schema.get_field_index("text"), "text",
        pa.array([done.kept["text"][0].as_py().replace("300", "30")], pa.string()),
    )  # fmt: skip
    spans = done.kept["spans"].to_pylist()[0]
    assert spans
    kept, rejected = filter_switched(broken, done.rejected, [HOUSE], build([{"kind": "copy"}]))
    assert kept.num_rows == 0
    assert rejected["reasons"].to_pylist() == [["copy:number"]]


def test_derived_records_keep_their_order_and_lose_doubles() -> None:
    schema = pa.schema([("id", pa.string()), ("prompt", pa.string()), ("completion", pa.string()), ("n", pa.int32())])
    records = [
        Record("a", {"prompt": "p", "completion": "c", "n": 1}),
        Record("b", {}, reasons=("chains:no_words",)),
        Record("c", {"prompt": "p", "completion": "c", "n": 2}),
        Record("d", {"prompt": "p", "completion": "other", "n": 3}),
        Record("e", {"prompt": "p", "completion": "c", "n": 4}, split="test"),
    ]
    found = list(filter_records(records, schema, build([{"kind": kind} for kind in RECORDS])))
    assert [r.id for r in found] == list("abcde")
    assert [r.reasons for r in found] == [(), ("chains:no_words",), ("duplicates:row",), (), ()]
    assert found[2].values == {}
    assert found[2].texts == {"prompt": "p", "completion": "c"}
