"""What the Hugging Face library makes of the Arrow and Parquet folders."""

import json
from dataclasses import replace

import datasets
import datasets.config
import huggingface_hub.constants
import pyarrow.parquet as pq
import pytest
import yaml

from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.corpora.stored.base import Survey
from spanferry.corpora.stored.features import features_json, features_yaml
from spanferry.corpora.stored.rows import RowShape
from spanferry.corpora.writers import open_writer
from tests.corpora.writer_rows import failed, pair

datasets.disable_progress_bars()


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def load(name, folder):
    """The splits, and the rejected rows."""
    if name == "arrow":
        return datasets.load_from_disk(str(folder)), datasets.load_from_disk(str(folder / "rejected"))
    cache = str(folder.parent / "cache")
    return (
        datasets.load_dataset(str(folder), cache_dir=cache),
        datasets.load_dataset(str(folder), "rejected", cache_dir=cache)["rejected"],
    )


BOTH = pytest.mark.parametrize("name", ["arrow", "parquet"])


@BOTH
def test_a_row_has_everything(tmp_path, name):
    open_writer(name).write([[pair(0), pair(1, split="test"), failed()]], tmp_path / "out")
    splits, rejected = load(name, tmp_path / "out")
    assert list(splits) == ["train", "test"] and [len(d) for d in splits.values()] == [1, 1]
    row = splits["train"][0]
    assert row["text"][row["spans"][1]["start"] : row["spans"][1]["end"]] == "Málaga"
    assert row == {
        "id": "ex-0",
        "lang": "es",
        "text": "Ana llegó a Málaga 😀.",
        "spans": [
            {
                "start": 0,
                "end": 3,
                "label": "PER",
                "id": "a",
                "field": "text",
                "fragments": [],
                "attributes": None,
                "score": 0.9,
                "method": "copy",
            },
            {"start": 12, "end": 18, "label": "LOC", "id": "b", "field": "text", "fragments": []}
            | {"attributes": '{"kb": "Q1"}', "score": 0.5, "method": "lexical"},
        ],
        "relations": [],
        "label": "travel",
        "tokens": ["Ana", "llegó", "a", "Málaga", "😀", "."],
        "ner_tags": [3, 0, 0, 1, 0, 0],
        "source": {
            "lang": "en",
            "text": "Ann came to Málaga 😀.",
            "spans": [
                {"start": 0, "end": 3, "label": "PER", "id": "a", "field": "text", "fragments": []}
                | {"attributes": None},
                {"start": 12, "end": 18, "label": "LOC", "id": "b", "field": "text", "fragments": []}
                | {"attributes": '{"kb": "Q1"}'},
                {"start": 19, "end": 20, "label": "EMO", "id": "c", "field": "text", "fragments": []}
                | {"attributes": None},
            ],
            "relations": [{"head": "a", "tail": "b", "label": "in"}],
            "meta": None,
        },
        "projections": [
            {"source_span_id": "a", "placed": True, "score": 0.9, "method": "copy", "reason": None},
            {"source_span_id": "b", "placed": True, "score": 0.5, "method": "lexical", "reason": None},
            {"source_span_id": "c", "placed": False, "score": 0.0, "method": "lexical", "reason": "no_match"},
        ],
        "scores": [{"name": "mt_score", "value": -0.5}],
        "reasons": [],
        "signature": "sig",
        "meta": '{"url": "x"}',
        "split": "train",
    }
    assert len(rejected) == 1
    assert (rejected[0]["text"], rejected[0]["lang"], rejected[0]["id"]) == (None, None, "ex-99")
    assert rejected[0]["source"]["text"] == "Ann came to Málaga 😀."
    assert rejected[0]["reasons"] == ["translate:x"]


@BOTH
def test_classes_are_kept(tmp_path, name):
    rows = [pair(0), pair(1, label=None), pair(2, label="food"), pair(3, label="only rejected", kept=False)]
    open_writer(name, {"tags": True, "class_label": True}).write([rows], tmp_path / "out")
    splits, rejected = load(name, tmp_path / "out")
    train = splits["train"]
    assert train.features["label"].names == ["food", "travel"]
    assert train["label"][:] == [1, -1, 0] and rejected["label"][:] == [-1]
    assert train.features["ner_tags"].feature.names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert train[0]["tokens"] == ["Ana", "llegó", "a", "Málaga", "😀", "."]
    assert train[0]["ner_tags"] == [3, 0, 0, 1, 0, 0]


