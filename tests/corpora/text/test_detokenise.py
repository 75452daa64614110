import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.text.detokenise import detokenise, find_tokens

TABLE = [
    ("en", "Resumption of the session", "Resumption of the session"),
    ("en", "It 's not 5 % ( net ) , is n't it ?", "It's not 5% (net), isn't it?"),
    ("en", "a minute ' s silence", "a minute's silence"),
    ("en", "the dreaded ' millennium bug ' failed", "the dreaded 'millennium bug' failed"),
    ("en", "the Quaestors ' meeting on Monday", "the Quaestors' meeting on Monday"),
    ("en", "the words ' no ' and ' yes '", "the words 'no' and 'yes'"),
    ("en", 'He said : " Come " , " now " .', 'He said: "Come", "now".'),
    ("en", "`` Come '' , he said", "``Come'', he said"),
    ("en", "“ Come ” , he said", "“Come”, he said"),
    ("en", "week - which began", "week - which began"),
    ("en", "and / or at 10 : 30", "and/or at 10:30"),
    ("en", "pay $ 5 , € 6 or US$ 7 [ sic ] …", "pay $5, €6 or US$7 [sic]…"),
    ("en", "# Athens @ 5", "#Athens @5"),
    ("en", "a mid -century house", "a mid-century house"),
    ("es", "¿ Quién es ? ¡ Él !", "¿Quién es? ¡Él!"),
    ("es", "« Hola » , dijo", "«Hola», dijo"),
    ("es", "la comisión -y no ella- vota", "la comisión -y no ella- vota"),
    ("fr", "L' eau de l ' été d’ Ivry", "L'eau de l'été d’Ivry"),
    ("fr", "Quoi ? « Oui » : 5 % , à 10 : 30 .", "Quoi ? « Oui » : 5 %, à 10:30."),
    ("it", "dell' arte , un po' di vino", "dell'arte, un po' di vino"),
    ("de", "Er sagte : „ Ja “ und „ Nein “ .", "Er sagte: „Ja“ und „Nein“."),
    ("de", "» Ja « , 5 % und « Nein »", "»Ja«, 5 % und «Nein»"),
    ("de", "Wirtschafts- und Sozialrat", "Wirtschafts- und Sozialrat"),
    ("sv", "Han sa ” ja ” .", "Han sa ”ja”."),
    ("zh", "我 在 北京 。 用 Google Maps 吧", "我在北京。用Google Maps吧"),
    ("zh-Hant", "臺 北 101 大樓", "臺北101大樓"),
    ("ja", "アラーム を 7 時 に", "アラームを7時に"),
    ("th", "ตั้ง ปลุก 7 โมง", "ตั้งปลุก7โมง"),
    ("ar", "من هو ؟ هنا ، الآن", "من هو؟ هنا، الآن"),
    ("he", "שלום , עולם !", "שלום, עולם!"),
    ("hi", "यह क्या है ।", "यह क्या है।"),
    ("ru", "« Да » , 5 % — сказал он .", "«Да», 5 % — сказал он."),
    ("en", "👩‍👩‍👧 e\u0301tude 😀 !", "👩‍👩‍👧 e\u0301tude 😀!"),
    ("xx", "a , b ( c )", "a, b (c)"),
]


@pytest.mark.parametrize(("lang", "tokens", "text"), TABLE)
def test_text_is_as_written(lang, tokens, text):
    assert detokenise(tokens.split(" "), lang)[0] == text


token = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(
    ["'", '"', "’", "“", "”", "„", "«", "»", "/", ":", ".", "s", "n't", "'s", "10", "l'", "-x", "$", "%", "¿", "``"]
)
languages = st.sampled_from(["en", "fr", "de", "es", "it", "zh", "ja", "th", "ar", "sv", "ru", "xx", "pt_BR"])


@settings(deadline=None, max_examples=300)
@given(st.lists(token, max_size=15), languages)
def test_every_token_is_where_its_range_says(tokens, lang):
    text, ranges = detokenise(tokens, lang)
    assert [text[a:b] for a, b in ranges] == tokens
    ends = [0] + [b for _, b in ranges]
    gaps = [text[end:start] for end, (start, _) in zip(ends, ranges, strict=False)]
    assert set(gaps) <= {"", " "} and text[ends[-1] :] == ""


def test_no_tokens_no_text():
    assert detokenise([], "en") == ("", ())


@pytest.mark.parametrize(
    ("tokens", "text", "ranges"),
    [
        (["今", "日", "は"], "今日 は", ((0, 1), (1, 2), (3, 4))),
        (["a", "a"], " a\ta ", ((1, 2), (3, 4))),
        (["a", "b"], "a x b", None),
        (["a", "b"], "a b !", None),
        (["b", "a"], "a b", None),
        (["é"], "e\u0301", None),
        ([], "  ", ()),
    ],
)
def test_tokens_are_found_in_their_raw_text_or_not_at_all(tokens, text, ranges):
    assert find_tokens(tokens, text) == ranges


@settings(deadline=None)
@given(st.lists(token.filter(lambda t: not t[:1].isspace()), max_size=12), languages)
def test_detokenised_text_gives_its_tokens_back(tokens, lang):
    text, ranges = detokenise(tokens, lang)
    assert find_tokens(tokens, text) == ranges
