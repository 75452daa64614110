"""Alignment by the vectors of the translation model's encoder."""

import pytest

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.projectors.aligners.build import build_aligner
from spanferry.projectors.base import ProjectionInput
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import bundled_directories, load_translator


@pytest.fixture(scope="module")
def model() -> CT2Translator:
    return CT2Translator(bundled_directories()[0], device="cpu")


def _input(source: str, target: str, language: str = "es") -> ProjectionInput:
    return ProjectionInput("x", source, target, (), "en", language)


def test_links_of_words(model: CT2Translator) -> None:
    item = _input("Anna has two dogs.", "Anna tiene dos perros.")
    (found,) = build_aligner("translation-encoder", {}, model).align([item])
    words = [
        ("Anna has two dogs."[slice(*found.source_words[i])], "Anna tiene dos perros."[slice(*found.target_words[j])])
        for i, j in found.links
    ]
    assert {("Anna", "Anna"), ("two", "dos"), ("dogs", "perros")} <= set(words)
    assert found.probabilities.shape == (len(found.source_words), len(found.target_words))


def test_a_row_does_not_depend_on_others(model: CT2Translator) -> None:
    aligner = build_aligner("translation-encoder", {}, model)
    items = [_input("We live in Madrid.", "Vivimos en Madrid."), _input("One", "Uno"), _input("Go home now.", "Vete.")]
    together = aligner.align(items)
    for item, found in zip(items, together, strict=True):
        (alone,) = aligner.align([item])
        assert alone.links == found.links and (alone.probabilities == found.probabilities).all()


def test_a_target_language_that_is_no_source(model: CT2Translator) -> None:
    (found,) = build_aligner("translation-encoder", {}, model).align([_input("Anna is here.", "Anna est ici.", "fr")])
    assert (0, 0) in found.links


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [("", "Uno", "empty_source"), ("One", "", "empty_target"), ("One \ud800", "Uno", "bad_unicode"),
     ("word " * 600, "Uno", "too_long")],
)  # fmt: skip
def test_rows_that_fail(model: CT2Translator, source: str, target: str, reason: str) -> None:
    failed, good = build_aligner("translation-encoder", {}, model).align([_input(source, target), _input("a", "a")])
    assert failed.reason == reason and not failed.links and good.reason is None


def test_options_and_models_that_can_not_be(model: CT2Translator) -> None:
    with pytest.raises(ConfigError, match="unknown method 'best'"):
        build_aligner("translation-encoder", {"method": "best"}, model)
    with pytest.raises(ModelError, match="has no encoder"):
        build_aligner("translation-encoder", {}, load_translator("parallel"))
