"""Two fields never share a column, whatever they are called, and are found again."""

import json
from dataclasses import replace
from itertools import combinations

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.columns import column_of, field_of
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.corpora.stored import switch_schema as switched
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.corpora.stored.rows import TAKEN
from spanferry.corpora.switching.dataset import tag_names, write_tables
from spanferry.corpora.writers import open_writer
from spanferry.corpora.writers.parallel import open_parallel_writer
from tests.corpora.switching_rows import done

datasets.disable_progress_bars()

CLASHES = ("id", "lang", "spans", "relations", "meta", "label", "tokens", "source", "split", "ner_tags", "tags")
NAMES = [f"{'text_' * n}{name}" for name in (*CLASHES, "text", "question") for n in range(3)]
fields = st.text("idtext_agmlns", min_size=1, max_size=14) | st.sampled_from(NAMES)


@given(st.sets(fields, max_size=12), st.sampled_from([TAKEN, frozenset({"id"}), frozenset({"text", "label"})]))
def test_a_column_is_one_fields_only_and_no_other_columns(names, taken):
    columns = {name: column_of(name, taken) for name in names}
    assert len(set(columns.values())) == len(names) and not taken & set(columns.values())
    assert {field_of(column, taken): column for column in columns.values()} == columns


def row_with(names):
    texts = {name: f"Ann {i} Oslo" for i, name in enumerate(names)}
    spans = tuple(Span(0, 3, "PER", f"s{i}", name) for i, name in enumerate(names))
    source = Example("r", "en", texts, spans, split="train")
    target = replace(source, lang="id", texts={name: text.replace("Ann", "Ana") for name, text in texts.items()})
    return Pair(source, target, tuple(Projection(s.id, s, 0.5, "copy") for s in spans), signature="s")


@pytest.mark.parametrize("names", [*combinations(("id", "text_id", "text_text_id"), 2), CLASHES, tuple(NAMES)])
def test_rows_of_the_arrow_writer_come_back(tmp_path, names):
    made = row_with(names)
    open_writer("arrow", {"tags": False}).write([[made]], tmp_path)
    assert EmittedDataset(tmp_path).pair(0) == made
    assert len(datasets.load_from_disk(str(tmp_path))["train"].column_names) == len(names) + 12


@pytest.mark.parametrize("names", [("id", "text_id"), tuple(NAMES)])
def test_parquet_has_every_field(tmp_path, names):
    made = row_with(names)
    open_writer("parquet").write([[made]], tmp_path)
    import pyarrow.parquet as pq

    (row,) = pq.read_table(next(tmp_path.rglob("train-*.parquet"))).to_pylist()
    assert {name: row[column_of(name, TAKEN)] for name in names} == made.target.texts


@pytest.mark.parametrize("name", ["arrow", "parquet"])
@pytest.mark.parametrize("names", [("question", "context"), ("text", "title"), ("label", "id", "text_id"), ("text",)])
@pytest.mark.parametrize("where", ["first", "all"])
def test_our_own_reader_takes_every_field_back(tmp_path, name, names, where):
    made = row_with(names)
    if where == "first":
        # Then there are tokens and tags, which must not be taken for the text.
        spans = tuple(s for s in made.source.spans if s.field == names[0])
        made = replace(made, source=replace(made.source, spans=spans), target=replace(made.target, spans=spans))
        made = replace(made, projections=made.projections[:1])
    open_writer(name).write([[made]], tmp_path)
    (back,) = open_reader(tmp_path, lang="x").read()
    assert (back.texts, back.spans, back.lang) == (made.target.texts, made.target.spans, "id")


def test_code_switched_columns_are_unlike_each_other():
    schema = switched.schema_of(NAMES)
    assert len(set(schema.names)) == len(schema.names)
    columns = schema.names[2 : 2 + len(NAMES)]
    assert [switched.field_of(column) for column in columns] == NAMES


@pytest.mark.parametrize("languages", [("en", "id"), ("id", "lang_id", "label")])
def test_a_language_may_be_called_like_a_column(tmp_path, languages):
    row = MultiRow("r", {lang: Example("r", lang, {"text": f"in {lang}", "spans": "x"}) for lang in languages})
    open_parallel_writer("multiway").write_rows([row], tmp_path, languages)
    (found,) = datasets.load_from_disk(str(tmp_path))["train"]
    cells = {lang: found[column_of(lang, {"id", "label"}, "lang_")] for lang in languages}
    assert found["id"] == "r" and {lang: cell["text"] for lang, cell in cells.items()} == {
        lang: f"in {lang}" for lang in languages
    }
    assert {cell["text_spans"] for cell in cells.values()} == {"x"}


def test_tasks_of_label_studio_keep_fields_and_sources_apart(tmp_path):
    names = ("text", "source_text", "label_text", "spanferry", "class", "text_class")
    made = row_with(names)
    open_writer("label_studio").write([[made]], tmp_path)
    (task,) = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    assert task["data"]["source_text"] == made.source.texts["text"]
    options = {"predictions": True}
    (back,) = open_reader(tmp_path / "train.json", lang="x", format="label_studio", options=options).read()
    assert back.texts == made.target.texts and back.spans == made.target.spans
    config = (tmp_path / "label_config.xml").read_text(encoding="utf-8")
    tags = [part.split('"')[1] for part in config.split(" name=")[1:]]
    assert len(set(tags)) == len(tags)


def test_our_own_reader_takes_a_code_switched_set_of_two_fields(tmp_path):
    texts = {"question": "Who bought it?", "id": "Anna bought a house."}
    spans = (Span(0, 4, "PER", "s0", "id"),)
    row = MultiRow("r", {"en": Example("r", "en", texts, spans), "es": Example("r", "es", {"id": "Anna compró."})})
    found = done([row])
    tags = tag_names([found.kept])
    write_tables([found.kept], [], tmp_path, switched.schema_of(tuple(texts)), tags)
    data = datasets.load_from_disk(str(tmp_path))["train"]
    assert data.features["ner_tags"].feature.names == ["O", "B-PER", "I-PER"] == list(tags)
    (back,) = open_reader(tmp_path, lang="x").read()
    assert (dict(back.texts), back.spans) == (texts, spans)
