"""Translations whose labelled words are wrong are made again with the right ones."""

import pytest

from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.filters.span_fidelity import FidelityTables, fidelity_tables
from spanferry.projectors.repair.enforce import Source, repaired, support
from spanferry.translators.loading.load import load_translator

TEXT = "The Commission must act before 2027."
COMMISSION = Source(TEXT, (Span(4, 14, "ORG", "s0"),))


@pytest.fixture(scope="module")
def spanish() -> tuple[object, FidelityTables]:
    tables = fidelity_tables("en", "es")
    assert tables is not None
    return load_translator("bundled", source="en", target="es"), tables


def test_a_lost_word_is_put_there_and_recorded(spanish: tuple[object, FidelityTables]) -> None:
    wrong = Translation("La dirección debe actuar antes de 2027.", score=-0.2)
    (found,) = repaired([(COMMISSION, wrong)], *spanish, "en", "es")
    assert "Comisión" in found.text and "2027" in found.text
    assert found.terms == (("Commission", "Comisión"),)
    assert found.score is not None and found.score < 0 and found.score != wrong.score, "that of the new text"


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        (COMMISSION, Translation("La comisión debe actuar antes de 2027.", score=-0.2)),
        (COMMISSION, Translation("", reason="broken_output")),
        (Source(TEXT, ()), Translation("La dirección debe actuar.")),
        (Source("Go!", (Span(2, 3, "X", "s0"),)), Translation("¡Ve!")),
    ],
    ids=["right", "failed", "no spans", "nothing to judge"],
)
def test_what_needs_no_repair_stays_as_it_is(
    spanish: tuple[object, FidelityTables], source: Source, translation: Translation
) -> None:
    assert repaired([(source, translation)], *spanish, "en", "es") == [translation]


def test_rows_are_repaired_alike_in_any_company(spanish: tuple[object, FidelityTables]) -> None:
    wrong = Translation("La dirección debe actuar antes de 2027.")
    other = Source("Sweden voted.", (Span(0, 6, "LOC", "s0"),)), Translation("Votó.")
    alone = repaired([(COMMISSION, wrong)], *spanish, "en", "es")
    together = repaired([other, (COMMISSION, wrong)], *spanish, "en", "es")
    assert together[1] == alone[0] and "Suecia" in together[0].text


def test_support_asks_for_counterparts_anywhere(spanish: tuple[object, FidelityTables]) -> None:
    tables = spanish[1]
    assert support("Commission", "La Comisión actúa.", tables) == 1.0
    assert support("Commission", "La casa es azul.", tables) < 0.5
    assert support("…", "La casa", tables) == 1.0 and support("Commission", "…", tables) == 0.0
