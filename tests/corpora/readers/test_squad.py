"""SQuAD files: offsets, several answers, questions without one, and what is wrong with a file."""

import json

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.schema import Span

CONTEXT = "😀 The mill at Ouro was built in 1732. In 1732 it burned."
START = CONTEXT.index("1732")


def squad(*questions, context=CONTEXT):
    return {
        "version": "1.1",
        "data": [{"title": "Mills", "paragraphs": [{"context": context, "qas": list(questions)}]}],
    }


def question(name, *answers, **more):
    return {"id": name, "question": "When?", "answers": [{"answer_start": a, "text": t} for a, t in answers], **more}


def read(tmp_path, tree, name="mills.test.json", **options):
    path = tmp_path / name
    path.write_text(json.dumps(tree), encoding="utf-8")
    return list(open_reader(path, lang="en", options=options).read())


def test_one_example_for_each_question(tmp_path):
    rows = read(tmp_path, squad(question("q1", (START, "1732")), question("q2", (CONTEXT.index("Ouro"), "Ouro"))))
    assert [row.id for row in rows] == ["q1", "q2"]
    assert list(rows[0].texts.items()) == [("question", "When?"), ("context", CONTEXT)]
    assert rows[0].spans == (Span(START, START + 4, "answer", "s0", "context"),)
    assert [rows[1].quote(span) for span in rows[1].spans] == ["Ouro"]
    assert (rows[0].split, rows[0].meta) == ("test", {"title": "Mills"})


def test_different_answers_are_spans_and_the_same_answer_is_one(tmp_path):
    second = CONTEXT.rindex("1732")
    given = question("q", (START, "1732"), (second, "1732"), (START, "1732"), (START - 3, "in 1732"))
    (row,) = read(tmp_path, squad(given))
    assert [(s.start, row.quote(s)) for s in row.spans] == [(START, "1732"), (second, "1732"), (START - 3, "in 1732")]


def test_a_question_without_an_answer_has_no_span(tmp_path):
    (row,) = read(tmp_path, squad(question("q", is_impossible=True, plausible_answers=[])))
    assert row.spans == ()
    assert row.meta == {"title": "Mills", "is_impossible": True}


def test_offsets_in_other_units(tmp_path):
    for unit, start in (("utf16", START + 1), ("byte", START + 3)):
        (row,) = read(tmp_path, squad(question("q", (start, "1732"))), offsets=unit)
        assert row.spans[0].start == START


@pytest.mark.parametrize(
    ("given", "reason", "message"),
    [
        (question("q", (START + 1, "1732")), "bad_offsets", "answer_start 33 covers '732.', the answer says '1732'"),
        (question("q", (-4, "ned.")), "bad_offsets", "the answer says 'ned.'"),
        (question("q", (START, "")), "bad_span", "text ''"),
        ({"id": "q", "question": None, "answers": []}, "no_text", "'question' holds None, not a text"),
        ({"id": "q", "question": "When?", "answers": "1732"}, "bad_span", "'answers' is not a list of objects"),
        (question("q", (START, "1732")) | {"question": "\ud800"}, "bad_unicode", "unpaired surrogate"),
    ],
)
def test_bad_questions_are_bad_rows_and_the_others_stay(tmp_path, given, reason, message):
    bad, good = read(tmp_path, squad(given, question("fine", (START, "1732"))))
    assert isinstance(bad, BadRow)
    assert (bad.id, bad.reason) == ("q", reason)
    assert message in bad.message
    assert "question 1" in bad.message
    assert bad.raw.encode().startswith(b"{")
    assert good.id == "fine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"data": [{"paragraphs": [', "not JSON"),
        ('{"data": {"paragraphs": []}}', "data is not a list of objects"),
        ('{"data": [{"paragraphs": [{"context": "x"}]}]}', "data[0].paragraphs[0].qas is not a list of objects"),
        ('{"data": []}', "no question in it"),
    ],
)
def test_files_that_are_no_squad(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        list(open_reader(path, lang="en", format="squad").read())
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_same_rows_however_the_file_is_laid_out(tmp_path):
    tree = squad(question("q", (START, "1732")))
    flat = read(tmp_path, tree)
    (tmp_path / "b.test.json").write_text("\ufeff" + json.dumps(tree, indent=1, ensure_ascii=False), encoding="utf-8")
    assert list(open_reader(tmp_path / "b.test.json", lang="en").read()) == flat
