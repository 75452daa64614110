"""Words of scripts without spaces, by the dictionaries of their languages, and their offsets."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.text.word_breaks import dictionaries, words_of
from spanferry.corpora.text.words import word_strings, words

TABLE = [
    ("zh", "我的姐姐住在上海。", ["我", "的", "姐姐", "住", "在", "上海", "。"]),
    ("zh-Hans", "他昨天买了3本书", ["他", "昨天", "买", "了", "3", "本书"]),
    ("zh-Hans", "她在上海大学读书", ["她", "在", "上海", "大学", "读书"]),
    ("zh-TW", "圖書館在機場旁邊", ["圖書館", "在", "機場", "旁邊"]),
    ("zh_Hant", "我們的機場", ["我們", "的", "機場"]),
    ("ja", "明日東京でコーヒーを飲む", ["明日", "東京", "で", "コーヒー", "を", "飲む"]),
    ("ja", "朝7時に起きる", ["朝", "7", "時", "に", "起きる"]),
    ("th", "พี่สาวของฉันอยู่ที่เชียงใหม่", ["พี่", "สาว", "ของ", "ฉัน", "อยู่", "ที่", "เชียงใหม่"]),
    ("lo", "ລາວໄປຕະຫຼາດ", ["ລາວ", "ໄປ", "ຕະຫຼາດ"]),
    ("km", "ខ្ញុំទៅផ្សារ", ["ខ្ញុំ", "ទៅ", "ផ្សារ"]),
    ("my", "ကျွန်တော် မြန်မာစကား", ["ကျွန်တော်", "မြန်မာ", "စကား"]),
    ("he", "אחותי גרה בחיפה.", ["אחותי", "גרה", "בחיפה", "."]),
    ("hi", "मेरी बहन दिल्ली में रहती है।", ["मेरी", "बहन", "दिल्ली", "में", "रहती", "है", "।"]),
    ("ar", "تسكن أختي في عمّان.", ["تسكن", "أختي", "في", "عمّان", "."]),
    ("en", "The sign says 上海 today", ["The", "sign", "says", "上海", "today"]),
    ("zh", "😀上海𠀀A4", ["😀", "上海", "𠀀", "A4"]),
    ("zh", "\ud800上海", ["\ud800", "上海"]),
    ("", "", []),
]


@pytest.mark.parametrize(("language", "text", "expected"), TABLE, ids=[f"{la}:{text!r}" for la, text, _ in TABLE])
def test_words(language: str, text: str, expected: list[str]) -> None:
    assert word_strings(text, words_of(text, language)) == expected


@given(
    st.text(st.sampled_from("我住在上海的 \u3000。ทวันนี้ちょっと東京コーヒー한국말 שלום في a1👍🏽𠀀\u0301"), max_size=40),
    st.sampled_from(["zh", "zh-Hant", "ja", "th", "ar", "en", ""]),
)
def test_a_dictionary_only_joins_what_were_words_before(text: str, language: str) -> None:
    ranges, single = words_of(text, language), words(text)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
    starts, ends = {a for a, _ in single}, {b for _, b in single}
    assert all(a in starts and b in ends for a, b in ranges)
    assert sum(b - a for a, b in ranges) == sum(b - a for a, b in single)
    assert words_of(text, language) == ranges


def test_the_dictionaries_are_named_with_their_versions() -> None:
    names = [part.partition(".")[0] for part in dictionaries().split("+")]
    assert names == ["icu4py", "rjieba"]
    assert all(part.partition(".")[2][0].isdigit() for part in dictionaries().split("+"))
