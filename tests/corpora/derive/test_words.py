"""Derived sets that follow from word links, against what was worked out by hand."""

from spanferry.corpora.derive import open_derivation
from spanferry.corpora.derive.lexicon import Lexicon
from spanferry.corpora.switching.counterparts.dictionary import read_dictionary
from tests.corpora.derived import derive
from tests.corpora.parallel_rows import example, row


def test_dictionary_counts_and_probabilities():
    rows = [
        row("1", example("en", "The house"), example("de", "Das Haus"), links=[("en", "de", "0-0 1-1")]),
        row("2", example("en", "the house"), example("de", "das Gebäude"), links=[("en", "de", "0-0 1-1")]),
        row(
            "3", example("en", "old house, 5"), example("de", "altes Haus, 5"), links=[("en", "de", "0-0 1-1 2-2 3-3")]
        ),
    ]
    found = {(r.values["source"], r.values["target"]): r.values for r in derive("dictionary", rows)}
    assert set(found) == {("the", "das"), ("house", "Haus"), ("house", "Gebäude"), ("old", "altes")}
    haus = found["house", "Haus"]
    assert (haus["count"], haus["p_target_given_source"], haus["p_source_given_target"]) == (2, 2 / 3, 1.0)
    assert found["the", "das"]["count"] == 2, "case does not count"
    turned = {
        (r.values["source"], r.values["target"]): r.values for r in derive("dictionary", rows, directions=["de-en"])
    }
    assert turned["Haus", "house"]["p_target_given_source"] == 1.0
    rare = derive("dictionary", rows, min_count=2)
    assert {r.reasons for r in rare} == {(), ("dictionary:rare",)}
    assert {r.texts["source"] for r in rare if r.reasons} == {"house", "old"}
    kept = {(r.values["source"], r.values["target"]) for r in derive("dictionary", rows, case="keep", words_only=False)}
    assert {("The", "Das"), ("the", "das"), (",", ","), ("5", "5")} <= kept


def test_dictionary_side_files():
    rows = [row("1", example("en", "old house"), example("de", "altes Haus"), links=[("en", "de", "0-0 1-1")])]
    derivation = open_derivation("dictionary")
    lines = list(derivation.side_files(r.values for r in derivation.derive(rows)))
    assert lines == [
        ("en-de.tsv", "source\ttarget\tcount\tp_target_given_source\tp_source_given_target\n"),
        ("en-de.tsv", "house\tHaus\t1\t1\t1\n"),
        ("en-de.tsv", "old\taltes\t1\t1\t1\n"),
    ]


def test_dictionary_is_one_for_code_switching(tmp_path):
    rows = [
        row(str(i), example("en", "old house"), example("de", f"altes {word}"), links=[("en", "de", "0-0 1-1")])
        for i, word in enumerate(["Haus", "Haus", "Haus", "Gebäude"])
    ]
    derivation = open_derivation("dictionary")
    path = tmp_path / "en-de.tsv"
    lines = derivation.side_files(r.values for r in derivation.derive(rows))
    path.write_text("".join(line for _, line in lines), encoding="utf-8")
    assert {word: dict(found) for word, found in read_dictionary(str(path)).items()} == {
        "house": {"Haus": 0.75, "Gebäude": 0.25},
        "old": {"altes": 1.0},
    }


def test_usual_spelling_is_the_most_frequent():
    rows = [
        row(str(i), example("en", a), example("de", b), links=[("en", "de", "0-0")])
        for i, (a, b) in enumerate([("Run", "Lauf"), ("run", "lauf"), ("run", "Lauf")])
    ]
    lexicon = Lexicon().add(rows)
    assert [(e.source, e.target, e.count) for e in lexicon.entries(("en", "de"))] == [("run", "Lauf", 3)]


def test_realignment_pairs_are_one_to_one_and_differ():
    cell = row(
        "1",
        example("en", "Tom saw the old house."),
        example("de", "Tom sah das alte Haus."),
        links=[("en", "de", "0-0 1-1 2-2 3-2 4-4 4-3 5-5")],
    )
    other = row("2", example("en", "Tom"), example("de", "Tom"), links=[("en", "de", "0-0")])
    found = derive("realignment", [cell, other])
    assert found[0].values["left_tokens"] == ["Tom", "saw", "the", "old", "house", "."]
    pairs = list(zip(found[0].values["left_positions"], found[0].values["right_positions"], strict=True))
    assert pairs == [(1, 1)], "Tom is the same in both, das and house have two links, the full stop is not a word"
    assert found[0].values["left_starts"] == [0, 4, 8, 12, 16, 21]
    assert found[1].reasons == ("realignment:no_pairs",)
    assert derive("realignment", [row("3", example("en", "a"), example("de", "b"))])[0].reasons == (
        "realignment:no_links",
    )


def test_dictionary_chains_by_hand():
    rows = [
        row(
            str(i),
            example("en", "The old house fell."),
            example("es", "La casa vieja cayó."),
            example("de", "Das alte Haus fiel."),
            links=[("en", "es", "0-0 1-2 2-1 3-3 4-4"), ("en", "de", "0-0 1-1 2-2 3-3 4-4")],
        )
        for i in range(2)
    ]
    extra = row("x", example("en", "The end"), example("es", "La meta"), links=[("en", "es", "0-0 1-1")])
    found = derive("dictionary-chains", [*rows, extra], directions=["en-es"], words=3)
    assert found[0].values["chains"] == [["old", "vieja", "alte"], ["house", "casa", "Haus"], ["fell", "cayó", "fiel"]]
    assert found[0].values["prompt"] == (
        '"old" means "vieja" means "alte".\n"house" means "casa" means "Haus".\n"fell" means "cayó" means "fiel".\n'
        "Translate this text from English into Spanish:\nThe old house fell.\nSpanish:"
    ), "the three rarest words, in the order of the text"
    assert found[0].values["completion"] == " La casa vieja cayó."
    assert found[2].values["chains"] == [["The", "La", "Das"]], "'end' was linked once only"
