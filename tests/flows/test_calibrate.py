"""``spanferry calibrate``: from the inspector's decisions to a calibration that a run takes."""

import json
from pathlib import Path

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.filters import build, score
from spanferry.flows.inspector.edits import Edit
from spanferry.flows.review.calibrate import calibrate
from spanferry.projectors.bound.max_error import MaxError
from tests.conftest import Run
from tests.flows.inspector.inspector_runs import open_session, pair, write_run

RIGHT = ("The Commission met in Rome.", [("Commission", "ORG"), ("Rome", "LOC")])
TARGET = "La Comisión se reunió en Roma."


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run of 12 rows, in every third of which the place is wrong and was rejected."""
    rows = [
        pair(f"r{k}", RIGHT, (TARGET, ["Comisión", "reunió" if k % 3 == 0 else "Roma"]), lang="es") for k in range(12)
    ]
    out = write_run(tmp_path / "run", {"es": rows})
    (out / "config.json").write_text('{"flow": "translate-train"}')
    session = open_session(out, "ann")
    for k in range(12):
        wrong = k % 3 == 0
        second = Edit("reject", "s1", quote="reunió") if wrong else Edit("accept", "s1", quote="Roma")
        for edit in (Edit("accept", "s0", quote="Comisión"), second):
            version = session.state(k, session.row_index.pair(k)).version
            session.decide(k, version, session.row_index.data[0].version, edit)
    return out


def test_one_command_makes_a_calibration_that_the_filter_takes(out: Path, spanferry: Run) -> None:
    done = spanferry("calibrate", out, "--max-error", "0.3")
    assert done.returncode == 0, done.stderr
    assert "es: 12 rows with 24 spans reviewed, 4 wrong" in done.stdout
    assert "of all spans at most 34.2% are wrong, with 95 % confidence" in done.stdout
    path = out / "calibration.json"
    assert f"use it: --set filters.max_error.calibration={path}" in done.stdout
    [one] = build([{"kind": "max_error", "error": 0.3, "calibration": str(path)}])
    assert isinstance(one, MaxError)
    pairs = [pair(f"n{k}", RIGHT, (TARGET, ["Comisión", "Roma"]), lang="es") for k in range(30)]
    bound = one.bounds(score([one], pairs))["es"]
    assert bound.holds and bound.text == "review" and bound.spans == 60
    assert json.loads(path.read_text())["languages"]["es"]["text"]["corpus_rows"] == 12


def test_without_decisions_there_is_nothing_to_fit(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", {"es": [pair("r0", RIGHT, (TARGET, ["Comisión", "Roma"]), lang="es")]})
    with pytest.raises(InputError, match="no decisions yet"):
        calibrate(out)
    with pytest.raises(ConfigError, match="unknown dataset"):
        calibrate(out, target="de")
