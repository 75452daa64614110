"""Finding a reader, its options, its signature, and what is wrong with a file as a whole."""

import gzip
import json
import os

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import READERS, BadRow, open_reader, reader_options
from spanferry.corpora.readers.common.base import Reader, split_of
from spanferry.corpora.registry import resolve
from spanferry.corpora.schema import Example

CONLL = "Ann\tB-PER\nleft\tO\n"
JSONL = '{"text": "Ann left", "spans": [{"start": 0, "end": 3, "label": "PER"}]}\n'


def put(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("a.jsonl", JSONL, "jsonl"),
        ("a.ndjson", JSONL, "jsonl"),
        ("a.jsonl.gz", gzip.compress(JSONL.encode(), mtime=0), "jsonl"),
        ("a.conll", CONLL, "conll"),
        ("a.conll02", CONLL, "conll"),
        ("a.CoNLL.gz", gzip.compress(CONLL.encode(), mtime=0), "conll"),
        ("a.iob2", CONLL, "conll"),
        ("a.bio", CONLL, "conll"),
        ("a.txt", "Ann left\n", "text"),
        ("eng.txt", CONLL + "\n", "conll"),
        ("a.tsv", "# text = x\n" + CONLL + "\nBob B-PER\n", "conll"),
        ("a.data", "\ufeff" + JSONL, "jsonl"),
    ],
)
def test_the_name_or_the_content_shows_the_format(tmp_path, name, content, format_name):
    reader = open_reader(put(tmp_path, name, content), lang="en")
    assert isinstance(reader, resolve("reader", READERS[format_name], {}))
    assert isinstance(reader, Reader)
    first = next(reader.read())
    assert isinstance(first, Example) and first.texts == {"text": "Ann left"}


def test_a_file_of_nothing_but_tags_is_not_guessed(tmp_path):
    with pytest.raises(ConfigError, match="neither the suffix"):
        open_reader(put(tmp_path, "seq.out", "O B-LOC O\nB-PER I-PER O\n"), lang="en")


def test_a_class_from_outside_is_a_reader_too(tmp_path):
    reader = open_reader(put(tmp_path, "x", CONLL), lang="en", format="spanferry.corpora.readers.conll:ConllReader")
    assert next(reader.read()).text == "Ann left"


@pytest.mark.parametrize(
    ("name", "format_name", "options", "message"),
    [
        (
            "a.bin",
            None,
            {},
            "{path}: neither the suffix '.bin' nor the first line shows the format\n"
            f"Valid: {', '.join(sorted(READERS))}\nHint: --set read.format=NAME",
        ),
        (
            "a.bin",
            "conl",
            {},
            f"unknown reader 'conl'\nValid: {', '.join(sorted(READERS))}\nHint: did you mean 'conll'?",
        ),
        (
            "a.jsonl",
            None,
            {"text_kye": "x"},
            "unknown option of the reader 'jsonl' 'text_kye'\n"
            "Valid: encoding, end, end_key, id_key, ignore, label_key, lang_key, offsets, repair, scheme, "
            "span_label_key, spans_key, split, start_key, tag_names, tags_key, text_fields, text_key\n"
            "Hint: did you mean 'text_key'?",
        ),
        (
            "a.conll",
            None,
            {"scheme": "iob3"},
            'the reader \'conll\' does not take scheme=\'iob3\'\nValid: "iob2" or "bioes" or "iob1" or "io"\n'
            "Hint: --set read.options.scheme=iob2",
        ),
        (
            "a.conll",
            None,
            {"tag_column": "last"},
            "the reader 'conll' does not take tag_column='last'\n"
            "Valid: int or none\n"
            "Hint: --set read.options.tag_column=VALUE",
        ),
        ("a.conll", None, {"lang": "de"}, None),
    ],
)
def test_wrong_choices(tmp_path, name, format_name, options, message):
    path = put(tmp_path, name, "x y z\n")
    with pytest.raises(ConfigError) as caught:
        open_reader(path, lang="en", format=format_name, options=options)
    if message is None:
        assert "unknown option of the reader 'conll' 'lang'" in str(caught.value)
    else:
        assert str(caught.value) == message.replace("{path}", str(path))


def read(path, **options):
    return list(open_reader(path, lang="en", options=options).read())


def test_a_missing_file_names_the_nearest(tmp_path):
    put(tmp_path, "train.conll", CONLL)
    with pytest.raises(InputError) as caught:
        open_reader(tmp_path / "trian.conll", lang="en")
    assert (
        str(caught.value)
        == f"{tmp_path / 'trian.conll'}: no such file\nHint: did you mean '{tmp_path / 'train.conll'}'?"
    )
    with pytest.raises(InputError) as caught:
        open_reader(tmp_path / "no" / "x.conll", lang="en")
    assert str(caught.value) == f"{tmp_path / 'no' / 'x.conll'}: no such file\nHint: check the path that was given"


