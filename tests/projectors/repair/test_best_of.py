"""The best of several translations, by the words of labelled spans and by numbers."""

from collections.abc import Sequence
from typing import Any

import pytest

from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.filters.span_fidelity import FidelityTables, fidelity_tables
from spanferry.projectors.repair.best_of import best_of
from spanferry.projectors.repair.enforce import Source
from spanferry.translators.loading.load import load_translator

WRITTEN = Source("The Commission wrote in 2019.", (Span(4, 14, "ORG", "s0"),))


class Hypotheses:
    """Hypotheses that a real model rarely has side by side."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = texts, 0

    def translate_nbest(self, texts: Sequence[str], source: str, target: str, count: int) -> list[list[Translation]]:
        self.asked += len(texts)
        return [[Translation(text) for text in self.texts[:count]] for _ in texts]


@pytest.fixture(scope="module")
def tables() -> FidelityTables:
    found = fidelity_tables("en", "es")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("first", "hypotheses", "taken"),
    [
        ("La casa escribió en 2019.", ["La casa escribió en 2019.", "La comisión escribió en 2019."], 1),
        ("La comisión escribió en 209.", ["La comisión escribió en 209.", "La comisión escribió en 2019."], 1),
        ("La casa escribió en 2019.", ["La comisión escribió en 209.", "La casa escribe en 2019."], None),
        ("La casa escribió en 2019.", ["La mesa escribió en 2019.", "El perro escribió en 2019."], None),
    ],
)
def test_words_and_numbers_decide(first: str, hypotheses: list[str], taken: int | None, tables: FidelityTables) -> None:
    (found,) = best_of([(WRITTEN, Translation(first))], Hypotheses(*hypotheses), tables, 8, "en", "es")
    assert found.text == (first if taken is None else hypotheses[taken])


def test_only_texts_that_lack_something_are_translated_again(tables: FidelityTables) -> None:
    rows = [
        (WRITTEN, Translation("La comisión escribió en 2019.")),
        (WRITTEN, Translation("", reason="broken_output")),
        (Source("Hello.", ()), Translation("Hola.")),
    ]
    model = Hypotheses("x")
    assert best_of(rows, model, tables, 8, "en", "es") == [made for _, made in rows] and model.asked == 0


def test_the_bundled_model_has_a_better_one(tables: FidelityTables) -> None:
    model: Any = load_translator("bundled", source="en", target="es")
    source = Source("I met Tom in London in 2019.", (Span(13, 19, "LOC", "s0"),))
    (found,) = best_of([(source, Translation("Conocí a Tom en 2019."))], model, tables, 4, "en", "es")
    assert "Londres" in found.text and "2019" in found.text
