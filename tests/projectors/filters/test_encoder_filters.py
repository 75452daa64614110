"""Filters on the bundled encoder: right rows pass, wrong ones are rejected for the reason that holds."""

from typing import Any

import pytest

from spanferry.corpora.errors import ModelError
from spanferry.corpora.filters import build, score
from spanferry.corpora.schema import Span
from spanferry.projectors.filters.agreement import overlap
from spanferry.projectors.filters.encoded import encoder
from tests.corpora.filter_pairs import pair, reasons

GOOD = pair("[Anna|PER] bought a new car in [Berlin|LOC] last week.",
            "[Anna|PER] compró un coche nuevo en [Berlín|LOC] la semana pasada.")  # fmt: skip
ELSEWHERE = pair("[Anna|PER] bought a new car in [Berlin|LOC] last week.",
                 "Anna compró un [coche|PER] nuevo en Berlín la [semana|LOC] pasada.")  # fmt: skip
OTHER = pair("[Anna|PER] bought a new car in Berlin last week.",
             "Los diputados votarán mañana la propuesta sobre el precio del pan.")  # fmt: skip
SHORTER = pair("The minister opened the session and thanked the members who had come from far away for their patience.",
               "El ministro abrió la sesión.")  # fmt: skip
WHOLE = pair(
    SHORTER.source.text, "El ministro abrió la sesión y agradeció su paciencia a los que habían venido de lejos."
)
THAI = pair("Anna lives in [Bonn|LOC] with her family.", "แอนนาอาศัยอยู่ใน[บอนน์|LOC]กับครอบครัว", langs="en-th")


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        ("aligned", GOOD, []),
        ("aligned", ELSEWHERE, ["aligned:coverage", "aligned:contiguity"]),
        ("aligned", THAI, []),
        ("agreement", GOOD, []),
        ("agreement", ELSEWHERE, ["agreement:low"]),
        ("divergence", GOOD, []),
        ("divergence", WHOLE, []),
        ("divergence", OTHER, ["divergence:target"]),
        ("divergence", SHORTER, ["divergence:gap"]),
        ("divergence", ELSEWHERE, ["divergence:span"]),
        ("divergence", THAI, []),
        ("similarity", GOOD, []),
        ("similarity", THAI, []),
    ],
)
def test_reasons(kind: str, row: Any, expected: list[str]) -> None:
    assert reasons(kind, row) == [expected]


def test_a_threshold_of_similarity() -> None:
    assert reasons("similarity", GOOD, OTHER, min_links=0.6) == [[], ["similarity:links"]]


def test_scores_order_the_rows() -> None:
    filters = build([{"kind": k} for k in ("aligned", "agreement", "divergence", "similarity")])
    frame = score(filters, [GOOD, ELSEWHERE, OTHER, pair("Anna sleeps.", None)])
    good, elsewhere, other, none = frame.rows(named=True)
    assert good["aligned.coverage"] == good["aligned.contiguity"] == good["agreement.min"] == 1.0
    assert elsewhere["aligned.coverage"] == elsewhere["agreement.min"] == 0.0
    assert good["similarity.links"] > 2 * other["similarity.links"]
    assert good["similarity.cosine"] is None, "the bundled encoder's mean vectors tell languages apart, not meanings"
    assert good["divergence.source"] > 2 * other["divergence.source"]
    assert good["divergence.source"] == elsewhere["divergence.source"], "labels do not count for the text"
    assert {value for name, value in none.items() if "." in name} == {None}
    assert frame["aligned.coverage"].to_list()[2] is None, "no span was placed"


def test_each_row_is_scored_alone() -> None:
    filters = build([{"kind": k} for k in ("aligned", "agreement", "divergence", "similarity")])
    rows = [GOOD, OTHER, WHOLE, THAI]
    together = score(filters, rows).drop("id").rows()
    assert [score(filters, [row]).drop("id").rows()[0] for row in rows] == together


def test_an_encoder_that_there_is_not() -> None:
    for kind in ("aligned", "similarity", "divergence"):
        with pytest.raises(ModelError, match="no encoder 'nothing'"):
            build([{"kind": kind, "model": "nothing"}])[0].signature  # noqa: B018


def test_vectors_of_texts() -> None:
    import numpy as np

    first, again, empty, unknown = encoder("bundled").embed(["Anna sleeps.", "Anna sleeps.", "", "བོད་སྐད"])
    assert first is not None and again is not None and np.array_equal(first, again)
    assert np.linalg.norm(first) == pytest.approx(1.0, abs=1e-5)
    assert empty is None and unknown is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Span(0, 4, "A"), Span(0, 4, "A"), 1.0),
        (Span(0, 4, "A"), Span(2, 6, "A"), 0.5),
        (Span(0, 4, "A"), Span(4, 6, "A"), 0.0),
        (Span(0, 4, "A"), None, 0.0),
        (Span(0, 4, "A"), Span(0, 4, "A", field="title"), 0.0),
        (Span(0, 6, "A", fragments=((0, 2), (4, 6))), Span(0, 2, "A"), 2 / 3),
    ],
)
def test_overlap_by_hand(one: Span, other: Span | None, expected: float) -> None:
    assert overlap(one, other) == pytest.approx(expected)
