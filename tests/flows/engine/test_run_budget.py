"""A run stops where its budget is spent, over all languages together, and goes on with a larger one."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spanferry.corpora.errors import ConfigError
from spanferry.flows.cli.main import app
from spanferry.flows.config import BudgetConfig, RunConfig, build_config
from spanferry.flows.engine import flow
from spanferry.flows.engine.budget import check_budget
from tests.translators.conftest import server  # noqa: F401
from tests.translators.endpoint_server import Reply, Server, answer, prompt_of

ROWS = 8


def _reply(body: dict[str, Any], _: int) -> Reply:
    return answer(next(line for line in prompt_of(body).split("\n") if line.startswith("English: "))[9:])


@pytest.fixture
def endpoint(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:  # noqa: F811
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    # Prefect's server takes seconds to start, and this is about the engine.
    monkeypatch.setattr("spanferry.flows.engine.flow.run", partial(flow.run, prefect=False))
    server.reply = _reply
    rows = [{"id": str(i), "text": f"Ann number {i} lives here."} for i in range(ROWS)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return server


def _run(endpoint: Server, tmp_path: Path, *more: str, memory: int = 0) -> Any:
    arguments = ["run", "translate-train", "--input", str(tmp_path / "in.jsonl"), "--target", "es", "--target", "de",
                 "--out", str(tmp_path / "out"), "--translator", "endpoint:m", "--projector", "copy",
                 "--allow-empty"]  # fmt: skip
    settings = [f"translator.options.url={endpoint.url}", "translator.options.concurrency=2", "filters=[]",
                f"translator.memory_mb={memory}", "shard_rows=2", "translator.options.price_in=1e6",
                "translator.options.price_out=1e6"]  # fmt: skip
    return CliRunner().invoke(app, [*arguments, *(part for s in settings for part in ("--set", s)), *more])


def test_no_request_more_than_allowed_over_all_languages(endpoint: Server, tmp_path: Path) -> None:
    stopped = _run(endpoint, tmp_path, "--max-requests", "11", "--json")
    assert stopped.exit_code == 1 and len(endpoint.requests) == 11
    assert "the budget is spent (11 requests, a cost of 165.0000, --max-requests 11)" in stopped.stderr
    summary = json.loads(stopped.stdout)
    assert summary["stopped"].startswith("stopped: the budget is spent") and summary["failures"] == []
    again = _run(endpoint, tmp_path, "--max-requests", "11")
    assert again.exit_code == 1 and len(endpoint.requests) == 11, "what was spent before counts"
    done = _run(endpoint, tmp_path, "--max-requests", "100", "--json")
    assert done.exit_code == 0, done.stderr
    languages = json.loads(done.stdout)["languages"]
    assert [languages[target]["kept"] for target in ("es", "de")] == [ROWS, ROWS]
    assert 2 * ROWS <= len(endpoint.requests) <= 2 * ROWS + 3, "of two shards under way at most one row each is lost"


def test_what_was_answered_is_kept_in_the_memory(endpoint: Server, tmp_path: Path) -> None:
    assert _run(endpoint, tmp_path, "--max-requests", "7", memory=8).exit_code == 1
    assert _run(endpoint, tmp_path, memory=8).exit_code == 0
    assert len(endpoint.requests) == 2 * ROWS


def test_the_cost_is_over_by_what_is_under_way_at_most(endpoint: Server, tmp_path: Path) -> None:
    """An answer costs 15; two workers with two requests each may be under way."""
    stopped = _run(endpoint, tmp_path, "--max-cost", "60")
    assert stopped.exit_code == 1 and "--max-cost 60" in stopped.stderr
    assert 4 <= len(endpoint.requests) <= 4 + 3
    assert _run(endpoint, tmp_path).exit_code == 0


def test_the_time_of_one_command(endpoint: Server, tmp_path: Path) -> None:
    stopped = _run(endpoint, tmp_path, "--max-time", "0.001s")
    assert stopped.exit_code == 1 and "stopped: the time is over" in stopped.stderr
    assert len(endpoint.requests) == 0
    assert _run(endpoint, tmp_path, "--max-time", "1h").exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"translator": "bundled", "requests": 5}, "budget.max_requests is not used"),
        ({"translator": "endpoint:m", "cost": 5.0}, "without a price"),
    ],
)
def test_a_budget_that_limits_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    limits = BudgetConfig(max_requests=options.get("requests", 0), max_cost=options.get("cost", 0.0))
    with pytest.raises(ConfigError, match=message):
        check_budget(limits, [options["translator"]], {})


def test_prices_and_endpoints_of_a_projector_count() -> None:
    own = {"generator": "endpoint:m", "generator_options": {"price_in": 1.0}}
    check_budget(BudgetConfig(max_cost=5.0, max_requests=3), ["bundled", None], {}, own)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("2h", 7200), ("", 0)]
)
def test_times(text: str, seconds: float) -> None:
    assert BudgetConfig(max_time=text).seconds == seconds


@pytest.mark.parametrize("text", ["soon", "5 days", "-3", "m"])
def test_no_time(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a time such as 90s, 30m or 1h30m"):
        build_config(RunConfig, "translate-train", options={"budget.max_time": text})
