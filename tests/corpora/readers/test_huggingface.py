import json
import subprocess
import sys
from pathlib import Path

import datasets
import datasets.config
import huggingface_hub.constants
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import BadRow, open_reader

datasets.disable_progress_bars()

NAMES = ["O", "B-PER", "I-PER"]


def tagged(rows, names=NAMES):
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "when": datasets.Value("timestamp[s]"),
        }
    )
    columns = {name: [row.get(name) for row in rows] for name in features}
    return datasets.Dataset.from_dict(columns, features=features)


ROWS = [
    {"id": "a", "tokens": ["Ann", "'s", "dog"], "ner_tags": [1, 0, 0], "label": 1, "when": 0},
    {"id": "b", "tokens": ["", "Bob", "Lee"], "ner_tags": [0, 1, 2], "label": -1},
]
BAD = [
    ({"tokens": ["a"], "ner_tags": [2]}, "bad_tags"),
    ({"tokens": ["a", "b"], "ner_tags": [0]}, "bad_tags"),
    ({"tokens": ["a"], "ner_tags": [-1]}, "bad_class"),
    ({"tokens": [], "ner_tags": []}, "empty_text"),
    ({"tokens": None, "ner_tags": None}, "empty_text"),
    ({"tokens": [""], "ner_tags": [1]}, "empty_text"),
]


def shown(example):
    return example.id, example.text, [(example.quote(s), s.label) for s in example.spans], example.label, example.split


EXPECTED = [
    ("a", "Ann's dog", [("Ann", "PER")], "yes", "train"),
    ("b", "Bob Lee", [("Bob Lee", "PER")], None, "train"),
]


def test_a_saved_dataset_with_splits(tmp_path):
    data = datasets.DatasetDict({"train": tagged(ROWS), "test": tagged(ROWS[:1])})
    data.save_to_disk(str(tmp_path / "d"))
    reader = open_reader(tmp_path / "d", lang="en")
    rows = list(reader.read())
    assert [shown(e) for e in rows] == [*EXPECTED, (*EXPECTED[0][:-1], "test")]
    assert rows[0].meta == {"when": "1970-01-01 00:00:00"} and rows[0].tokens["text"] == ((0, 3), (3, 5), (6, 9))
    assert reader.signature.startswith("src:saved.en@")
    only = open_reader(tmp_path / "d", lang="en", options={"split": "test"})
    assert [e.split for e in only.read()] == ["test"] and "[split=test]" in only.signature
    with pytest.raises(ConfigError) as caught:
        list(open_reader(tmp_path / "d", lang="en", options={"split": "tset"}).read())
    assert str(caught.value) == "unknown split 'tset'\nValid: test, train\nHint: did you mean 'test'?"


def test_a_saved_dataset_without_splits_is_read_batch_by_batch(tmp_path):
    tagged(ROWS * 1500).save_to_disk(str(tmp_path / "d"))
    rows = list(open_reader(tmp_path / "d", lang="en").read())
    assert [shown(e) for e in rows[-2:]] == EXPECTED and len(rows) == 3000


def test_bad_rows_have_reasons_and_stop_nothing(tmp_path):
    tagged([{"id": str(i)} | row for i, (row, _) in enumerate(BAD)] + ROWS).save_to_disk(str(tmp_path / "d"))
    rows = list(open_reader(tmp_path / "d", lang="en").read())
    assert [row.reason for row in rows if isinstance(row, BadRow)] == [reason for _, reason in BAD]
    assert [shown(e) for e in rows[len(BAD) :]] == EXPECTED
    assert rows[1].message == f"{tmp_path / 'd'}, train row 1: 2 tokens and 1 tags"
    repaired = list(open_reader(tmp_path / "d", lang="en", options={"repair": True}).read())
    assert shown(repaired[0])[2] == [("a", "PER")]


@pytest.mark.parametrize("name", ["validation-00000-of-00001.parquet", "data"])
def test_parquet_knows_its_classes(tmp_path, name):
    path = tmp_path / name
    if path.suffix:
        tagged(ROWS).to_parquet(str(path))
    else:
        (path / "rejected").mkdir(parents=True)
        tagged(ROWS).to_parquet(str(path / "dev.parquet"))
        tagged(ROWS).to_parquet(str(path / "rejected" / "x.parquet"))
    rows = list(open_reader(path, lang="en").read())
    assert [shown(e) for e in rows] == [(*row[:-1], "validation") for row in EXPECTED]


def test_numbers_without_names_need_an_option(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"words": [["Ann", "left"]], "tags": [[1, 0]]}), path)
    keys = {"tokens_key": "words", "tags_key": "tags"}
    with pytest.raises(InputError) as caught:
        list(open_reader(path, lang="en", options=keys).read())
    assert str(caught.value) == (
        f"{path}: the column 'tags' holds numbers, and the data does not name their classes\n"
        "Hint: --set read.options.tag_names=O,B-PER,I-PER names them, in order"
    )
    (example,) = open_reader(path, lang="en", options=keys | {"tag_names": "O,B-PER"}).read()
    assert shown(example)[1:3] == ("Ann left", [("Ann", "PER")])


def test_strings_as_tags(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"tokens": [["北", "京"]], "ner_tags": [["B-LOC", "E-LOC"]], "lang": ["zh"]}), path)
    (example,) = open_reader(path, lang="en", options={"scheme": "bioes"}).read()
    assert (example.lang, example.text, example.quote(example.spans[0])) == ("zh", "北京", "北京")


