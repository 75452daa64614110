"""chrF against sacrebleu's sentence score."""

import pytest
from sacrebleu.metrics import CHRF

from spanferry.corpora.metrics.chrf import chrf


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("the cat sat on the mat", "the cat sat on the mat"),
        ("the cat sits on a mat", "the cat sat on the mat"),
        ("cat", "the cat sat on the mat"),
        ("a", "b"),
        ("", "the cat"),
        ("他住在北京", "他住在北京的旅馆"),
        ("Über die Brücke 🌉", "Unter der Brücke 🌉"),
    ],
)
def test_as_sacrebleu_has_it(text: str, reference: str) -> None:
    assert chrf(text, reference) == pytest.approx(CHRF().sentence_score(text, [reference]).score / 100, abs=1e-9)
