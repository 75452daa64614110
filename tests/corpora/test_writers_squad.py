"""SQuAD files: what is written is what the reader takes back, and what they can't hold."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import OutputError
from corpora.readers import open_reader
from corpora.schema import Example, Pair, Span
from corpora.writers import open_writer

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
    expected = [row if row.spans else replace(row, meta={"is_impossible": True, **row.meta}) for row in rows]
    assert list(open_reader(out / "train.json", lang="es", format="squad").read()) == expected
    assert json.loads((out / "train.json").read_text())["version"] == ("1.1" if all(r.spans for r in rows) else "v2.0")


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
