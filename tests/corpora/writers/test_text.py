"""JSONL and CoNLL: what is written is what is read."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from spanferry.corpora.errors import OutputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span
from spanferry.corpora.text.tags import SCHEMES
from spanferry.corpora.writers import open_writer
from tests.corpora.writer_rows import failed, pair

characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    [*" \t\n\r#-'.é北ไ😀", "e\u0301", "\u2028", "\x1c"]
)
texts = st.lists(characters, min_size=1, max_size=30).map("".join).filter(str.strip)
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)
metas = st.dictionaries(
    names.filter(lambda n: n not in ("id", "label")), st.none() | st.integers() | st.text(max_size=5), max_size=2
)


@st.composite
def examples(draw, *, flat):
    fields = {"text": draw(texts)} if flat else draw(st.dictionaries(names, texts, min_size=1, max_size=3))
    spans = []
    for field, text in fields.items():
        edges = sorted(draw(st.lists(st.integers(0, len(text)), unique=True, max_size=6)))
        for a, b in zip(edges[::2], edges[1::2], strict=False):
            if not flat or not (text[a].isspace() or text[b - 1].isspace()):
                kb = (
                    {}
                    if flat
                    else draw(st.dictionaries(st.sampled_from(["kb", "note"]), st.none() | names, max_size=2))
                )
                spans.append(Span(a, b, draw(names), f"s{len(spans)}" if flat else "", field, (), kb))
        if not flat and len(edges) > 3:
            spans.append(Span(edges[0], edges[3], "D", "", field, ((edges[0], edges[1]), (edges[2], edges[3]))))
    example = Example(
        draw(texts if flat else names),
        "es",
        fields,
        tuple(spans),
        (),
        draw(st.none() | texts),
        draw(metas),
        split="test",
    ).with_span_ids()
    if not flat and len(spans) > 1:
        example = replace(example, relations=(Relation("s0", "s1", draw(names)),))
    if draw(st.booleans()) and not flat:
        first = next(iter(fields))
        example = replace(example, tokens={first: ((0, 1), (1, len(fields[first])))[: len(fields[first])]})
    return example


def as_pair(example):
    found = tuple(Projection(s.id, s, 0.5, "copy") for s in example.spans)
    return Pair(example, example, found, {"mt_score": -1.0}, signature="sig")


def round_trip(name, rows, **options):
    with tempfile.TemporaryDirectory() as folder:
        options |= {"comments": True} if name == "conll" else {}
        open_writer(name, options).write([[as_pair(e) for e in rows]], Path(folder))
        if not rows:
            return []
        return list(
            open_reader(Path(folder) / f"test.{name}", lang="es").read()
            if name == "jsonl"
            else open_reader(
                Path(folder) / "test.conll", lang="es", options={"scheme": options.get("scheme", "iob2")}
            ).read()
        )


@settings(deadline=None, max_examples=60)
@given(st.lists(examples(flat=False), max_size=3))
def test_jsonl_round_trip(rows):
    back = round_trip("jsonl", rows, source=False)
    extras = ("scores", "reasons", "signature")
    assert {(s.attributes["score"], s.attributes["method"]) for e in back for s in e.spans} <= {(0.5, "copy")}
    plain = [replace(e, meta={k: v for k, v in e.meta.items() if k not in extras}) for e in back]
    assert [replace(e, spans=tuple(map(_unscored, e.spans))) for e in plain] == rows


def _unscored(span):
    return replace(span, attributes={k: v for k, v in span.attributes.items() if k not in ("score", "method")})


@settings(deadline=None, max_examples=60)
@given(st.lists(examples(flat=True), max_size=3), st.sampled_from(SCHEMES))
def test_conll_round_trip(rows, scheme):
    back = round_trip("conll", rows, scheme=scheme)
    assert [(e.id, e.texts, e.label) for e in back] == [(e.id, e.texts, e.label) for e in rows]
    assert [[(s.start, s.end, s.label) for s in e.spans] for e in back] == [
        [(s.start, s.end, s.label) for s in e.spans] for e in rows
    ]
    assert [{k: v for k, v in e.meta.items() if k != "scores"} for e in back] == [dict(e.meta) for e in rows]


def test_jsonl_rows(tmp_path):
    open_writer("jsonl").write([[pair(0), pair(1, kept=False), failed()]], tmp_path)
    (row,) = map(json.loads, (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines())
    assert (row["text"], row["lang"], row["source"]["lang"], row["scores"]) == (
        "Ana llegó a Málaga 😀.",
        "es",
        "en",
        {"mt_score": -0.5},
    )
    assert row["spans"][1] == {
        "start": 12,
        "end": 18,
        "label": "LOC",
        "id": "b",
        "field": "text",
        "quote": "Málaga",
        "attributes": {"kb": "Q1"},
        "score": 0.5,
        "method": "lexical",
    }
    assert [p["reason"] for p in row["projections"]] == [None, None, "no_match"]
    rejected = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(r["id"], r["text"] is None, r["reasons"]) for r in rejected] == [
        ("ex-1", False, ["length:ratio"]),
        ("ex-99", True, ["translate:x"]),
    ]
    assert rejected[1]["source"]["text"] == "Ann came to Málaga 😀."


def test_conll_lines(tmp_path):
    open_writer("conll", {"scheme": "bioes", "comments": True}).write([[pair(0), failed()]], tmp_path)
    assert (tmp_path / "train.conll").read_text(encoding="utf-8") == (
        '# id = ex-0\n# text = Ana llegó a Málaga 😀.\n# label = travel\n# meta_json = {"url": "x"}\n'
        '# scores_json = {"mt_score": -0.5}\nAna\tS-PER\nllegó\tO\na\tO\nMálaga\tS-LOC\n😀\tO\n.\tO\n\n'
    )
    rejected = (tmp_path / "rejected.conll").read_text(encoding="utf-8")
    assert "# id = ex-99\n# lang = en\n# text = Ann came to Málaga 😀.\n" in rejected
    assert '# reasons_json = ["translate:x"]\nAnn\tS-PER\n' in rejected
    assert rejected.count("\n\n") == 1


def test_spans_inside_words_cut_them(tmp_path):
    example = Example(
        "x", "de", {"text": "Nordseeküste 北京大学"}, (Span(0, 7, "SEA", "a"), Span(13, 15, "LOC", "b")), split="test"
    )
    open_writer("conll").write([[as_pair(example)]], tmp_path)
    assert (tmp_path / "test.iob").read_text(encoding="utf-8") == (
        "Nordsee\tB-SEA\nküste\tO\n北\tB-LOC\n京\tI-LOC\n大\tO\n学\tO\n\n"
    )


def test_the_tokens_of_the_example_are_used(tmp_path):
    example = Example("x", "en", {"text": "don't go"}, (), tokens={"text": ((0, 2), (2, 5), (6, 8))}, split="test")
    open_writer("conll").write([[as_pair(example)]], tmp_path)
    assert (tmp_path / "test.iob").read_text(encoding="utf-8") == "do\tO\nn't\tO\ngo\tO\n\n"


def test_spacy_converts_the_conll_files_as_they_are(tmp_path):
    text = "Ana llegó a # Málaga con 5\u00a0000 €"
    labels = {"Ana": "person name", "# Málaga": "datetime.x", "5\u00a0000 €": "MONEY"}
    spans = tuple(Span(text.index(q), text.index(q) + len(q), label, q) for q, label in labels.items())
    rows = [replace(p, target=replace(p.target, spans=spans)) for p in (pair(i, text=text) for i in range(12))]
    with pytest.raises(OutputError, match="labels with white space in them"):
        open_writer("conll").write([rows], tmp_path)
    report = open_writer("conll", {"allow_loss": True}).write([rows], tmp_path)
    assert report.lost == {"label_space": 12}
    path = tmp_path / "train.iob"
    convert = [sys.executable, "-m", "spacy", "convert", str(path), str(tmp_path)]
    done = subprocess.run(convert, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    docs = DocBin().from_disk(tmp_path / "train.spacy").get_docs(spacy.blank("xx").vocab)
    found = [(entity.text, entity.label_) for doc in docs for entity in doc.ents]
    assert found == [("Ana", "person_name"), ("# Málaga", "datetime.x"), ("5 000 €", "MONEY")] * 12
    back = list(open_reader(path, lang="es").read())
    assert [[s.label for s in e.spans] for e in back] == [["person_name", "datetime.x", "MONEY"]] * 12
