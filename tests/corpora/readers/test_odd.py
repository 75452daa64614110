"""Whatever a row holds: an example that can be stored, or a bad row that can be stored."""

import json
from dataclasses import dataclass

import pytest

import spanferry.corpora.readers.common.rows as rows_module
from spanferry.corpora.arrow import examples_to_table, pairs_to_table
from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.multiway import open_parallel
from spanferry.corpora.schema import Example, Span

SPAN = {"start": 0, "end": 3, "label": "PER"}


def deep(levels):
    return '{"text": "Eva", "meta": ' + '{"a":' * levels + "1" + "}" * levels + "}"


ODD = [
    ({"tokens": [1, 2]}, "bad_tokens"),
    ({"tokens": {"text": 5}}, "bad_tokens"),
    ({"tokens": {"title": ["Eva"]}}, "unknown_field"),
    ({"split": 5}, "bad_split"),
    ({"split": "../x"}, "bad_split"),
    ({"split": "a/b"}, "bad_split"),
    ({"split": "x" * 300}, "bad_split"),
    ({"split": "\ud800"}, "bad_split"),
    ({"spans": [{**SPAN, "field": ["text"]}]}, "unknown_field"),
    ({"spans": [{**SPAN, "label": 1.5}]}, "bad_span"),
    ({"spans": [{**SPAN, "end": 10**30}]}, "bad_offsets"),
    ({"tokens": [[0, 10**30]]}, "bad_tokens"),
    ({"spans": [{**SPAN, "start": 0.0}]}, "bad_span"),
    ({"spans": 5}, "bad_span"),
    ({"spans": [None]}, "bad_span"),
    ({"spans": [{**SPAN, "label": "\udc00"}]}, "bad_unicode"),
    ({"spans": [{**SPAN, "id": "\udc00"}]}, "bad_unicode"),
    ({"relations": 3}, "bad_relation"),
    ({"relations": [{"head": [], "tail": {}, "label": 3}]}, "bad_relation"),
    ({"lang": "../x"}, "bad_lang"),
    ({"lang": "\ud800"}, "bad_lang"),
    ({"texts": {"a": ["b"]}}, "no_text"),
    (deep(150), "bad_meta"),
    (deep(100_000), "bad_json"),
    ('{"text": "Eva", "n": ' + "9" * 5000 + "}", "bad_meta"),
]


def put(tmp_path, *lines, name="a.jsonl"):
    path = tmp_path / name
    path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), encoding="utf-8")
    return path


def stored(rows):
    """The rows, after they went into the tables that stages write."""
    examples_to_table([row for row in rows if isinstance(row, Example)])
    pairs_to_table([row.as_pair("en") for row in rows if isinstance(row, BadRow)])
    return rows


@pytest.mark.parametrize(("row", "reason"), ODD)
def test_an_odd_row_is_a_rejected_row(tmp_path, row, reason):
    line = row if isinstance(row, str) else {"text": "Eva", **row}
    first, bad, last = stored(list(open_reader(put(tmp_path, {"text": "a"}, line, {"text": "b"}), lang="en").read()))
    assert (first.text, last.text) == ("a", "b")
    assert (bad.reason, bad.split) == (reason, "train")


def test_a_reader_from_outside_is_checked_too(tmp_path):
    path = put(tmp_path, {"text": "a"})
    (bad,) = stored(list(open_reader(path, lang="en", format=f"{__name__}:Careless").read()))
    assert (bad.reason, bad.id) == ("bad_span", "1")


@dataclass(frozen=True)
class Careless:
    """A reader that checks nothing."""

    path: object
    lang: str

    signature = "careless"

    def read(self):
        yield Example("1", self.lang, {"text": "Eva"}, (Span(0, 3, 5),))


@pytest.mark.parametrize(("unit", "count"), [("byte", 400), ("utf16", 400), ("grapheme", 400)])
def test_offsets_of_a_row_are_converted_once(tmp_path, unit, count, monkeypatch):
    made = []
    real = rows_module.code_points
    monkeypatch.setattr(rows_module, "code_points", lambda text, of: made.append(of) or real(text, of))
    row = {"text": "Eva " * count, "spans": [{"start": 4 * i, "end": 4 * i + 3, "label": "P"} for i in range(count)]}
    (example,) = open_reader(put(tmp_path, row), lang="en", options={"offsets": unit}).read()
    assert len(example.spans) == count and made == [unit]


