"""Constrained decoding with a translator that gives no scores: another model scores in its place."""

from collections.abc import Sequence
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Span, Translation
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.methods.build import build_projector
from spanferry.translators.wrappers.readas import ReadAs, scoring_model

PAIRS = [
    ("Anna Silva lives in Lisbon.", (0, 10), "Anna Silva mora em Lisboa.", "Anna Silva"),
    ("Anna Silva lives in Lisbon.", (20, 26), "Anna Silva mora em Lisboa.", "Lisboa"),
    ("We saw Pedro Costa in the old town.", (7, 18), "Vimos Pedro Costa na cidade velha.", "Pedro Costa"),
]  # fmt: skip


class Unscored:
    """A translator as Firefox's: texts and nothing else."""

    signature = "mt:unscored"

    def supports(self, source: str, target: str) -> bool:
        return True

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        return [Translation(text) for text in texts]


def _inputs() -> list[ProjectionInput]:
    return [
        ProjectionInput("x", source, target, (Span(*place, "PER", "s"),), "en", "pt")
        for source, place, target, _ in PAIRS
    ]


def _built(**options: Any) -> Any:
    return build_projector("constrained", options, Unscored(), "en", "pt")


def test_the_bundled_model_scores_what_another_translated() -> None:
    projector = _built(scorer="bundled")
    found = [
        item.target_text[p.span.start : p.span.end]
        for item, (p,) in zip(_inputs(), projector.project(_inputs()), strict=True)
    ]
    assert found == [quote for *_, quote in PAIRS]
    assert "mt:mini@" in projector.signature and "as:es" in projector.signature


def test_without_a_scorer_the_error_names_it() -> None:
    with pytest.raises(ModelError, match="needs a model that scores given translations") as caught:
        _built()
    assert "projector.options.scorer=bundled" in str(caught.value)


def test_the_language_that_it_is_read_as() -> None:
    assert _built(scorer="bundled", scorer_language="fr").signature != _built(scorer="bundled").signature
    known = scoring_model("bundled", "en", "es")
    assert not isinstance(known, ReadAs)
    with pytest.raises(ModelError, match="no bundled model translates en to fi"):
        scoring_model("bundled", "en", "fi")
    with pytest.raises(ModelError, match="no bundled model translates en to sw"):
        scoring_model("bundled", "en", "pt", "sw")
    with pytest.raises(ConfigError, match="without scorer"):
        ConstrainedProjector(Unscored(), "en", "pt", scorer_language="es")
    with pytest.raises(ModelError, match="does not score"):
        scoring_model(f"{__name__}:Unscored", "en", "pt")
