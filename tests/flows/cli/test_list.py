"""``spanferry list --options`` and ``models suggest``: every option of every component, and what to use instead."""

import json

import pytest
from typer.testing import CliRunner

from spanferry.flows.cli.main import app
from spanferry.flows.components import KINDS


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_lists_its_options(kind: str) -> None:
    shown = _run("list", kind, "--options")
    facts = json.loads(_run("list", kind, "--json"))[kind]
    assert [one["name"] for one in facts] == list(KINDS[kind])
    for one in facts:
        assert one["about"] and not one["about"].startswith("not usable")
        for option in one["options"]:
            assert option["name"] in shown and option["meaning"], f"{kind} {one['name']} {option['name']}"


def test_types_defaults_and_limits_are_shown() -> None:
    shown = _run("list", "filters", "--options")
    assert "min_score  float, >= 0 and <= 1, default 0.5" in shown
    readers = _run("list", "readers", "--options")
    assert '"iob2"' in readers and "true or false, default false" in readers


def test_an_unknown_kind_names_the_nearest() -> None:
    done = CliRunner().invoke(app, ["list", "filter"])
    assert "did you mean" in str(done.exception) or "spanferry list" in str(done.exception)


def test_suggestions_for_people_and_machines() -> None:
    shown = _run("models", "suggest", "-s", "eng", "-t", "por")
    assert "firefox" in shown and "MPL-2.0" in shown and "--translator firefox --source en --target pt" in shown
    found = json.loads(_run("models", "suggest", "-s", "en", "-t", "es", "--json"))
    assert [one["name"] for one in found[:2]] == ["bundled", "firefox"]
