"""A budget stops a run: no request more than allowed, the cost over it by at most what is under way."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.translate.run import run_flow
from spanferry.translators.endpoints.budget import BudgetError
from spanferry.translators.endpoints.endpoint import Endpoint
from spanferry.translators.loading.load import load_generator
from tests.translators.endpoint_server import Reply, Server, answer, prompt_of


@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_request_more_than_allowed(server: Server, concurrency: int) -> None:
    endpoint = Endpoint("m", url=server.url, max_requests=7, concurrency=concurrency)
    with pytest.raises(
        BudgetError, match=r"stopped: budget spent .*the same command with a larger budget resumes the run"
    ):
        endpoint.generate([f"p{i}" for i in range(30)])
    assert len(server.requests) == 7
    with pytest.raises(BudgetError):
        endpoint.generate(["one more"])
    assert len(server.requests) == 7


def test_what_the_budget_just_pays_for_is_done(server: Server) -> None:
    found = Endpoint("m", url=server.url, max_requests=5).generate([f"p{i}" for i in range(5)])
    assert [one.text for one in found] == [f"P{i}" for i in range(5)]


def test_further_tries_are_requests(server: Server) -> None:
    server.reply = lambda body, number: (
        (503, {"retry-after": "0"}, {}) if number < 3 else answer(prompt_of(body).upper())
    )
    with pytest.raises(BudgetError):
        Endpoint("m", url=server.url, max_requests=3).generate(["a"])
    assert len(server.requests) == 3


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_cost_is_over_by_what_is_under_way_at_most(server: Server, concurrency: int) -> None:
    """An answer costs 10 + 5 tokens at a price of one a token."""
    endpoint = Endpoint("m", url=server.url, price_in=1e6, price_out=1e6, max_cost=60.0, concurrency=concurrency)
    with pytest.raises(BudgetError, match="max_cost=60"):
        endpoint.generate([f"p{i}" for i in range(40)])
    assert 60 <= endpoint.usage.cost <= 60 + 15 * (concurrency - 1)


@pytest.mark.parametrize(
    ("name", "value"), [("max_requests", -1), ("max_cost", -0.5), ("max_cost", float("nan")), ("max_cost", 1.0)]
)
def test_a_budget_that_can_not_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        load_generator("endpoint:m", url="http://localhost:1/v1", **{name: value})


def test_a_run_stops_and_goes_on_with_a_larger_budget(server: Server, tmp_path: Path) -> None:
    """Finished shards are kept: the rows they hold are not asked for again."""

    def reply(body: dict[str, Any], _: int) -> Reply:
        return answer(next(line for line in prompt_of(body).split("\n") if line.startswith("English: "))[9:])

    server.reply = reply
    rows = [{"id": str(i), "text": f"Ann number {i} lives here."} for i in range(8)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run(*budget: str) -> Any:
        settings = [f"translator.options.url={server.url}", "translator.options.concurrency=1", "filters=[]",
                    "translator.memory_mb=0", "shard_rows=2", "executor.workers=1", *budget]  # fmt: skip
        config = build_config(
            RunConfig, "translate-train", settings=settings,
            options={"read.path": str(tmp_path / "in.jsonl"), "target": ("es",), "out": tmp_path / "out",
                     "translator.model": "endpoint:m", "projector.kind": "copy"},
        )  # fmt: skip
        return run_flow(config)

    stopped = run("translator.options.max_requests=5")
    assert stopped.failures
    for failure in stopped.failures:
        assert "stopped: budget spent" in failure.message
    assert len(server.requests) == 5
    result = run("translator.options.max_requests=100")
    assert result.emitted[0].counts["kept"] == 8
    assert len(server.requests) == 5 + 4, "two shards of two rows were done"
