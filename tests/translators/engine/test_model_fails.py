"""A model that fails: one row of several has a reason, all of them are an error; nothing goes on without it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from spanferry.corpora.errors import ModelError
from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.translators.base import ForcedScore
from spanferry.translators.engine import forced
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.failures import Failed, carried, gathered, settle
from spanferry.translators.engine.limits import MODEL_ERROR
from spanferry.translators.engine.scoring import LanguageScorer

LONG = ["▁de"] * 1500  # past the position table: CTranslate2 raises
TEXTS = [("Tom lives in Boston.", "Tom vive en Boston."), ("Mary saw Paris.", "Mary vio París.")]


@pytest.mark.parametrize("rows", [2, 7])
def test_scores_and_attention_raise_where_every_row_fails(model: CT2Translator, rows: int) -> None:
    source = [model.encode_source("Yes.", "en", "es")] * rows
    with pytest.raises(ModelError, match=r"fails on every row: .*position"):
        forced.score(model.raw, source, [LONG] * rows)
    with pytest.raises(ModelError, match=r"fails on every row: .*position"):
        forced.attention(model.raw, source, [LONG] * rows, vocab_size=model.vocab_size)


def test_the_last_error_of_a_row_is_kept(model: CT2Translator, caplog: pytest.LogCaptureFixture) -> None:
    source = [model.encode_source("Yes.", "en", "es")] * 3
    with caplog.at_level(logging.WARNING, "spanferry"):
        found = forced.score(model.raw, source, [["▁Sí"], LONG, ["▁Sí"]])
    assert [len(f) for f in found] == [2, 0, 2]
    assert "1 of 3 rows" in caplog.text and "position" in caplog.text


def test_failures_are_counted_for_whoever_does_the_work(model: CT2Translator) -> None:
    source = [model.encode_source("Yes.", "en", "es")] * 3
    with gathered() as failed, ThreadPoolExecutor(1) as pool:
        forced.score(model.raw, source, [["▁Sí"], LONG, ["▁Sí"]])
        pool.submit(carried(forced.score), model.raw, source, [LONG, LONG, ["▁Sí"]]).result()
        with gathered() as inner:
            settle(["out of memory"], 2, "score")
    assert {call: one.rows for call, one in failed.found.items()} == {"score": 3}
    assert "position" in failed.found["score"].last
    assert inner.found["score"] == Failed(1, "out of memory")


def test_sources_that_can_not_be_encoded(model: CT2Translator) -> None:
    scorer = LanguageScorer(model.directory, "es", compute_type=model.compute_type)
    good, long = tuple(model.encode_source("Yes.", "en", "es")), tuple(LONG)
    opened = scorer.for_batch([good, long], [("▁Sí",)])
    assert [len(f) for f in opened.score([(good, ("▁Sí",)), (long, ("▁Sí",))], 0)] == [2, 0]
    with pytest.raises(ModelError, match="fails on every row"):
        scorer.for_batch([long, (*long, "▁de")], [("▁Sí",)])


@pytest.mark.parametrize(("failed", "rows", "raises"), [(0, 0, False), (1, 1, False), (1, 2, False), (2, 2, True)])
def test_when_a_model_counts_as_broken(failed: int, rows: int, raises: bool) -> None:
    if raises:
        with pytest.raises(ModelError, match="out of memory 1"):
            settle([f"out of memory {i}" for i in range(failed)], rows, "score")
    else:
        settle(["out of memory"] * failed, rows, "score")


class _FailsOn:
    """The bundled model, which runs out of memory at the pairs with a certain source."""

    def __init__(self, inner: CT2Translator, text: str) -> None:
        self.inner, self.text = inner, text

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def score_pairs(self, sources: list[str], targets: list[str], source: str, target: str) -> list[ForcedScore]:
        found = self.inner.score_pairs(sources, targets, source, target)
        return [
            ForcedScore(one.pieces, one.logprobs[:0], MODEL_ERROR) if text == self.text else one
            for text, one in zip(sources, found, strict=True)
        ]


def _inputs() -> list[ProjectionInput]:
    quotes = ["Boston", "Paris"]
    return [
        ProjectionInput(q, a, b, (Span(a.index(q), a.index(q) + len(q), "LOC", id="s0"),), "en", "es")
        for (a, b), q in zip(TEXTS, quotes, strict=True)
    ]


def test_default_does_not_go_on_without_its_model(model: CT2Translator) -> None:
    inputs = _inputs()
    fine = DefaultProjector(model, "en", "es").project(inputs)
    found = DefaultProjector(_FailsOn(model, TEXTS[1][0]), "en", "es").project(inputs)
    assert found[0] == fine[0]
    assert fine[1][0].span is not None
    assert [(p.span, p.reason) for p in found[1]] == [(None, MODEL_ERROR)]
