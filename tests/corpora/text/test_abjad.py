"""Words of Arabic and Hebrew script: one spelling, what is written together, and how names sound."""

import pytest

from spanferry.corpora.text.abjad import bare, light_stem, normal, sound, sounds, without_prefix


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Straße", "straße"),
        ("İzmir", "İzmir".lower()),
        ("كِتَابٌ", "كتاب"),
        ("مـــدرسة", "مدرسه"),
        ("إلى", "الي"),
        ("آخر", "اخر"),
        ("שָׁלוֹם", "שלום"),
        ("ـ", "ـ"),  # nothing would be left
        ("2024", "2024"),
        ("京都", "京都"),
    ],
)
def test_one_spelling(word: str, expected: str) -> None:
    assert normal(word) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("المطار", "مطار"),
        ("والمطار", "مطار"),
        ("بالمطار", "مطار"),
        ("للمطار", "مطار"),
        ("الْمَطَار", "مطار"),
        ("ألمانيا", "المانيا"),  # a written hamza is not an article
        ("الى", "الي"),  # too little would be left
        ("وليد", "وليد"),
        ("Alhambra", "alhambra"),
        ("הים", "הים"),
    ],
)
def test_without_the_article(word: str, expected: str) -> None:
    assert bare(word) == expected


def test_known_words_show_the_prefixes() -> None:
    known = {"بيروت", "חיפה", "لبنان"}
    assert without_prefix("ببيروت", known) == "بيروت" and without_prefix("وبيروت", known) == "بيروت"
    assert without_prefix("ובחיפה", known) == without_prefix("בחיפה", known) == "חיפה"
    assert without_prefix("لبنان", known) == "" and without_prefix("ببيروت", ()) == ""
    assert light_stem("ببيروت", known) == light_stem("بيروت", known) == "بيروت"
    assert light_stem("والمدارس", ()) == light_stem("مدارس", ()) == "مدارس"
    assert light_stem("مدرسون", ()) == light_stem("المدرسين", ()) == "مدرس"


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("Copenhagen", ["كوبنهاغن", "كوبنهاجن"]),
        ("Victoria", ["فيكتوريا", "ויקטוריה"]),
        ("Haifa", ["حيفا", "חיפה"]),
        ("London", ["لندن", "לונדון"]),
        ("Tesla", ["تيسلا", "טסלה"]),
        ("Mexico", ["مكسيكو"]),
        ("Cicely", ["سيسلي"]),
    ],
)
def test_names_sound_the_same(name: str, others: list[str]) -> None:
    assert {sound(other) for other in others} == {sound(name)}


def test_a_word_may_sound_as_it_does_without_its_prefix() -> None:
    assert sounds("بكوبنهاغن") == ("b" + sound("Copenhagen"), sound("Copenhagen"))
    assert sounds("والدنمارك") == (sound("Denmark"), sound("Denmark"))
    assert sound("New York") == sound("نيو يورك") == "n rk"
    assert sound("42 %") == ""
