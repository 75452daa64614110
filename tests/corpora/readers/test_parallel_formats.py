"""Parallel formats: what is written, what comes back, what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError, InputError, OutputError, RowError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.readers.moses import MosesReader, TsvReader, parse_pharaoh
from spanferry.corpora.readers.multiway import CellReader, open_parallel
from spanferry.corpora.readers.tmx import TmxReader
from spanferry.corpora.schema import Example, Span
from spanferry.corpora.writers import open_writer
from spanferry.corpora.writers.parallel import PARALLEL_WRITERS, open_parallel_writer
from tests.corpora.parallel_rows import example, row, three
from tests.corpora.writer_rows import failed, pair

LANGUAGES = ["en", "es", "de"]


def plain(made: MultiRow) -> MultiRow:
    """The row without spans, which text formats don't hold."""
    return replace(made, examples={lang: replace(e, spans=()) for lang, e in made.examples.items()})


ROWS = [
    three("a"),
    row("b", example("en", "Good day."), example("de", "Guten Tag.")),
    row("c", example("es", "Hola <mundo> & «más»")).rejected("join:too_few_languages"),
    three("d", split="test"),
]


def load(place: Path):
    import datasets

    return datasets.load_from_disk(str(place)), datasets.load_from_disk(str(place / "rejected"))


def test_multiway_has_a_column_per_language(tmp_path: Path) -> None:
    report = open_parallel_writer("multiway").write_rows(ROWS, tmp_path, LANGUAGES)
    data, rejected = load(tmp_path)
    assert report.rows == {"train": 2, "test": 1, "rejected": 1}
    first, second = data["train"]
    assert first["es"]["text"] == "Tom vio Berlín 😀."
    span = first["es"]["spans"][1]
    assert first["es"]["text"][span["start"] : span["end"]] == "Berlín"
    assert [s["id"] for s in first["en"]["spans"]] == ["a", "b"]
    assert [(k["source_lang"], k["target_lang"], k["alignment"]) for k in first["links"]] == [
        ("en", "es", "0-0 1-1 2-2 3-4"),
        ("en", "de", "0-0 1-1 2-2 3-3"),
    ]
    assert second["es"] is None and second["de"]["text"] == "Guten Tag."
    assert rejected[0]["reasons"] == ["join:too_few_languages"]
    assert json.loads(rejected[0]["texts"]) == {"es": {"text": "Hola <mundo> & «más»"}}


def test_bilingual_has_spans_words_and_links(tmp_path: Path) -> None:
    open_parallel_writer("bilingual", {"directions": ["es-en"]}).write_rows(ROWS, tmp_path, LANGUAGES)
    data, _ = load(tmp_path)
    [made] = data["train"]
    assert (made["id"], made["source"], made["target"]) == ("a_es-en", "Tom vio Berlín 😀.", "Tom saw Berlin.")
    assert made["alignment"] == "0-0 1-1 2-2 4-3", "the links are turned around"
    words = [made["source"][w["start"] : w["end"]] for w in made["source_words"]]
    assert words == ["Tom", "vio", "Berlín", "😀", "."]
    for side in ("source", "target"):
        quotes = {s["id"]: made[side][s["start"] : s["end"]] for s in made[f"{side}_spans"]}
        assert quotes["b"] in ("Berlin", "Berlín")
    assert made["probabilities"] == [0.9] * 4


