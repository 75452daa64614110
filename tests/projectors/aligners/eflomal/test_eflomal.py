"""eflomal as a real process."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError, InputError, MissingExtraError, ModelError
from spanferry.corpora.text.word_breaks import dictionaries
from spanferry.projectors.aligners.eflomal import aligner as eflomal
from spanferry.projectors.aligners.eflomal.aligner import EflomalAligner
from spanferry.projectors.aligners.eflomal.files import Votes, corpus_priors, run, table_priors, tokens
from spanferry.projectors.base import Aligner, FittableAligner, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.translators.bundled.priors import table_from_counts
from tests.projectors.parallel_texts import expected, spanish

TEXTS = spanish()[::4]


@pytest.fixture(scope="module")
def aligner() -> EflomalAligner:
    try:
        return EflomalAligner(runs=2, prior="none")
    except MissingExtraError:
        pytest.skip("eflomal is not installed")


@pytest.fixture(scope="module")
def fitted(aligner: EflomalAligner) -> EflomalAligner:
    return aligner.fit(TEXTS)


def test_links_and_guards(aligner: EflomalAligner) -> None:
    assert isinstance(aligner, Aligner) and isinstance(aligner, FittableAligner)
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
        ProjectionInput("c", "hello \ud800 \u2028 x", "hola \x85 \x1c y", (), "en", "es"),
        spaced,
    ]
    found = aligner.align(rows)
    assert [a.reason for a in found] == [None] * len(TEXTS) + ["empty_source", "empty_target", None, None]
    assert found[-1].probabilities.shape == (3, 3)
    full_stops = [a.links[-1] == (len(a.source_words) - 1, len(a.target_words) - 1) for a in found[: len(TEXTS)]]
    assert np.mean(full_stops) > 0.9
    assert all(a.probabilities.min() >= 0.0 and a.probabilities.max() <= 1.0 for a in found if a.reason is None)
    assert found[0].forward is not None and set(np.unique(found[0].forward)) <= {0.0, 0.5, 1.0}


def test_what_was_fitted_is_looked_up_and_travels(fitted: EflomalAligner) -> None:
    again = EflomalAligner(runs=2, prior="none").with_state(fitted.state())
    assert again.state() == fitted.state()
    again._command = ["/nowhere/eflomal-align"]  # nothing is run
    for one, other in zip(again.align(TEXTS), fitted.align(TEXTS[::-1])[::-1], strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        assert one.links == other.links
    with pytest.raises(InputError, match="not a state"):
        fitted.with_state(fitted.state()[:-30])


@pytest.mark.usefixtures("aligner")
def test_a_few_new_pairs_are_aligned_with_what_was_learned() -> None:
    # Without tables the sampler, which has no seed, sticks now and then to a wrong word in all of so small a corpus.
    fitted = EflomalAligner(runs=2).fit(TEXTS)
    new = [text for text in spanish() if text not in TEXTS][::30]
    right = [
        p.span is not None and p.span.quote(text.target_text) == want
        for text, row in zip(new, AlignmentProjector(fitted).project(new), strict=True)
        for p, want in zip(row, expected(text), strict=True)
    ]
    assert len(new) < 10 and np.mean(right) > 0.85


def test_priors_of_a_corpus_are_those_of_its_own_tool(tmp_path: Path, aligner: EflomalAligner) -> None:
    pairs = [(["a", "b", "c"], ["x", "y"]), (["b"], ["y", "z"])]
    votes = Votes([(3, 2), (1, 2)])
    lines = (b"0-0 2-1 \n0-0 0-1\n", b"0-0 1-1 2-1 \n0-1\n")
    for direction, links in enumerate(lines):
        votes.add(direction, links)
        (tmp_path / f"links{direction}").write_bytes(links)
    for side, name in enumerate(("source", "target")):
        (tmp_path / name).write_text("".join(" ".join(pair[side]) + "\n" for pair in pairs))
    tool = Path(aligner._command[0]).with_name("eflomal-makepriors")
    arguments = ["-s", "source", "-t", "target", "-f", "links0", "-r", "links1", "-p", "priors"]
    subprocess.run([str(tool), *arguments], cwd=tmp_path, check=True)
    theirs = (tmp_path / "priors").read_text().splitlines()
    assert sorted(corpus_priors(pairs, votes, 1).splitlines()) == sorted(theirs)


def test_tables_become_priors_of_the_words_at_hand(aligner: EflomalAligner, tmp_path: Path) -> None:
    pairs = [(tokens(["Uno", "due"]), tokens(["X", "y"]))] * 40
    table = table_from_counts({("uno", "y"): 500.0, ("due", "x"): 500.0, ("tre", "x"): 9.0, ("uno", "w"): 9.0})
    priors = table_priors(table, pairs)
    assert priors == "LEX\tdue\tx\t100\nLEX\tuno\ty\t100\n"
    assert table_priors(table_from_counts({}), pairs) == ""
    votes = run(aligner._command, pairs, priors, tmp_path, runs=3, model=1)
    # Nothing else shows which word is which.
    crossed = sum(votes.of(k) for k in range(len(pairs)))
    assert crossed[:, 0, 1].min() > 0.9 * 3 * len(pairs) and crossed[:, 1, 0].min() > 0.9 * 3 * len(pairs)


@pytest.mark.parametrize("links", [b"0-0\n", b"0-0\n1-1\n2-2\n", b""])
def test_links_for_other_pairs_are_refused(links: bytes) -> None:
    with pytest.raises(ValueError, match="lines of links for 2 pairs"):
        Votes([(2, 2), (3, 3)]).add(0, links)


def test_a_command_that_fails(aligner: EflomalAligner, tmp_path: Path) -> None:
    for body in ("exit 3", "exit 0", "echo broken >&2; exit 1"):
        command = tmp_path / "command"
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
        broken = EflomalAligner(runs=1)
        broken._command = [str(command)]
        with pytest.raises(ModelError, match="eflomal-align failed") as error:
            broken.align(TEXTS[:2])
        assert "lexical" in str(error.value)


def test_nothing_to_align(aligner: EflomalAligner) -> None:
    assert aligner.align([]) == []
    assert aligner.fit([]).align([]) == []


def test_every_option_shows_in_the_signature_and_that_it_is_not_deterministic(aligner: EflomalAligner) -> None:
    assert aligner.signature == f"eflomal.model3.runs2.unseeded|prior:none|sym:posterior|{dictionaries()}|tied.1"
    variants: Sequence[EflomalAligner] = [
        aligner,
        EflomalAligner(2),
        EflomalAligner(3, prior="none"),
        EflomalAligner(2, 2, prior="none"),
        EflomalAligner(2, 3, "union", "none"),
    ]
    assert len({v.signature for v in variants}) == len(variants)


def test_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingExtraError, match=r"pip install 'spanferry\[eflomal\]'"):
        eflomal.EflomalAligner()


def test_options_out_of_range() -> None:
    for options, message in (
        ({"runs": 0}, "runs = 0"),
        ({"runs": 256}, "runs = 256"),
        ({"model": 4}, "model = 4"),
        ({"symmetrisation": "both"}, "unknown symmetrisation"),
        ({"prior": "given"}, "unknown prior 'given'"),
    ):
        with pytest.raises(ConfigError, match=message):
            EflomalAligner(**options)
