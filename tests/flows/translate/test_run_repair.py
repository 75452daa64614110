"""Runs with ``--repair``: what is recorded, counted and refused."""

import json
from pathlib import Path

import datasets
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.translate.flow import translate_flow
from spanferry.flows.translate.run import run_flow

# What the bundled model makes of ``Member States`` is a country.
TEXTS = ["The Member States voted.", "Anna lives in Berlin.", "We wrote to the Member States in 2019."]


def config(folder: Path, **options: object) -> RunConfig:
    path = folder / "rows.jsonl"
    rows = []
    for number, text in enumerate(TEXTS):
        quote = "Berlin" if "Berlin" in text else "Member States"
        start = text.index(quote)
        span = {"start": start, "end": start + len(quote), "label": "X"}
        rows.append(json.dumps({"id": str(number), "text": text, "spans": [span]}) + "\n")
    path.write_text("".join(rows))
    base = {"read.path": str(path), "target": ["es"], "out": folder / "out", "filters": []}
    return build_config(RunConfig, str(options.pop("flow", "translate-train")), options={**base, **options})


def test_what_was_put_right_is_in_the_rows_and_in_the_counts(tmp_path: Path) -> None:
    result = run_flow(config(tmp_path, repair=True), prefect=False)
    (emitted,) = result.emitted
    rows = list(datasets.load_from_disk(str(tmp_path / "out" / "es"))["train"])
    terms = [json.loads(row["meta"] or "{}").get("repaired", []) for row in rows]
    assert terms[1] == [] and any(terms)
    for row, own in zip(rows, terms, strict=True):
        assert all(target.casefold() in row["text"].casefold() for _, target in own)
        assert all(row["text"][s["start"] : s["end"]] for s in row["spans"])
    assert emitted.counts["terms"] == sum(map(len, terms)) and emitted.counts["repaired"] == sum(map(bool, terms))
    assert "repair:terms.1" in rows[0]["signature"]
    again = run_flow(config(tmp_path, repair=True), prefect=False)
    assert not again.outcome.computed, "nothing to do"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flow": "project", "read.target": "x.jsonl"}, "repair=true is not used: both sides are given"),
        ({"repair": False, "best_of": 4, "translator.protect": True}, "best_of=4: .* gives one translation of a text"),
        (
            {"flow": "project", "read.target": "x.jsonl", "repair": False, "best_of": 4},
            "best_of=4 is not used: both sides are given",
        ),
        ({"source": "es", "target": ["ja"], "translator.model": "tests.flows.test_signatures:Echo"}, "from es to ja"),
    ],
)
def test_a_repair_that_can_not_be_is_an_error_before_any_work(
    options: dict[str, object], message: str, tmp_path: Path
) -> None:
    if "read.target" in options:
        options = {**options, "read.target": str(tmp_path / "rows.jsonl"), "projector.kind": "copy"}
    with pytest.raises(ConfigError, match=message):
        translate_flow(config(tmp_path, **{"repair": True, **options}))
