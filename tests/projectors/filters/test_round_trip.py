"""The bundled model translates back: text and labels that return pass, others do not."""

from spanferry.corpora.filters import build, score
from tests.corpora.filter_pairs import pair, reasons

GOOD = pair("[Anna|PER] bought a car in [Berlin|LOC].", "[Anna|PER] compró un coche en [Berlín|LOC].")
MISPLACED = pair("[Anna|PER] bought a car in [Berlin|LOC].", "Anna compró un [coche|PER] en [Berlín|LOC].")
WRONG = pair("[Anna|PER] bought a car in Berlin.", "Los diputados votarán mañana.")


def test_reasons_and_scores() -> None:
    assert reasons("round_trip", GOOD, MISPLACED, WRONG) == [[], ["round_trip:labels"], ["round_trip:text"]]
    frame = score(build([{"kind": "round_trip"}]), [GOOD, MISPLACED, WRONG, pair("Anna", None)])
    similar, labels = frame["round_trip.chrf"].to_list(), frame["round_trip.labels"].to_list()
    assert similar[0] == similar[1] > 0.5 > similar[2] and similar[3] is None
    assert labels[0] > 0.8 and labels[2] is None and labels[3] is None


def test_no_model_knows_the_way_back() -> None:
    row = pair("Anna bought a car.", "Анна купила машину.", langs="en-ru")
    assert score(build([{"kind": "round_trip"}]), [row])["round_trip.chrf"].to_list() == [None]
