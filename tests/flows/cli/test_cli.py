"""The command line's small commands, as a user runs them."""

import pytest

from tests.conftest import Run


def test_list_names_every_component(spanferry: Run) -> None:
    from spanferry.flows.components import KINDS

    done = spanferry("list")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.split()
    for kind, entries in KINDS.items():
        assert kind in shown
        assert not set(entries) - set(shown), kind


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("filters", "min_score=0.5"),
        ("readers", "repair=false"),
        ("writers", "allow_loss=false"),
        ("projectors", "ratio=0.75"),
        ("aligners", 'symmetrisation="posterior"'),
        ("aligners", 'parts, mean="arithmetic"'),
    ],
)
def test_list_of_a_kind_shows_its_options(kind: str, option: str, spanferry: Run) -> None:
    done = spanferry("list", kind)
    assert option in done.stdout


def test_unknown_kind(spanferry: Run) -> None:
    done = spanferry("list", "reader")
    assert done.returncode == 2
    assert "unknown kind 'reader'" in done.stderr and "Hint: spanferry list" in done.stderr


def test_models_shows_the_bundled_one(spanferry: Run) -> None:
    done = spanferry("models")
    assert done.returncode == 0, done.stderr
    assert "marian" in done.stdout and "bundled" in done.stdout


def test_version(spanferry: Run) -> None:
    from spanferry.flows.version import VERSION

    assert spanferry("--version").stdout == f"spanferry {VERSION}\n"


def test_missing_input_and_target(spanferry: Run) -> None:
    assert "Hint: --input FILE" in spanferry("run", "translate-train", "--target", "es").stderr
    assert "Hint: --target es" in spanferry("run", "translate-train", "--input", "sample:sentences").stderr
    assert "--target-input" in spanferry("run", "project", "--input", "sample:sentences", "--target", "es").stderr
