"""Forced scores, attention and marker probabilities against the naive way of getting each."""

import numpy as np
import pytest

from spanferry.translators.engine import forced
from spanferry.translators.families import read_vocabulary

# Activations are rounded to eight bits, so that another batch may tip a value over: nats.
NOISE = 0.1
SENTENCES = [
    ("Tom lives in Boston.", "Tom vive en Boston."),
    ("I saw Mary in Paris yesterday with her three brothers and her old dog.", "Ayer vi a Mary en París con su perro."),
    ("Yes.", "Sí."),
    ("The price is 3.50 € 😀 (about [four] dollars).", "El precio es 3,50 € 😀 (unos [cuatro] dólares)."),
    ("ภาษาไทย 日本語 क्षेत्र", "ภาษาไทย 日本語 é́"),
]


@pytest.fixture(scope="module")
def parts(model):
    """The raw translator, source and target tokens of the sentences, and the vocabulary."""
    source = [model.encode_source(s, "en", "es") for s, _ in SENTENCES]
    target = [model.encode_target(t, "es") for _, t in SENTENCES]
    listed = read_vocabulary(model.directory, "target")
    return model.raw, source, target, {piece: i for i, piece in enumerate(listed)}


def one_by_one(raw, source, target):
    return [np.asarray(raw.score_batch([s], [t])[0].log_probs) for s, t in zip(source, target, strict=True)]


@pytest.mark.parametrize("limit", [1, 20, 4096])
def test_score_equals_one_by_one(parts, limit):
    raw, source, target, _ = parts
    found = forced.score(raw, source, target, max_target_tokens=limit)
    for f, t, expected in zip(found, target, one_by_one(raw, source, target), strict=True):
        assert f.shape == (len(t) + 1,)
        np.testing.assert_allclose(f, expected, atol=NOISE)


def test_score_drops_the_prefix(parts):
    raw, source, target, _ = parts
    prefix = ["▁Tom"]
    found = forced.score(raw, source, [[*prefix, *t] for t in target], prefix=1)
    whole = one_by_one(raw, source, [[*prefix, *t] for t in target])
    for f, expected in zip(found, whole, strict=True):
        np.testing.assert_allclose(f, expected[1:], atol=NOISE)


def test_a_failing_row_fails_alone(parts):
    raw, source, target, _ = parts
    long = ["▁de"] * 1500  # past the position table
    found = forced.score(raw, [*source, source[0], long], [*target, long, target[0]])
    assert [len(f) for f in found] == [*(len(t) + 1 for t in target), 0, 0]
    np.testing.assert_allclose(found[0], one_by_one(raw, source[:1], target[:1])[0], atol=NOISE)


def test_an_empty_target_scores_its_end(parts):
    raw, source, _, _ = parts
    assert [f.shape for f in forced.score(raw, source[:1], [[]])] == [(1,)]


def test_attention_is_that_of_a_single_row(parts):
    raw, source, target, vocabulary = parts
    found = forced.attention(raw, source, target, vocab_size=len(vocabulary))
    shifted = forced.attention(raw, source, target, vocab_size=len(vocabulary), shifted=True)
    for s, t, f, after in zip(source, target, found, shifted, strict=True):
        alone = forced.attention(raw, [s], [t], vocab_size=len(vocabulary))[0]
        assert f.shape == (len(t), len(s))
        np.testing.assert_allclose(f.sum(axis=1), 1.0, atol=1e-4)
        np.testing.assert_allclose(f, alone, atol=0.02)
        np.testing.assert_allclose(after[:-1], f[1:], atol=1e-6)


def test_attention_of_the_models_own_translation(parts):
    """Forced over what the model itself says, attention is what it paid while saying it."""
    raw, source, _, vocabulary = parts
    own = raw.translate_batch(source[:2], beam_size=1, return_attention=True)
    found = forced.attention(raw, source[:2], [r.hypotheses[0] for r in own], vocab_size=len(vocabulary))
    for f, r in zip(found, own, strict=True):
        np.testing.assert_allclose(f, np.asarray(r.attention[0])[: len(f)], atol=0.02)


def test_attention_of_a_failing_row(parts):
    raw, source, target, vocabulary = parts
    found = forced.attention(raw, [source[0], ["▁de"] * 1500], target[:2], vocab_size=len(vocabulary))
    assert [f is None for f in found] == [False, True]


def test_marker_logprob():
    plain = np.zeros(5, np.float32)
    fall = np.array([-5.0, 0.0, 4.5, 8.0, 30.0], np.float32)
    found = np.exp(forced.marker_logprob(plain, plain - fall))
    # Less and less of the token is left; half at the middle of the curve; never certain, however far it falls.
    assert found[2] == pytest.approx(0.5)
    assert found[0] < found[1] < 0.1 < 0.9 < found[3] == found[4] < 1


@pytest.mark.parametrize(("vocabulary", "tokens"), [(8_000, 96), (256_000, 96), (10**6, 33), (10**9, 1)])
def test_batches_shrink_with_the_vocabulary(vocabulary, tokens):
    assert forced.batch_tokens(vocabulary) == tokens
