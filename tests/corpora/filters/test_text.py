"""Length, language, repetition and copied source: exact reasons."""

import pytest

from spanferry.corpora.filters.text import letters, without_spans
from spanferry.corpora.filters.texts.length_ratio import expected_ratio
from spanferry.corpora.filters.texts.repetition import longest_run, repeated_share
from spanferry.corpora.schema import Example, Pair
from tests.corpora.filter_pairs import example, pair, reasons


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("Stop.", "Alto.", "en-es", []),
        ("US", "Vereinigte Staaten", "en-de", []),
        ("Vereinigte Staaten", "US", "de-en", []),
        ("Where is the nearest bank?", "最近的银行在哪里?", "en-zh", []),
        ("Stop.", "Alto. " * 12, "en-es", ["length_ratio:long"]),
        ("The bus leaves at seven from the other side of the station.", "El bus.", "en-es", ["length_ratio:short"]),
        # The same 22 characters: far too few in Spanish, as expected in Chinese.
        (
            "The bus leaves at seven from the other side of the main station.",
            "公交车七点从火车站的另一侧出发,不要迟到",
            "en-zh",
            [],
        ),
        (
            "[Ann|per] likes the small old house on the hill",
            "A [Ana le gusta la casita vieja de la colina verde|per]",
            "en-es",
            ["length_ratio:span_long"],
        ),
        (
            "I saw [the small old house on the green hill behind the river|thing]",
            "Vi la casita vieja de la colina [verde|thing] detrás del río",
            "en-es",
            ["length_ratio:span_short"],
        ),
    ],
)
def test_length_ratio(source: str, target: str, langs: str, expected: list[str]) -> None:
    assert reasons("length_ratio", pair(source, target, langs=langs)) == [expected]


def test_length_ratio_expects_by_language() -> None:
    assert expected_ratio("en", "zh-Hans") == pytest.approx(0.34)
    assert expected_ratio("de_DE", "de-AT") == 1
    assert expected_ratio("en", "tlh") == 1
    row = pair("The bus leaves at seven from here.", "El autobús sale de aquí a las siete.", langs="en-es")
    assert reasons("length_ratio", row, high=1.0) == [[]]
    # Were it English to Chinese, it would be three times too long.
    row = pair("The bus leaves at seven from here.", "El autobús sale de aquí a las siete.", langs="en-zh")
    assert reasons("length_ratio", row, high=1.5) == [["length_ratio:long"]]


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("Where is the nearest bank?", "¿Dónde está el banco más cercano?", "en-es", []),
        ("Where is the nearest bank?", "Where is the nearest bank, please?", "en-es", ["language:en"]),
        ("Where is the nearest bank?", "Wo ist die nächste Bank, bitte?", "en-es", ["language:de"]),
        ("I do not know where he lives.", "Eu não sei onde ele mora agora.", "en-es", ["language:pt"]),
        # Too little is left without the spans.
        ("[The Old Man and the Sea|book] is good", "[The Old Man and the Sea|book] va", "en-es", []),
        # The title is English, the sentence is not.
        (
            "I read [The Old Man and the Sea|book] at the weekend.",
            "El fin de semana leí [The Old Man and the Sea|book] en casa.",
            "en-es",
            [],
        ),
        ("Run `pip install the package now`", "Ejecuta `pip install the package now`", "en-es", []),
        ("He lives in the old town.", "彼は旧市街に住んでいる。", "en-ja", []),
        ("Boots and Maybelline sell it.", "BootsやMaybellineで売っている。", "en-ja", []),
        ("He lives in the old town.", "He lives in the old town.", "en-zh", ["language:en"]),
        ("He lives in the old town.", "Он живёт в старом городе.", "en-ru", []),
        ("He lives in the old town.", "हे लिव्स", "en-tlh", []),
        ("He lives in the old town.", "12 345 !!!", "en-es", []),
        # A line.
        (
            "Yes, that is right.\nYou can open the window at any time.",
            "Sí, es correcto y se puede hacer sin problema en todo momento.\nYou can open the window at any time.",
            "en-es",
            ["language:line"],
        ),
        ("Yes, it is.\nOpen the window now.", "Sí, lo es y siempre lo fue.\nAbre ahora la ventana.", "en-es", []),
        ("Open it now, please.\nAnna Smith", "Ábrelo ahora mismo, por favor.\nAnna Smith", "en-es", []),
        # A word.
        ("I bought a new computer today.", "我今天买了一台新的 computer。", "en-zh", ["language:word"]),
        ("It is a strange feeling.", "Это странное feeling.", "en-ru", ["language:word"]),
        ("They gave it all to Save the Children.", "Они всё отдали фонду Save the Children.", "en-ru", []),
        ("It blows at 85 mph.", "Скорость ветра 85 mph.", "en-ru", []),
        ("Use `pip install now`, it works.", "Используйте `pip install now`.", "en-ru", []),
        ("I saw [the old man|book].", "Я видел [the old man|book].", "en-ru", []),
        (
            "We waited near the bridge over the river for an hour.",
            "Esperamos cerca del puente over the river for una hora y después nos fuimos a casa.",
            "en-es",
            ["language:word"],
        ),
    ],
)
def test_language(source: str, target: str, langs: str, expected: list[str]) -> None:
    assert reasons("language", pair(source, target, langs=langs)) == [expected]


def test_language_options() -> None:
    row = pair("Where is the nearest bank?", "Eu não sei onde ele mora agora.")
    assert reasons("language", row, others=("en", "pt")) == [["language:pt"]]
    # Among English and Spanish alone it looks Spanish.
    assert reasons("language", row, others=()) == [[]]
    assert reasons("language", row, others=("en", "pt"), min_letters=40) == [[]]


