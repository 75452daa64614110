"""A model that fails on some rows of a run: counted in the manifest, shown at the end, and minded by ``--strict``."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from spanferry.flows.cli.common import carry_out
from spanferry.flows.config import RunConfig
from spanferry.flows.engine import flow as engine
from spanferry.flows.engine.flow import Result
from spanferry.flows.translate.flow import translate_flow
from spanferry.flows.translate.run import as_run
from spanferry.flows.translate.summary import print_summary
from tests.translators.endpoint_server import Reply, Server, answer, prompt_of


@pytest.fixture
def server() -> Iterator[Server]:
    """An endpoint that is short of memory for one text."""

    def reply(body: dict[str, Any], number: int) -> Reply:
        return (400, {}, {}) if "Mary" in prompt_of(body) else answer("Hola.")

    found = Server()
    found.reply = reply
    yield found
    found.http.shutdown()
    found.http.server_close()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    texts = [("Tom lives here.", "Tom"), ("Mary saw Rome.", "Mary"), ("Ann left.", "Ann")]
    lines = [
        {"id": f"r{n}", "text": text, "spans": [{"start": 0, "end": len(name), "label": "PER"}]}
        for n, (text, name) in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def config(server: Server, rows: Path, tmp_path: Path) -> RunConfig:
    return RunConfig.model_validate(
        {
            "flow": "translate-train",
            "source": "en",
            "target": ["es"],
            "out": tmp_path / "out",
            "read": {"path": str(rows)},
            "translator": {"model": "endpoint:m", "options": {"url": server.url, "retries": 0}},
            "projector": {"kind": "copy"},
        }
    )


def _carry_out(config: RunConfig, **how: bool) -> int:
    """As the command does; the exit status."""

    def show(result: Result, as_json: bool) -> None:
        print_summary(as_run(config, result), as_json=as_json, console=Console(width=160))

    try:
        carry_out(
            lambda: translate_flow(config), show, out=config.out, minded=lambda result: (0, ""), allow_empty=True, **how
        )
    except typer.Exit as left:
        return left.exit_code
    return 0


def test_a_run_with_a_model_that_fails_on_a_row(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "run", partial(engine.run, prefect=False))
    assert _carry_out(config, strict=True) == 1
    shown = capsys.readouterr()
    assert "--strict: a model failed on 1 rows" in shown.err
    (line,) = [line for line in shown.out.splitlines() if "model failed" in line]
    assert "translate-es, endpoint: status 400" in line and " 1 " in line
    (manifest,) = config.out.glob("stages/translate-es-*/manifest.jsonl")
    assert json.loads(manifest.read_text())["errors"] == {"endpoint": {"rows": 1, "last": "status 400"}}
    # What was there before is shown, and minded, as well.
    assert _carry_out(config, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["computed"] == {}
    assert found["languages"]["es"]["model_errors"] == {"translate-es, endpoint": {"rows": 1, "last": "status 400"}}
    assert _carry_out(config, strict=True) == 1


def test_a_model_that_fails_on_all_rows_of_a_call_ends_the_work(server: Server, config: RunConfig) -> None:
    server.reply = lambda body, number: (400, {}, {})
    (failure,) = engine.run(translate_flow(config), prefect=False).failures
    assert failure.stage == "translate-es" and "the model fails on every row: status 400" in failure.message
    assert "goes on from here when the endpoint answers" in failure.message