@BOTH
@pytest.mark.parametrize("rows", [[], [failed()], [pair(kept=False)]])
def test_empty_splits_load(tmp_path, name, rows):
    writer = open_writer(name, {"tags": True, "class_label": True})
    writer.write([[pair(kept=False)]], tmp_path / "out")
    report = writer.write(iter([rows]), tmp_path / "out")
    assert report.rows == {"train": 0, "rejected": len(rows)}
    if name == "arrow":
        splits, rejected = load(name, tmp_path / "out")
        assert {k: len(v) for k, v in splits.items()} == {"train": 0} and len(rejected) == len(rows)
        assert splits["train"].features["spans"] == rejected.features["spans"]
        return
    stream = datasets.load_dataset(str(tmp_path / "out"), streaming=True)
    assert list(stream) == ["train"] and list(stream["train"]) == []
    assert stream["train"].features["ner_tags"].feature.names == ["O"]
    assert (tmp_path / "out" / "rejected").is_dir() == bool(rows)


@BOTH
def test_shards(tmp_path, name):
    rows = [pair(i) for i in range(2503)]
    report = open_writer(name, {"shard_rows": 1200}).write([[*rows, failed()]], tmp_path / "out")
    assert sum("-of-00003" in file for file in report.files) == 3
    splits, _ = load(name, tmp_path / "out")
    assert splits["train"]["id"][:] == [p.source.id for p in rows]


@BOTH
def test_several_fields_and_names_that_are_taken(tmp_path, name):
    source = Example("q", "en", {"question": "Who?", "label": "Ann"}, (Span(0, 3, "A", "a", "label"),))
    target = replace(source, lang="de", texts={"question": "Wer?", "label": "Anna"})
    made = Pair(source, target, (Projection("a", target.spans[0], 1.0, "copy"),))
    only_text = Pair(Example("bad", "en", {"text": "raw"}), None, kept=False, reasons=("read:bad_json",))
    open_writer(name).write([[made, only_text]], tmp_path / "out")
    splits, rejected = load(name, tmp_path / "out")
    row = splits["train"][0]
    assert (row["question"], row["text_label"], row["label"]) == ("Wer?", "Anna", None)
    assert (row["source"]["question"], row["source"]["label"]) == ("Who?", "Ann")
    assert rejected[0]["source"]["text"] == "raw" and "question" not in rejected[0]


