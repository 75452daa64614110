"""The bundled encoder as it ships: its files, its links, and what it adds where there are few sentences."""

import hashlib
import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import spanferry.projectors.bundled
from spanferry.corpora.errors import ModelError
from spanferry.projectors.aligners.encoder import context
from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
from spanferry.projectors.aligners.encoder.context import Views, averaged, bundled_encoder, power_for, views
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.fit import Settings
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.evaluation.gold import load_gold
from spanferry.projectors.evaluation.judge import judge
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.translators.engine.failures import gathered

WEIGHTS = Path(spanferry.projectors.bundled.__file__).parent / "weights"


def pair(source: str, target: str, language: str) -> ProjectionInput:
    return ProjectionInput("p", source, target, (), "en", language)


def linked(item: ProjectionInput, aligner: EncoderAligner | LexicalAligner) -> set[tuple[str, str]]:
    (found,) = aligner.align([item])
    return {
        (item.source_text[slice(*found.source_words[i])], item.target_text[slice(*found.target_words[j])])
        for i, j in found.links
    }


def test_files_are_as_described_and_small() -> None:
    facts = json.loads((WEIGHTS / "spanferry.json").read_text(encoding="utf-8"))
    names = {path.name for path in WEIGHTS.iterdir()} - {"spanferry.json"}
    assert set(facts["files"]) == names >= {"model.bin", "tokenizer.json"}
    for name, fact in facts["files"].items():
        content = (WEIGHTS / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (fact["bytes"], fact["sha256"]), name
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 12_000_000
    assert facts["quantization"] == "int8" and facts["empty_word"] and facts["licence"] and facts["training"]


@pytest.mark.parametrize(
    ("source", "target", "language", "wanted"),
    [
        ("The captain sold the old boat.", "El capitán vendió el viejo barco.", "es", {("old", "viejo")}),
        ("The captain sold the old boat.", "Der Kapitän verkaufte das alte Boot.", "de", {("boat", "Boot")}),
        ("My brother lives in a big city.", "Mon frère habite dans une grande ville.", "fr", {("brother", "frère")}),
        ("He drinks water in the morning.", "Hij drinkt 's morgens water.", "nl", {("water", "water")}),
        ("She is reading a book.", "Она читает книгу.", "ru", {("book", "книгу")}),
        ("He bought three books.", "他买了三本书。", "zh", {("three", "三")}),
    ],
)
def test_one_sentence_is_enough(source: str, target: str, language: str, wanted: set[tuple[str, str]]) -> None:
    assert wanted <= linked(pair(source, target, language), EncoderAligner())


def test_views_are_powers_of_the_encoder_s_probabilities() -> None:
    pairs = [(["The", "red", "boat"], ["El", "barco", "rojo"]), (["Yes"], ["Sí", ",", "claro"])]
    found = views(pairs, 0.5)
    texts = [pair(" ".join(source), " ".join(target), "es") for source, target in pairs]
    first, second = bundled_encoder().align(texts)
    assert first.forward is not None and second.forward is not None and first.backward is not None
    np.testing.assert_allclose(found.forward[:9], np.sqrt(0.02 + first.forward).ravel(), atol=1e-4)
    np.testing.assert_allclose(found.backward[:9], np.sqrt(0.02 + first.backward).ravel(), atol=1e-4)
    np.testing.assert_allclose(found.null_target[3:], np.sqrt(0.02 + 1 - second.forward.sum(axis=0)), atol=1e-3)
    assert [len(array) for array in (found.forward, found.null_target, found.null_source)] == [12, 6, 4]


def test_posteriors_are_averaged_with_what_the_encoder_says() -> None:
    seen = views([(["The", "red", "boat"], ["El", "barco", "rojo"])], 0.5)
    forward, backward = averaged(np.full(9, 0.25), np.r_[np.zeros(8), 1.0], seen, 0.5)
    weight = 0.5 * context._ONCE_MORE
    np.testing.assert_allclose(forward, 0.25 ** (1 - weight) * seen.forward ** (weight / 0.5), rtol=1e-6)
    boat, red = forward.reshape(3, 3)[2], forward.reshape(3, 3)[1]
    assert boat.argmax() == 1 and red.argmax() == 2 and boat[1] > 0.25 > boat[2]
    # What the corpus rules out stays so, and what it is sure of becomes no surer than sure.
    assert not backward[:8].any() and 0 < backward[8] <= 1
    assert (averaged(np.ones(9), np.ones(9), seen, 0.5)[0] <= 1).all()


def test_views_of_a_text_that_is_too_long_say_nothing() -> None:
    long = (["boat"] * 600, ["barco", "rojo"])
    found = views([long], 0.5)
    assert all((getattr(found, name) == 1.0).all() for name in Views.__slots__) and len(found.forward) == 1200


def test_what_is_kept_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(["The", "red", "boat", str(k)], ["El", "barco", "rojo", str(k)]) for k in range(12)]
    monkeypatch.setattr(context, "_KNOWN", OrderedDict())
    monkeypatch.setattr(context, "_MOST_KNOWN", 5)
    first = views(pairs, 0.5)
    assert len(context._KNOWN) == 5
    again = views([*pairs[8:], *pairs[:8]], 0.5)
    assert np.array_equal(again.forward, np.roll(first.forward, 4 * 16))
    monkeypatch.setattr(context, "_LARGEST_KNOWN", 15)
    context._KNOWN.clear()
    assert np.array_equal(views(pairs, 0.5).null_source, first.null_source) and not context._KNOWN


