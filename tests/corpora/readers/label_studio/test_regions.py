"""Regions of pages and of dialogues: placed where that is unambiguous, else a bad row with the reason."""

import json

import pytest

from spanferry.corpora.readers import BadRow, open_reader

PAGE = "<p title='a > b'>Anna &amp; Bob<br>work for <b>Ac&shy;me</b> 😀 in Ulm</p><!-- <i>no</i> -->"
PLAIN = "Anna & Bob\nwork for Ac\u00adme 😀 in Ulm"


def page(first, last, quote, **value):
    paths = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 1}
    value = {**paths, "globalOffsets": {"start": first, "end": last}, "text": quote, "hypertextlabels": ["X"], **value}
    return {"id": f"r{first}", "to_name": "text", "type": "hypertextlabels", "value": value}


def read(tmp_path, data, *regions, **options):
    task = {"id": 1, "data": data, "annotations": [{"result": list(regions)}]}
    (tmp_path / "a.json").write_text(json.dumps([task], ensure_ascii=False), encoding="utf-8")
    (row,) = open_reader(tmp_path / "a.json", lang="en", options=options).read()
    return row


def test_global_offsets_count_the_text_without_tags(tmp_path):
    quotes = ("Anna", "Bob\nwork", "Ac\u00adme", "Ulm")
    regions = [page(at, at + len(q), q) for q in quotes for at in [PLAIN.index(q)]]
    row = read(tmp_path, {"text": PAGE}, *regions)
    assert row.text == PLAIN and [row.quote(s) for s in row.spans] == list(quotes)
    at = len(PLAIN[: PLAIN.index("Ulm")].encode("utf-16-le")) // 2
    row = read(tmp_path, {"text": PAGE}, page(at, at + 3, "Ulm"), offsets="utf16")
    assert [row.quote(s) for s in row.spans] == ["Ulm"]
    bad = read(tmp_path, {"text": PAGE}, page(at, at + 3, "Ulm"))
    assert bad.reason == "bad_offsets" and "'Ulm'" in bad.message and "--set read.options.offsets=utf16" in bad.message


ODD_PAGES = [
    (page(0, 4, "Anna", globalOffsets=None), "unread_labels", "no globalOffsets"),
    (page(0, 4, None, globalOffsets=None, start=0, end=4), "unread_labels", "the HTML or the text that it shows"),
    (page(0, 400, "Anna"), "bad_offsets", "'Anna'"),
    (page(1, 4, "Anna"), "bad_offsets", "'nna'"),
    (page("0", 4, "Anna"), "unread_labels", "'0'"),
]


@pytest.mark.parametrize(("region", "reason", "named"), ODD_PAGES)
def test_a_region_of_a_page_that_can_not_be_placed(tmp_path, region, reason, named):
    row = read(tmp_path, {"text": "<p>Anna &amp; Bob</p>"}, region)
    assert isinstance(row, BadRow) and row.reason == reason and named in row.message
    assert "hint: " in row.message


@pytest.mark.parametrize(("start", "end"), [(0, 4), (3, 7)])
def test_whole_numbers_are_placed_where_the_quote_shows_what_they_count(tmp_path, start, end):
    region = page(0, 4, "Anna", globalOffsets=None, start=start, end=end)
    row = read(tmp_path, {"text": "<p>Anna &amp; Bob</p>"}, region)
    assert (row.text, [row.quote(s) for s in row.spans]) == ("Anna & Bob", ["Anna"])


def test_tasks_without_regions_lose_their_tags_too(tmp_path):
    tasks = [
        {"id": i, "data": {"text": "<p>Anna</p>"}, "annotations": [{"result": result}]}
        for i, result in enumerate([[page(0, 4, "Anna")], []])
    ]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    assert [row.text for row in open_reader(tmp_path / "a.json", lang="en").read()] == ["Anna", "Anna"]


TALK = [{"author": "A", "text": "Hi 😀 Bob"}, {"author": "B", "text": "I live in Ulm"}]


def turn(first, start, last, end, quote):
    value = {"start": first, "end": last, "startOffset": start, "endOffset": end, "text": quote}
    value["paragraphlabels"] = ["X"]
    return {"id": f"p{last}", "to_name": "talk", "type": "paragraphlabels", "value": value}


def test_paragraphs_become_lines(tmp_path):
    row = read(tmp_path, {"talk": TALK}, turn("0", 5, "0", 8, "Bob"), turn("0", 5, "1", 1, "Bob\nI"))
    assert row.texts == {"talk": "Hi 😀 Bob\nI live in Ulm"}
    assert [(s.field, row.quote(s)) for s in row.spans] == [("talk", "Bob"), ("talk", "Bob\nI")]
    assert row.meta == {"talk_paragraphs": [{"author": "A"}, {"author": "B"}]}
    row = read(tmp_path, {"talk": TALK}, turn(1, 10, 1, 13, "Ulm"), offsets="utf16")
    assert [row.quote(s) for s in row.spans] == ["Ulm"]


@pytest.mark.parametrize(
    ("region", "reason", "named"),
    [
        (turn("2", 0, "2", 1, "x"), "unread_labels", "2 paragraph(s)"),
        (turn("/p[1]", 0, "/p[1]", 1, "H"), "unread_labels", "paragraphlabels"),
        (turn("0", 6, "0", 9, "Bob"), "bad_offsets", "'Bob'"),
        (turn("0", 6, "0", 8, "Bob"), "bad_offsets", "'ob'"),
        (turn("1", 3, "0", 2, "x"), "bad_offsets", "'x'"),
    ],
)
def test_a_region_of_a_dialogue_that_can_not_be_placed(tmp_path, region, reason, named):
    row = read(tmp_path, {"talk": TALK}, region)
    assert isinstance(row, BadRow) and row.reason == reason and named in row.message


def test_paragraphs_whose_text_is_undecidable(tmp_path):
    talk = [{"who": "A", "said": "Hi"}]
    row = read(tmp_path, {"talk": talk}, turn("0", 0, "0", 2, "Hi"))
    assert row.reason == "no_text" and "who, said" in row.message
