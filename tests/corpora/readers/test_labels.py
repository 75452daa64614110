"""Labels under the keys of other tools: read where there is no doubt, else a bad row that names the key."""

import json

import pytest

from spanferry.corpora.readers import BadRow, open_reader

TEXT = "Eva is in Ulm"
ULM = {"start": 10, "end": 13, "label": "LOC"}


def read(tmp_path, value, name="rows.jsonl", format=None, **options):
    path = tmp_path / name
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
    return list(open_reader(path, lang="en", format=format, options=options).read())


def labels(example):
    return [(example.quote(s), s.label) for s in example.spans]


BOTH = [("Eva", "PER"), ("Ulm", "LOC")]
READ = [
    {"entities": [[0, 3, "PER"], [10, 13, "LOC"]]},
    {"ents": [{"start": 0, "end": 3, "label": "PER"}, ULM]},
    {"label": [[0, 3, "PER"], [10, 13, "LOC"]]},
    {"labels": [[0, 3, "PER"], [10, 13, "LOC"]]},
    {"annotations": [{"start_offset": 0, "end_offset": 3, "label": "PER"}, ULM]},
    {"spans": json.dumps([[0, 3, "PER"], [10, 13, "LOC"]])},
    {"entities": json.dumps([{"start": 0, "end": 3, "type": "PER"}, ULM])},
    {"entities": {"start": [0, 10], "end": [3, 13], "type": ["PER", "LOC"]}},
    {"entities": {"PER": [[0, 3]], "LOC": [[10, 13]]}},
    {"entities": [["PER", 0, 3], ["LOC", 10, 13]]},
    {"entities": [{"start": 0, "end": 3, "entity_group": "PER"}, ULM]},
    {"label": [{"start": 0, "end": 3, "text": "Eva", "labels": ["PER"]}, ULM]},
    {"spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0, "token_end": 0}, ULM], "answer": "accept"},
    {"tokens": ["Eva", "is", "in", "Ulm"], "ner_tags": ["B-PER", "O", "O", "B-LOC"]},
    {
        "extractions": [
            {"extraction_class": "PER", "extraction_text": "Eva", "char_interval": {"start_pos": 0, "end_pos": 3}},
            {"extraction_class": "LOC", "extraction_text": "Ulm", "char_interval": {"start_pos": 10, "end_pos": 13}},
        ]
    },
]


@pytest.mark.parametrize("row", READ)
def test_what_is_unambiguous_is_read(tmp_path, row):
    (example,) = read(tmp_path, {"text": TEXT, **row})
    assert labels(example) == BOTH
    assert not {"entities", "ents", "labels", "ner_tags"} & set(example.meta)


def test_tuples_and_tagged_tokens(tmp_path):
    assert labels(read(tmp_path, [TEXT, {"entities": [[0, 3, "PER"], [10, 13, "LOC"]]}])[0]) == BOTH
    row = {"tokens": ["Eva", "sang"], "tags": [1, 0]}
    assert "tag_names=O,B-PER" in read(tmp_path, row)[0].message
    assert labels(read(tmp_path, row, tag_names="O,B-PER")[0]) == [("Eva", "PER")]
    prodigy = {"text": TEXT, "tokens": [{"text": w, "id": i} for i, w in enumerate(TEXT.split())], "spans": [ULM]}
    assert read(tmp_path, prodigy)[0].tokens == {"text": ((0, 3), (4, 6), (7, 9), (10, 13))}


UNREAD = [
    ({"spans": [ULM], "gold": [ULM]}, {}, "unread_labels", "'gold'", "read.options.spans_key=gold"),
    ({"things": [[0, 3, "PER"]]}, {}, "unread_labels", "'things'", "read.options.ignore=things"),
    ({"entities": [ULM], "labels": [ULM]}, {}, "unread_labels", "'entities'", "read.options.spans_key=entities"),
    ({"spans": [], "entities": json.dumps([[0, 3, "PER"]])}, {}, "unread_labels", "'entities'", "spans_key=entities"),
    ({"clusters": [[[0, 3], [10, 13]]]}, {}, "unread_labels", "'clusters'", "read.options.ignore=clusters"),
    ({"spans": [ULM], "coref": [[0], [3]]}, {}, "unread_labels", "'coref'", "read.options.ignore=coref"),
    (
        {"found": [{"extraction_class": "LOC", "char_interval": {"start_pos": 10, "end_pos": 13}}]},
        {},
        "unread_labels",
        "'found'",
        "read.options.spans_key=found",
    ),
    ({"spans": [ULM], "answer": "reject"}, {}, "not_accepted", "'reject'", ""),
    ({"spans": [ULM], "answer": "ignore"}, {}, "not_accepted", "'ignore'", ""),
    ({"spans": [{"start": 10, "end": 12, "label": "X", "text": "Ulm"}]}, {}, "bad_offsets", "'Ul'", "end=inclusive"),
    ({"spans": [{"start": 11, "end": 14, "label": "X", "text": "Ulm"}]}, {}, "bad_offsets", "", "no declared unit"),
]


@pytest.mark.parametrize(("row", "options", "reason", "named", "hint"), UNREAD)
def test_what_is_not_read_is_a_bad_row_that_names_key_and_option(tmp_path, row, options, reason, named, hint):
    (bad,) = read(tmp_path, {"text": TEXT, **row}, **options)
    assert isinstance(bad, BadRow) and bad.reason == reason
    assert named in bad.message and hint in bad.message


def test_the_options_of_the_hints_work(tmp_path):
    row = {"text": TEXT, "things": [[0, 3, "PER"]]}
    assert labels(read(tmp_path, row, spans_key="things")[0]) == [("Eva", "PER")]
    assert read(tmp_path, row, ignore="things")[0].meta == {"things": [[0, 3, "PER"]]}
    assert read(tmp_path, {"text": TEXT, "label": 3.5})[0].label == 3.5, "a score stays a number"


def test_the_hubs_layout_of_squad(tmp_path):
    row = {"id": "q", "question": "Where?", "context": TEXT, "answers": {"text": ["Ulm"], "answer_start": [10]}}
    (example,) = read(tmp_path, row)
    assert [(s.field, example.quote(s), s.label) for s in example.spans] == [("context", "Ulm", "answer")]
    row["answers"] = {"text": [], "answer_start": []}
    row["plausible_answers"] = [{"text": "Ulm", "answer_start": 10}]
    (none,) = read(tmp_path, row)
    assert (none.spans, dict(none.meta)) == ((), {})


DOCCANO = [
    ({"annotations": [{"label": 2, "start_offset": 0, "end_offset": 3, "user": 1}]}, [("Eva", "2")], None),
    ({"entities": [], "label": [[0, 3, "PER"]]}, [("Eva", "PER")], None),
    ({"label": ["greeting"]}, [], "greeting"),
]


@pytest.mark.parametrize(("row", "spans", "label"), DOCCANO)
def test_doccano(tmp_path, row, spans, label):
    (example,) = read(tmp_path, {"text": TEXT, **row}, format="doccano")
    assert (labels(example), example.label) == (spans, label)


def region(start, end, labels, kind="labels", **more):
    value = {"start": start, "end": end, "text": TEXT[start:end], kind: labels}
    return {"id": f"r{start}", "from_name": "ner", "to_name": "text", "type": kind, "value": value, **more}


def task(*results, **more):
    return [{"id": 4, "data": {"text": TEXT}, "annotations": [{"result": list(results)}], **more}]


def choice(name, *choices, **value):
    return {"id": value.pop("id", "c"), "from_name": name, "type": "choices", "value": {"choices": choices, **value}}


def test_label_studio_choices_and_relations(tmp_path):
    pair = [region(0, 3, ["PER"]), region(10, 13, ["LOC"])]
    link = {"type": "relation", "from_id": "r0", "to_id": "r10", "labels": ["in", "near"]}
    per_region = choice("mood", "good", id="r0", start=0, end=3)
    rows = read(tmp_path, task(*pair, link, per_region), "a.json", "label_studio")
    assert labels(rows[0]) == BOTH and rows[0].label is None
    assert [r.label for r in rows[0].relations] == ["in", "near"]
    assert "good" in repr(rows[0])
    (several,) = read(tmp_path, task(choice("intent", "a", "b")), "a.json", "label_studio")
    assert (several.label, several.meta) == (None, {"intent": ["a", "b"]})
    assert read(tmp_path, task(choice("intent", "a")), "a.json", "label_studio")[0].label == "a"


def test_label_studio_of_other_kinds(tmp_path):
    minimal = [{"id": 3, "text": TEXT, "label": [{"start": 0, "end": 3, "text": "Eva", "labels": ["PER", "W"]}]}]
    (row,) = read(tmp_path, minimal, "a.json", "label_studio")
    assert (row.id, labels(row)) == ("3", [("Eva", "PER"), ("Eva", "W")])
    old = [{"id": 4, "data": {"text": TEXT}, "completions": [{"result": [region(0, 3, ["PER"])]}]}]
    assert labels(read(tmp_path, old, "a.json")[0]) == [("Eva", "PER")], "and the content shows the format"
    for kind in ("hypertextlabels", "paragraphlabels"):
        one = region(0, 3, ["PER"], kind)
        one["value"] |= {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 3}
        (bad,) = read(tmp_path, task(one), "a.json", "label_studio")
        assert bad.reason == "unread_labels" and kind in bad.message


def test_label_studio_one_bad_task_among_good_ones(tmp_path):
    path = tmp_path / "a.json"
    good = json.dumps(task(region(0, 3, ["PER"]))[0])
    deep, long = "[" * 100_000 + "]" * 100_000, '{"id": ' + "9" * 5000 + ', "data": {"text": "x"}}'
    path.write_text(f"[{good}, {deep}, {long}, {good}]")
    rows = list(open_reader(path, lang="en", format="label_studio").read())
    assert [isinstance(row, BadRow) for row in rows] == [False, True, True, False]
