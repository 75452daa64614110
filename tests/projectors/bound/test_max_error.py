"""The filter ``max_error``: right spans are likelier than wrong ones, rows say why, and other text is reported."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.projectors.bound.max_error import LEAST, RIGHT, THRESHOLD, MaxError, bound_filter, with_probabilities
from spanferry.projectors.bound.rightness import COVARIATES, JudgedText, bundled_rightness
from spanferry.projectors.bound.true_error import TrueError, bound_lines, bound_rows, outside_text, spelled_right
from spanferry.projectors.bound.witnesses import NAMES, witnesses


def pair(source: str, target: str, lang: str = "es", confidence: float = 0.96, row: str = "1") -> Pair:
    """A pair of sentences whose middle is a span."""
    texts = f"We thank {source} for that report.", f"Agradecemos a {target} ese informe."
    starts = len("We thank "), len("Agradecemos a ")
    span = Span(starts[0], starts[0] + len(source), "ORG", "s0")
    placed = Span(starts[1], starts[1] + len(target), "ORG", "s0")
    return Pair(
        Example(row, "en", {"text": texts[0]}, (span,)),
        Example(row, lang, {"text": texts[1]}, (placed,)),
        (Projection("s0", placed, confidence, "default"),),
        {"mt_score": -0.7},
    )


def _least(pairs: list[Pair]) -> list[float | None]:
    return MaxError().score(pairs)[LEAST]


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        ("European Union", "Unión Europea", "Ingeniería"),
        ("Member States", "Estados miembros", "Estados Unidos"),
        ("Mr Lannoye", "señor Lannoye", "Palacio"),
    ],
)
def test_a_translation_is_likelier_than_other_words(source: str, right: str, wrong: str) -> None:
    high, low = _least([pair(source, right), pair(source, wrong)])
    assert high is not None and low is not None and high > low + 0.1


def test_every_witness_is_a_column_and_what_is_not_known_is_missing() -> None:
    bare = Pair(Example("1", "en", {"text": "x"}), None)
    seen = witnesses([pair("Commission", "Comisión"), bare, pair("Commission", "委员会", "th")])
    assert seen.rows.tolist() == [0, 2] and seen.values.shape == (2, len(NAMES))
    assert seen.column("forward")[0] > 0.9
    assert np.isnan(seen.column("forward")[1]), "there is no table of English and Thai"
    assert witnesses([bare]).values.shape == (0, len(NAMES))


def _judged(wrong_share: float, name: str = "mine", language: str = "es") -> dict[str, object]:
    random = np.random.default_rng(3)
    least = np.sort(random.random(400))
    wrong = (random.random(400) < (1.0 - least) * wrong_share).astype(int)
    means = dict.fromkeys(COVARIATES, 0.0)
    rows = [[float(p), 1, int(w)] for p, w in zip(least, wrong, strict=True)]
    spreads = dict.fromkeys(COVARIATES, 100.0)  # anything is like it
    return {"name": name, "language": language, "corpus_rows": 100, "means": means, "spreads": spreads, "rows": rows}


@pytest.fixture
def reviewed(tmp_path: Path) -> str:
    """A calibration of a corpus that is like any other."""
    path = tmp_path / "calibration.json"
    language = {"slope": 1.0, "shift": 0.0, "text": _judged(0.3)}
    path.write_text(json.dumps({"format": "spanferry calibration 1", "languages": {"es": language}}))
    return str(path)


def _corpus(rows: int = 120) -> list[Pair]:
    words = [("Commission", "Comisión"), ("European Union", "Ingeniería"), ("Parliament", "Parlamento")]
    return [pair(*words[k % 3], row=str(k)) for k in range(rows)]


def test_rows_say_why_they_are_trusted_or_rejected(reviewed: str) -> None:
    pairs = [*_corpus(), Pair(Example("bare", "en", {"text": "x"}), Example("bare", "es", {"text": "y"}))]
    [one] = filters = build([{"kind": "max_error", "error": 0.2, "calibration": reviewed}])
    assert bound_filter(filters) is one and isinstance(one, MaxError)
    frame = score(filters, pairs)
    reasons = decide(filters, frame)
    assert {tuple(reasons[k]) for k in range(1, 120, 3)} == {("max_error:low",)}
    assert {tuple(reasons[k]) for k in range(0, 120, 3)} == {()}
    assert reasons[-1] == [], "a row without spans has no wrong ones"
    bound = one.bounds(frame)["es"]
    assert bound.holds and bound.text == "mine"
    assert bound.spans == sum(not why for why in reasons[:-1])
    given = with_probabilities(pairs, frame, one.bounds(frame))
    assert given[0].scores[LEAST] == given[0].scores[f"{RIGHT}.s0"] >= given[0].scores[THRESHOLD] == bound.threshold
    assert given[0].scores["mt_score"] == -0.7 and given[-1].scores == {}


def test_rows_that_other_filters_reject_do_not_count(reviewed: str) -> None:
    pairs = [p if k % 3 else p.rejected("copy:number") for k, p in enumerate(_corpus())]
    filters = build([{"kind": "max_error", "error": 0.2, "calibration": reviewed}])
    reasons = decide(filters, score(filters, pairs))
    assert reasons[0] == ["copy:number"]


def test_an_error_that_nothing_proves_rejects_all_spans() -> None:
    filters = build([{"kind": "max_error", "error": 0.001}])
    assert {tuple(r) for r in decide(filters, score(filters, _corpus(30)))} == {("max_error:no_bound",)}


def test_other_text_is_reported() -> None:
    [one] = build([{"kind": "max_error", "error": 0.3}])
    assert isinstance(one, MaxError)
    italian = one.bounds(score([one], [pair("Commission", "Commissione", "it")]))["it"]
    assert not italian.holds and "language" in italian.outside and italian.outside["rows"] > 4
    promise = {**italian.to_dict(), "kept_spans": 0}
    assert "no judged rows are in this language" in bound_rows(promise)[-1][2]
    assert "spanferry calibrate OUT" in bound_lines(promise, "OUT")[-1]


def test_repaired_rows_are_other_text_until_some_are_judged(reviewed: str) -> None:
    rows = _corpus()
    for k in range(0, 60, 2):
        target = rows[k].target
        assert target is not None
        rows[k] = replace(rows[k], target=replace(target, meta={"repaired": [["Commission", "Comisión"]]}))
    [one] = build([{"kind": "max_error", "error": 0.3}])
    assert isinstance(one, MaxError)
    bound = one.bounds(score([one], rows))["es"]
    assert not bound.holds and bound.outside["repaired"] == 0.25
    assert "25% of the rows were repaired, and none of the judged ones was" in outside_text(bound.to_dict())
    [own] = build([{"kind": "max_error", "error": 0.2, "calibration": reviewed}])
    assert isinstance(own, MaxError) and own.bounds(score([own], rows))["es"].holds, "a review of such rows"


def test_the_nearest_text_proves() -> None:
    model = bundled_rightness("translated")
    [slots] = [text for text in model.texts if text.name == "xsid-de"]
    found, outside = model.nearest("de", slots.means, slots.corpus_rows)
    assert found is slots and not outside
    found, outside = model.nearest("de", {**slots.means, "text_length": 8.0}, slots.corpus_rows)
    assert "text_length" in outside
    assert JudgedText.of(slots.numbers()).numbers() == slots.numbers()


def test_given_translations_have_judged_rows_of_their_own() -> None:
    assert {t.name for t in bundled_rightness("given").texts} == {"europarl-es", "europarl-de"}
    assert MaxError(text="given").signature != MaxError().signature
    assert MaxError(error=0.1).signature == MaxError().signature, "a threshold changes no score"


def test_a_calibration_that_is_none_is_an_error_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such calibration"):
        build([{"kind": "max_error", "calibration": str(tmp_path / "none.json")}])
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="not a calibration"):
        build([{"kind": "max_error", "calibration": str(tmp_path / "other.json")}])


def test_the_true_error_is_that_against_gold() -> None:
    def labelled(source: str, target: str, gold: list[object]) -> Pair:
        one = pair(source, target)
        assert one.target is not None
        return replace(one, target=replace(one.target, meta={"gold_spans": [gold]}))

    right = labelled("Commission", "Comisión", [14, 22, "ORG", "text"])
    wrong = labelled("European Union", "Ingeniería", [0, 11, "ORG", "text"])
    other = labelled("Parliament", "Parlamento", [0, 11, "LOC", "text"])
    true = TrueError()
    true.add([right, wrong, other, pair("Council", "Consejo"), wrong.rejected("max_error:low")])
    assert true.to_dict() == {"kept_spans": 4, "gold_judged": 2, "true_error": 0.5}
    assert spelled_right("the Commission", ["Commission the"]) is True
    assert spelled_right("Ingeniería", ["Unión Europea"]) is False
    assert spelled_right("Ingeniería", []) is None


def test_columns_are_numbers_of_the_frame() -> None:
    frame = score(build([{"kind": "max_error"}]), _corpus(3))
    assert frame.schema[RIGHT] == pl.List(pl.Float64) and frame.schema[LEAST] == pl.Float64
