"""Cheap forced scores with the bundled model: they are near those of the whole model, and hang on the row alone."""

import json
import shutil

import numpy as np
import pytest

from spanferry.translators.engine import forced
from spanferry.translators.engine.language_pieces import (
    count,
    languages,
    lists_digest,
    read_pieces,
    usual,
    write_pieces,
)
from spanferry.translators.engine.scoring import LanguageScorer
from spanferry.translators.model_file import ModelFile, UnknownLayout, Variable, pack

MARKERS = ("▁[", "▁]")
PAIRS = [
    ("Tom lives in [ Boston ].", "Tom vive en Boston."),
    ("Tom lives in Boston.", "Tom vive en Boston."),
    ("My [ sister ] works in a small hospital.", "Mi hermana trabaja en un pequeño hospital."),
    ("The [ Zwölfxy 😀 ] is closed on Mondays.", "El Zwölfxy 😀 cierra los lunes."),
]


@pytest.fixture(scope="module")
def scorer(model):
    return LanguageScorer(model.directory, "es", compute_type=model.compute_type, always=MARKERS)


def rows(model, pairs=PAIRS):
    return [
        (tuple(model.encode_source(source, "en", "es")), tuple(model.encode_target(target, "es")))
        for source, target in pairs
    ]


def opened(scorer, given, expected=()):
    return scorer.for_batch([source for source, _ in given], [target for _, target in given], expected)


def whole(model, given):
    return forced.score(model.raw, [source for source, _ in given], [target for _, target in given])


def test_scores_are_near_those_of_the_whole_model(model, scorer):
    given = rows(model)
    cheap = opened(scorer, given).score(given, 0)
    for found, expected, (_, target) in zip(cheap, whole(model, given), given, strict=True):
        assert found.shape == (len(target) + 1,) and found.dtype == np.float32
        assert (found <= 0).all()
        # Fewer pieces share the probability, so that none has less of it.
        assert (found >= expected - 0.25).all()
    plain = [(k, pair) for k, pair in enumerate(given) if k != 3]
    for k, _ in plain:
        assert np.abs(cheap[k] - whole(model, given)[k]).max() < 0.6


def test_a_row_scores_the_same_in_any_company(model, scorer):
    given = rows(model)
    together = opened(scorer, given).score(given, 0)
    for row, expected in zip(given, together, strict=True):
        alone = opened(scorer, [row]).score([row], 0)
        assert alone[0].tobytes() == expected.tobytes()
    marked = opened(scorer, given, MARKERS).score(given, 0)
    assert [m.tobytes() for m in marked] == [t.tobytes() for t in together]
    backwards = opened(scorer, given[::-1]).score(given[::-1] * 40, 0)
    assert [b.tobytes() for b in backwards[:4]] == [t.tobytes() for t in together[::-1]]


def test_pieces_outside_the_list_are_scored(model, scorer):
    given = rows(model)[3:]
    usual_pieces = set(read_pieces(model.directory, "es"))
    rare = [k for k, piece in enumerate(given[0][1]) if piece not in usual_pieces]
    assert len(rare) >= 2
    found, expected = opened(scorer, given).score(given, 0)[0][rare], whole(model, given)[0][rare]
    # Fewer pieces share the probability; the piece itself is one of them.
    assert (found >= expected - 0.1).all() and (found < 0).all() and (found < expected + 3).all()


def test_how_much_a_marker_is_expected_before_each_token(model, scorer):
    """One pass shows what as many passes with the marker in place would show."""
    given = rows(model)
    scoring = opened(scorer, given, MARKERS)
    for (source, target), found in zip(given, scoring.expected(given, "▁[", 0), strict=True):
        assert found.shape == (len(target),)
        inserted = [(source, (*target[:k], "▁[", *target[k:])) for k in range(len(target))]
        assert np.array([row[k] for k, row in enumerate(scoring.score(inserted, 0))]) == pytest.approx(found, abs=0.05)
    source, target = given[0]
    best = int(np.argmax(scoring.expected([(source, target)], "▁[", 0)[0]))
    assert target[best].endswith("Boston")


def test_an_unknown_token_and_an_unknown_source_fail_alone(model, scorer):
    given = rows(model)
    scoring = opened(scorer, given, MARKERS)
    found = scoring.score([given[0], (("▁Anna", "</s>"), given[0][1])], 0)
    assert len(found[0]) == len(given[0][1]) + 1 and len(found[1]) == 0
    strange = (given[0][0], ("▁Tom", "\ue000\ue001", "."))
    assert np.isfinite(opened(scorer, [strange], MARKERS).expected([strange], "▁[", 0)[0]).all()


