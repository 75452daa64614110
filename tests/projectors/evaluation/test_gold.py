"""Parallel gold through the readers, and the shared sets."""

import json
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import open_reader
from spanferry.projectors.evaluation.gold import expand_names, fit_half, load_gold, read_gold
from spanferry.projectors.evaluation.gold_links import load_link_gold, read_link_files, read_link_gold
from spanferry.projectors.evaluation.gold_names import GOLD_SETS, UNSEEN
from spanferry.projectors.evaluation.judge import inputs_to_fit


def _jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _row(name: str, text: str, *quotes: str) -> dict[str, object]:
    spans = [{"start": text.index(q), "end": text.index(q) + len(q), "label": "LOC"} for q in quotes]
    return {"id": name, "text": text, "spans": spans}


def test_both_sides_of_any_reader(tmp_path: Path) -> None:
    left = _jsonl(tmp_path / "a.jsonl", _row("1", "in Rome", "Rome"), {"id": "2"}, _row("3", "no place"))
    right = _jsonl(tmp_path / "b.jsonl", _row("1", "en Roma", "Roma"), _row("2", "x"), _row("3", "ninguno"))
    gold = read_gold(open_reader(left, lang="en"), open_reader(right, lang="es"), name="mine-es")
    assert (gold.source_lang, gold.target_lang, gold.answers) == ("en", "es", False)
    assert [(i.id, i.source_text, i.target_text, len(i.spans)) for i in gold.inputs] == [
        ("1/text", "in Rome", "en Roma", 1),
        ("3/text", "no place", "ninguno", 0),
    ]
    assert [[s.quote(i.target_text) for s in spans] for i, spans in zip(gold.inputs, gold.spans, strict=True)] == [
        ["Roma"],
        [],
    ]
    assert gold.skipped == {"no_text": 1}
    assert "src:jsonl.en@" in gold.signature and gold.signature.endswith("by-index")


def test_questions_about_a_paragraph_are_one_input(tmp_path: Path) -> None:
    def squad(path: Path, context: str, *answers: str) -> Path:
        asked = [
            {"id": f"q{k}", "question": f"{k}?", "answers": [{"answer_start": context.index(a), "text": a}]}
            for k, a in enumerate(answers)
        ]
        path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": asked}]}]}), encoding="utf-8")
        return path

    left = squad(tmp_path / "a.json", "Built in 1732 at Ouro.", "1732", "Ouro")
    right = squad(tmp_path / "b.json", "Hecho en Ouro en 1732.", "1732", "Ouro")
    gold = read_gold(open_reader(left, lang="en"), open_reader(right, lang="es"), name="mine-es", pair_by="id")
    assert gold.answers
    (both,) = [item for item in gold.inputs if item.spans]
    assert [s.id for s in both.spans] == ["q0/s0", "q1/s0"]
    assert sum("?" in item.source_text for item in gold.inputs) == 2


def test_gold_without_annotation_says_so(tmp_path: Path) -> None:
    left = _jsonl(tmp_path / "a.jsonl", _row("1", "in Rome", "Rome"))
    right = _jsonl(tmp_path / "b.jsonl", _row("1", "en Roma"))
    with pytest.raises(InputError, match="no target row of gold 'mine' has a span"):
        read_gold(open_reader(left, lang="en"), open_reader(right, lang="es"), name="mine")


def test_names_stand_for_their_languages() -> None:
    assert expand_names(["xsid", "europarl-es", "xsid-da"], GOLD_SETS)[-1] == "europarl-es"
    assert len(expand_names(["xsid"], GOLD_SETS)) == 7
    with pytest.raises(ConfigError) as caught:
        expand_names(["europral-es"], GOLD_SETS)
    assert "did you mean 'europarl-es'?" in str(caught.value)


def test_a_folder_without_the_data_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_gold("europarl-es", tmp_path)
    assert str(tmp_path / "europarl-ner") in str(caught.value) and "SPANFERRY_DATA" in str(caught.value)


@pytest.mark.gold
@pytest.mark.parametrize(
    ("name", "inputs", "spans"), [("europarl-de", 799, 702), ("xsid-ja", 250, 347), ("abstrct-es", 1251, 686)]
)
def test_shared_gold(name: str, inputs: int, spans: int, gold: Path) -> None:
    found = load_gold(name, gold)
    assert (len(found.inputs), sum(len(i.spans) for i in found.inputs)) == (inputs, spans)
    assert not any(item.spans for item in found.more)
    for item, own in zip(found.inputs, found.spans, strict=True):
        assert all(0 <= s.start < s.end <= len(item.target_text) for s in own)
    assert len(load_gold(name, gold, limit=50).inputs) == 50


@pytest.mark.gold
def test_halves_are_the_same_in_every_language(gold: Path) -> None:
    spanish, german, danish = (load_gold(name, gold) for name in ("europarl-es", "europarl-de", "xsid-da"))
    half = fit_half(spanish)
    assert half == fit_half(german)
    assert 0.4 < sum(half) / len(half) < 0.6
    assert danish.target_lang in UNSEEN and not any(fit_half(danish))
    part = spanish.part(half)
    assert len(part.inputs) == sum(half)
    assert len(inputs_to_fit(part)) == len(inputs_to_fit(spanish))


LINKS = {"src_words": ["the", "house"], "tgt_words": ["la", "casa"], "alignment": [[0, 0], [1, 1], [5, 0]]}


def test_links_from_json_lines(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", LINKS, {**LINKS, "possible": [[0, 1]]})
    gold = read_link_files([path], name="mine-es", source_lang="en", target_lang="es")
    assert gold.sure == (((0, 0), (1, 1)),) * 2
    assert gold.possible == ((), ((0, 1),))
    assert gold.skipped == {"link_out_of_range": 2}
    item = gold.inputs[0]
    assert [item.target_text[a:b] for a, b in item.target_words] == ["la", "casa"]


def test_links_beside_two_texts(tmp_path: Path) -> None:
    for name, line in (("en", "the house\n"), ("es", "la casa\n"), ("links", "0-0 1-1 0p1\n")):
        (tmp_path / f"a.{name}.txt").write_text(line, encoding="utf-8")
    sides = [open_reader(tmp_path / f"a.{lang}.txt", lang=lang) for lang in ("en", "es")]
    gold = read_link_gold(sides[0], sides[1], tmp_path / "a.links.txt", name="mine-es")
    assert (gold.sure, gold.possible) == ((((0, 0), (1, 1)),), (((0, 1),),))
    (tmp_path / "a.links.txt").write_text("0-0 1:1\n", encoding="utf-8")
    with pytest.raises(InputError, match="'1:1' is not a link"):
        read_link_gold(sides[0], sides[1], tmp_path / "a.links.txt", name="mine-es")
    (tmp_path / "a.links.txt").write_text("0-0\n1-1\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 lines of links for 1 source and 1 target texts"):
        read_link_gold(sides[0], sides[1], tmp_path / "a.links.txt", name="mine-es")


@pytest.mark.parametrize(
    ("line", "message"),
    [("[1]", "no aligned pair"), ("{", "not JSON"), (json.dumps({**LINKS, "alignment": [[0, -1]]}), "no aligned pair")],
)
def test_bad_link_lines(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_link_files([tmp_path / "a.jsonl"], name="x", source_lang="en", target_lang="es")
    assert str(caught.value).startswith(f"{tmp_path}/a.jsonl:1")


@pytest.mark.gold
def test_shared_links(gold: Path) -> None:
    found = load_link_gold("align-multi-ja", gold)
    assert len(found.inputs) == 2470
    assert found.skipped["link_out_of_range"] > 0
    assert not any(found.possible)
