"""Bytes outside the encoding: one bad row, or a file in another encoding, which an option names or which is refused."""

import json

import pytest

from spanferry.corpora.arrow import pairs_to_table
from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.multiway import open_parallel

CAFE = "Das Café in Zürich"
BAD = CAFE.encode("cp1252")
SQUAD = '{{"data": [{{"paragraphs": [{}]}}]}}'
PARAGRAPH = '{{"context": "{}", "qas": [{{"id": "{}", "question": "?", "answers": []}}]}}'
TASK = '{{"data": {{"text": "{}"}}, "annotations": [{{"result": []}}]}}'


def line(template, *texts):
    """The template with good texts around one in cp1252."""
    parts = [template.format(text, i).encode() for i, text in enumerate(texts)]
    return [part.replace(b"@", BAD) for part in parts]


CASES = [
    ("jsonl", "a.jsonl", b"\n".join(line('{{"text": "{}"}}', "é", "@", "ü")) + b"\n"),
    ("jsonl", "a.json", b'{"data": [' + b",\n".join(line('{{"text": "{}"}}', "é", "@", "ü")) + b"]}"),
    ("jsonl", "a.json", b"[" + b",\n".join(line('{{"text": "{}"}}', "é", "@", "ü")) + b"]"),
    ("doccano", "a.jsonl", b"\n".join(line('{{"text": "{}", "label": []}}', "é", "@", "ü")) + b"\n"),
    ("conll", "a.conll", b"\n\n".join(line("{}\tO", "é", "@", "ü")) + b"\n"),
    ("text", "a.txt", b"\n".join(line("{}", "é", "@", "ü")) + b"\n"),
    ("csv", "a.csv", b"text,label\n" + b"\n".join(line("{},x", "é", "@", "ü")) + b"\n"),
    ("csv", "a.tsv", b"word\ttag\n" + b"\n\n".join(line("{}\tO", "é", "@", "ü")) + b"\n"),
    ("squad", "a.json", SQUAD.format("#").encode().replace(b"#", b",\n".join(line(PARAGRAPH, "é", "@", "ü")))),
    ("label_studio", "a.json", b"[" + b",\n".join(line(TASK, "é", "@", "ü")) + b"]"),
]


@pytest.mark.parametrize(("format", "name", "content"), CASES)
def test_one_row_of_another_encoding_is_one_bad_row(tmp_path, format, name, content):
    (tmp_path / name).write_bytes(content)
    rows = list(open_reader(tmp_path / name, lang="de", format=format).read())
    assert [isinstance(row, BadRow) for row in rows] == [False, True, False]
    assert [row.texts[list(row.texts)[-1]] for row in rows[::2]] == ["é", "ü"]
    assert rows[1].reason == "bad_encoding" and "Café" in rows[1].message
    assert "byte 0xe9 is not utf-8" in rows[1].message and "--set read.options.encoding=cp1252" in rows[1].message
    pairs_to_table([rows[1].as_pair("de")])  # it can be stored
    whole = content.decode("cp1252").replace("Ã©", "é").replace("Ã¼", "ü").encode("cp1252")
    (tmp_path / name).write_bytes(whole)
    rows = list(open_reader(tmp_path / name, lang="de", format=format, options={"encoding": "cp1252"}).read())
    assert rows[1].texts[list(rows[1].texts)[-1]] == CAFE, "the option of the hint works"


def test_brat_and_parallel_files(tmp_path):
    for name, text in (("a", "é".encode()), ("b", BAD), ("c", CAFE.encode("utf-16"))):
        (tmp_path / f"{name}.txt").write_bytes(text)
        (tmp_path / f"{name}.ann").write_bytes(b"")
    good, bad, wide = open_reader(tmp_path, lang="de").read()
    assert (good.text, bad.reason, wide.text) == ("é", "bad_encoding", CAFE)
    (alone,) = open_reader(tmp_path / "a.ann", lang="de").read()
    assert (alone.text, alone.spans) == ("é", ()), "an empty .ann file: nothing is labelled"
    (tmp_path / "x.de").write_bytes(b"eins\n" + BAD + b"\nzwei\n")
    (tmp_path / "x.en").write_bytes(b"one\ntwo\nthree\n")
    (moses,) = open_parallel(str(tmp_path / "x"))
    assert [dict(row.missing) for row in moses.read()] == [{}, {"de": ("read:bad_encoding",)}, {}]
    (tmp_path / "x.tsv").write_bytes(b"one\teins\ntwo\t" + BAD + b"\n")
    (tsv,) = open_parallel(str(tmp_path / "x.tsv"), options={"columns": "en,de"})
    assert [dict(row.missing) for row in tsv.read()] == [{}, {"de": ("read:bad_encoding",)}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.conll", "a.txt"])
def test_a_byte_order_mark_names_the_encoding(tmp_path, name, encoding):
    content = {
        "a.jsonl": json.dumps({"text": CAFE}, ensure_ascii=False) + "\n",
        "a.json": json.dumps([{"text": CAFE}], ensure_ascii=False, indent=1),
        "a.conll": "".join(f"{word}\tB-X\n" for word in CAFE.split()),
        "a.txt": CAFE + "\r\n",
    }[name]
    (tmp_path / name).write_bytes(content.encode(encoding))
    (row,) = open_reader(tmp_path / name, lang="de").read()
    assert row.text == CAFE


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_in_another_encoding_is_refused_with_the_option_that_reads_it(tmp_path, encoding):
    path = tmp_path / "a.jsonl"
    path.write_bytes((json.dumps({"text": CAFE}, ensure_ascii=False) + "\n").encode(encoding) * 3)
    with pytest.raises(InputError) as caught:
        list(open_reader(path, lang="de").read())
    assert f"--set read.options.encoding={encoding}" in str(caught.value)
    rows = list(open_reader(path, lang="de", options={"encoding": encoding}).read())
    assert [row.text for row in rows] == [CAFE] * 3


def test_utf16_that_breaks_off_says_where(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("eins\nzwei\n".encode("utf-16") + b"\x00")
    with pytest.raises(InputError, match=r"a\.txt:2: after this line the file is not utf-16"):
        list(open_reader(path, lang="de", format="text").read())
    path.write_bytes(b"eins\n")
    with pytest.raises(ConfigError, match="no byte order mark"):
        list(open_reader(path, lang="de", format="text", options={"encoding": "utf-16"}).read())