@pytest.mark.parametrize(
    "spans", [[{"start": 0, "end": 3, "label": "PER"}], {"start": [0], "end": [3], "label": ["PER"]}]
)
def test_texts_with_spans(tmp_path, spans):
    path = tmp_path / "a.parquet"
    row = {"sentence": "Ann😀 left", "entities": spans, "meta": '{"n": 1}', "source": "x"}
    pq.write_table(pa.Table.from_pylist([row, row | {"sentence": " "}]), path)
    options = {"text_key": "sentence", "spans_key": "entities"}
    good, bad = open_reader(path, lang="en", options=options).read()
    assert shown(good)[:3] == ("1", "Ann😀 left", [("Ann", "PER")])
    assert good.meta == {"n": 1, "source": "x"}
    assert (bad.reason, bad.message) == ("empty_text", f"{path}, train row 2: no field holds any text")


def test_several_text_columns(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"question": ["Who?"], "context": ["Ann"]}), path)
    (example,) = open_reader(path, lang="en", options={"text_fields": "question,context"}).read()
    assert example.texts == {"question": "Who?", "context": "Ann"}


def test_what_can_not_be_read(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"]}), path)
    with pytest.raises(InputError) as caught:
        list(open_reader(path, lang="en").read())
    assert str(caught.value) == (
        f"{path}: split 'train' has neither a column 'text' nor 'tokens' and 'ner_tags'\nValid: body\n"
        "Hint: --set read.options.text_key=NAME, or read.options.tokens_key=NAME and read.options.tags_key=NAME"
    )
    path.write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="not a Parquet file"):
        list(open_reader(path, lang="en").read())
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(InputError, match="not a saved dataset"):
        list(open_reader(broken, lang="en").read())
    with pytest.raises(InputError, match="no Parquet file in the folder"):
        list(open_reader(broken, lang="en", format="parquet").read())


def test_the_hub_without_a_network_is_a_clear_error(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    reader = open_reader("hf:nobody/no-such-data", lang="en")
    with pytest.raises(InputError) as caught:
        list(reader.read())
    message = str(caught.value)
    assert message.startswith("hf:nobody/no-such-data: the dataset can't be loaded from the hub or the cache (")
    assert message.endswith("Hint: without a network, save it elsewhere with save_to_disk and pass the folder")


def test_the_signature_follows_the_content(tmp_path):
    def signature(rows, name):
        tagged(rows).save_to_disk(str(tmp_path / name))
        return open_reader(tmp_path / name, lang="en").signature

    assert signature(ROWS, "a") != signature(ROWS[:1], "b")
    assert signature(ROWS, "c") == signature(ROWS, "d")


def test_a_split_without_a_data_file_is_left_out_and_said(tmp_path, caplog):
    datasets.DatasetDict({"train": tagged(ROWS), "test": tagged(ROWS[:1])}).save_to_disk(str(tmp_path / "d"))
    state = json.loads((tmp_path / "d/test/state.json").read_text())
    (tmp_path / "d/test/state.json").write_text(json.dumps(state | {"_data_files": []}))
    rows = list(open_reader(tmp_path / "d", lang="en").read())
    assert [e.split for e in rows] == ["train", "train"]
    assert any("split 'test' has no data file" in r.getMessage() for r in caplog.records)


def test_the_hubs_layout_of_squad(tmp_path):
    answers = {"text": ["Ulm", "Ulm"], "answer_start": [3, 3]}
    row = {"id": "q", "title": "t", "context": "In Ulm.", "question": "Where?", "answers": answers}
    empty = {**row, "id": "n", "answers": {"text": [], "answer_start": []}}
    pq.write_table(pa.Table.from_pylist([row, empty]), tmp_path / "a.parquet")
    datasets.Dataset.from_list([row, empty]).save_to_disk(str(tmp_path / "d"))
    for place in (tmp_path / "a.parquet", tmp_path / "d"):
        found, none = open_reader(place, lang="en").read()
        assert [(s.field, found.quote(s), s.label) for s in found.spans] == [("context", "Ulm", "answer")]
        assert (none.spans, none.meta) == ((), {"title": "t"})


def test_tags_beside_a_text_and_under_another_name(tmp_path):
    row = {"text": "Ann  left", "tokens": ["Ann", "left"], "tags": ["B-PER", "O"]}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    (example,) = open_reader(tmp_path / "a.parquet", lang="en").read()
    assert (example.text, shown(example)[2]) == ("Ann  left", [("Ann", "PER")])


def test_a_score_stays_a_number(tmp_path):
    pq.write_table(pa.table({"text": ["Ann"], "label": [3.5]}), tmp_path / "a.parquet")
    (example,) = open_reader(tmp_path / "a.parquet", lang="en").read()
    assert (example.label, example.meta) == (3.5, {})


# Damaged files can kill the interpreter: each kind is read in a process of its own.
DAMAGED = """
import random, sys
from pathlib import Path
from spanferry.corpora.errors import SpanferryError
from spanferry.corpora.readers import open_reader
place, file, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
good, rng, read, refused = file.read_bytes(), random.Random(1), 0, 0
for _ in range(60):
    data = bytearray(good)
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(data)
    try:
        list(open_reader(place, lang="en", format=name).read())
        read += 1
    except SpanferryError as error:
        assert str(place) in str(error), str(error)
        refused += 1
print(read, refused)
"""


@pytest.mark.parametrize("name", ["saved", "parquet"])
def test_a_damaged_file_is_an_error_of_ours(tmp_path, name):
    if name == "saved":
        tagged(ROWS).save_to_disk(str(tmp_path / "d"))
        place, file = tmp_path / "d", next((tmp_path / "d").glob("*.arrow"))
    else:
        place = file = tmp_path / "a.parquet"
        tagged(ROWS).to_parquet(str(file))
    command = [sys.executable, "-c", DAMAGED, str(place), str(file), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr[-2000:]
    read, refused = map(int, done.stdout.split())
    assert read + refused == 60 and refused > 0