def test_translation_features(tmp_path: Path) -> None:
    import datasets

    writer = open_parallel_writer("translation")
    writer.write_rows([ROWS[0], ROWS[3]], tmp_path / "fixed", LANGUAGES)
    writer.write_rows(ROWS, tmp_path / "variable", LANGUAGES)
    fixed, variable = load(tmp_path / "fixed")[0], load(tmp_path / "variable")[0]
    assert fixed["train"].features["translation"] == datasets.Translation(["de", "en", "es"])
    assert fixed["train"][0]["translation"] == {
        "de": "Tom sah Berlin.",
        "en": "Tom saw Berlin.",
        "es": "Tom vio Berlín 😀.",
    }
    assert isinstance(variable["train"].features["translation"], datasets.TranslationVariableLanguages)
    assert variable["train"][1]["translation"] == {"language": ["de", "en"], "translation": ["Guten Tag.", "Good day."]}
    spans = {(s["lang"], s["id"]): s for s in fixed["train"][0]["spans"]}
    assert set(spans) == {("en", "a"), ("en", "b"), ("es", "a"), ("es", "b"), ("de", "a")}
    with pytest.raises(OutputError, match="without es"):
        open_parallel_writer("translation", {"feature": "fixed"}).write_rows(ROWS, tmp_path / "no", LANGUAGES)


def test_tmx_comes_back_with_its_spans(tmp_path: Path) -> None:
    report = open_parallel_writer("tmx").write_rows(ROWS, tmp_path, LANGUAGES)
    assert report.rows == {"train": 2, "test": 1, "rejected": 1} and not report.lost
    tree = ElementTree.parse(tmp_path / "train.tmx")
    assert tree.getroot().attrib == {"version": "1.4"}
    assert tree.find("header").attrib["srclang"] == "en"
    found = list(TmxReader(tmp_path / "train.tmx").read())
    assert [r.id for r in found] == ["a", "b"]
    for made, original in zip(found, ROWS[:2], strict=True):
        for lang, cell in original.examples.items():
            assert made.examples[lang].text == cell.text
            assert [(s.start, s.end, s.label) for s in made.examples[lang].spans] == [
                (s.start, s.end, s.label) for s in cell.spans
            ]
    ids = {lang: {e.quote(s): s.id for s in e.spans} for lang, e in found[0].examples.items()}
    assert ids["en"]["Berlin"] == ids["es"]["Berlín"] == "x2", "the same number on both sides"
    [rejected] = TmxReader(tmp_path / "rejected.tmx").read()
    assert rejected.examples["es"].text == "Hola <mundo> & «más»"


def test_tmx_nests_and_refuses_what_crosses(tmp_path: Path) -> None:
    text = "New York University, New York"
    nested = (Span(0, 19, "ORG", "a"), Span(0, 8, "LOC", "b"), Span(4, 8, "X", "c"))
    cells = {"en": Example("1", "en", {"text": text}, nested), "es": Example("1", "es", {"text": "NYU"})}
    open_parallel_writer("tmx").write_rows([MultiRow("1", cells)], tmp_path, ["en", "es"])
    [made] = TmxReader(tmp_path / "train.tmx").read()
    assert {(s.start, s.end, s.label) for s in made.examples["en"].spans} == {
        (0, 19, "ORG"),
        (0, 8, "LOC"),
        (4, 8, "X"),
    }
    crossing = (Span(0, 8, "A", "a"), Span(4, 19, "B", "b"))
    cells["en"] = replace(cells["en"], spans=crossing)
    with pytest.raises(OutputError, match=r"overlap.*\n.*\n.*allow_loss"):
        open_parallel_writer("tmx").write_rows([MultiRow("1", cells)], tmp_path, ["en", "es"])
    report = open_parallel_writer("tmx", {"allow_loss": True}).write_rows(
        [MultiRow("1", cells)], tmp_path, ["en", "es"]
    )
    assert report.lost == {"overlap": 1}


def test_tmx_of_other_tools(tmp_path: Path) -> None:
    path = tmp_path / "tool.tmx"
    path.write_text(
        '<?xml version="1.0"?><tmx version="1.1"><header/><body>'
        '<tu><tuv lang="EN"><seg>Press <bpt i="1">&lt;b&gt;</bpt>OK<ept i="1">&lt;/b&gt;</ept> now.</seg></tuv>'
        '<tuv lang="DE"><seg>Jetzt <ph x="1"/>OK drücken.</seg></tuv></tu>'
        '<tu tuid="two"><tuv xml:lang="EN"><seg> </seg></tuv><tuv xml:lang="DE"><seg>Ja</seg></tuv></tu>'
        "</body></tmx>",
        encoding="utf-8",
    )
    first, second = TmxReader(path).read()
    assert (first.id, {lang: e.text for lang, e in first.examples.items()}) == (
        "1",
        {"en": "Press OK now.", "de": "Jetzt OK drücken."},
    )
    assert (second.id, second.languages, second.missing) == ("two", ("de",), {"en": ("read:empty_text",)})
    path.write_text("<tmx><body><tu>", encoding="utf-8")
    with pytest.raises(InputError, match="no XML"):
        list(TmxReader(path).read())


