import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.arrow import (
    EXAMPLE_SCHEMA,
    PAIR_SCHEMA,
    examples_from_table,
    examples_to_table,
    iter_batches,
    pairs_from_table,
    pairs_to_table,
    read_table,
    write_table,
)
from spanferry.corpora.errors import InputError, OutputError, RowError
from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span

strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(0, 2**40)
ranges = st.tuples(numbers, numbers)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
attributes = st.dictionaries(st.text(max_size=4), json_values, max_size=2)
fragments = st.lists(ranges, max_size=3).map(tuple)
spans = st.builds(Span, numbers, numbers, strings, strings, strings, fragments, attributes)
examples = st.builds(
    Example,
    id=strings,
    lang=strings,
    texts=st.dictionaries(strings, strings, max_size=3),
    spans=st.lists(spans, max_size=3).map(tuple),
    relations=st.lists(st.builds(Relation, strings, strings, strings), max_size=2).map(tuple),
    label=st.none() | strings | st.integers() | st.floats(allow_nan=False),
    meta=st.dictionaries(st.text(max_size=4), json_values, max_size=3),
    tokens=st.dictionaries(strings, st.lists(ranges, max_size=3).map(tuple), max_size=2),
    split=strings,
)
floats = st.floats(allow_nan=False)
pairs = st.builds(
    Pair,
    source=examples,
    target=st.none() | examples,
    projections=st.lists(
        st.builds(Projection, strings, st.none() | spans, floats, strings, st.none() | strings), max_size=3
    ).map(tuple),
    scores=st.dictionaries(strings, floats, max_size=3),
    kept=st.booleans(),
    reasons=st.lists(strings, max_size=2).map(tuple),
    signature=strings,
)

SAMPLE = Example(
    "ex-1",
    "th",
    {"question": "ใครคือ😀?", "context": "e\u0301tude – 北京"},
    (Span(0, 5, "PER", "a", "question"), Span(0, 11, "LOC", "b", "context", ((0, 6), (9, 11)))),
    (Relation("a", "b", "lives_in"),),
    "intent",
    {"url": "x", "lone": "\ud800", "n": [1, None, {"k": 0.1}]},
    {"context": ((0, 6), (7, 8), (9, 11))},
    "test",
)


def order(example):
    return [list(m) for m in (example.texts, example.meta, example.tokens)]


@settings(deadline=None)
@given(st.lists(examples, max_size=5))
def test_examples_come_back_equal_and_in_order(rows):
    back = examples_from_table(examples_to_table(rows))
    assert back == rows
    assert [order(e) for e in back] == [order(e) for e in rows]


@settings(deadline=None)
@given(st.lists(pairs, max_size=4))
def test_pairs_come_back_equal_and_in_order(rows):
    back = pairs_from_table(pairs_to_table(rows))
    assert back == rows
    assert [list(p.scores) for p in back] == [list(p.scores) for p in rows]


@settings(deadline=None, max_examples=25)
@given(st.lists(pairs, min_size=1, max_size=6), st.data())
def test_slices_and_concatenations_read_like_the_rows(rows, data):
    table = pairs_to_table(rows)
    cut = data.draw(st.integers(0, len(rows)))
    assert pairs_from_table(table.slice(cut)) == rows[cut:]
    assert pairs_from_table(pa.concat_tables([table.slice(cut), table.slice(0, cut)])) == rows[cut:] + rows[:cut]


def test_schema_is_the_declared_one_even_without_rows():
    assert examples_to_table([]).schema == EXAMPLE_SCHEMA
    assert pairs_to_table([]).schema == PAIR_SCHEMA
    assert examples_from_table(examples_to_table([])) == []


def test_a_missing_target_is_none_and_not_an_empty_example():
    failed = Pair(SAMPLE, None, (Projection("a", None, 0.0, "copy", "no_match"),), kept=False, reasons=("r",))
    table = pairs_to_table([failed, Pair(SAMPLE, SAMPLE)])
    assert table.column("target").null_count == 1
    assert pairs_from_table(table) == [failed, Pair(SAMPLE, SAMPLE)]


def test_file_round_trip_and_same_bytes_however_the_table_was_put_together(tmp_path):
    rows = [replace(SAMPLE, id=str(i)) for i in range(10_000)]
    whole = examples_to_table(rows)
    write_table(tmp_path / "deep" / "a.arrow", whole)
    write_table(tmp_path / "b.arrow", pa.concat_tables([examples_to_table(rows[:7]), whole.slice(7)]))
    assert (tmp_path / "deep" / "a.arrow").read_bytes() == (tmp_path / "b.arrow").read_bytes()
    assert examples_from_table(read_table(tmp_path / "b.arrow")) == rows
    parts = list(iter_batches(tmp_path / "b.arrow"))
    assert len(parts) > 1
    assert [e for part in parts for e in examples_from_table(part)] == rows
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.arrow", "deep"]


def test_an_empty_table_round_trips_through_a_file(tmp_path):
    write_table(tmp_path / "empty.arrow", pairs_to_table([]))
    assert read_table(tmp_path / "empty.arrow").schema == PAIR_SCHEMA
    assert pairs_from_table(read_table(tmp_path / "empty.arrow")) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "a.arrow"
    write_table(path, examples_to_table([SAMPLE]))
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space"):
        write_table(path, examples_to_table([SAMPLE, SAMPLE]))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.arrow"]


def test_many_writers_of_one_path_do_not_meet(tmp_path):
    table = examples_to_table([SAMPLE])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write_table(tmp_path / "a[1].arrow", table), range(40)))
    assert [p.name for p in tmp_path.iterdir()] == ["a[1].arrow"]
    assert examples_from_table(read_table(tmp_path / "a[1].arrow")) == [SAMPLE]


def test_a_lone_surrogate_names_its_row():
    with pytest.raises(RowError) as caught:
        examples_to_table([SAMPLE, replace(SAMPLE, id="bad", texts={"text": "a\ud83d"})])
    assert (caught.value.reason, caught.value.where) == ("bad_unicode", "bad")
    with pytest.raises(RowError) as caught:
        pairs_to_table([Pair(SAMPLE, replace(SAMPLE, label="\udc00"))])
    assert (caught.value.reason, caught.value.where) == ("bad_unicode", "ex-1")


def test_files_that_are_missing_or_broken_say_so(tmp_path):
    with pytest.raises(InputError, match="no such Arrow file"):
        read_table(tmp_path / "none.arrow")
    broken = tmp_path / "broken.arrow"
    broken.write_bytes(b"ARROW1 but not really")
    with pytest.raises(InputError, match="not an Arrow IPC file") as caught:
        read_table(broken)
    assert str(caught.value).startswith(str(broken))
    broken.write_bytes(b"")
    with pytest.raises(InputError, match="not an Arrow IPC file"):
        read_table(broken)


def test_a_table_of_another_shape_names_the_missing_column():
    with pytest.raises(InputError, match="no column 'texts'"):
        examples_from_table(pa.table({"id": ["1"], "lang": ["en"]}))
