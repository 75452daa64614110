"""eflomal as a real process."""

import sys
from pathlib import Path

import numpy as np
import pytest
from parallel_texts import spanish

from corpora.errors import ConfigError, MissingExtraError
from projectors.aligners import eflomal
from projectors.aligners.eflomal import EflomalAligner
from projectors.base import Aligner, FittedAligner, ProjectionInput

TEXTS = spanish()[::4]


@pytest.fixture(scope="module")
def aligner() -> EflomalAligner:
    try:
        return EflomalAligner(runs=2)
    except MissingExtraError:
        pytest.skip("eflomal is not installed")


def test_links_and_guards(aligner: EflomalAligner) -> None:
    assert isinstance(aligner, Aligner) and not isinstance(aligner, FittedAligner)
    spaced = ProjectionInput(
        "s",
        "New York , Anna",
        "Nueva York , Anna",
        (),
        "en",
        "es",
        ((0, 8), (9, 10), (11, 15)),
        ((0, 10), (11, 12), (13, 17)),
    )
    rows = [
        *TEXTS,
        ProjectionInput("a", "", "hola", (), "en", "es"),
        ProjectionInput("b", "hello", " ", (), "en", "es"),
        spaced,
    ]
    found = aligner.align(rows)
    assert [a.reason for a in found] == [None] * len(TEXTS) + ["empty_source", "empty_target", None]
    assert found[-1].probabilities.shape == (3, 3)
    full_stops = [a.links[-1] == (len(a.source_words) - 1, len(a.target_words) - 1) for a in found[: len(TEXTS)]]
    assert np.mean(full_stops) > 0.9
    assert all(a.probabilities.min() >= 0.0 and a.probabilities.max() <= 1.0 for a in found if a.reason is None)


def test_nothing_to_align(aligner: EflomalAligner) -> None:
    assert aligner.align([]) == []


def test_the_signature_says_that_it_is_not_deterministic(aligner: EflomalAligner) -> None:
    assert aligner.signature == "eflomal.model3.runs2.unseeded|sym:posterior"


def test_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingExtraError, match=r"pip install 'spanferry\[eflomal\]'"):
        eflomal.EflomalAligner()


def test_options_out_of_range() -> None:
    with pytest.raises(ConfigError, match="runs = 0"):
        EflomalAligner(runs=0)
    with pytest.raises(ConfigError, match="unknown symmetrisation"):
        EflomalAligner(symmetrisation="both")
