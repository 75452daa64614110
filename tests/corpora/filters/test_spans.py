"""Span count and span shape: exact reasons."""

from dataclasses import replace

import pytest

from spanferry.corpora.schema import Pair, Span
from tests.corpora.filter_pairs import example, pair, reasons


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("See [Anna|per] in [Bonn|loc].", "Ve a [Anna|per] en [Bonn|loc].", []),
        ("See [Anna|per] in [Bonn|loc].", "Ve a [Anna|per] en Bonn.", ["span_count:loc"]),
        ("See [Anna|per] in [Bonn|loc].", "Ve a Anna en Bonn.", ["span_count:loc", "span_count:per"]),
        ("See [Anna|per] in [Bonn|loc].", "Ve a [Anna|loc] en [Bonn|loc].", ["span_count:loc", "span_count:per"]),
        ("[Tom|per] saw [Tom|per].", "[Tom|per] vio a Tom.", ["span_count:per"]),
        ("Nothing here.", "Nada aquí.", []),
        ("Nothing here.", "[Nada|loc] aquí.", ["span_count:loc"]),
        ("[Анна|имя] 👩‍👩‍👧 здесь", "[アンナ|имя]はここ 👩‍👩‍👧", []),
        ("[Анна|имя] 👩‍👩‍👧 здесь", "アンナはここ 👩‍👩‍👧", ["span_count:имя"]),
    ],
)
def test_span_count(source: str, target: str, expected: list[str]) -> None:
    assert reasons("span_count", pair(source, target)) == [expected]


def test_span_count_threshold_is_a_share_of_the_spans() -> None:
    row = pair("[a|x] [b|x] [c|x] [d|y]", "[a|x] [b|x] c [d|y]")
    assert reasons("span_count", row, max_missing=0.25) == [[]]
    assert reasons("span_count", row, max_missing=0.2) == [["span_count:x"]]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("[Anna|per] sings.", "[Anna|per] canta.", []),
        ("[Anna|per] sings.", "[ |per]Anna canta.", ["span_shape:empty"]),
        ("[Anna|per] sings.", "Anna canta[.|per]", ["span_shape:punctuation"]),
        ("[Anna|per] sings.", "安娜唱歌[。|per]", ["span_shape:punctuation"]),
        ("Really[?!|mark]", "¿De verdad[?|mark]", []),
        ("[🎂|thing] for you", "[🎂|thing] para ti", []),
        ("It costs [$5|price]", "Cuesta 5 [$|price]", []),
        ("[Ann|per] and [Tom|per]", "[Ann y [Tom|per]|per]", ["span_shape:overlap"]),
        ("[City of [Bonn|loc]|org]", "[Ciudad de [Bonn|loc]|org]", []),
        ("[City of [Bonn|loc]|org]", "[[Bonn|loc]|org]", []),
        ("[Ann|per] and [Tom|per]", "[[Tom|per]|per]", ["span_shape:duplicate"]),
        ("[Ann|per] and [Bonn|loc]", "[[Bonn|loc]|per]", ["span_shape:overlap"]),
        ("[[Ann|per]|per]", "[[Ana|per]|per]", []),
        ("no spans", "sin nada", []),
    ],
)
def test_span_shape(source: str, target: str, expected: list[str]) -> None:
    assert reasons("span_shape", pair(source, target)) == [expected]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(0, 6, "per", "s0"), ["span_shape:outside"]),
        (Span(-1, 3, "per", "s0"), ["span_shape:outside"]),
        (Span(0, 5, "per", "s0", field="title"), ["span_shape:outside"]),
        (Span(2, 2, "per", "s0"), ["span_shape:empty"]),
        (Span(0, 5, "per", "s0"), []),
    ],
)
def test_span_shape_of_bad_offsets(span: Span, expected: list[str]) -> None:
    source = example("[Anna|per]!", "en")
    target = replace(source, lang="es", texts={"text": "Ana 👩"}, spans=(span,))
    assert len(target.text) == 5
    assert reasons("span_shape", Pair(source, target)) == [expected]


def test_span_shape_knows_fragments() -> None:
    source = example("[left|x] and [right|y] arm", "en")
    across = Span(0, 18, "x", "s0", fragments=((0, 4), (15, 18)))
    inside = Span(7, 12, "y", "s1")
    target = replace(source, texts={"text": "links und recht arm"}, spans=(across, inside))
    assert reasons("span_shape", Pair(source, target)) == [[]]
    met = replace(inside, end=16)
    assert reasons("span_shape", Pair(source, replace(target, spans=(across, met)))) == [["span_shape:overlap"]]
