"""The default projector: what it decides alone, with a model, and against gold."""

from dataclasses import replace
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.parallel import zip_examples
from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.pipeline import stages
from spanferry.translators.loading.load import load_translator

TEXTS = [
    ("Anna lives in Paris.", "Anna vive en París."),
    ("Tom lives in Berlin.", "Tom vive en Berlín."),
    ("The cat sleeps in the house.", "El gato duerme en la casa."),
    ("The dog sleeps in the garden.", "El perro duerme en el jardín."),
    ("Anna has a dog and a cat.", "Anna tiene un perro y un gato."),
    ("Call +34 911 23 45 67 today.", "Llame hoy al +34 911 23 45 67."),
]


def _item(source: str, target: str, *quotes: str) -> ProjectionInput:
    spans = tuple(Span(source.index(q), source.index(q) + len(q), "X", f"s{k}") for k, q in enumerate(quotes))
    return ProjectionInput(source, source, target, spans, "en", "es")


CORPUS = [_item(*texts) for texts in TEXTS]


def _quotes(projector: DefaultProjector, item: ProjectionInput) -> list[str | None]:
    (found,) = projector.project([item])
    assert [p.source_span_id for p in found] == [s.id for s in item.spans]
    return [item.target_text[p.span.start : p.span.end] if p.span else None for p in found]


@pytest.fixture(scope="module")
def alone() -> DefaultProjector:
    return DefaultProjector(None, "en", "es").fit(CORPUS)


@pytest.fixture(scope="module")
def with_model() -> DefaultProjector:
    return DefaultProjector(load_translator("bundled", source="en", target="es"), "en", "es").fit(CORPUS)


@pytest.mark.parametrize(
    ("source", "target", "quotes", "expected"),
    [
        (*TEXTS[0], ("Anna", "Paris"), ["Anna", "París"]),
        (*TEXTS[4], ("a dog", "a cat"), ["un perro", "un gato"]),
        (*TEXTS[5], ("+34 911 23 45 67",), ["+34 911 23 45 67"]),
    ],
)
def test_places_spans_with_and_without_a_model(
    source: str,
    target: str,
    quotes: tuple[str, ...],
    expected: list[str],
    alone: DefaultProjector,
    with_model: DefaultProjector,
) -> None:
    item = _item(source, target, *quotes)
    assert _quotes(alone, item) == expected
    assert _quotes(with_model, item) == expected


def test_the_model_speaks_only_where_it_knows_the_pair(with_model: DefaultProjector) -> None:
    known = _item("I have two cats.", "Tengo dos gatos.", "two cats")
    foreign = _item("I have two cats.", "Zxq wvut kjh, qqq rrr ttt vvv gatos zzz.", "two cats")
    ((ours,), (theirs,)) = with_model.project([known, foreign])
    assert "constrained" in ours.method
    assert "constrained" not in theirs.method


def test_state_carries_the_fit(alone: DefaultProjector) -> None:
    again = DefaultProjector(None, "en", "es").with_state(alone.state())
    item = _item(*TEXTS[4], "a dog", "a cat")
    assert again.project([item]) == alone.project([item])
    assert DefaultProjector(None, "en", "es").fit(CORPUS[::-1]).state() == alone.state()


def test_fragments_are_placed_each(alone: DefaultProjector) -> None:
    source, target = TEXTS[4]
    a, b = source.index("a dog"), source.index("a cat")
    span = Span(a, b + 5, "PETS", "s0", fragments=((a, a + 5), (b, b + 5)))
    item = replace(_item(source, target), spans=(span,))
    (found,) = alone.project([item])[0]
    assert found.span is not None
    assert [target[x:y] for x, y in found.span.fragments] == ["un perro", "un gato"]


def test_an_empty_target_has_a_reason(alone: DefaultProjector) -> None:
    (found,) = alone.project([_item("Anna lives.", "  ", "Anna")])[0]
    assert (found.span, found.score, found.reason) == (None, 0.0, "empty_target")


def test_every_option_is_in_the_signature() -> None:
    plain = DefaultProjector(None).signature
    assert DefaultProjector(None, copy=False).signature != plain
    model = load_translator("bundled", source="en", target="es")
    assert DefaultProjector(model).signature != plain == DefaultProjector(model, model=False).signature


def test_options_of_the_wrong_kind() -> None:
    with pytest.raises(ConfigError, match="true or false"):
        DefaultProjector(None, copy="yes")  # type: ignore[arg-type]


@pytest.mark.gold
@pytest.mark.parametrize(("language", "least"), [("es", 0.87), ("de", 0.87)])
def test_europarl_with_both_sides_given(language: str, least: float, gold: Path) -> None:
    sides = [
        open_reader(gold / "europarl-ner" / f"{side}-europarl.test.conll02", lang=side) for side in ("en", language)
    ]
    pairs = [stages.as_pair(source, "en", target) for source, target in zip_examples(*sides)]
    rows = stages.given_inputs(pairs, "en", language)
    flat = [item for row in rows for item in row]
    found = iter(stages.project_some(DefaultProjector(None, "en", language).fit(flat), flat))
    projected = stages.assemble_given(pairs, [[p for _ in row for p in next(found)] for row in rows], "test")
    counts = stages.count_pairs(projected)
    f1 = 2 * counts["gold_matched"] / (counts["gold_spans"] + counts["gold_predicted"])
    assert f1 >= least