def test_a_second_run_replaces_the_first_and_its_splits(tmp_path):
    writer = open_writer("arrow")
    writer.write([[pair(0), pair(1, split="test")]], tmp_path)
    first = json.loads((tmp_path / "train" / "state.json").read_text())["_fingerprint"]
    writer.write([[pair(5)]], tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["SHA256SUMS", "dataset_dict.json", "rejected", "train"]
    loaded = datasets.load_from_disk(str(tmp_path))
    assert loaded["train"]["id"][:] == ["ex-5"]
    assert loaded["train"]._fingerprint != first


def test_a_map_over_new_rows_is_not_taken_from_the_cache(tmp_path):
    lengths = []
    for rows in ([pair(0)], [pair(0, text="Otra frase en Málaga.")]):
        open_writer("arrow").write([rows], tmp_path)
        mapped = datasets.load_from_disk(str(tmp_path))["train"].map(lambda row: {"n": len(row["text"])})
        lengths.append(mapped["n"][0])
    assert lengths == [21, 21] or lengths[0] != lengths[1]


def test_a_readme_keeps_its_text_and_its_other_keys(tmp_path):
    (tmp_path / "README.md").write_text(
        "---\nlicense: cc0-1.0\nconfigs: old\n---\n# Mine\n\n---\nend\n", encoding="utf-8"
    )
    open_writer("parquet").write([[pair()]], tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    assert body == "# Mine\n\n---\nend\n"
    read = yaml.safe_load(head)
    assert read["license"] == "cc0-1.0"
    assert read["configs"][0] == {
        "config_name": "default",
        "data_files": [{"split": "train", "path": "data/train-*.parquet"}],
        "default": True,
    }
    assert read["dataset_info"][0]["splits"][0]["num_examples"] == 1


@pytest.mark.parametrize(("tags", "classes"), [(False, False), (True, True)])
def test_features_are_those_the_library_writes(tags, classes):
    seen = Survey(labels={"B", "A"}, classes={"x"})
    shape = RowShape.of(seen, ("text",), tags, classes, False)
    features = datasets.Features.from_arrow_schema(shape.schema)
    assert features.to_dict() == features_json(shape.schema, shape.class_names)
    assert features._to_yaml_list() == features_yaml(shape.schema, shape.class_names)


@BOTH
def test_our_readers_take_our_output_back(tmp_path, name):
    rows = [pair(0), pair(1, split="test")]
    open_writer(name).write([rows], tmp_path / "out")
    back = list(open_reader(tmp_path / "out", lang="xx").read())
    assert sorted((e.id, e.lang, e.texts, e.spans, e.label, e.split) for e in back) == [
        (p.target.id, "es", p.target.texts, p.target.spans, p.target.label, p.target.split) for p in rows
    ]
    assert back[0].meta["url"] == "x" and back[0].meta["projections"][0]["score"] == 0.9
    assert "ner_tags" not in back[0].meta and back[0].tokens["text"][:2] == ((0, 3), (4, 9))


def test_the_hub_reader_takes_a_folder_that_is_ready_for_the_hub(tmp_path):
    open_writer("parquet", {"class_label": True}).write([[pair(0), pair(1, split="test")]], tmp_path / "out")
    reader = open_reader(f"hf:{tmp_path / 'out'}", lang="en", options={"split": "test"})
    assert [(e.id, e.label, e.split) for e in reader.read()] == [("ex-1", "travel", "test")]


NUMBERS = [
    ([3.8, 2, None], ["double", [3.8, 2.0, None]]),
    ([1, 0, None], ["int64", [1, 0, None]]),
    ([1, "x", None], ["string", ["1", "x", None]]),
    ([None, None], ["string", [None, None]]),
]


@BOTH
@pytest.mark.parametrize(("labels", "written"), NUMBERS)
def test_labels_that_are_numbers_stay_numbers(tmp_path, name, labels, written):
    rows = [pair(i, label=label) for i, label in enumerate(labels)]
    open_writer(name).write([[*rows, pair(9, label=labels[0], kept=False)]], tmp_path / "out")
    splits, _ = load(name, tmp_path / "out")
    kind = str(splits["train"].features.arrow_schema.field("label").type)
    assert [kind, splits["train"]["label"][:]] == written
    back = [example.label for example in open_reader(tmp_path / "out", lang="es").read()]
    assert list(map(repr, back)) == list(map(repr, written[1]))
    open_writer("jsonl").write([rows], tmp_path / "jsonl")
    back = [example.label for example in open_reader(tmp_path / "jsonl" / "train.jsonl", lang="es").read()]
    assert list(map(repr, back)) == list(map(repr, labels))


@BOTH
def test_tags_are_there_where_they_can_hold_the_spans(tmp_path, name):
    nested = replace(pair(0).target, spans=(Span(0, 3, "A", "a"), Span(0, 9, "B", "b")))
    bare = replace(pair(0).target, spans=())
    rows = {
        True: [pair(0), pair(1, kept=False)],
        # What a rejected row has does not matter.
        "rejected": [pair(0), replace(pair(1), target=nested).rejected("x:y")],
        "most": [pair(0), pair(1), replace(pair(2), target=nested)],
        False: [pair(0), replace(pair(1), target=nested)],
        None: [replace(pair(0), target=bare)],
    }
    for wanted, given in rows.items():
        report = open_writer(name).write([given], tmp_path / str(wanted))
        assert report.lost == ({"not_in_tags": 1} if wanted == "most" else {})
        splits, _ = load("arrow", tmp_path / str(wanted)) if name == "arrow" else (None, None)
        names = splits["train"].column_names if splits else _parquet_columns(tmp_path / str(wanted))
        assert ("ner_tags" in names, "tokens" in names) == (bool(wanted), bool(wanted)), wanted


def _parquet_columns(folder):
    return pq.read_schema(next(folder.rglob("train-*.parquet"))).names
