import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.common.rows import code_points
from spanferry.corpora.schema import Relation, Span


def read(tmp_path, *rows, lang="en", **options):
    path = tmp_path / "rows.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(open_reader(path, lang=lang, options=options).read())


def test_a_full_row(tmp_path):
    row = {
        "id": 7,
        "lang": "th",
        "texts": {"question": "ใครคือ😀?", "context": "e\u0301tude 北京"},
        "spans": [
            {"start": 6, "end": 7, "label": "EMO", "id": "a", "field": "question", "quote": "😀"},
            {"start": 0, "end": 9, "label": "X", "field": "context", "fragments": [[0, 6], {"start": 7, "end": 9}]},
        ],
        "relations": [{"head": "a", "tail": "s0", "label": "r"}, ["s0", "a", "q"]],
        "label": "intent",
        "tokens": {"context": ["e\u0301tude", "北", "京"]},
        "meta": {"url": "x"},
        "source_file": "f",
        "split": "test",
    }
    (example,) = read(tmp_path, row)
    assert (example.id, example.lang, example.label, example.split) == ("7", "th", "intent", "test")
    assert example.spans == (
        Span(6, 7, "EMO", "a", "question"),
        Span(0, 9, "X", "s0", "context", ((0, 6), (7, 9))),
    )
    assert example.relations == (Relation("a", "s0", "r"), Relation("s0", "a", "q"))
    assert example.tokens == {"context": ((0, 6), (7, 8), (8, 9))}
    assert example.meta == {"url": "x", "source_file": "f"}


def test_what_is_not_known_is_kept_in_meta(tmp_path):
    row = {
        "text": "Ann",
        "spans": [{"start": 0, "end": 3, "label": 1, "score": 0.5}],
        "meta": "m",
        "label": ["a"],
        "n": 1,
    }
    (example,) = read(tmp_path, row)
    assert example.meta == {"meta": "m", "label": ["a"], "n": 1}
    assert example.spans[0].attributes == {"score": 0.5}
    assert (example.spans[0].label, example.label) == ("1", None)


def test_keys_are_options(tmp_path):
    row = {"q": "Who?", "c": "Ann", "entities": [[0, 3, "PER"], {"from": 0, "to": 2, "type": "X", "field": "c"}]}
    options = {"text_fields": "q,c", "spans_key": "entities", "start_key": "from", "end_key": "to"}
    (example,) = read(tmp_path, row, span_label_key="type", **options)
    assert example.texts == {"q": "Who?", "c": "Ann"}
    assert [(s.field, example.quote(s), s.label) for s in example.spans] == [("q", "Who", "PER"), ("c", "An", "X")]
    (example,) = read(tmp_path, {"sentence": "Ann", "label": [[0, 3, "PER"]]}, text_key="sentence", spans_key="label")
    assert (example.text, example.spans[0].label, example.label) == ("Ann", "PER", None)


