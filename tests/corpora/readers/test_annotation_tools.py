"""Label Studio and doccano: out as predictions, back as corrections, offsets in each tool's own units."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import InputError, OutputError
from spanferry.corpora.readers import BadRow, open_reader
from spanferry.corpora.readers.doccano import DoccanoReader
from spanferry.corpora.readers.label_studio.reader import LabelStudioReader
from spanferry.corpora.schema import Example, Pair, Relation, Span
from spanferry.corpora.writers import open_writer
from tests.corpora.writer_rows import failed, pair

# The emoji is two UTF-16 units and one code point, so what comes after it lies elsewhere in each.
TEXT = "👩 Ana llegó a Málaga."


def made() -> Pair:
    whole = pair(text=TEXT)
    spans = (Span(2, 5, "PER", "a"), Span(14, 20, "LOC", "b"))
    return replace(whole, target=replace(whole.target, spans=spans, relations=(Relation("a", "b", "in"),)))


def annotated(task: dict, **changes: object) -> dict:
    """What Label Studio exports once somebody has submitted a task as it was predicted."""
    result = [{k: v for k, v in r.items() if k != "score"} for r in task["predictions"][0]["result"]]
    annotation = {
        "id": 31,
        "completed_by": 1,
        "result": result,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-05-02T10:00:00.000000Z",
        "updated_at": "2024-05-02T10:00:00.000000Z",
        "lead_time": 4.2,
    }
    return {"id": 17, "data": task["data"], "annotations": [annotation | changes], "predictions": [], "project": 3}


def save(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_label_studio_tasks_are_predictions_with_scores(tmp_path: Path) -> None:
    open_writer("label_studio").write([[made(), pair(1, kept=False)]], tmp_path)
    [task] = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    assert task["data"]["text"] == TEXT
    assert task["data"]["source_text"] == "Ann came to Málaga 😀."
    [prediction] = task["predictions"]
    assert prediction["score"] == 0.5, "the least certain span's, so that the task can be found"
    first, second, relation, choice = prediction["result"]
    assert first == {
        "id": "a",
        "from_name": "label_text",
        "to_name": "text",
        "type": "labels",
        "score": 0.9,
        "value": {"start": 2, "end": 5, "text": "Ana", "labels": ["PER"]},
    }
    assert (second["value"]["start"], second["value"]["text"]) == (14, "Málaga"), "code points"
    assert relation == {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["in"]}
    assert choice["value"] == {"choices": ["travel"]}
    [rejected] = json.loads((tmp_path / "rejected.json").read_text(encoding="utf-8"))
    assert rejected["data"]["spanferry"]["reasons"] == ["length:ratio"]


def test_label_studio_configuration_names_every_tag(tmp_path: Path) -> None:
    open_writer("label_studio").write([[made()]], tmp_path)
    view = ElementTree.parse(tmp_path / "label_config.xml").getroot()
    [task] = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    texts = {t.attrib["name"]: t.attrib["value"] for t in view.iter("Text")}
    assert texts == {"source_text": "$source_text", "text": "$text"}
    assert all(value[1:] in task["data"] for value in texts.values())
    controls = {tag.attrib["name"]: tag.attrib["toName"] for tag in view if "toName" in tag.attrib}
    for region in task["predictions"][0]["result"]:
        if "from_name" in region:
            assert controls[region["from_name"]] == region["to_name"]
    assert [tag.attrib["value"] for tag in view.iter("Label")] == ["LOC", "PER"]
    assert [tag.attrib["value"] for tag in view.iter("Relation")] == ["in"]
    assert [tag.attrib["value"] for tag in view.iter("Choice")] == ["travel"]


@pytest.mark.parametrize(("unit", "start"), [("codepoint", 14), ("utf16", 15)])
def test_label_studio_brings_corrections_home(unit: str, start: int, tmp_path: Path) -> None:
    open_writer("label_studio", {"offsets": unit}).write([[made()]], tmp_path)
    [task] = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    assert task["predictions"][0]["result"][1]["value"]["start"] == start
    submitted = annotated(task)
    corrected = submitted["annotations"][0]["result"][1]["value"]
    corrected |= {"labels": ["CITY"], "end": corrected["end"] - 1, "text": "Málag"}
    path = save(tmp_path / "export.json", [submitted])
    [example] = LabelStudioReader(path, "xx", offsets=unit).read()
    assert (example.id, example.lang, example.split, example.label) == ("ex-0", "es", "train", "travel")
    assert dict(example.texts) == {"text": TEXT}
    assert example.spans == (Span(2, 5, "PER", "a"), Span(14, 19, "CITY", "b"))
    assert example.relations == (Relation("a", "b", "in"),)
    assert example.meta == {"url": "x"}


def test_label_studio_offsets_of_the_other_unit_are_reported(tmp_path: Path) -> None:
    open_writer("label_studio", {"offsets": "utf16"}).write([[made()]], tmp_path)
    [task] = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    [bad] = LabelStudioReader(save(tmp_path / "export.json", [annotated(task)]), "es").read()
    assert isinstance(bad, BadRow) and bad.reason == "bad_offsets"
    assert "the region says 'Ana'" in bad.message


def test_label_studio_takes_the_annotation_that_counts(tmp_path: Path) -> None:
    open_writer("label_studio").write([[made()]], tmp_path)
    [task] = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    old = annotated(task)["annotations"][0]
    new = annotated(task, id=32, result=old["result"][:1], updated_at="2024-06-01T00:00:00.000000Z")["annotations"][0]
    cancelled = annotated(task, id=33, result=[], was_cancelled=True, updated_at="2024-07-01T00:00:00.000000Z")
    both = annotated(task) | {"annotations": [new, old, cancelled["annotations"][0]]}
    truth = annotated(task) | {"annotations": [old | {"ground_truth": True}, new]}
    untouched = {"id": 5, "data": task["data"], "annotations": [], "predictions": task["predictions"]}
    path = save(tmp_path / "export.json", [both, truth, untouched])
    latest, ground_truth, nobody = LabelStudioReader(path, "es").read()
    assert [s.id for s in latest.spans] == ["a"]
    assert [s.id for s in ground_truth.spans] == ["a", "b"]
    assert isinstance(nobody, BadRow) and nobody.reason == "not_annotated"
    *_, taken = LabelStudioReader(path, "es", predictions=True).read()
    assert [s.id for s in taken.spans] == ["a", "b"]


def test_label_studio_projects_of_others(tmp_path: Path) -> None:
    text = "Line one\nEva in Ulm"
    regions = [
        {
            "id": "r1",
            "from_name": "ner",
            "to_name": "body",
            "type": "labels",
            "value": {"start": 5, "end": 12, "text": "one\\nEva", "labels": ["A", "B"]},
        },
        {"id": "r2", "from_name": "x", "to_name": "img", "type": "rectanglelabels", "value": {"x": 1}},
    ]
    tasks = [{"id": 9, "data": {"review": text, "stars": 4}, "annotations": [{"result": regions}]}]
    [example] = LabelStudioReader(save(tmp_path / "a.json", tasks), "de").read()
    assert (example.id, dict(example.texts)) == ("9", {"review": text})
    assert [(s.quote(text), s.label, s.id) for s in example.spans] == [
        ("one\nEva", "A", "r1"),
        ("one\nEva", "B", "r1.1"),
    ]
    tasks[0]["data"]["title"] = "x"
    [bad] = LabelStudioReader(save(tmp_path / "b.json", tasks), "de").read()
    assert bad.reason == "no_text"
    with pytest.raises(InputError, match="list of tasks"):
        list(LabelStudioReader(save(tmp_path / "c.json", {"id": 1}), "de").read())
    [broken] = LabelStudioReader(save(tmp_path / "d.json", [7]), "de").read()
    assert broken.reason == "bad_task"


def test_doccano_counts_utf16_units(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="doccano can't hold relations"):
        open_writer("doccano").write([[made()]], tmp_path)
    open_writer("doccano", {"allow_loss": True}).write([[made()]], tmp_path)
    row = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    assert row["label"] == [[3, 6, "PER"], [15, 21, "LOC"]]
    units = TEXT.encode("utf-16-le")
    assert units[2 * 15 : 2 * 21].decode("utf-16-le") == "Málaga"
    assert row["scores"] == [0.9, 0.5] and row["source"] == "Ann came to Málaga 😀."


def test_doccano_brings_corrections_home(tmp_path: Path) -> None:
    open_writer("doccano", {"relations": True}).write([[made(), pair(1, split="test"), failed()]], tmp_path)
    row = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    assert row["relations"] == [{"id": 0, "from_id": 0, "to_id": 1, "type": "in"}]
    # doccano numbers rows and entities anew, and puts comments in.
    row["entities"][1]["label"] = "CITY"
    for entity in row["entities"]:
        entity["id"] += 500
    row["relations"][0] |= {"from_id": 500, "to_id": 501}
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"id": 99, **row, "Comments": []}, ensure_ascii=False) + "\n", encoding="utf-8")
    [example] = open_reader(path, lang="xx", format="doccano").read()
    assert (example.id, example.lang, example.split, example.label) == ("ex-0", "es", "train", "travel")
    assert [(s.quote(TEXT), s.label, s.id) for s in example.spans] == [("Ana", "PER", "500"), ("Málaga", "CITY", "501")]
    assert example.relations == (Relation("500", "501", "in"),)
    assert example.meta == {}


def test_doccano_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    lines = [
        {"id": 1, "data": "Eva in Ulm", "label": [[0, 3, "PER"], [7, 10, "LOC"]], "topic": "x"},
        {"id": 2, "text": "😀 Eva", "labels": [[1, 6, "PER"]]},
        {"id": 3, "text": "Ulm"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no json\n", encoding="utf-8")
    first, second, third, fourth = DoccanoReader(path, "de").read()
    assert [first.quote(s) for s in first.spans] == ["Eva", "Ulm"] and first.meta == {"topic": "x"}
    assert (second.reason, third.spans, fourth.reason) == ("bad_offsets", (), "bad_json")
    _, second, *_ = DoccanoReader(path, "de", offsets="codepoint").read()
    assert second.reason == "bad_offsets", "6 is beyond the text in code points"


_TEXT = st.text(
    st.sampled_from("aé😀👩\u0301ש中 ะ\U0002070e.") | st.characters(exclude_categories=["Cs", "Cc"]), min_size=1
)


@settings(max_examples=60)
@given(data=st.data(), tool=st.sampled_from(["label_studio", "doccano"]), unit=st.sampled_from(["codepoint", "utf16"]))
def test_any_span_comes_back(data, tool, unit, tmp_path_factory):
    text = data.draw(_TEXT.filter(str.strip))
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))), "X", "s0")
    example = Example("e", "he", {"text": text}, (span,), label="c")
    folder = tmp_path_factory.mktemp("tool")
    open_writer(tool, {"offsets": unit}).write([[Pair(example, example)]], folder)
    if tool == "doccano":
        [found] = DoccanoReader(folder / "train.jsonl", "he", offsets=unit).read()
    else:
        [found] = LabelStudioReader(folder / "train.json", "he", offsets=unit, predictions=True).read()
    assert replace(found, spans=tuple(replace(s, id="s0") for s in found.spans)) == example