@pytest.mark.parametrize("content", ["", "\n \n\t\n", "\ufeff\n"])
@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.txt"])
def test_an_empty_file(tmp_path, name, content):
    path = put(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: the file is empty\nHint: check the path that was given"


def test_a_folder_without_data(tmp_path):
    with pytest.raises(ConfigError, match="neither a saved dataset nor Parquet files"):
        open_reader(tmp_path, lang="en")
    with pytest.raises(InputError, match="a folder where a file was expected"):
        list(open_reader(tmp_path, lang="en", format="conll").read())


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.txt"])
def test_bytes_that_are_not_the_encoding_make_one_bad_row_with_its_line(tmp_path, name):
    good = {"a.conll": CONLL + "\n", "a.jsonl": JSONL, "a.txt": "é\n"}[name].encode()
    bad = {"a.conll": b"caf\xe9\tO\n\n", "a.jsonl": b'{"text": "caf\xe9"}\n', "a.txt": b"caf\xe9\n"}[name]
    first, row, last = read(put(tmp_path, name, good + bad + good))
    assert (row.reason, first.text) == ("bad_encoding", last.text)
    assert f":{good.count(bytes([10])) + 1}: " in row.message and "byte 0xe9 is not utf-8" in row.message
    assert "café" in row.message and "--set read.options.encoding=cp1252" in row.message


def test_another_encoding_is_an_option(tmp_path):
    path = put(tmp_path, "a.conll", "café\tO\n".encode("latin-1"))
    assert read(path, encoding="latin-1")[0].text == "café"
    for encoding, message in (("latin-99", "unknown encoding"), ("utf-16", "does not end a line with one byte")):
        with pytest.raises(ConfigError, match=message):
            read(path, encoding=encoding)


def test_a_broken_gzip_file(tmp_path):
    path = put(tmp_path, "a.txt.gz", gzip.compress(os.urandom(4096).hex().encode())[:900])
    with pytest.raises(InputError, match="not a whole gzip file"):
        read(path)
    path = put(tmp_path, "b.txt.gz", b"plain")
    with pytest.raises(InputError, match="not a whole gzip file"):
        read(path)


def test_only_line_feeds_end_lines(tmp_path):
    path = put(tmp_path, "a.txt", "one\u2028still\x0cone\x85\r\ntwo\rtwo\n")
    assert [e.text for e in read(path)] == ["one\u2028still\x0cone\x85", "two\rtwo"]


def test_the_signature_holds_options_and_content(tmp_path):
    path = put(tmp_path, "a.conll", CONLL)
    plain = open_reader(path, lang="en").signature
    assert plain.startswith("src:conll.en@") and len(plain) == len("src:conll.en@") + 8
    assert open_reader(str(path), lang="en", options={"repair": "false"}).signature == plain
    changed = open_reader(path, lang="en", options={"repair": "true", "tag_column": "1"}).signature
    assert changed == plain.replace("conll.en", "conll.en[tag_column=1,repair=true]")
    put(tmp_path, "a.conll", CONLL + "\nBob O\n")
    assert open_reader(path, lang="en").signature != plain
    assert open_reader(path, lang="de").signature.startswith("src:conll.de@")


def test_every_option_of_every_reader_changes_its_signature(tmp_path):
    path = put(tmp_path, "a.txt", CONLL)
    other = {"str": "zz", "bool": True, "int": 7, "tuple": ("a", "b")}
    for name in ("conll", "jsonl", "text", "parquet"):
        plain = open_reader(path, lang="en", format=name).signature
        for option, default in reader_options(name).items():
            literal = {"scheme": "bioes", "separator": "tab", "offsets": "utf16", "end": "inclusive"}.get(option)
            kind = "int" if option.endswith("column") else "str" if default is None else type(default).__name__
            if option == "tag_columns":
                literal = (1, 2)
            value = False if default is True else literal or other[kind]
            changed = open_reader(path, lang="en", format=name, options={option: value}).signature
            assert changed != plain, (name, option)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("en.test.conll", "test"),
        ("dev-en.jsonl", "validation"),
        ("validation-00000-of-00001.parquet", "validation"),
        ("en_train.txt", "train"),
        ("contest.conll", "train"),
        ("x.conll", "train"),
    ],
)
def test_the_split_is_in_the_name(tmp_path, name, split):
    assert split_of(tmp_path / name) == split


def test_a_split_that_is_given_goes_first(tmp_path):
    path = put(tmp_path, "en.test.conll", CONLL)
    assert read(path)[0].split == "test"
    assert read(path, split="train")[0].split == "train"


def test_a_bad_row_becomes_a_rejected_pair(tmp_path):
    path = put(tmp_path, "dev.jsonl", JSONL + "{nonsense\n")
    good, bad = read(path)
    assert isinstance(bad, BadRow)
    pair = bad.as_pair("en", "sig")
    assert (pair.kept, pair.target, pair.reasons, pair.signature) == (False, None, ("read:bad_json",), "sig")
    assert (pair.source.id, pair.source.texts, pair.source.split) == ("2", {"text": "{nonsense"}, "validation")
    assert pair.source.meta["error"].startswith(f"{path}:2: not JSON (")
    assert json.loads(JSONL)["text"] == good.text
