"""Pairs of brackets and quotation marks in a span: both or neither."""

import pytest

from spanferry.projectors.placing.brackets import paired, pairs_of


@pytest.mark.parametrize(
    ("target", "found", "wanted"),
    [
        ("lângă Turmontu [Thurmont, Maryland] azi", "Turmontu [Thurmont", "Turmontu"),
        ("lângă Turmontu [Thurmont] azi", "Turmontu [Thurmont", "Turmontu [Thurmont]"),
        ("das (alte) Wien", "alte) Wien", "(alte) Wien"),
        ("das (sehr alte) Wien", "alte) Wien", "Wien"),
        ("er sagte „Guten Tag“ und ging", "Guten Tag“ und", "„Guten Tag“ und"),
        ("er las „Faust“ gern", "„Faust", "„Faust“"),
        ("on lit « Faust » ici", "« Faust", "Faust"),
        ("»Faust« lesen", "Faust«", "»Faust«"),
        ('he read "Faust I" 😀', 'read "Faust', "read"),
        ("😀 f(x) und g", "f(x)", "f(x)"),
        ("a) eins b) zwei", "a) eins", "a) eins"),
        ("( 😀 )", "( 😀", "( 😀"),
        ("看《法令》吧", "看《法令", "看《法令》"),
    ],
)
def test_both_of_a_pair_or_neither(target: str, found: str, wanted: str) -> None:
    start = target.index(found)
    a, b = paired(target, (start, start + len(found)), "the Edict", (4, 9))
    assert target[a:b] == wanted


def test_a_source_span_that_parts_a_pair_may_have_it_parted() -> None:
    source, target = "see f(x, y) now", "siehe f(x, y) nun"
    assert paired(target, (6, 9), source, (4, 7)) == (6, 9)


def test_what_is_quoted_in_the_source_leaves_the_marks_outside() -> None:
    source, target = 'read "Faust" today', "lies „Faust“ heute"
    assert paired(target, (5, 11), source, (6, 11)) == (6, 11)


def test_german_and_swapped_quotation_marks_find_each_other() -> None:
    assert pairs_of("„a“ »b« «c» “d” ‹e›") == ((0, 2), (4, 6), (8, 10), (12, 14), (16, 18))
    assert pairs_of("a) [b (c] d") == ((3, 8),)
