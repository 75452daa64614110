"""Cheap forced scores with small checkpoints of every family: encoder and decoder are those of the model."""

import numpy as np
import pytest

from spanferry.translators.conversion.convert import convert
from spanferry.translators.engine import forced
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.language_pieces import read_pieces, write_pieces
from spanferry.translators.engine.scoring import LanguageScorer
from spanferry.translators.families import read_vocabulary

pytest.importorskip("torch")
from tests.translators import checkpoints

CASES = {
    "marian": (checkpoints.marian, ("en", "de")),
    "nllb": (checkpoints.nllb, ("en", "es")),
    "m2m100": (checkpoints.m2m100, ("en", "es")),
    "mbart50": (checkpoints.mbart50, ("en", "es")),
    "madlad": (lambda directory: checkpoints.t5(directory, ("de", "es")), ("en", "es")),
    "t5": (lambda directory: checkpoints.t5(directory, ()), ("en", "de")),
}


@pytest.mark.parametrize(
    ("name", "quantization"), [*((name, "float32") for name in CASES), ("marian", "float16"), ("nllb", "int8")]
)
def test_two_pieces_in_one_place_differ_as_in_the_whole_model(name, quantization, tmp_path):
    make, (source, target) = CASES[name]
    directory = convert(make(tmp_path / name), quantization=quantization, root=tmp_path / "models")
    model = CT2Translator(directory, device="cpu", compute_type="int8" if quantization == "int8" else "float32")
    prefix = tuple(model.target_prefix(target))
    own = tuple(model.encode_target("A small house.", target))
    choices = tuple(dict.fromkeys([*own, *[p for p in read_vocabulary(directory, "target") if len(p) == 1]]))[:4]
    write_pieces(directory, target, dict.fromkeys(choices, 1000))
    assert set(read_pieces(directory, target)) == set(choices)
    texts = [tuple(model.encode_source(text, source, target)) for text in ("The house is small.", "Trees.")]
    given = [(t, (*prefix, *own[:k], piece)) for t in texts for k in range(3) for piece in choices]
    always = (*prefix, *own, *choices)
    scorer = LanguageScorer(directory, target, compute_type=model.compute_type, always=always)
    cheap = scorer.for_batch([t for t, _ in given], [t for _, t in given]).score(given, len(prefix))
    whole = forced.score(model.raw, [t for t, _ in given], [t for _, t in given], prefix=len(prefix))
    ours, theirs = (
        np.array([row[len(t) - len(prefix) - 1] for row, (_, t) in zip(found, given, strict=True)]).reshape(-1, 4)
        for found in (cheap, whole)
    )
    near = 0.1 if quantization == "int8" else 2e-3
    assert ours - ours[:, :1] == pytest.approx(theirs - theirs[:, :1], abs=near)
    assert np.ptp(theirs, axis=1).max() > near, "the pieces differ at all"