LOOP = ["repetition:letters", "repetition:ngrams", "repetition:run"]


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("No, no, no!", "¡No, no, no!", "en-es", []),
        ("No!", "¡No, no, no!", "en-es", []),
        ("No!", "¡No, no, no, no, no!", "en-es", ["repetition:run"]),
        ("I am here.", "Estoy aquí y aquí y aquí y aquí y aquí.", "en-es", ["repetition:ngrams", "repetition:run"]),
        (
            "I like the small house and my old town.",
            "Me gusta la casa y me gusta la casa, pero me gusta la casa.",
            "en-es",
            ["repetition:ngrams"],
        ),
        ("He likes it.", "彼はそれが好き好き好き好き好き", "en-ja", LOOP),
        ("No, no, no, no, no.", "違う、違う、違う、違う、違う。", "en-ja", []),
        ("The more the better, the more the merrier.", "Cuanto más mejor, cuanto más alegre.", "en-es", []),
        ("Good", "नमस्ते नमस्ते", "en-hi", []),
        ("Maria", "Maririririó", "en-es", ["repetition:letters"]),
        ("Flight LH", "El vuelo CPPPPPal", "en-es", ["repetition:letters"]),
        ("Hahahaha!", "¡Jajajaja!", "en-es", []),
        ("Zzz", "Zzz... 1000000 www", "en-es", []),
        ("哈哈哈哈", "ахахаха", "zh-ru", []),
        ("", "", "en-es", []),
    ],
)
def test_repetition(source: str, target: str, langs: str, expected: list[str]) -> None:
    assert [sorted(r) for r in reasons("repetition", pair(source, target, langs=langs))] == [expected]


def test_repetition_counts_each_field_by_itself() -> None:
    answer = "la vieja torre del puente de piedra"
    source = Example("q", "en", {"question": "What is it?", "context": "It is the old tower.", "answer": "The tower."})
    good = Example("q", "es", {"question": f"¿Es {answer}?", "context": f"Es {answer}.", "answer": answer})
    loop = Example("q", "es", {**good.texts, "answer": "la torre, la torre, la torre, la torre"})
    assert reasons("repetition", Pair(source, good)) == [[]]
    assert reasons("repetition", Pair(source, loop)) == [["repetition:run", "repetition:ngrams"]]


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("How tall is it?", "........................", "en-es", ["letters:none"]),
        ("How tall is it really in the north?", "??????????????", "en-es", ["letters:none"]),
        ("Nice.", "*", "en-es", ["letters:none"]),
        ("它有多高?", "……", "zh-es", ["letters:none"]),
        ("Meet me at the station at 5.", "5", "en-es", ["letters:none"]),
        ("5 percent", "5 %", "en-es", []),
        ("5 past noon", "12:05", "en-es", []),
        ("😀", "😀", "en-es", []),
        ("★★★", "★★★", "en-es", []),
        ("OK", "👌", "en-es", []),
        ("{name}", "{name}", "en-es", []),
        ("Nice.", "不错。", "en-zh", []),
    ],
)
def test_targets_without_a_letter(source: str, target: str, langs: str, expected: list[str]) -> None:
    assert reasons("letters", pair(source, target, langs=langs)) == [expected]


def test_runs_and_shares_by_hand() -> None:
    assert longest_run([], 4) == 0
    assert longest_run(list("abc"), 4) == 1
    assert longest_run(list("abab"), 4) == 2
    assert longest_run(list("xabababy"), 4) == 3
    assert longest_run(list("abcabc"), 2) == 1
    assert longest_run(list("aaaa"), 1) == 4
    assert repeated_share(list("abcabc"), 3) == pytest.approx(0.25)
    assert repeated_share(list("ab"), 3) == 0


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("Where is the nearest bank?", "where is the nearest  Bank?", "en-es", ["untranslated:copy"]),
        ("Where is the nearest bank?", "Where is the nearest banks?", "en-es", ["untranslated:copy"]),
        ("Where is the nearest bank?", "¿Dónde está el banco más cercano?", "en-es", []),
        ("[Hotel Bristol|org], [Bern|loc]", "[Hotel Bristol|org], [Bern|loc]", "en-de", []),
        ("Hotel Bern", "Hotel Bern", "en-de", []),
        (
            "I live in [Bern|loc] with my old cat",
            "I live in [Berna|loc] with my old cat",
            "en-es",
            ["untranslated:copy"],
        ),
        ("`pip install spanferry` {name}", "`pip install spanferry` {name}", "en-es", []),
        ("Where is the nearest bank?", "Where is the nearest bank?", "en-en", []),
    ],
)
def test_untranslated(source: str, target: str, langs: str, expected: list[str]) -> None:
    assert reasons("untranslated", pair(source, target, langs=langs)) == [expected]


@pytest.mark.parametrize(
    ("inline", "expected"),
    [
        ("[Anna|p] lives in [New [York|l]|l] now", " lives in   now"),
        ("a [b|x][c|y] d", "a   d"),
        ("no spans at all", "no spans at all"),
        ("see https://a.example/x and a@b.example", "see   and  "),
    ],
)
def test_without_spans(inline: str, expected: str) -> None:
    assert without_spans(example(inline, "en")).split() == expected.split()


def test_letters_are_counted_in_every_script() -> None:
    assert letters("añ1 é!") == 3
    assert letters("Привет, 世界 👋 שלום") == 12
