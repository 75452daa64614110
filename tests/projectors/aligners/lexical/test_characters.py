"""Chinese words by their characters beside the words that a dictionary finds."""

import numpy as np
import pytest

from spanferry.corpora.text.word_breaks import words_of
from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.characters import averaged, in_characters
from spanferry.projectors.base import Alignment, ProjectionInput

TEXTS = [
    ("the students read", "学生读书"),
    ("the students sleep", "学生睡觉"),
    ("the school sleeps", "学校睡觉"),
    ("the school is in Shanghai", "学校在上海"),
    ("the doctor reads", "医生读书"),
    ("the hospital is in Shanghai", "医院在上海"),
]


def item(source: str, target: str, language: str = "zh", **more: tuple[tuple[int, int], ...]) -> ProjectionInput:
    return ProjectionInput(source, source, target, (), "en", language, **more)


@pytest.mark.parametrize(
    ("text", "language", "apart"),
    [
        ("学生睡觉", "zh", True),
        ("學生睡覺", "zh-Hant", True),
        ("学生と先生", "ja", False),
        ("นักเรียนนอนหลับ", "th", False),
        ("我在", "zh", False),  # no word of two characters
        ("los estudiantes", "es", False),
        ("", "zh", False),
    ],
)
def test_where_characters_make_a_difference(text: str, language: str, apart: bool) -> None:
    found = in_characters(item("students", text, language))
    assert (found is not None) is apart
    if found is not None:
        assert found.target_words == words(text) != words_of(text, language)
        assert (found.source_words, found.source_lang, found.target_text) == ((), "en", text)
        assert found.target_lang == f"{language}-x-chars"
    assert in_characters(item("students", text, language, target_words=((0, 1),))) is None


def test_a_word_is_made_by_what_makes_its_characters() -> None:
    forward = np.array([[0.8, 0.4, 0.0], [0.0, 0.2, 1.0]], np.float32)
    backward = np.array([[0.5, 0.3, 0.0], [0.0, 0.0, 0.9]], np.float32)
    chars = Alignment(((0, 1), (2, 3)), ((0, 1), (1, 2), (2, 3)), forward, (), None, forward, backward)
    half = np.full((2, 2), 0.5, np.float32)
    whole = Alignment(((0, 1), (2, 3)), ((0, 2), (2, 3)), half, ((0, 0),), None, half, half)
    found = averaged(whole, chars)
    assert found.forward is not None and found.backward is not None
    np.testing.assert_allclose(found.forward, [[0.55, 0.25], [0.3, 0.75]], atol=1e-5)
    np.testing.assert_allclose(found.backward, [[0.65, 0.25], [0.25, 0.7]], atol=1e-5)
    assert (found.links, found.target_words) == (whole.links, whole.target_words)
    failed = Alignment((), (), np.zeros((0, 0), np.float32), reason="too_long")
    assert averaged(whole, failed) is whole and averaged(failed, chars) is failed


def test_texts_are_aligned_by_both() -> None:
    inputs = [item(*pair) for pair in TEXTS]
    fitted = LexicalAligner("none").fit(inputs)
    assert fitted.state() == LexicalAligner("none").fit(inputs[::-1]).state()
    given = [item(a, b, target_words=words_of(b, "zh")) for a, b in TEXTS]
    different = 0
    for one, own, other in zip(inputs, fitted.align(inputs), fitted.align(given), strict=True):
        assert own.target_words == other.target_words == words_of(one.target_text, "zh")
        (alone,) = fitted.align([one])
        np.testing.assert_array_equal(own.probabilities, alone.probabilities)
        different += not np.array_equal(own.probabilities, other.probabilities)
    assert different == len(inputs)  # tokens that are given are taken as they are
