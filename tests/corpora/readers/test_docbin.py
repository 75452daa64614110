"""spaCy's own files, read and written."""

from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from spanferry.corpora.errors import InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Span, validate
from spanferry.corpora.writers import open_writer

NLP = spacy.blank("en")


def written(path: Path, *docs: spacy.tokens.Doc) -> Path:
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def read(path: Path, **options: object) -> list[Example]:
    rows = list(open_reader(path, lang="en", options=options).read())
    assert all(isinstance(row, Example) for row in rows)
    return [row for row in rows if isinstance(row, Example)]


def test_entities_groups_and_categories_of_a_real_file(tmp_path: Path) -> None:
    doc = NLP("Anna flew  to New York 😀 in May.\n")
    doc.ents = [doc.char_span(0, 4, label="PERSON", kb_id="Q1"), doc.char_span(14, 22, label="GPE")]
    doc.spans["sc"] = [doc.char_span(14, 17, label="PART"), doc.char_span(14, 22, label="GPE")]
    doc.cats = {"travel": 0.9, "food": 0.1}
    (row,) = read(written(tmp_path / "en.dev.spacy", doc))
    assert row.text == doc.text and (row.label, row.split) == ("travel", "validation")
    found = [(row.quote(s), s.label) for s in row.spans]
    assert found == [("Anna", "PERSON"), ("New", "PART"), ("New York", "GPE")]
    assert row.spans[0].attributes == {"kb_id": "Q1"}
    assert [row.text[a:b] for a, b in row.tokens["text"]] == [t.text for t in doc if not t.is_space]
    assert [s.label for s in read(tmp_path / "en.dev.spacy", groups=["none"])[0].spans] == ["PERSON", "GPE"]


def test_several_categories_are_kept_with_their_scores(tmp_path: Path) -> None:
    doc = NLP("x")
    doc.cats = {"a": 1.0, "b": 1.0}
    (row,) = read(written(tmp_path / "x.spacy", doc))
    assert row.label is None and row.meta == {"cats": {"a": 1.0, "b": 1.0}}


@pytest.mark.parametrize("damage", ["cut", "text", "flip", "empty"])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path / "x.spacy", NLP("Anna lives in Berlin."))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(
        {"cut": path.read_bytes()[:40], "text": b"Anna lives here", "flip": bytes(data), "empty": b""}[damage]
    )
    with pytest.raises(InputError) as caught:
        list(open_reader(path, lang="en", format="docbin").read())
    assert "x.spacy" in str(caught.value) and caught.value.hint


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab Ä.,-\n\t 😀語 "), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 6), st.sampled_from("XY")), max_size=4, unique=True),
)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, text: str, places: list) -> None:
    spans = {
        (a, min(a + n, len(text)), label)
        for a, n, label in places
        if a < len(text) and text[a : a + n].strip() == text[a : min(a + n, len(text))]
    }
    example = Example(
        "r 1", "en", {"text": text}, tuple(Span(*place, f"s{k}") for k, place in enumerate(sorted(spans)))
    )
    if not text.strip():
        return
    validate(example)
    folder = tmp_path_factory.mktemp("docbin")
    report = open_writer("docbin").write([[Pair(example, example)]], folder)
    (row,) = read(folder / "train.spacy")
    assert (row.id, row.text) == ("r 1", text) and not report.lost
    assert {(s.start, s.end, s.label) for s in row.spans} == spans


def test_spacy_reads_what_is_written(tmp_path: Path) -> None:
    spans = (Span(0, 8, "GPE", "a"), Span(4, 8, "PART", "b"))
    example = Example("1", "en", {"text": "New York calls."}, spans, label="news")
    open_writer("docbin", {"group": "all"}).write([[Pair(example, example)]], tmp_path)
    (doc,) = DocBin().from_disk(tmp_path / "train.spacy").get_docs(NLP.vocab)
    assert [(e.text, e.label_) for e in doc.ents] == [("New York", "GPE")]
    assert [(s.text, s.label_) for s in doc.spans["all"]] == [("New York", "GPE"), ("York", "PART")]
    assert doc.cats == {"news": 1.0}
