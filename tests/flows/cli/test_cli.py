"""The command line's small commands, as a user runs them."""

import subprocess
import sys
from pathlib import Path

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


_OWN_PROJECTOR = """
from spanferry import Projection, Span


class FirstWord:
    name = signature = "first"

    def project(self, items):
        return [
            [Projection(s.id, Span(0, i.target_text.find(" "), s.label, s.id), 1.0, "first") for s in i.spans]
            for i in items
        ]
"""


def test_a_class_in_the_current_folder_is_found_by_the_installed_command(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(_OWN_PROJECTOR)
    (tmp_path / "rows.jsonl").write_text(
        '{"text": "Anna is here.", "spans": [{"start": 0, "end": 4, "label": "PER"}]}\n'
    )
    words = ["run", "translate-train", "--input", "rows.jsonl", "--target", "es", "--dry-run"]
    words += ["--projector", "mine:FirstWord"]
    done = subprocess.run(
        [Path(sys.executable).parent / "spanferry", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing was written" in done.stderr
