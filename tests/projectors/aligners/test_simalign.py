"""The simalign package behind the protocol."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("simalign")
import simalign

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.projectors.aligners.simalign import SimalignAligner
from spanferry.projectors.base import Aligner, ProjectionInput
from tests.projectors import encoders
from tests.projectors.encoders import quiet_simalign
from tests.projectors.parallel_texts import spanish

TEXTS = spanish()[::40]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoders.bert(tmp_path_factory.mktemp("simalign") / "bert")


def aligner(directory: Path, method: str = "argmax", **options) -> SimalignAligner:
    with quiet_simalign():
        return SimalignAligner(str(directory), method, **options)


def test_links_are_those_of_the_package(directory: Path) -> None:
    ours = aligner(directory, "itermax", layer=2)
    assert isinstance(ours, Aligner)
    with quiet_simalign():
        theirs = simalign.SentenceAligner(str(directory), "bpe", matching_methods="i", layer=2)
    for item, found in zip(TEXTS, ours.align(TEXTS), strict=True):
        left = [item.source_text[a:b] for a, b in found.source_words]
        right = [item.target_text[a:b] for a, b in found.target_words]
        assert list(found.links) == theirs.get_word_aligns(left, right)["itermax"]
        assert {tuple(link) for link in zip(*found.probabilities.nonzero(), strict=True)} == set(found.links)


def test_reasons(directory: Path) -> None:
    rows = [("", "a"), ("a", ""), ("a \ud800", "a"), ("boat " * 90, "a"), ("boat", "barco")]
    found = aligner(directory).align([ProjectionInput("e", s, t, (), "en", "es") for s, t in rows])
    assert [a.reason for a in found] == ["empty_source", "empty_target", "bad_unicode", "model_error", None]


def test_options(directory: Path, tmp_path: Path) -> None:
    signatures = {aligner(directory, m, layer=k).signature for m, k in (("argmax", 1), ("match", 1), ("match", 2))}
    assert len(signatures) == 3
    shutil.copytree(directory, tmp_path / "moved" / directory.name)
    assert aligner(tmp_path / "moved" / directory.name, "argmax", layer=1).signature in signatures
    with pytest.raises(ConfigError, match="unknown method 'softmax'"):
        SimalignAligner(str(directory), "softmax")
    with pytest.raises(ModelError, match="simalign can't load"):
        SimalignAligner(str(directory.parent))


def test_a_layer_that_is_not_there_and_broken_weights_are_errors(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="layer = 99\nValid: 1 to"):
        aligner(directory, layer=99)
    broken = Path(shutil.copytree(directory, tmp_path / "broken"))
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(ModelError, match="simalign can't load"):
        aligner(broken)