SENTENCES = [
    ("Book a table for two in Lisbon", "Reserva una mesa para dos en Lisboa"),
    ("Play some quiet piano music", "Pon música de piano tranquila"),
    ("Will it rain on Friday morning?", "¿Lloverá el viernes por la mañana?"),
    ("Wake me up at seven", "Despiértame a las siete"),
]


def test_few_sentences_are_aligned_in_context() -> None:
    corpus = [pair(*sentences, "es") for sentences in SENTENCES]
    asked, unasked = LexicalAligner().fit(corpus), LexicalAligner(context=False).fit(corpus)
    wanted = {("table", "mesa"), ("music", "música"), ("Friday", "viernes"), ("seven", "siete"), ("quiet", "tranquila")}
    right = [len(wanted & set().union(*(linked(item, aligner) for item in corpus))) for aligner in (asked, unasked)]
    assert right[0] == len(wanted) and right[0] >= right[1]
    assert asked.state() != unasked.state() and asked.signature != unasked.signature
    # What was learned and what is read back ask alike.
    again = LexicalAligner().with_state(asked.state())
    for one, other in zip(asked.align(corpus), again.align(corpus), strict=True):
        assert np.array_equal(one.probabilities, other.probabilities)


def test_fifty_gold_rows_with_and_without(gold: Path) -> None:
    found = load_gold("xsid-it", gold, limit=50)
    f1 = []
    for asked in (True, False):
        projector = DefaultProjector(context=asked).fit(found.inputs)
        f1.append(judge(found, projector.project(found.inputs)).exact.f1)
    assert f1[0] > 0.93 and f1[0] > f1[1] + 0.02


def test_order_and_company_change_nothing() -> None:
    corpus = [pair(*sentences, "es") for sentences in SENTENCES]
    fitted = LexicalAligner().fit(corpus)
    assert fitted.state() == LexicalAligner().fit(corpus[::-1]).state()
    together = fitted.align(corpus)
    for item, found in zip(corpus, together, strict=True):
        assert np.array_equal(fitted.align([item])[0].probabilities, found.probabilities)


def test_power_falls_where_the_encoder_was_not_trained() -> None:
    assert power_for("en", "es-MX", 10**6, 0.2, 100.0) == power_for("tr", "en", 5, 0.2, 100.0) == 0.2
    assert power_for("en", "da", 100, 0.2, 100.0) == power_for("de", "es", 100, 0.2, 100.0) == 0.1
    assert power_for("en", "da", 10_000, 0.2, 100.0) == 0.0


def test_where_nobody_is_asked() -> None:
    corpus = [pair(*sentences, "da") for sentences in SENTENCES]
    large = Settings(context_words=0.1)
    states = [LexicalAligner(context=asked, settings=large).fit(corpus).state() for asked in (True, False)]
    assert states[0] == states[1] != LexicalAligner().fit(corpus).state()
    assert LexicalAligner("none").fit(corpus).state() == LexicalAligner("none", context=False).fit(corpus).state()


def test_a_text_that_the_encoder_fails_on_fails_alone(tmp_path: Path) -> None:
    for file in WEIGHTS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    facts = json.loads((tmp_path / "spanferry.json").read_text())
    (tmp_path / "spanferry.json").write_text(json.dumps({**facts, "max_tokens": 10**6}))
    aligner = EncoderAligner(str(tmp_path), device="cpu")
    long = "the house " * (facts["max_tokens"] // 2 + 1)
    rows = [("Tom lives here.", "Tom vive aquí."), (long, "la casa"), ("Mary left.", "Mary se fue.")]
    inputs = [ProjectionInput(f"r{n}", a, b, (), "en", "es") for n, (a, b) in enumerate(rows)]
    with gathered() as failed:
        found = aligner.align(inputs)
    assert [one.reason for one in found] == [None, "model_error", None]
    assert found[0].links and found[2].links
    assert failed.found["align"].rows == 1 and "position" in failed.found["align"].last
    with pytest.raises(ModelError, match="fails on every row"):
        aligner.align([ProjectionInput("r", long, long + "the", (), "en", "es")])