TEXT = "a😀é\u0301北𝔸z"


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "byte"])
@pytest.mark.parametrize("end", ["exclusive", "inclusive"])
def test_offsets_in_other_units(tmp_path, unit, end):
    width = {"codepoint": len, "utf16": lambda t: len(t.encode("utf-16-le")) // 2, "byte": lambda t: len(t.encode())}[
        unit
    ]
    spans = [
        {"start": width(TEXT[:a]), "end": width(TEXT[:b]) - (end == "inclusive"), "label": "X", "quote": TEXT[a:b]}
        for a in range(len(TEXT))
        for b in range(a + 1, len(TEXT) + 1)
    ]
    (example,) = read(tmp_path, {"text": TEXT, "spans": spans}, offsets=unit, end=end)
    assert [example.quote(s) for s in example.spans] == [s["quote"] for s in spans]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_units_agree_at_every_character(text):
    for i in range(len(text) + 1):
        assert code_points(text, "utf16")(len(text[:i].encode("utf-16-le")) // 2) == i
        assert code_points(text, "byte")(len(text[:i].encode())) == i


def span(start=0, end=3, **more):
    return {"text": "Ann😀 left", "spans": [{"start": start, "end": end, "label": "PER"} | more]}


BAD = [
    (
        "{nonsense",
        {},
        "bad_json",
        "not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
    ),
    ("[1]", {}, "bad_json", "a JSON list, not an object"),
    ("[" * 100_000, {}, "bad_json", None),
    ({"body": "x"}, {}, "no_text", "'text' holds nothing, not a text (valid: one of the row's keys: body)"),
    ({"text": 5}, {}, "no_text", "'text' holds 5, not a text (valid: one of the row's keys: text)"),
    ({"texts": {"a": None}}, {}, "no_text", "'a' holds nothing, not a text (valid: one of the row's keys: texts)"),
    ({"texts": {}}, {}, "empty_text", "no field holds any text"),
    ({"text": " \n"}, {}, "empty_text", "no field holds any text"),
    ('{"text": "a\\ud800b"}', {}, "bad_unicode", "field 'text' holds an unpaired surrogate"),
    ('{"text": "ab", "label": "\\udc00"}', {}, "bad_unicode", "an id or a label holds an unpaired surrogate"),
    (span(end=99), {}, "bad_offsets", "span 'PER' [0, 99) in a text of 9 code points (valid: 0 <= start < end <= 9)"),
    (span(start=-1), {}, "bad_offsets", "span 'PER' [-1, 3) in a text of 9 code points (valid: 0 <= start < end <= 9)"),
    (span(start=3), {}, "bad_offsets", "span 'PER' [3, 3) in a text of 9 code points (valid: 0 <= start < end <= 9)"),
    (span(end=4), {"offsets": "utf16"}, "bad_offsets", "offset 4 (utf16) is outside the text or inside a character"),
    (span(end=99), {"offsets": "byte"}, "bad_offsets", "offset 99 (byte) is outside the text or inside a character"),
    (span(quote="An"), {}, "bad_offsets", "the offsets cover 'Ann', the span says 'An'"),
    (span(end="3"), {}, "bad_span", "a span has the offsets (0, '3') (valid: integers 'start', 'end')"),
    (span(end=True), {}, "bad_span", "a span has the offsets (0, True) (valid: integers 'start', 'end')"),
    (span(label=None), {}, "bad_span", "a span has the label nothing (valid: a string)"),
    (span(field="title"), {}, "unknown_field", "span in field 'title' (valid: text)"),
    (span(fragments=[[0, 1], [0, 3]]), {}, "bad_offsets", None),
    (span(fragments=[[0, 1, 2], 5]), {}, "bad_span", None),
    ({"text": "Ann", "spans": {"start": 0}}, {}, "bad_span", "{'start': 0} where a list was expected"),
    ({"text": "Ann", "spans": [5]}, {}, "bad_span", "5 is not a span (valid: {start, end, label})"),
    (
        {"text": "Ann", "spans": [{"start": 0, "end": 1, "label": "X", "id": "a"}] * 2},
        {},
        "duplicate_span_id",
        "span id 'a' occurs twice",
    ),
    (span(id="a") | {"relations": [["a", "b", "r"]]}, {}, "bad_relation", "relation 'r' names span 'b' (valid: a)"),
    (span() | {"relations": [{"head": 1}]}, {}, "bad_relation", None),
    (span() | {"relations": "ab"}, {}, "bad_relation", "'ab' where a list was expected"),
    (span() | {"tokens": ["Bob"]}, {}, "bad_tokens", "the tokens of field 'text' are not in its text, in order"),
    (span() | {"tokens": [[0, 99]]}, {}, "bad_tokens", "the tokens of field 'text' are not in its text, in order"),
]


@pytest.mark.parametrize(("row", "options", "reason", "message"), BAD)
def test_bad_rows_have_a_reason_and_a_place_and_stop_nothing(tmp_path, row, options, reason, message):
    good = {"text": "fine"}
    first, bad, last = read(tmp_path, good, row, good, **options)
    assert isinstance(bad, BadRow) and (first.text, last.text) == ("fine", "fine")
    assert (bad.reason, bad.id) == (reason, "2")
    assert bad.raw == (row if isinstance(row, str) else json.dumps(row))
    place = f"{tmp_path / 'rows.jsonl'}:2: "
    assert bad.message.startswith(place)
    if message is not None:
        assert bad.message.partition(" (hint: ")[0] == place + message


def test_ids_are_the_rows_own_or_their_numbers(tmp_path):
    rows = read(tmp_path, {"text": "a"}, {"text": "b", "id": "x"}, {"text": "c", "id": ""}, {"text": "d", "id": "a\nb"})
    assert [e.id for e in rows] == ["1", "x", "3", "4"]


def test_a_row_without_spans_is_an_example(tmp_path):
    assert read(tmp_path, {"text": "Nothing here."}, lang="es")[0].spans == ()
    assert read(tmp_path, {"text": "Nothing here.", "spans": None}, lang="es")[0].lang == "es"


def test_a_hundred_spans_in_a_sentence(tmp_path):
    text = "word " * 100
    spans = [{"start": 5 * i, "end": 5 * i + 4, "label": f"L{i % 7}"} for i in range(100)]
    (example,) = read(tmp_path, {"text": text, "spans": spans})
    assert len(example.spans) == 100 and {example.quote(s) for s in example.spans} == {"word"}


@pytest.mark.parametrize("first", ["{", '{"text": "cut', '{"text": "a",', '{"text":', '{"text": "a"}}', "x", "null"])
def test_a_broken_first_line_stops_nothing(tmp_path, first):
    bad, *good = read(tmp_path, first, {"text": "one"}, {"text": "two"})
    assert isinstance(bad, BadRow) and [example.text for example in good] == ["one", "two"]
