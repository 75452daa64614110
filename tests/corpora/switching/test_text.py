"""Scripts, casing, articles, and what must be copied."""

from typing import Any

import pytest

from spanferry.corpora.switching.constraints.matrix import MatrixConstraint
from spanferry.corpora.switching.units.chunk import ChunkUnits, DocumentUnits
from spanferry.corpora.switching.units.clause import SentenceUnits
from spanferry.corpora.switching.units.phrase import PhraseUnits
from spanferry.corpora.switching.units.span import SpanUnits
from spanferry.corpora.switching.units.word import WordUnits
from tests.corpora.switching_rows import done, quotes, row, switched


def one(
    matrix: str, text: str, labels: list[Any], lang: str, other: str, theirs: list[Any], links: str, **options: Any
):
    found = switched(
        row("r", (matrix, text, labels), (lang, other, theirs, links)), matrix=matrix, languages=(lang,), **options
    )
    return found[0]


@pytest.mark.parametrize(
    ("matrix", "text", "lang", "other", "label", "theirs", "expected"),
    [
        # Into a text without blanks: the other words stand without blanks, but not at each other.
        ("zh", "我住在北京大学。", "en", "I live at Beijing University.", "北京", "Beijing", "我住在Beijing大学。"),
        ("en", "I live in Beijing now.", "zh", "我现在住在北京。", "Beijing", "北京", "I live in 北京 now."),
        ("en", "She met Anna, then left.", "ja", "彼女は安奈に会った。", "Anna", "安奈", "She met 安奈, then left."),
        ("en", "She met Anna.", "he", "היא פגשה את אנה.", "Anna", "אנה", "She met אנה."),
        ("en", "She met Anna.", "ar", "قابلت آنّا.", "Anna", "آنّا", "She met آنّا."),
        ("en", "In Kyiv 🙂 now", "uk", "Зараз у 🙂 Києві", "Kyiv", "Києві", "In Києві 🙂 now"),
        ("th", "ฉันอยู่กรุงเทพ", "en", "I am in Bangkok", "กรุงเทพ", "Bangkok", "ฉันอยู่Bangkok"),
        ("en", "Say 𝒳 to Ålesund", "nb", "Si 𝒳 til Ålesund by", "Ålesund", "Ålesund by", "Say 𝒳 to Ålesund by"),
    ],
)
def test_spans_in_all_scripts(
    matrix: str, text: str, lang: str, other: str, label: str, theirs: str, expected: str
) -> None:
    found = one(matrix, text, [(label, "X")], lang, other, [(theirs, "X")], "", unit=SpanUnits())
    assert found["text"] == expected and quotes(found) == [(theirs, "X")]


def test_words_of_scripts_without_blanks_join_without_blanks_and_others_are_kept_apart() -> None:
    found = one("en", "I drink tea", [], "zh", "我喝茶", [], "0-0 1-1 2-2")
    assert found["text"] == "我喝茶" and [s["unit"] for s in found["switches"]].count("space") == 2
    found = one("zh", "我喝茶", [], "en", "I drink tea", [], "0-0 1-1 2-2")
    assert found["text"] == "I drink tea"
    assert found["tokens"] == ["I", "drink", "tea"] and found["langs"] == ["en", "en", "en"]


@pytest.mark.parametrize(
    ("text", "other", "links", "expected"),
    [
        # The word of the new beginning gets the capital, that of the old one loses it.
        ("Today we sing", "Wir singen heute", "0-2 1-0 2-1", "Heute wir singen"),
        # German nouns keep theirs; what is not a noun, or is written small elsewhere, does not.
        ("we buy houses", "Häuser kaufen wir", "0-2 1-1 2-0", "wir kaufen Häuser"),
        ("we now sing", "Jetzt singen wir", "0-2 1-0 2-1", "wir jetzt singen"),
        ("we often sing often", "Oft singen wir oft", "0-2 1-0 2-1 3-3", "wir oft singen oft"),
        ("NATO sings", "Es singt die NATO", "1-1", "NATO singt"),
    ],
)
def test_one_rule_of_casing(text: str, other: str, links: str, expected: str) -> None:
    assert one("en", text, [], "de", other, [], links)["text"] == expected


