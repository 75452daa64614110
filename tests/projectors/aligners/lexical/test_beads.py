"""Sentences that belong together: in several scripts, joined by the translator, and where nothing is sure."""

from itertools import pairwise

import numpy as np
import pytest

from spanferry.corpora.text.word_breaks import words_of
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.beads import beads
from spanferry.projectors.base import ProjectionInput

ENGLISH = (
    "The ferry leaves the harbour at 7:30 every morning. Tickets cost 12 euros. "
    "Children under six, dogs and bicycles travel free of charge on all days except Sundays! Is there a restaurant?"
)


def parted(source: str, target: str, language: str) -> list[tuple[str, str]]:
    """The beads as texts; that they hold every word once and in order is checked on the way."""
    left, right = words_of(source, "en"), words_of(target, language)
    found = beads(source, left, target, right)
    edges = [(0, 0), *((b, d) for (_, b), (_, d) in found)]
    assert [((a, b), (c, d)) for (a, c), (b, d) in pairwise(edges)] == found
    assert edges[-1] == (len(left), len(right))
    return [(source[left[a][0] : left[b - 1][1]], target[right[c][0] : right[d - 1][1]]) for (a, b), (c, d) in found]


@pytest.mark.parametrize(
    ("language", "target"),
    [
        (
            "es",
            "El transbordador sale del puerto a las 7:30 todas las mañanas. Los billetes cuestan 12 euros. ¡Los niños "
            "menores de seis años, los perros y las bicicletas viajan gratis todos los días excepto los domingos! "
            "¿Hay un restaurante?",
        ),
        (
            "zh",
            "渡轮每天早上7:30离开港口。票价为12欧元。六岁以下的儿童、狗和自行车除星期日外每天都可以免费乘坐！有餐厅吗？",
        ),
        (
            "ar",
            "تغادر العبارة الميناء في الساعة 7:30 كل صباح. ثمن التذاكر 12 يورو. يسافر الأطفال دون السادسة والكلاب "
            "والدراجات مجانا في جميع الأيام ما عدا أيام الأحد! هل يوجد مطعم؟",
        ),
        (
            "hi",
            "नौका हर सुबह 7:30 बजे बंदरगाह से निकलती है। टिकट 12 यूरो का है। छह साल से छोटे बच्चे, कुत्ते और साइकिलें "
            "रविवार को छोड़कर सभी दिन मुफ़्त यात्रा करते हैं! क्या वहाँ कोई रेस्तराँ है?",
        ),
    ],
)
def test_one_against_one_in_every_script(language: str, target: str) -> None:
    found = parted(ENGLISH, target, language)
    assert [source for source, _ in found] == [
        "The ferry leaves the harbour at 7:30 every morning.",
        "Tickets cost 12 euros.",
        "Children under six, dogs and bicycles travel free of charge on all days except Sundays!",
        "Is there a restaurant?",
    ]
    assert "".join(piece for _, piece in found).replace(" ", "") == target.replace(" ", "")


def test_what_the_translator_joined_stays_together() -> None:
    target = (
        "Die Fähre verlässt den Hafen jeden Morgen um 7:30, und Fahrkarten kosten 12 Euro. Kinder unter sechs, Hunde "
        "und Fahrräder fahren an allen Tagen außer sonntags kostenlos mit! Gibt es ein Restaurant?"
    )
    found = parted(ENGLISH, target, "de")
    assert found[0][0].endswith("12 euros.") and found[0][1].endswith("12 Euro.")
    assert [source for source, _ in found[1:]] == [
        "Children under six, dogs and bicycles travel free of charge on all days except Sundays!",
        "Is there a restaurant?",
    ]


def test_initials_and_numbers_end_no_sentence() -> None:
    source, target = (
        "Ms J. K. Marlow paid 3.50 in Leeds. She left.",
        "Frau J. K. Marlow bezahlte 3.50 in Leeds. Sie ging.",
    )
    assert parted(source, target, "de") == [
        ("Ms J. K. Marlow paid 3.50 in Leeds.", "Frau J. K. Marlow bezahlte 3.50 in Leeds."),
        ("She left.", "Sie ging."),
    ]


def test_single_sentences_and_what_is_not_sure_stay_whole() -> None:
    assert parted("One. Two.", "Eins und zwei", "de") == [("One. Two.", "Eins und zwei")]
    assert parted("Yes.", "Ja. Gut.", "de") == [("Yes.", "Ja. Gut.")]
    # Four short ones against three: which were joined is undecidable.
    assert len(parted("Yes. No. Yes. No.", "Ja ja. Nein. Ja.", "de")) < 3


def test_words_of_other_sentences_take_no_part() -> None:
    source = ENGLISH
    target = (
        "El transbordador sale del puerto a las 7:30 todas las mañanas. Los billetes cuestan 12 euros. ¡Los niños "
        "menores de seis años, los perros y las bicicletas viajan gratis todos los días excepto los domingos! "
        "¿Hay un restaurante?"
    )
    item = ProjectionInput("p", source, target, (), "en", "es")
    alignment = LexicalAligner(prior=None).fit([item]).align([item])[0]
    left = sum(end <= source.index("Tickets") for _, end in alignment.source_words)
    right = sum(end <= target.index("Los billetes") for _, end in alignment.target_words)
    for way in (alignment.probabilities, alignment.forward, alignment.backward):
        assert way is not None and way[:left, :right].any() and way[left:, right:].any()
        assert not np.any(way[:left, right:]) and not np.any(way[left:, :right])
