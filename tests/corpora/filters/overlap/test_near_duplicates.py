"""Near duplicates: found beside exact Jaccard similarity, the first of a group is kept."""

import sys

import numpy as np
import polars as pl
import pytest

from spanferry.corpora.errors import MissingExtraError
from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.filters.overlap.near_duplicates import repeats
from tests.corpora.filter_pairs import pair, reasons

TEXT = "El presidente del parlamento abrió la sesión a las nueve y saludó a los diputados de todos los grupos."


def test_only_the_first_of_rows_that_are_nearly_the_same_is_kept() -> None:
    rows = [
        pair("a", TEXT, id="0"),
        pair("b", "Nada que ver con lo anterior, ni una sola palabra.", id="1"),
        pair("c", TEXT.replace("nueve", "nueve  ").upper(), id="2"),
        pair("d", TEXT.replace("grupos", "partidos"), id="3"),
        pair("e", TEXT[:40], id="4"),
        pair("f", TEXT, id="5", split="test"),
        pair("g", None, id="6"),
        pair("h", "好", id="7"),
        pair("i", "好", id="8"),
    ]
    found = reasons("near_duplicates", *rows)
    repeated = ["near_duplicates:row"]
    assert found == [[], [], repeated, repeated, [], [], ["no_target"], [], repeated]
    assert reasons("near_duplicates", *rows, max_similarity=0.97)[3] == []
    assert reasons("near_duplicates", *rows, side="source") == [[]] * 6 + [["no_target"], [], []]


def test_a_rejected_row_is_in_nobodys_way() -> None:
    filters = build([{"kind": "near_duplicates"}, {"kind": "average_word_length", "low": 30, "high": 50}])
    rows = [pair("Hello there", TEXT), pair("Hello", TEXT)]
    assert decide(filters, score(filters, rows)) == [["average_word_length:short"]] * 2


def test_the_estimate_against_exact_similarity() -> None:
    rng = np.random.default_rng(0)
    words = [f"palabra{n}" for n in range(400)]
    texts = [" ".join(rng.choice(words, 60)) for _ in range(40)]
    copies = [" ".join(w if rng.random() < keep else "x" for w in t.split()) for t in texts for keep in (0.98, 0.7)]
    filters = build([{"kind": "near_duplicates"}])
    rows = [pair("a", text) for text in (*texts, *copies)]

    def grams(text: str) -> set[str]:
        plain = "".join(text.split())
        return {plain[i : i + 5] for i in range(len(plain) - 4)}

    own = [grams(text) for text in (*texts, *copies)]
    exact = [max((len(a & b) / len(a | b) for b in own[:k]), default=0.0) for k, a in enumerate(own)]
    found = decide(filters, score(filters, rows))
    for value, why in zip(exact, found, strict=True):
        if abs(value - 0.8) > 0.12:  # three standard errors of 128 permutations
            assert bool(why) == (value > 0.8), value
    assert 30 < sum(map(bool, found)) < 50


def test_no_rows() -> None:
    assert repeats(pl.Series([], dtype=pl.List(pl.UInt32)), 0.8).tolist() == []
    assert repeats(pl.Series([None, None], dtype=pl.List(pl.UInt32)), 0.8).tolist() == [False, False]


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'spanferry\[filters\]'"):
        reasons("near_duplicates", pair("a", TEXT))
    # A run asks for the signature before any work.
    with pytest.raises(MissingExtraError):
        build([{"kind": "near_duplicates"}])[0].signature  # noqa: B018