def test_a_second_sentence_and_a_name() -> None:
    found = one("en", 'He left. "Now we sing."', [], "es", 'Se fue. "Ahora cantamos."', [], "4-4 6-5 5-5")
    assert found["text"] == 'He left. "Ahora we sing."'
    found = one("en", "we saw anna", [("anna", "PER")], "es", "Ana vimos", [("Ana", "PER")], "", unit=SpanUnits())
    assert found["text"] == "we saw Ana"


def test_articles_are_not_doubled() -> None:
    options: dict[str, Any] = {"unit": SpanUnits()}
    found = one("en", "the House rose", [("House", "ORG")], "es", "la Cámara", [("la Cámara", "ORG")], "", **options)
    assert found["text"] == "the Cámara rose"
    found = one("en", "House rose", [("House", "ORG")], "es", "la Cámara", [("la Cámara", "ORG")], "", **options)
    assert found["text"] == "La Cámara rose"
    found = one("en", "he lives in the house", [], "de", "er lebt im Haus", [], "0-0 1-1 2-2 4-3")
    assert found["text"] == "er lebt in the Haus"


def test_marks_are_neither_lost_nor_doubled() -> None:
    unit = PhraseUnits(max_words=3)
    found = one("en", "Stop, my friend!", [], "es", "¡Alto, amigo mío!", [], "0-1 1-2 2-4 3-3 4-5", unit=unit)
    assert found["text"] == "Alto, amigo mío!"
    whole = one(
        "en", "Stop, my friend!", [], "es", "¡Alto, amigo mío!", [], "0-1 1-2 2-4 3-3 4-5", unit=SentenceUnits()
    )
    assert whole["text"] == "¡Alto, amigo mío!"


@pytest.mark.parametrize(
    "kept",
    ["https://example.org/new/house", "info@example.org", "{new_house}", "%(new)s", "`new house`", "<b new>", "$new",
     "#new", "25", "10:30", "new_house"],
)  # fmt: skip
def test_never_inside_what_must_be_copied(kept: str) -> None:
    text, other = f"See {kept} and sing", f"Mira {kept} y canta"
    from spanferry.corpora.text.words import words

    links = " ".join(f"{k}-{k}" for k in range(len(words(text))))
    for unit in (WordUnits(), PhraseUnits(), ChunkUnits(size=2), DocumentUnits()):
        found = one("en", text, [], "es", other, [], links, unit=unit)
        assert found["text"] == other
        assert not any(s["source_text"] == "new" for s in found["switches"])
    # The counterpart lost it: the unit stays.
    lost = one("en", text, [], "es", "Mira y canta", [], "", unit=DocumentUnits())
    assert lost["text"] == text and lost["unswitched"] == "copied"


def test_the_matrix_frame_by_tags_and_without_them() -> None:
    links = "0-0 1-1 2-2 3-4 4-3 5-5"
    rows = [
        row("a", ("en", "She sees the red house .", []), ("es", "Ella ve la casa roja .", [], links), meta=meta)
        for meta in ({"pos": ["PRON", "VERB", "DET", "ADJ", "NOUN", "PUNCT"]}, {})
    ]
    found = [switched(r, constraint=MatrixConstraint())[0]["text"] for r in rows]
    # Without tags: the alignment form of the equivalence constraint.
    assert found == ["She sees the roja casa .", "Ella ve la red house ."]
    phrase = done(rows[:1], unit=PhraseUnits(max_words=3), constraint=MatrixConstraint()).kept["text"].to_pylist()
    assert phrase == ["She sees the casa roja ."]


def test_tags_of_a_spacy_pipeline(tmp_path: Any) -> None:
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    for word, tag in (("she", "PRON"), ("sees", "VERB"), ("the", "DET"), ("red", "ADJ"), ("house", "NOUN")):
        ruler.add([[{"LOWER": word}]], {"POS": tag})
    nlp.to_disk(tmp_path / "tagger")
    found = switched(
        row("a", ("en", "She sees the red house.", []), ("es", "Ella ve la casa roja.", [], "0-0 1-1 2-2 3-4 4-3")),
        constraint=MatrixConstraint(tags=f"spacy:{tmp_path / 'tagger'}"),
    )
    assert found[0]["text"] == "She sees the roja casa."
