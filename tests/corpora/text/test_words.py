"""Words and their offsets, in every script."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.text.words import word_strings, words

TABLE = [
    ("It costs 10.5 % at 16:30.", ["It", "costs", "10.5", "%", "at", "16:30", "."]),
    ("l'eau d’un well-known", ["l'", "eau", "d’", "un", "well-known"]),
    ("the 'Bug' is Europe's, don’t", ["the", "'", "Bug", "'", "is", "Europe", "'s", ",", "don", "’t"]),
    ("dell'arte aujourd'hui l'a THEY'LL", ["dell'", "arte", "aujourd'", "hui", "l'", "a", "THEY", "'LL"]),
    ("Straße – «Größe»", ["Straße", "–", "«", "Größe", "»"]),
    ("Он живёт в Москве.", ["Он", "живёт", "в", "Москве", "."]),
    ("Η Αθήνα;", ["Η", "Αθήνα", ";"]),
    ("שלום עולם", ["שלום", "עולם"]),
    ("يعيش في القاهرة", ["يعيش", "في", "القاهرة"]),
    ("कोलकाता में", ["कोलकाता", "में"]),
    ("我住在北京。", ["我", "住", "在", "北", "京", "。"]),
    ("東京でリマインダーを", ["東", "京", "で", "リマインダー", "を"]),
    ("서울에 산다", ["서울에", "산다"]),
    ("cafe\u0301 e\u0301", ["cafe\u0301", "e\u0301"]),
    ("ok 👩‍🚀👍🏽!", ["ok", "👩‍🚀", "👍🏽", "!"]),
    ("🇪🇸🇩🇪 1️⃣ ❤️", ["🇪🇸", "🇩🇪", "1️⃣", "❤️"]),
    (
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!",
        ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "!"],
    ),
    ("カ\u3099ラスは", ["カ\u3099ラス", "は"]),
    ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
    ("ශ්\u200dරී ලංකා", ["ශ්\u200dරී", "ලංකා"]),
    ("അവന്\u200d വന്നു", ["അവന്\u200d", "വന്നു"]),
    ("Bundes\u00adregierung \u00ad a\u00ad", ["Bundes\u00adregierung", "\u00ad", "a", "\u00ad"]),
    ("בירושלים\u200f.", ["בירושלים", "\u200f", "."]),
    ("𝒳 𐐷", ["𝒳", "𐐷"]),
    ("a_b {0}", ["a_b", "{", "0", "}"]),
    (" \t\n", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[repr(text) for text, _ in TABLE])
def test_words(text: str, expected: list[str]) -> None:
    assert word_strings(text, words(text)) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_every_visible_character_is_in_exactly_one_word(text: str) -> None:
    ranges = words(text)
    assert all(a < b for a, b in ranges)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
    between = "".join(
        text[a:b] for a, b in zip([0, *(b for _, b in ranges)], [*(a for a, _ in ranges), len(text)], strict=True)
    )
    assert not between.strip()