_XML_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("<>&\"'\t\n\r"),
    min_size=1,
    max_size=20,
).filter(str.strip)


@settings(max_examples=40)
@given(texts=st.lists(_XML_TEXTS, min_size=2, max_size=2), data=st.data())
def test_tmx_holds_any_text(texts, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tmx")
    cells = {}
    for lang, text in zip(("en", "he"), texts, strict=True):
        start = data.draw(st.integers(0, len(text) - 1))
        spans = (Span(start, data.draw(st.integers(start + 1, len(text))), data.draw(_XML_TEXTS), "s"),)
        cells[lang] = Example("1", lang, {"text": text}, spans)
    open_parallel_writer("tmx").write_rows([MultiRow("1", cells)], folder, ["en", "he"])
    [made] = TmxReader(folder / "train.tmx").read()
    for lang, cell in cells.items():
        assert made.examples[lang].text == cell.text
        assert [(s.start, s.end, s.label) for s in made.examples[lang].spans] == [
            (s.start, s.end, s.label) for s in cell.spans
        ]


def test_moses_comes_back_with_its_links(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="labelled spans"):
        open_parallel_writer("moses").write_rows(ROWS, tmp_path, LANGUAGES)
    rows = [plain(made) for made in ROWS]
    report = open_parallel_writer("moses").write_rows(rows, tmp_path, LANGUAGES)
    assert not report.lost
    lines = {path.name: path.read_text(encoding="utf-8").split("\n")[:-1] for path in tmp_path.iterdir()}
    assert lines["train.es"] == ["Tom vio Berlín 😀.", ""]
    assert lines["train.ids"] == ["a", "b"]
    assert lines["train.en-es.align"] == ["0-0 1-1 2-2 3-4", ""]
    assert lines["train.en-es.tok.es"] == ["Tom vio Berlín 😀 .", ""]
    assert lines["rejected.es"] == ["Hola <mundo> & «más»"]
    found = list(MosesReader(tmp_path / "train", langs=("en", "es", "de")).read())
    assert [(r.id, dict(r.missing)) for r in found] == [("a", {}), ("b", {"es": ("read:empty_text",)})]
    assert {lang: e.text for lang, e in found[0].examples.items()} == {
        lang: e.text for lang, e in rows[0].examples.items()
    }
    assert [(k.source_lang, k.target_lang, k.source_words, k.target_words) for k in found[0].links] == [
        (k.source_lang, k.target_lang, k.source_words, k.target_words) for k in rows[0].links
    ]
    assert [[link[:2] for link in k.links] for k in found[0].links] == [
        [link[:2] for link in k.links] for k in rows[0].links
    ]


def test_moses_counts_what_it_loses(tmp_path: Path) -> None:
    made = row("1", example("en", "Two\nlines.", [("Two", "X", "a")]), example("es", "Dos\r\nlíneas."))
    report = open_parallel_writer("moses", {"allow_loss": True}).write_rows([made], tmp_path, ["en", "es"])
    assert report.lost == {"line_breaks": 2, "spans": 1}
    assert (tmp_path / "train.es").read_text(encoding="utf-8") == "Dos líneas.\n"


def test_moses_tokenised_text_is_written_together(tmp_path: Path) -> None:
    (tmp_path / "x.en").write_text("It 's late .\nYes\n", encoding="utf-8")
    (tmp_path / "x.fr").write_text("Il est tard .\nOui\n", encoding="utf-8")
    (tmp_path / "x.en-fr.align").write_text("0-0 1-1 2-2 3-3\n0-7\n", encoding="utf-8")
    first, second = MosesReader(tmp_path / "x").read()
    assert first.examples["en"].text == "It's late."
    assert first.examples["en"].tokens["text"] == ((0, 2), (2, 4), (5, 9), (9, 10))
    assert first.links[0].source_words == first.examples["en"].tokens["text"]
    assert second.links == () and second.missing == {"en-fr": ("read:bad_alignment",)}
    (tmp_path / "x.fr").write_text("Il est tard .\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.fr: ends before line 2"):
        list(MosesReader(tmp_path / "x").read())


def test_tsv_with_ids_and_links(tmp_path: Path) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text("r1\tan old house\tein altes Haus\t0-0 1-1 2-2:0.5\nr2\tbroken\n", encoding="utf-8")
    reader = TsvReader(path, columns=("id", "en", "de", "en-de"))
    assert reader.languages == ("en", "de")
    first, second = reader.read()
    assert (first.id, first.split, first.links[0].links) == (
        "r1",
        "validation",
        ((0, 0, 1.0), (1, 1, 1.0), (2, 2, 0.5)),
    )
    assert second.reasons == ("read:bad_columns",)
    with pytest.raises(ConfigError, match="columns"):
        TsvReader(path)


def test_pharaoh_lines():
    assert parse_pharaoh("2-0 0-1 0-1 1p1", 3, 2) == ((0, 1, 1.0), (1, 1, 1.0), (2, 0, 1.0))
    for bad in ("0:1", "0-2", "3-0", "a-b"):
        with pytest.raises(RowError) as caught:
            parse_pharaoh(bad, 3, 2)
        assert caught.value.reason == "bad_alignment"


def test_span_ids_that_a_reader_made_up_are_no_counterparts(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    spans = [{"start": 0, "end": 1, "label": "A"}, {"start": 2, "end": 3, "label": "B", "id": "mine"}]
    relations = [{"head": "s0", "tail": "mine", "label": "r"}]
    path.write_text(json.dumps({"id": "a", "text": "X Y", "spans": spans, "relations": relations}), encoding="utf-8")
    [own], [shared] = ([*open_parallel(f"de={path}", shared_ids=given)[0].read()] for given in (False, True))
    assert [s.id for s in own.examples["de"].spans] == ["de.s0", "mine"]
    assert own.examples["de"].relations[0].head == "de.s0"
    assert [s.id for s in shared.examples["de"].spans] == ["s0", "mine"]


def test_inputs_are_distinguished(tmp_path: Path) -> None:
    text = tmp_path / "x.jsonl"
    text.write_text('{"id": "a", "text": "Hi"}\n{"id": "b"}\n', encoding="utf-8")
    [reader] = open_parallel(f"de={text}")
    assert isinstance(reader, CellReader)
    first, second = reader.read()
    assert (first.id, first.examples["de"].lang) == ("a", "de")
    assert (second.examples, second.missing) == ({}, {"de": ("read:no_text",)})
    with pytest.raises(ConfigError, match="LANG=FILE"):
        open_parallel(str(tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["translation", "moses", "tmx"])
def test_pairs_can_be_written_too(name: str, tmp_path: Path) -> None:
    made = [pair(0), pair(1, split="test"), pair(2, kept=False), failed()]
    options = {} if name == "translation" else {"allow_loss": True}
    report = open_writer(name, options).write(iter([made[:2], made[2:]]), tmp_path)
    assert report.rows == {"train": 1, "test": 1, "rejected": 2}


@pytest.mark.parametrize("name", PARALLEL_WRITERS)
def test_the_same_rows_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    rows = [plain(made) for made in ROWS] if name == "moses" else ROWS
    for folder in ("one", "two"):
        open_parallel_writer(name).write_rows(rows, tmp_path / folder, LANGUAGES)
        open_parallel_writer(name).write_rows(rows, tmp_path / folder, LANGUAGES)  # over itself
    names = [p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file()]
    assert names
    for path in names:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
