"""Rows of test sets are found by n-grams of either side, and by names in a language that neither side has."""

from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.filters import build, score
from spanferry.corpora.filters.overlap.leakage import Leakage
from tests.corpora.filter_pairs import pair, reasons

LONG = "the council of ministers met again on monday to talk about the price of bread and milk"


@pytest.fixture
def test_set(tmp_path: Path) -> str:
    lines = [
        LONG,
        "Turn off the kitchen light please!",
        "Im Jahr 1987 traf Angela Schmidt in Bonn den Minister Kohl und Willy Brandt, 34.5 Tonnen.",
        "Yes, please.",
        "他住在北京的一家很小的旅馆里",
    ]
    (tmp_path / "test.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(tmp_path / "test.txt")


@pytest.mark.parametrize(
    ("source", "target", "langs", "expected"),
    [
        ("Something else entirely, as new as can be today.", "Otra cosa.", "en-es", []),
        (f"Yesterday {LONG.upper()}!", "Ayer.", "en-es", ["leakage:source"]),
        ("Schalte bitte in der Küche das Licht aus", "turn off the kitchen light, please", "de-en", ["leakage:target"]),
        ("Turn off the kitchen light please, and lock the door", "Apaga.", "en-es", []),
        ("Yes, please.", "Sí, por favor.", "en-es", []),
        ("In 1987 Angela Schmidt met Kohl in Bonn.", "En 1987 vio a Kohl.", "en-es", ["leakage:names"]),
        ("In 1987 Angela Merkel met Kohl in Paris.", "En 1987 vio a Kohl.", "en-es", []),
        ("He lives in Beijing in a very small hotel.", "他住在北京的一家很小的旅馆里", "en-zh", ["leakage:target"]),
    ],
)
def test_reasons(test_set: str, source: str, target: str, langs: str, expected: list[str]) -> None:
    assert reasons("leakage", pair(source, target, langs=langs), paths=[test_set]) == [expected]


def test_shares_by_hand(test_set: str) -> None:
    filters = build([{"kind": "leakage", "paths": [test_set], "format": "text", "ngram": 12}])
    # 17 words of the test row behind one other: 6 of the 7 n-grams stand in it.
    rows = [pair(f"yesterday {LONG}", "Hoy"), pair(LONG, None), pair(LONG, "x", split="test")]
    frame = score(filters, rows)
    assert frame["leakage.source"].to_list() == [pytest.approx(6 / 7), 1.0, None]
    assert frame["leakage.target"].to_list() == [None, None, None]


def test_what_was_read_is_part_of_the_signature(test_set: str) -> None:
    before = Leakage(paths=(test_set,))
    assert before.signature != Leakage().signature
    signature = before.signature
    Path(test_set).write_text("Another test set, with other rows in it.\n", encoding="utf-8")
    assert before.signature != signature
    assert reasons("leakage", pair(LONG, "Hoy"), paths=[test_set]) == [[]]
    assert reasons("leakage", pair(LONG, "Hoy")) == [[]]


def test_a_test_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises((InputError, ConfigError), match=r"no such test set[\s\S]*Hint"):
        build([{"kind": "leakage", "paths": [str(tmp_path / "none.txt")]}])
