"""How stretches of a text are compared by spelling."""

import pytest
from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from spanferry.projectors.segments.quotes import Quotes, form, numbers_agree, spellings


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_a_stretch_is_romanised_as_if_it_stood_alone(text: str, start: int, end: int) -> None:
    assert Quotes(text).of((start, end))[0] == form(text[start:end])
    assert form(text) == " ".join(anyascii(text).lower().split())


def test_numbers_are_found_in_every_script() -> None:
    text = "am 3. März ٢٠٢٤, 12 Uhr"
    assert Quotes(text).of((0, len(text)))[1] == ["12", "2024", "3"]


@pytest.mark.parametrize(
    ("source", "target", "spelling", "numbers"),
    [
        ("Bruxelles", "bruxelles", 1.0, 0.0),
        ("Москва", "Moskva", 1.0, 0.0),
        ("water", "Zug", 0.0, 0.0),
        ("room 12", "Raum 12", 2.5 * (10 / 14 - 0.6), 1.0),
        ("room 12", "Raum 21", None, -1.0),
        ("twelve", "12", 0.0, -1.0),
    ],
)
def test_spelling_and_numbers(source: str, target: str, spelling: float | None, numbers: float) -> None:
    quote, other = (Quotes(text).of((0, len(text))) for text in (source, target))
    assert numbers_agree(quote, [other]) == [numbers]
    if spelling is not None:
        assert spellings(quote, [other]) == pytest.approx([spelling])
