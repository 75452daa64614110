"""Word links from the model's attention over a given target."""

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.text.word_breaks import words_of
from spanferry.projectors.aligners.attention import AttentionAligner, shares
from spanferry.projectors.base import Aligner, ProjectionInput


def pair(source, target, **more):
    return ProjectionInput("p", source, target, (), "en", "es", **more)


def linked(alignment, source, target):
    left, right = alignment.source_words, alignment.target_words
    return {(source[slice(*left[i])], target[slice(*right[j])]) for i, j in alignment.links}


@pytest.mark.parametrize(
    ("pieces", "ranges", "expected"),
    [
        ([(0, 2), (2, 5)], [(0, 5)], [[1.0], [1.0]]),
        ([(0, 5)], [(0, 2), (2, 5)], [[0.4, 0.6]]),
        ([(0, 1), (1, 1), (1, 3)], [(1, 3)], [[0.0], [0.0], [1.0]]),
        ([], [(0, 1)], np.zeros((0, 1))),
    ],
)
def test_shares(pieces, ranges, expected):
    np.testing.assert_allclose(shares(pieces, ranges), expected)


def test_links_of_an_everyday_sentence(model):
    aligner = AttentionAligner(model)
    assert isinstance(aligner, Aligner)
    source, target = "Tom lives in Boston with his brother.", "Tom vive en Boston con su hermano."
    found = aligner.align([pair(source, target)])[0]
    assert found.reason is None
    assert {("Boston", "Boston"), ("brother", "hermano")} <= linked(found, source, target)


TEXTS = [
    ("I have two cats.", "Tengo dos gatos."),
    ("Yes 😀👩‍👩‍👧!", "Sí 😀👩‍👩‍👧!"),
    ("e\u0301te\u0301 [brackets] 北京", "e\u0301te\u0301 [corchetes] 北京"),
    ("ภาษาไทย קצת עברית", "क्षेत्र здесь"),
]


def test_probabilities(model):
    for found, (source, target) in zip(AttentionAligner(model).align([pair(*t) for t in TEXTS]), TEXTS, strict=True):
        assert found.reason is None
        assert found.source_words == words_of(source, "en")
        assert found.probabilities.shape == (len(words_of(source, "en")), len(words_of(target, "es")))
        assert found.probabilities.dtype == np.float32
        assert found.probabilities.min() >= 0
        np.testing.assert_allclose(found.probabilities.sum(axis=0), 1.0, atol=1e-4)
        assert list(found.links) == sorted(found.links)


def test_batches_change_nothing(model):
    aligner = AttentionAligner(model)
    together = aligner.align([pair(*t) for t in TEXTS])
    for one, text in zip(together, TEXTS, strict=True):
        np.testing.assert_allclose(one.probabilities, aligner.align([pair(*text)])[0].probabilities, atol=5e-3)


def test_given_words_are_used(model):
    found = AttentionAligner(model).align([pair("I know.", "Lo sé.", source_words=((0, 7),), target_words=((0, 6),))])[
        0
    ]
    assert found.probabilities.shape == (1, 1)
    assert found.links == ((0, 0),)


def test_threshold_leaves_doubtful_links_out(model):
    text = pair(*TEXTS[0])
    assert len(AttentionAligner(model, threshold=1.0).align([text])[0].links) < len(
        AttentionAligner(model, threshold=0.0).align([text])[0].links
    )
    with pytest.raises(ConfigError, match="threshold=2"):
        AttentionAligner(model, threshold=2)


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("", "Hola.", "empty_source"),
        ("Hello.", "  ", "empty_target"),
        ("word " * 3000, "palabra", "too_long"),
        ("a word", "palabra " * 3000, "too_long"),
        ("a \ud800 word", "una palabra", "bad_unicode"),
    ],
)
def test_reasons(model, source, target, reason):
    good, bad = AttentionAligner(model).align([pair("I know.", "Lo sé."), pair(source, target)])
    assert (good.reason, bad.reason) == (None, reason)
    assert bad.links == ()
    assert bad.probabilities.shape == (len(bad.source_words), len(bad.target_words))


def test_signature(model):
    assert AttentionAligner(model).signature != AttentionAligner(model, threshold=0.5).signature
    assert model.signature in AttentionAligner(model).signature
