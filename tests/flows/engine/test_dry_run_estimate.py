"""A dry run estimates requests, tokens and cost of all rows from a few of them; the run then takes as much."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.engine.estimate import Survey
from spanferry.flows.engine.flow import rehearse, run
from spanferry.flows.translate.flow import translate_flow
from spanferry.flows.translate.run import as_run
from spanferry.flows.translate.summary import endpoint_usage
from tests.translators.conftest import server  # noqa: F401
from tests.translators.endpoint_server import Reply, Server, answer, prompt_of

WORDS = ["the", "committee", "has", "not", "yet", "said", "whether", "Reykjavík", "or", "Łódź", "about", "你好", "мир"]


def _counted(body: dict[str, Any], _: int) -> Reply:
    """Counts words for tokens, and writes a translation that is up to a third longer."""
    words = next(line for line in prompt_of(body).split("\n") if line.startswith("English: "))[9:].split()
    tokens = (len(prompt_of(body).split()) + 12, round(len(words) * (1.1 + len(words[0]) / 50)))
    return answer(" ".join(words), tokens=tokens)


def _config(server: Server, tmp_path: Path, rows: list[str], *more: str) -> RunConfig:  # noqa: F811
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(rows)), encoding="utf-8")
    settings = [f"translator.options.url={server.url}", "filters=[]", "translator.memory_mb=0",
                "translator.options.price_in=2.0", "translator.options.price_out=8.0", *more]  # fmt: skip
    return build_config(
        RunConfig, "translate-train", settings=settings,
        options={"read.path": str(path), "target": ("es",), "out": tmp_path / "out",
                 "translator.model": "endpoint:m", "projector.kind": "copy"},
    )  # fmt: skip


def test_within_five_percent_of_a_thousand_rows(server: Server, tmp_path: Path) -> None:  # noqa: F811
    server.reply = _counted
    chance = random.Random(7)
    rows = [" ".join(chance.choices(WORDS, k=min(150, 3 + int(chance.expovariate(1 / 20))))) for _ in range(950)]
    rows += rows[:50]  # asked again: no translation is kept from one shard to the next
    config = _config(server, tmp_path, rows)
    console = Console(file=io.StringIO(), width=200)
    found = rehearse(translate_flow(config), console).estimate
    assert found is not None and len(server.requests) == found.sampled == 64
    assert not (tmp_path / "out").exists()
    used = endpoint_usage(as_run(config, run(translate_flow(config), prefect=False)))
    for name in ("requests", "prompt_tokens", "completion_tokens"):
        assert getattr(found, name) == pytest.approx(used[name], rel=0.05), name
    assert found.cost == pytest.approx(used["cost_millionths"] / 1e6, rel=0.05)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "estimate for all 1,000 rows, from 64 of them:" in shown and "1,000 requests, " in shown
    assert f"cost {found.cost:,.4f}" in shown and "MiB at least" in shown


def test_a_text_that_comes_again_is_paid_once() -> None:
    rows = [("a b c",), ("d",), ("a b c",), ("d",)]
    assert Survey.of(rows, 4, remembered=False).positions == [0, 1]
    assert Survey.of(rows, 2, remembered=False).positions == [0, 1, 2, 3], "another shard asks again"
    assert Survey.of(rows, 2, remembered=True).positions == [0, 1]


def test_the_sample_is_of_all_rows_and_of_all_lengths(server: Server, tmp_path: Path) -> None:  # noqa: F811
    server.reply = _counted
    rows = [f"Word {'again ' * (i // 10)}{i}" for i in range(640)]
    rehearse(translate_flow(_config(server, tmp_path, rows)), Console(file=io.StringIO()))
    asked = {prompt_of(body).split("English: ")[1].split("\n")[0] for _, body in server.requests}
    assert asked == {row for i, row in enumerate(rows) if i % 10 == 5}


@pytest.mark.parametrize("count", [1, 5])
def test_few_rows(server: Server, tmp_path: Path, count: int) -> None:  # noqa: F811
    server.reply = _counted
    config = _config(server, tmp_path, [f"Word {i}" for i in range(count)])
    found = rehearse(translate_flow(config), Console(file=io.StringIO())).estimate
    assert len(server.requests) == count and found is not None and found.requests == count
