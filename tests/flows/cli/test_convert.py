"""``spanferry convert``: formats into each other, and what they can't hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spanferry.corpora.errors import ConfigError, OutputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example
from spanferry.flows.cli.main import app

ROWS = [
    {"id": "a", "text": "Anna lives in New York.", "spans": [{"start": 14, "end": 22, "label": "city"}], "label": "x"},
    {"id": "b", "text": "Nothing here.", "spans": []},
]
OVERLAP = {"id": "c", "text": "New York", "spans": [[0, 8, "city"], [4, 8, "part"]]}


def converted(*arguments: Any) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["convert", *map(str, arguments), "--json"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return {**json.loads(done.stdout), "exit": done.exit_code}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.mark.parametrize(
    ("to", "file"),
    [
        ("conll", "train.iob"),
        ("doccano", "train.jsonl"),
        ("docbin", "train.spacy"),
        ("arrow", ""),
        ("parquet", ""),
    ],
)
def test_spans_are_the_same_in_every_format(rows: Path, tmp_path: Path, to: str, file: str) -> None:
    assert converted(rows, tmp_path / to, "--to", to)["rows"] == {"train": 2, "rejected": 0}
    back = list(open_reader(tmp_path / to / file, lang="en").read())
    assert all(isinstance(row, Example) for row in back)
    found = [[(row.quote(s), s.label) for s in row.spans] for row in back if isinstance(row, Example)]
    assert found == [[("New York", "city")], []]


def test_what_a_format_can_not_hold_is_an_error_or_counted(rows: Path, tmp_path: Path) -> None:
    with rows.open("a") as file:
        file.write(json.dumps(OVERLAP) + "\n")
    with pytest.raises(OutputError, match="can't hold spans that overlap"):
        converted(rows, tmp_path / "out", "--to", "conll")
    assert converted(rows, tmp_path / "out", "--to", "conll", "--allow-loss")["lost"] == {"overlap": 1}
    assert converted(rows, tmp_path / "bin", "--to", "docbin")["lost"] == {}, "span groups hold it"


def test_rows_that_can_not_be_read_are_beside_the_others(rows: Path, tmp_path: Path) -> None:
    with rows.open("a") as file:
        file.write('{"id": "d", "text": 5}\n')
    found = converted(rows, tmp_path / "out", "--to", "conll", "--strict")
    assert found["rows"] == {"train": 2, "rejected": 1} and found["exit"] == 1
    shown = CliRunner().invoke(app, ["convert", str(rows), str(tmp_path / "out"), "--to", "conll"])
    assert "train 2 rows" in shown.stdout and "not read: 1 rows" in shown.stdout and shown.exit_code == 0


def test_options_of_both_sides_and_their_errors(rows: Path, tmp_path: Path) -> None:
    own = ["--write-option", "scheme=bioes", "--set", "split=test"]
    assert converted(rows, tmp_path / "out", "--to", "conll", *own)["files"] == ["rejected.iob", "test.iob"]
    assert "S-city" not in (tmp_path / "out" / "test.iob").read_text()
    assert "E-city" in (tmp_path / "out" / "test.iob").read_text()
    with pytest.raises(ConfigError, match="--write-option 'scheme' has no '='"):
        converted(rows, tmp_path / "out", "--to", "conll", "--write-option", "scheme")
    with pytest.raises(ConfigError, match="did you mean 'conll'"):
        converted(rows, tmp_path / "out", "--to", "conl")
