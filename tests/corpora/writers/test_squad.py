"""SQuAD files: what is written is what the reader takes back, and what they can't hold."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.errors import OutputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.corpora.writers import open_writer

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)


def question(name, context="Hecho en 1732.", *ranges, title="Molinos", asked="¿Cuándo?", **more):
    spans = tuple(Span(a, b, "answer", f"s{i}", "context") for i, (a, b) in enumerate(ranges))
    return Example(name, "es", {"question": asked, "context": context}, spans, meta={"title": title} | more)


def pairs(*examples):
    return [Pair(e, e) for e in examples]


@st.composite
def examples(draw):
    made = []
    for k in range(draw(st.integers(1, 5))):
        context = draw(st.sampled_from(["Hecho en 1732.", "😀 東京", draw(texts)]))
        ends = st.integers(0, len(context))
        ranges = draw(st.lists(st.tuples(ends, ends).filter(lambda r: r[0] < r[1]), max_size=3, unique=True))
        title = draw(st.sampled_from(["A", "B"]))
        made.append(question(f"q{k}", context, *ranges, title=title, asked=draw(texts)))
    return made


@given(examples())
def test_round_trip(tmp_path_factory, rows):
    out = tmp_path_factory.mktemp("squad")
    report = open_writer("squad").write([pairs(*rows)], out)
    assert report.rows == {"train": len(rows), "rejected": 0}
    back = list(open_reader(out / "train.json", lang="es", format="squad").read())
    marks = [example.meta.get("is_impossible") for example in back]
    assert marks == [not e.spans for e in rows] if not all(e.spans for e in rows) else marks == [None] * len(rows)
    assert [replace(e, meta={k: v for k, v in e.meta.items() if k != "is_impossible"}) for e in back] == rows


def test_questions_share_paragraphs_and_articles(tmp_path):
    rows = [question("1"), question("2"), question("3", "Otro."), question("4", "Otro.", title="B")]
    open_writer("squad").write([pairs(*rows[:1]), pairs(*rows[1:])], tmp_path)
    data = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))["data"]
    assert [(a["title"], [len(p["qas"]) for p in a["paragraphs"]]) for a in data] == [("Molinos", [2, 1]), ("B", [1])]
    assert json.loads((tmp_path / "rejected.json").read_text(encoding="utf-8"))["data"] == []


def test_version_two_marks_what_has_no_answer(tmp_path):
    open_writer("squad", {"version": "v2.0"}).write([pairs(question("1"), question("2", "x y", (0, 1)))], tmp_path)
    tree = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    asked = [q for a in tree["data"] for p in a["paragraphs"] for q in p["qas"]]
    assert (tree["version"], [q["is_impossible"] for q in asked]) == ("v2.0", [True, False])


def test_rejected_questions_have_their_reasons(tmp_path):
    bad = Pair(question("1"), question("1"), kept=False, reasons=("confidence:low",))
    raw = Pair(Example("2", "en", {"text": "{"}), None, kept=False, reasons=("read:bad_json",))
    open_writer("squad").write([[bad, raw, *pairs(question("3"))]], tmp_path)
    tree = json.loads((tmp_path / "rejected.json").read_text(encoding="utf-8"))
    asked = [q for a in tree["data"] for p in a["paragraphs"] for q in p["qas"]]
    assert [(q["id"], q["reasons"]) for q in asked] == [("1", ["confidence:low"]), ("2", ["read:bad_json"])]


def test_what_it_cannot_hold(tmp_path):
    with pytest.raises(OutputError, match="needs the fields 'question' and 'context', this row has text"):
        open_writer("squad").write([pairs(Example("1", "es", {"text": "x"}))], tmp_path)
    other = question("1")
    other = Example("1", "es", other.texts, (Span(0, 2, "PER", "s0", "question"),))
    with pytest.raises(OutputError, match=r"fields: 1 .*\n.*\n.*output\.options\.squad\.allow_loss=true"):
        open_writer("squad").write([pairs(other)], tmp_path)
    assert open_writer("squad", {"allow_loss": True}).write([pairs(other)], tmp_path).lost == {"fields": 1}


def asked(name, answers, meta=None, target_answers=None):
    context = "Hecho en 1732."
    spans = tuple(Span(a, b, "answer", f"s{i}", "context") for i, (a, b) in enumerate(answers))
    source = Example(name, "en", {"question": "When?", "context": "Made in 1732."}, spans, meta=meta or {})
    placed = spans if target_answers is None else tuple(spans[:target_answers])
    return Pair(source, Example(name, "es", {"question": "¿Cuándo?", "context": context}, placed, meta=meta or {}))


def read_back(folder):
    data = json.loads((folder / "train.json").read_text(encoding="utf-8"))
    return data["version"], {q["id"]: q for a in data["data"] for p in a["paragraphs"] for q in p["qas"]}


@pytest.mark.parametrize(
    ("rows", "version", "marks"),
    [
        ([asked("a", [(9, 13)])], "1.1", {"a": None}),
        ([asked("a", [(9, 13)]), asked("b", [])], "v2.0", {"a": False, "b": True}),
        ([asked("a", [(9, 13)], {"is_impossible": False})], "v2.0", {"a": False}),
        # An answer without a place in the translation is lost, and was there all the same.
        ([asked("a", [(9, 13)], None, 0), asked("b", [])], "v2.0", {"a": False, "b": True}),
        ([asked("a", [(9, 13)], None, 0)], "1.1", {"a": None}),
    ],
)
def test_questions_without_an_answer_are_version_2(tmp_path, rows, version, marks):
    open_writer("squad").write([rows], tmp_path)
    written, found = read_back(tmp_path)
    assert written == version and {name: q.get("is_impossible") for name, q in found.items()} == marks


def test_version_1_can_not_say_that_there_is_no_answer(tmp_path):
    rows = [asked("a", [(9, 13)]), asked("b", [])]
    with pytest.raises(OutputError, match="can't hold questions without an answer"):
        open_writer("squad", {"version": "1.1"}).write([rows], tmp_path)
    report = open_writer("squad", {"version": "1.1", "allow_loss": True}).write([rows], tmp_path)
    assert report.lost == {"unanswerable": 1} and read_back(tmp_path)[0] == "1.1"


def test_what_else_an_answer_says_comes_back_and_numbers_stay_numbers(tmp_path):
    answer = {"text": "1732", "answer_start": 8, "score": 0.75, "rank": 2}
    row = {"id": "a", "question": "When?", "answers": [answer], "similarity": 3.5, "turn": 7}
    tree = {"data": [{"title": "T", "paragraphs": [{"context": "Made in 1732.", "qas": [row]}]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    (example,) = open_reader(path, lang="en", format="squad").read()
    open_writer("squad").write([[Pair(example, example)]], tmp_path / "out")
    _, found = read_back(tmp_path / "out")
    assert found["a"] == row
