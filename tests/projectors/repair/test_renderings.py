"""What a span is best called in the target language."""

import pytest

from spanferry.projectors.filters.span_fidelity import FidelityTables, fidelity_tables
from spanferry.projectors.repair.renderings import renderings
from spanferry.translators.loading.load import load_translator


@pytest.fixture(scope="module")
def spanish() -> tuple[object, FidelityTables]:
    tables = fidelity_tables("en", "es")
    assert tables is not None
    return load_translator("bundled", source="en", target="es"), tables


def test_words_that_the_table_knows_and_names_that_it_does_not(spanish: tuple[object, FidelityTables]) -> None:
    quotes = ["Commission", "European Union", "Duisenberg", "UK"]
    found = renderings(quotes, *spanish, "en", "es")
    assert found["Commission"].text == "Comisión"
    assert found["European Union"].text.lower() in ("unión europea", "europea unión")
    assert found["Duisenberg"].text == "Duisenberg"
    assert all(0.8 <= one.fidelity <= 1.0 for one in found.values())


def test_the_same_text_has_the_same_rendering_in_any_company(spanish: tuple[object, FidelityTables]) -> None:
    alone = renderings(["Commission"], *spanish, "en", "es")
    assert (
        renderings(["Member States", "Commission", "Sweden"], *spanish, "en", "es")["Commission"] == alone["Commission"]
    )
    assert renderings([], *spanish, "en", "es") == {}


def test_a_translator_without_hypotheses_and_scores_is_enough(spanish: tuple[object, FidelityTables]) -> None:
    class Plain:
        def __init__(self, inner: object) -> None:
            self.translate = inner.translate  # type: ignore[attr-defined]

    model, tables = spanish
    assert renderings(["Commission"], Plain(model), tables, "en", "es")["Commission"].text == "Comisión"


def test_words_spelled_alike_are_found_where_the_table_lists_others() -> None:
    tables = fidelity_tables("en", "de")
    assert tables is not None and tables.forward.relative["commission"]["kommission"] < 1.0
    model = load_translator("bundled", source="en", target="de")
    assert renderings(["Commission"], model, tables, "en", "de")["Commission"].text == "Kommission"