@pytest.mark.parametrize(("compute_type", "near"), [("int8", 0.1), ("float32", 1e-3)])
def test_two_pieces_in_one_place_differ_as_in_the_whole_model(model, compute_type, near):
    """What the probability is shared among cancels out, so this shows that encoder and decoder are the model's."""
    source, target = rows(model)[0]
    given = [
        (source, (*target[:k], piece)) for k in range(len(target)) for piece in ("▁en", "▁de", "▁Boston", "▁[", ".")
    ]
    scorer = LanguageScorer(model.directory, "es", compute_type=compute_type, always=MARKERS)
    raw = type(model)(model.directory, device="cpu", compute_type=compute_type).raw
    expected = forced.score(raw, [source for source, _ in given], [target for _, target in given])
    tables = [
        np.array([row[len(t) - 1] for row, (_, t) in zip(found, given, strict=True)]).reshape(-1, 5)
        for found in (opened(scorer, given).score(given, 0), expected)
    ]
    ours, theirs = (table - table[:, :1] for table in tables)
    assert ours == pytest.approx(theirs, abs=near)


@pytest.mark.parametrize(("compute_type", "near"), [("int8", 0.25), ("float32", 1e-3)])
def test_without_a_list_scores_are_those_of_the_model(model, compute_type, near):
    assert languages(model.directory) == ["de", "en", "es", "fr", "nl", "zh"]
    given = rows(model)
    raw = type(model)(model.directory, device="cpu", compute_type=compute_type).raw
    expected = forced.score(raw, [source for source, _ in given], [target for _, target in given])
    for language in ("is", None):
        scorer = LanguageScorer(model.directory, language, compute_type=compute_type, always=MARKERS)
        assert scorer.exact
        scoring = opened(scorer, given, MARKERS)
        for found, whole_model in zip(scoring.score(given, 0), expected, strict=True):
            assert found == pytest.approx(whole_model, abs=near)
        # Before the word that is marked in the source the marker is expected, and nowhere as much.
        at = given[0][1].index("▁Boston")
        assert scoring.expected(given[:1], "▁[", 0)[0].argmax() == at


def test_a_broken_file(model, tmp_path):
    shutil.copytree(model.directory, tmp_path / "model")
    data = (tmp_path / "model" / "model.bin").read_bytes()
    for broken in (data[:1000], b"\7" + data[1:], b""):
        (tmp_path / "model" / "model.bin").write_bytes(broken)
        with pytest.raises(UnknownLayout):
            LanguageScorer(tmp_path / "model", "es", compute_type="int8")


def test_a_file_that_is_packed_again_reads_alike(model):
    first = ModelFile.parse((model.directory / "model.bin").read_bytes())
    again = ModelFile.parse(pack(first.spec, first.revision, first.variables.items()))
    assert (again.spec, again.revision) == (first.spec, first.revision) == ("TransformerSpec", 7)
    assert {n: (v.shape, v.kind, bytes(v.data)) for n, v in again.variables.items()} == {
        n: (v.shape, v.kind, bytes(v.data)) for n, v in first.variables.items()
    }
    assert "decoder/projection/weight" in first.variables, "an alias counts"
    taken = Variable.of(np.arange(6, dtype=np.float32).reshape(3, 2)).rows(np.array([2, 0]))
    assert taken.shape == (2, 2)
    assert np.frombuffer(taken.data, np.float32).tolist() == [4, 5, 0, 1]


def test_lists_of_pieces(tmp_path):
    counts = count([["a", "b", "a"], ["a", "c"]])
    assert usual(counts, 0.5) == ["a"]
    assert usual(counts, 0.7) == ["a", "b"]
    assert usual({}, 0.5) == []
    assert lists_digest(tmp_path) == "" and read_pieces(tmp_path, "es") is None
    write_pieces(tmp_path, "es", counts)
    assert read_pieces(tmp_path, "es") == read_pieces(tmp_path, "es-MX") == ["a", "b", "c"]
    first = lists_digest(tmp_path)
    write_pieces(tmp_path, "de", counts)
    assert languages(tmp_path) == ["de", "es"] and lists_digest(tmp_path) != first
    assert json.loads((tmp_path / "pieces.de.json").read_text(encoding="utf-8")) == ["a", "b", "c"]
