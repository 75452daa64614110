"""Rows of several languages: joining, and Arrow and back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.multiway import (
    SPAN_SCORES,
    MultiRow,
    WordLinks,
    join_cells,
    row_of_pair,
    rows_from_table,
    rows_to_table,
)
from spanferry.corpora.schema import Example, Span
from tests.corpora.parallel_rows import example, row, three
from tests.corpora.writer_rows import failed, pair

LANGUAGES = ("en", "es", "de")


def test_join_takes_each_cell_once():
    english = example("en", "Tom saw Berlin.")
    first = row("7", english, example("es", "Tom vio Berlín."), scores={"es:mt_score": -0.5})
    second = row("7", english, example("de", "Tom sah Berlin."), scores={"de:mt_score": -0.7})
    joined = join_cells("7", [first, second], LANGUAGES)
    assert joined.languages == LANGUAGES
    assert joined.scores == {"es:mt_score": -0.5, "de:mt_score": -0.7}
    assert not joined.missing and not joined.reasons


def test_join_does_not_mix_two_versions_of_a_text():
    first = row("7", example("en", "Tom saw Berlin."), example("es", "Tom vio Berlín."))
    edited = row("7", example("en", "Tom saw Bonn."), example("de", "Tom sah Bonn."))
    joined = join_cells("7", [first, edited], LANGUAGES)
    assert joined.languages == ("en", "es")
    assert joined.missing == {"de": ("join:other_text",)}


def test_missing_cells_say_why_and_too_few_reject():
    source = row("7", example("en", "Tom."), missing={"es": ("language:pt", "copy:number")})
    joined = join_cells("7", [source], LANGUAGES)
    assert joined.missing == {"es": ("language:pt", "copy:number"), "de": ("join:no_row",)}
    assert joined.reasons == ("join:too_few_languages", "es:language:pt", "es:copy:number", "de:join:no_row")
    assert not join_cells("7", [source], LANGUAGES, min_languages=1).reasons


def test_a_cell_that_one_input_rejected_may_come_from_another():
    rejected = row("7", example("en", "Tom."), missing={"es": ("language:pt",)})
    other = row("7", example("es", "Tom."))
    assert join_cells("7", [rejected, other], ("en", "es")).missing == {}


def test_pair_becomes_row_with_scores_of_its_spans():
    made = row_of_pair(pair())
    assert made.languages == ("en", "es")
    assert made.examples["es"].meta[SPAN_SCORES] == {"a": 0.9, "b": 0.5}
    assert made.scores == {"es:mt_score": -0.5}
    assert row_of_pair(failed()).reasons == ("translate:x",)


def test_links_turn_around():
    made = three()
    turned = made.links_of("es", "en", "text")
    assert [(a, b) for a, b, _ in turned.links] == [(0, 0), (1, 1), (2, 2), (4, 3)]
    assert turned.reversed() == made.links_of("en", "es", "text")
    assert made.links_of("es", "de", "text") is None


def test_tables_bring_back_every_row():
    rows = [
        three(),
        MultiRow("empty", {}, missing={"en": ("read:bad_json", "x")}, reasons=("join:too_few_languages",)),
        replace(three("8"), scores={"es:a": 0.25}, split="test"),
    ]
    rows = [replace(r, examples={k: replace(e, id=r.id) for k, e in r.examples.items()}) for r in rows]
    table = rows_to_table(rows)
    assert rows_from_table(table) == rows
    assert rows_from_table(table.slice(1, 2)) == rows[1:], "a slice is a table of its own"
    assert rows_from_table(rows_to_table([])) == []


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@st.composite
def _rows(draw):
    cells = {}
    for lang in draw(st.lists(st.sampled_from(["en", "zh-Hant", "he", "th"]), unique=True)):
        text = draw(_TEXTS)
        start = draw(st.integers(0, len(text) - 1))
        spans = (Span(start, draw(st.integers(start + 1, len(text))), draw(_TEXTS), "s0"),)
        cells[lang] = Example(draw(_TEXTS), lang, {"text": text}, spans, label=draw(st.none() | _TEXTS))
    langs = list(cells)
    links = ()
    if len(langs) > 1:
        pairs = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0, 1)), max_size=3))
        links = (WordLinks(langs[0], langs[1], "text", ((0, 1),), ((0, 1),), tuple(pairs)),)
    return MultiRow(draw(_TEXTS), cells, links, {"fr": ("a:b",)}, {"x": draw(st.floats(-1, 1))})


@given(st.lists(_rows(), max_size=4))
def test_tables_bring_back_any_row(rows):
    assert rows_from_table(rows_to_table(rows)) == rows
