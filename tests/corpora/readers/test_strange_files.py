"""Files as the tools of others write them: every label is there, or a message names what to do."""

import bz2
import gzip
import json
import lzma

import pyarrow as pa
import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import BadRow, open_reader

TEXT = "Eva is in Ulm"
BOTH = [("Eva", "PER"), ("Ulm", "LOC")]
SPANS = [[0, 3, "PER"], [10, 13, "LOC"]]
NAMED = [{"start": 0, "end": 3, "label": "PER"}, {"start": 10, "end": 13, "label": "LOC"}]
WORDS = TEXT.split()
TAGS = ["B-PER", "O", "O", "B-LOC"]
COLUMNS = "Eva B-PER\nis O\nin O\nUlm B-LOC\n\n"


def dump(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def read(tmp_path, name, content, lang="en", format=None, **options):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(open_reader(path, lang=lang, format=format, options=options).read())


def labels(rows):
    found = []
    for row in rows:
        assert not isinstance(row, BadRow), row.message
        found += [(row.texts[s.field][s.start : s.end], s.label) for s in row.spans]
    return found


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


COLUMN_FILES = [
    ("CoNLL-2002", "esp.train", COLUMNS),
    ("Windows line ends, a mark", "a.conll", "\ufeff" + COLUMNS.replace("\n", "\r\n")),
    ("blanks behind tags", "a.conll", COLUMNS.replace(" ", "\t").replace("\n", " \n")),
    ("tabs and blanks", "a.conll", COLUMNS.replace("Ulm ", "Ulm  \t ")),
    ("chunks beside, blanks behind", "a.conll", COLUMNS.replace(" ", "\tB-NP\t").replace("\n", " \n")),
    ("B_PER", "a.conll", COLUMNS.replace("B-", "B_")),
    ("o", "a.conll", COLUMNS.replace(" O", " o")),
    ("by the content", "a.txt", COLUMNS),
    ("in MISC", "a.conllu", "# text = Eva is in Ulm\n1\tEva\t_\t_\t_\t_\t_\t_\t_\tNER=B-PER\n"
     "2\tis\t_\t_\t_\t_\t_\t_\t_\t_\n3\tin\t_\t_\t_\t_\t_\t_\t_\tGloss=x\n"
     "4\tUlm\t_\t_\t_\t_\t_\t_\t_\tNER=B-LOC|SpaceAfter=No\n\n"),
    ("CoNLL-U Plus", "a.conllup", "# global.columns = ID FORM NER\n1\tEva\tB-PER\n2\tis\tO\n3\tin\tO\n"
     "4\tUlm\tB-LOC\n\n"),
    ("a heading", "a.tsv", "token\tpos\tner\nEva\tN\tB-PER\nis\tV\tO\nin\tP\tO\nUlm\tN\tB-LOC\n"),
    ("Kaggle", "ner.csv", "Sentence #,Word,POS,Tag\nSentence: 1,Eva,N,B-PER\n,is,V,O\n,in,P,O\n,Ulm,N,B-LOC\n"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [c[1:] for c in COLUMN_FILES], ids=[c[0] for c in COLUMN_FILES])
def test_files_of_columns(tmp_path, name, content):
    rows = read(tmp_path, name, content)
    assert labels(rows) == BOTH and rows[0].text == TEXT


SCHEMES = [
    ("bioes", "Anna S-PER\nin O\nNew B-LOC\nYork M-LOC\nCity E-LOC\n\n", "New York City"),
    ("bioes", "Anna U-PER\nin O\nNew B-LOC\nYork L-LOC\n\n", "New York"),
    ("io", "Anna PER\nin 0\nNew LOC\nYork LOC\n\n", "New York"),
    ("io", "Anna PER\nin _\nNew LOC\nYork LOC\n\n", "New York"),
    ("iob1", "Anna I-PER\nin O\nNew I-LOC\nYork I-LOC\n\n", "New York"),
]


@pytest.mark.parametrize(("scheme", "sentence", "city"), SCHEMES)
def test_other_schemes_are_refused_with_the_option_that_reads_them(tmp_path, scheme, sentence, city):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "a.conll", sentence * 4)
    assert f"--set read.options.scheme={scheme}" in str(caught.value)
    assert labels(read(tmp_path, "a.conll", sentence * 4, scheme=scheme)) == [("Anna", "PER"), (city, "LOC")] * 4


ROW = {"text": TEXT, "entities": SPANS}
JSON_FILES = [
    ("a list", "a.json", json.dumps([ROW, ROW]), 2),
    ("a list, indented", "a.json", json.dumps([ROW, ROW], indent=2), 2),
    ("a list called .jsonl", "a.jsonl", json.dumps([ROW, ROW]), 2),
    ("lines called .json", "a.json", dump(ROW, ROW), 2),
    ("lines called .txt", "a.txt", dump(ROW), 1),
    ("objects over lines", "a.jsonl", json.dumps(ROW, indent=1) + "\n" + json.dumps(ROW, indent=1), 2),
    ("one object", "a.json", json.dumps(ROW, indent=1), 1),
    ("under data", "a.json", json.dumps({"version": 1, "data": [ROW, ROW]}), 2),
    ("by split", "a.json", json.dumps({"train": [ROW], "dev": [ROW]}), 2),
    ("by id", "a.json", json.dumps({"a": ROW, "b": ROW}), 2),
    ("spaCy's tuples", "a.json", json.dumps([[TEXT, {"entities": SPANS}]] * 2), 2),
    ("spaCy's annotator", "a.json", json.dumps({"classes": [], "annotations": [[TEXT, {"entities": SPANS}], None]}), 1),
    ("Rasa", "a.json", json.dumps({"rasa_nlu_data": {"common_examples": [ROW]}}), 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "count"), [c[1:] for c in JSON_FILES], ids=[c[0] for c in JSON_FILES])
def test_json_however_it_is_laid_out(tmp_path, name, content, count):
    rows = read(tmp_path, name, content)
    assert labels(rows) == BOTH * count and len(rows) == count


def test_json_by_split_and_by_id_keeps_both(tmp_path):
    assert [r.split for r in read(tmp_path, "a.json", json.dumps({"train": [ROW], "dev": [ROW]}))] == [
        "train",
        "validation",
    ]
    assert [r.id for r in read(tmp_path, "a.json", json.dumps({"x1": ROW, "x2": ROW}))] == ["x1", "x2"]


RELATION = {"id": 1, "from_id": 1, "to_id": 2, "type": "r"}
SPAN_DICTS = [{"id": i, "label": s[2], "start_offset": s[0], "end_offset": s[1]} for i, s in enumerate(SPANS, 1)]
LINK = {"head_span": NAMED[1], "child_span": NAMED[0], "head": 3, "child": 0, "label": "in"}
LAYOUTS = [
    ("doccano 1", {"data": TEXT, "labels": SPANS, "annotation_approver": None}),
    ("doccano 2", {"text": TEXT, "entities": SPAN_DICTS, "relations": [RELATION]}),
    ("Prodigy", {"text": TEXT, "spans": NAMED, "relations": [LINK], "answer": "accept"}),
    ("spaCy's Doc", {"text": TEXT, "ents": NAMED, "sents": [{"start": 0, "end": 13}], "tokens": [[0, 3]]}),
    ("one level down", {"text": TEXT, "annotations": {"entities": SPANS}}),
    ("MASSIVE", {"utt": TEXT, "annot_utt": "[PER : Eva] is in [LOC : Ulm]"}),
    ("SNIPS", {"data": [{"text": "Eva", "entity": "PER"}, {"text": " is in "}, {"text": "Ulm", "entity": "LOC"}]}),
    ("GLiNER", {"tokenized_text": WORDS, "ner": [[0, 0, "PER"], [3, 3, "LOC"]]}),
    ("words and labels", {"words": WORDS, "labels": TAGS}),
    ("a sentence of tokens", {"sentence": WORDS, "tags": TAGS}),
    ("offset and length", {"text": TEXT, "entities": [{"offset": a, "length": b - a, "type": c} for a, b, c in SPANS]}),
    ("a range", {"sentence": TEXT, "entities": [{"span": [a, b], "type": c} for a, b, c in SPANS]}),
    ("BigBio's offsets",
     {"text": TEXT, "entities": [{"offsets": [[a, b]], "text": [TEXT[a:b]], "type": c} for a, b, c in SPANS]}),
    ("printed by Python", {"text": TEXT, "entities": str([tuple(s) for s in SPANS])}),
]  # fmt: skip


@pytest.mark.parametrize("row", [c[1] for c in LAYOUTS], ids=[c[0] for c in LAYOUTS])
def test_layouts_of_rows(tmp_path, row):
    (example,) = read(tmp_path, "a.jsonl", dump(row))
    assert labels([example]) == BOTH and example.text == TEXT
    assert len(example.relations) == len(row.get("relations", ()))


def test_relations_name_the_right_spans(tmp_path):
    (example,) = read(tmp_path, "a.jsonl", dump(dict(LAYOUTS)["Prodigy"]))
    quotes = {span.id: example.quote(span) for span in example.spans}
    assert [(quotes[r.head], quotes[r.tail], r.label) for r in example.relations] == [("Ulm", "Eva", "in")]


SPERT = {"tokens": WORDS, "entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 3, "end": 4, "type": "LOC"}]}
REFUSED = [
    ("SpERT", SPERT, "token_offsets", "'entities'", "--set read.options.offsets=token"),
    ("strings", {"text": TEXT, "entities": [{"start": "0", "end": "3", "label": "X"}]}, "bad_span", "'0'", ""),
    ("four values", {"text": TEXT, "entities": [[0, 3, "PER", "Q1"]]}, "bad_span", "'Q1'", ""),
    ("words and labels", {"text": TEXT, "entities": {"Eva": "PER"}}, "unread_labels", "'entities'", "ignore=entities"),
    ("pairs", {"text": TEXT, "entities": [["Eva", "PER"]]}, "unread_labels", "'entities'", "ignore=entities"),
    ("CLUENER", {"text": TEXT, "label": {"PER": {"Eva": [[0, 2]]}}}, "unread_labels", "'label'", "ignore=label"),
    ("Dataturks", {"content": TEXT, "annotation": [{"label": ["PER"], "points": [{"start": 0, "end": 2}]}]},
     "unread_labels", "'annotation'", "ignore=annotation"),
    ("MultiWOZ", {"text": TEXT, "span_info": [["Inform", "City", "Ulm", 3, 3]]},
     "unread_labels", "'span_info'", "ignore=span_info"),
    ("SGD", {"utterance": TEXT, "frames": [{"slots": [{"slot": "city", "start": 10, "exclusive_end": 13}]}]},
     "unread_labels", "'frames'", "ignore=frames"),
    ("DocRED", {"text": TEXT, "vertexSet": [[{"name": "Eva", "pos": [0, 1]}]]}, "unread_labels", "'vertexSet'", ""),
    ("TACRED", {"text": TEXT, "subj_start": 0, "subj_end": 0}, "unread_labels", "'subj_start'", "ignore=subj_start"),
    ("two keys of texts", {"title": "Eva", "body": TEXT, "ents": SPANS}, "no_text", "title, body", "text_key=NAME"),
    ("two keys of spans", {"source_text": TEXT, "mask": NAMED}, "unread_labels", "'mask'", "spans_key=mask"),
    ("other brackets", {"utt": TEXT, "annot_utt": "[PER : Eva] was in [LOC : Ulm]"},
     "bad_offsets", "'Eva was in Ulm'", "ignore=annot_utt"),
    ("labels alone", {"tokens": WORDS, "ner_tags": ["PER", "O", "O", "LOC"]}, "bad_tags", "'PER'", "scheme=io"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reason", "named", "hint"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_labels_that_are_not_read_are_bad_rows_with_key_and_option(tmp_path, row, reason, named, hint):
    good, bad = read(tmp_path, "a.jsonl", dump({"text": "a"}, row))
    assert good.text == "a" and bad.reason == reason
    assert named in bad.message and hint in bad.message and "a.jsonl:2" in bad.message
    assert "tag_column" not in bad.message, "no option of another reader"


def test_the_options_of_these_hints_read_the_labels(tmp_path):
    assert labels(read(tmp_path, "a.jsonl", dump(SPERT), offsets="token")) == BOTH
    ends = {**SPERT, "entities": [{**e, "end": e["end"] - 1} for e in SPERT["entities"]]}
    assert labels(read(tmp_path, "a.jsonl", dump(ends), offsets="token", end="inclusive")) == BOTH
    (outside,) = read(tmp_path, "a.jsonl", dump(SPERT), offsets="token", end="inclusive")
    assert outside.reason == "bad_offsets" and "end=exclusive" in outside.message
    assert labels(read(tmp_path, "a.jsonl", dump({"source_text": TEXT, "mask": NAMED}), spans_key="mask")) == BOTH
    marked = {"utt": TEXT, "annot_utt": "[PER : Eva] was in [LOC : Ulm]"}
    assert read(tmp_path, "a.jsonl", dump(marked), ignore="annot_utt")[0].text == TEXT
    (kept,) = read(tmp_path, "a.jsonl", dump({"text": TEXT, "subj_start": 0, "subj_end": 0}), ignore="subj_start")
    assert kept.meta == {"subj_start": 0, "subj_end": 0}


def test_labels_of_whole_texts(tmp_path):
    rows = [{"utt": TEXT, "intent": "ask"}, {"text": TEXT, "options": [{"id": "A"}], "accept": ["A"]}]
    assert [row.label for row in read(tmp_path, "a.jsonl", dump(*rows))] == ["ask", "A"]
    one = {"question": "Where?", "context": TEXT, "answer": "Ulm", "answer_start": 10}
    assert labels(read(tmp_path, "a.jsonl", dump(one))) == [("Ulm", "answer")]


WHOLE = dump(ROW).encode()
PACKED = [
    ("a.jsonl.gz", gzip.compress(WHOLE, mtime=0)),
    ("a.jsonl.bz2", bz2.compress(WHOLE)),
    ("a.conll.xz", lzma.compress(COLUMNS.encode())),
    ("a.jsonl.zst", zstd(WHOLE)),
    ("a.jsonl", gzip.compress(WHOLE, mtime=0)),
]


@pytest.mark.parametrize(("name", "content"), PACKED)
def test_packed_files_are_read_and_damaged_ones_refused(tmp_path, name, content):
    assert labels(read(tmp_path, name, content)) == BOTH
    with pytest.raises(InputError, match="not a whole"):
        read(tmp_path, name, content[:-9], format="jsonl" if "jsonl" in name else "conll")


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.zip", b"PK\x03\x04" + bytes(40), InputError, "a zip archive"),
        ("a.jsonl", b"PK\x03\x04" + bytes(40), InputError, "a zip archive"),
        ("a.tar", b"a.conll".ljust(257, b"\0") + b"ustar\0", InputError, "a tar archive"),
        ("a.json", "[]", InputError, "no row in it"),
        ("a.conll", COLUMNS.replace("\n", "\r"), InputError, "carriage return"),
        ("a.txt", "Eva\tperson-actor\nis\tO\n", ConfigError, "each line has 2 columns"),
        ("a.txt", "12|t|Eva is in Ulm\n12\t0\t3\tEva\tPER\n", ConfigError, "PubTator"),
        ("a.json", '[{"text": "x"}, {"text": ]', InputError, "not JSON"),
    ],
)
def test_what_no_reader_can_read_is_one_clear_error(tmp_path, name, content, error, message):
    with pytest.raises(error, match=message) as caught:
        read(tmp_path, name, content)
    assert "Hint: " in str(caught.value) and name in str(caught.value)


def test_plain_text_with_tabs_is_read_where_the_column_is_named(tmp_path):
    assert [r.text for r in read(tmp_path, "a.txt", "x\tEva\ny\tUlm\n", column=1)] == ["Eva", "Ulm"]
    assert read(tmp_path, "a.txt", "x\tEva\n", format="text")[0].text == "x\tEva"


def test_folders_and_patterns_are_read_file_by_file(tmp_path):
    for name in ("train.jsonl", "dev.jsonl", "sub/test.jsonl"):
        read(tmp_path, f"data/{name}", dump(ROW))
    (tmp_path / "data" / "README.md").write_text("about")
    rows = list(open_reader(tmp_path / "data", lang="en").read())
    assert [(r.id, r.split) for r in rows] == [("dev/1", "validation"), ("sub/test/1", "test"), ("train/1", "train")]
    some = open_reader(str(tmp_path / "data" / "*.jsonl"), lang="en")
    assert [r.id for r in some.read()] == ["dev/1", "train/1"] and labels(some.read()) == BOTH * 2
    before = some.signature
    read(tmp_path, "data/train.jsonl", dump(ROW, ROW))
    assert open_reader(str(tmp_path / "data" / "*.jsonl"), lang="en").signature != before
    read(tmp_path, "data/more.conll", COLUMNS)
    with pytest.raises(ConfigError, match="files of several formats: 1 conll, 3 jsonl"):
        open_reader(tmp_path / "data", lang="en")
    assert len(list(open_reader(tmp_path / "data", lang="en", format="conll").read())) == 1
    with pytest.raises(InputError, match="no file matches"):
        open_reader(str(tmp_path / "data" / "*.xml"), lang="en")
    with pytest.raises(InputError, match="a pipe can't be read twice"):
        open_reader("-", lang="en")