FIT = [
    ({"start": 0, "end": 2}, {}, "20 of 20 spans end inside a word\nHint: --set read.options.end=inclusive"),
    ({"start": 1, "end": 3}, {}, "20 of 20 spans start inside a word\nHint: no declared unit"),
    ({"start": 5, "end": 9}, {}, "20 of 20 spans start inside a word\nHint: the offsets are one too high"),
    ({"start": 0, "end": 3}, {}, None),
    ({"start": 0, "end": 2}, {"end": "inclusive"}, None),
]


@pytest.mark.parametrize(("span", "options", "said"), FIT)
def test_offsets_that_do_not_fit_are_said_once_with_a_hint_that_was_tried(tmp_path, span, options, said, caplog):
    path = put(tmp_path, *[{"text": "Eva ruft heute", "spans": [{**span, "label": "X"}]}] * 20)
    assert len(list(open_reader(path, lang="de", options=options).read())) == 20
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (said is not None)
    assert said is None or messages[0].startswith(said)


@pytest.mark.parametrize(
    ("text", "unit", "start"),
    [
        ("a\r\nb\r\nUlm ruft", "crlf", 4),
        ("👨‍👩‍👧 in Ulm war", "grapheme", 5),
        ("नमस्ते Ulm ruft", "grapheme", 4),
        ("éé in Ulm war", "byte", 8),
        ("😀😀 in Ulm war", "utf16", 8),
    ],
)
def test_the_unit_that_fits_is_hinted_at_and_works(tmp_path, text, unit, start, caplog):
    row = {"text": text, "spans": [{"start": start, "end": start + 3, "label": "LOC"}]}
    path = put(tmp_path, *[row] * 4)
    list(open_reader(path, lang="de").read())
    found = list(open_reader(path, lang="de", options={"offsets": unit}).read())
    assert {row.quote(s) for row in found for s in row.spans} == {"Ulm"}
    hinted = [r.getMessage() for r in caplog.records if "inside a word" in r.getMessage()]
    assert not hinted or f"offsets={unit}" in hinted[0]


@pytest.mark.parametrize("encoding", ["base64", "rot13", "zip", "hex", "utf-16", "nothing-99"])
def test_encodings_that_are_none_of_text_lines(tmp_path, encoding):
    with pytest.raises(ConfigError, match="encoding"):
        list(open_reader(put(tmp_path, "a"), lang="en", format="text", options={"encoding": encoding}).read())


TMX = '<?xml version="1.0"{enc}?><tmx{ns} version="1.4"><body>{units}</body></tmx>'
UNIT = '<tu><tuv xml:lang="{a}"><seg>Good</seg></tuv><tuv xml:lang="{b}"><seg>Gut</seg></tuv></tu>'


@pytest.mark.parametrize(
    ("content", "langs"),
    [
        (TMX.format(enc="", ns=' xmlns="http://www.lisa.org/tmx14"', units=UNIT.format(a="en", b="de")), ("en", "de")),
        (
            TMX.format(enc="", ns="", units=UNIT.format(a="EN-US", b="de") + UNIT.format(a="en-us", b="DE")),
            ("en-US", "de"),
        ),
    ],
)
def test_tmx_with_a_namespace_and_any_case(tmp_path, content, langs):
    path = tmp_path / "a.tmx"
    path.write_text(content)
    (reader,) = open_parallel(str(path))
    assert reader.languages == langs
    assert {lang: e.text for row in reader.read() for lang, e in row.examples.items()} == dict(
        zip(langs, ("Good", "Gut"), strict=True)
    )
    (asked,) = open_parallel(str(path), options={"langs": "EN-us,de" if "-" in langs[0] else "EN,de"})
    assert all(len(row.examples) == 2 for row in asked.read())


@pytest.mark.parametrize(
    "content",
    [
        TMX.format(enc="", ns="", units=""),
        TMX.format(enc=' encoding="UTF-s"', ns="", units=""),
        TMX.format(enc=' encoding="big5"', ns="", units=UNIT.format(a="a", b="b")),
        TMX.format(enc="", ns="", units="<a>" * 5000 + "</a>" * 5000),
        "<tmx>",
        "no xml",
    ],
)
def test_tmx_that_is_none(tmp_path, content):
    path = tmp_path / "a.tmx"
    path.write_text(content)
    with pytest.raises(InputError, match=r"a\.tmx"):
        (reader,) = open_parallel(str(path))
        assert reader.languages
        list(reader.read())
