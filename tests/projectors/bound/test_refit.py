"""A review becomes a calibration: its own rows, and probabilities that are right for it."""

import numpy as np
import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.review.applying import target_digests
from spanferry.corpora.review.decisions import Decision, RowState, Verdict, fold
from spanferry.corpora.schema import Pair
from spanferry.projectors.bound.refit import judged_spans, refit
from tests.projectors.bound.test_max_error import pair

WORDS = [("Commission", "Comisión"), ("European Union", "Ingeniería"), ("Parliament", "Parlamento"), ("Council", "y")]


def _decided(one: Pair, action: str, start: int | None = None) -> RowState:
    assert one.target is not None
    (span,) = one.target.spans
    start = span.start if start is None else start
    place = (None, None) if action == "reject" else (start, span.end)
    verdict = Verdict("s0", "text", *place, span.label, one.target.quote(span))
    return fold([Decision("es", "train", one.source.id, action, (verdict,), target_digests(one), id="1")])


@pytest.mark.parametrize(
    ("action", "start", "right"),
    [("accept", None, True), ("reject", None, False), ("move", 15, False), ("keep", None, True), ("keep", 15, False)],
)
def test_what_a_decision_says_of_the_projection(action: str, start: int | None, right: bool) -> None:
    one = pair("Commission", "Comisión")
    assert judged_spans(one, _decided(one, action, start)) == {"s0": right}


def test_what_was_not_decided_on_or_has_changed_is_not_judged() -> None:
    one, other = pair("Commission", "Comisión"), pair("Commission", "comisiones")
    assert judged_spans(one, RowState()) is None
    assert judged_spans(other, _decided(one, "accept")) is None


def test_a_review_corrects_probabilities_that_are_too_high() -> None:
    pairs = [pair(*WORDS[k % 4], row=str(k)) for k in range(120)]
    # Of the spans that look right a third is not what the reviewer wants; of the others none is.
    states = {k: _decided(pairs[k], "accept" if k % 2 == 0 and k % 3 else "reject") for k in range(120)}
    done = refit(pairs, states, text="translated", language="es", error=0.6)
    assert (done.rows, done.spans, done.right) == (120, 120, 40)
    assert done.ece[1] < done.ece[0]
    assert done.bound == pytest.approx(0.737, abs=0.01)
    assert done.kept[1] == pytest.approx(0.5), "the half that looks right"
    rows = np.array(done.numbers["text"]["rows"])
    assert rows.shape == (120, 3) and rows[:, 2].sum() == 80


def test_a_few_spans_are_too_few() -> None:
    one = pair("Commission", "Comisión")
    with pytest.raises(InputError, match="1 spans in rows"):
        refit([one], {0: _decided(one, "accept")}, text="translated", language="es", error=0.1)
