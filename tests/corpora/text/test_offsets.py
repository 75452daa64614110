"""Offsets in other units: what browsers, annotation tools and byte streams count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanferry.corpora.text.offsets import Unit, code_points, in_unit


@pytest.mark.parametrize(
    ("text", "unit", "edges"),
    [
        ("abc", "utf16", [0, 1, 2, 3]),
        ("a😀b", "utf16", [0, 1, 3, 4]),
        ("👩‍🚀", "utf16", [0, 2, 3, 5]),
        ("é́", "utf16", [0, 1, 2]),
        ("שלום", "byte", [0, 2, 4, 6, 8]),
        ("中𠮷", "utf16", [0, 1, 3]),
        ("中𠮷", "byte", [0, 3, 7]),
        ("中𠮷", "codepoint", [0, 1, 2]),
    ],
)
def test_edges_of_characters(text: str, unit: Unit, edges: list[int]) -> None:
    assert [in_unit(text, unit)(i) for i in range(len(text) + 1)] == edges


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["utf16", "byte"]))
def test_there_and_back(text: str, unit: Unit) -> None:
    there, back = in_unit(text, unit), code_points(text, unit)
    encoded = text.encode("utf-16-le" if unit == "utf16" else "utf-8")
    width = 2 if unit == "utf16" else 1
    for i in range(len(text) + 1):
        assert back(there(i)) == i
        assert encoded[: there(i) * width].decode("utf-16-le" if unit == "utf16" else "utf-8") == text[:i]


@pytest.mark.parametrize("offset", [2, 5, -1])
def test_inside_a_character_or_outside_the_text(offset: int) -> None:
    with pytest.raises(KeyError):
        code_points("a😀b", "utf16")(offset)
