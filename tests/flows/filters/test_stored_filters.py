"""Other filters on a run that is there: the same bytes as a run's own, without its input or its model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.review.decisions import DecisionLog, Verdict, stamped
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.flows.cli.filter import app
from spanferry.flows.engine.flow import run
from spanferry.flows.filters.apply import apply_flow, changed, effect
from spanferry.flows.filters.stored import open_run
from spanferry.flows.translate.run import run_flow
from tests.flows.filters.filters_run import config, rows

Run = Callable[[], Path]
CHANGES = ("filters.confidence.min_score=0.97", "filters.letters=false", "output.scores=true")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    (folder / "rows.jsonl").write_text(rows(), encoding="utf-8")
    run_flow(config(folder / "rows.jsonl", folder / "out"), prefect=False)
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """A copy of the run, in another place and without its input."""
    shutil.copytree(made / "out", tmp_path / "moved")
    return tmp_path / "moved"


def _called(*arguments: object) -> Any:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_bytes_as_a_run_with_these_filters(made: Path, out: Path) -> None:
    done = run(apply_flow(out, CHANGES), prefect=False)
    assert not done.failures
    # Dropping a filter scores again; nothing before that is done anew.
    assert done.computed == {"score-es": 3, "filter-es": 1}
    own = {"filters": {"confidence": {"min_score": 0.97}, "letters": False}, "output": {"scores": True}}
    run_flow(config(made / "rows.jsonl", made / "again", **own), prefect=False)
    assert _files(out / "es") == _files(made / "again" / "es")
    # Either finds what the other did.
    assert run(apply_flow(out, CHANGES), prefect=False).computed == {}
    assert json.loads((out / "config.json").read_text())["output"]["scores"] is True


def test_a_threshold_alone_only_decides_again_and_counts_add_up(out: Path) -> None:
    before = _files(out / "es")
    (stored,) = open_run(out)
    least = stored.frame()["confidence.min"].sort()[6]
    settings = [f"filters.confidence.min_score={least!r}"]
    reported = effect(stored, changed(stored.config, settings))
    assert _files(out / "es") == before, "counting writes nothing"
    done = run(apply_flow(out, settings), prefect=False)
    assert done.computed == {"filter-es": 1}
    facts = done.facts["es"]
    assert (reported.kept, reported.reasons) == (facts["kept"], facts["reasons"])
    assert reported.kept_before - reported.newly_rejected + reported.newly_kept == reported.kept < reported.kept_before
    pairs = [pair for batch in EmittedDataset(out / "es").pairs() for pair in batch]
    assert len(pairs) == 13 == facts["kept"] + facts["rejected"]
    low = [p for p in pairs if any(one.score < least for one in p.projections if one.span)]
    assert {p.source.id for p in low} == {p.source.id for p in pairs if "confidence:low" in p.reasons} != set()
    # And back again: the bytes that were there.
    run(apply_flow(out, ["filters.confidence.min_score=0.5"]), prefect=False)
    kept = [p.source.id for batch in EmittedDataset(out / "es").pairs() for p in batch if p.kept]
    assert len(kept) == reported.kept_before


def test_a_filter_that_the_run_did_not_have_is_scored(out: Path) -> None:
    (stored,) = open_run(out)
    reported = effect(stored, changed(stored.config, ["filters.average_word_length={low=30,high=50}"]))
    assert reported.kept == 0 and reported.reasons["average_word_length:short"] == 13


def test_scores_are_columns_on_request(out: Path) -> None:
    run(apply_flow(out, [], scores=True), prefect=False)
    pairs = [pair for batch in EmittedDataset(out / "es").pairs() for pair in batch]
    frame = open_run(out)[0].frame().rows_by_key("id", named=True, unique=True)
    for pair in pairs:
        wanted = {k: v for k, v in frame[pair.source.id].items() if isinstance(v, float | int)}
        assert {k: pair.scores[k] for k in wanted} == wanted
        assert "confidence.min" in pair.scores


def test_the_commands_print_tables_and_json(out: Path, tmp_path: Path) -> None:
    reported = _called("scores", out, "--json", "--table", tmp_path / "all.parquet")["es"]
    assert reported["rows"] == 13 and reported["kept"] + reported["filters"]["duplicates"]["only"] <= 13
    assert reported["columns"]["confidence.min"]["low"] == 0.5
    table = pl.read_parquet(tmp_path / "all.parquet")
    assert table.height == 13 and (table["reasons"].list.len() == 0).sum() == reported["kept"]
    _called("scores", out, "--table", tmp_path / "all.csv")
    assert pl.read_csv(tmp_path / "all.csv")["confidence.min"].to_list() == table["confidence.min"].to_list()
    assert "confidence.min" in _called("scores", out)
    bars = _called("hist", out, "--column", "confidence", "--bins", 7, "--json")["es"]
    assert list(bars) == ["confidence.min"] and sum(bars["confidence.min"]["counts"]) == 13
    drawn = _called("hist", out, "--column", "confidence.min", "--bins", 7)
    assert drawn.count("█") and "rejected < 0.5" in drawn and len(drawn.splitlines()) == 9
    names = _called("correlate", out, "--json")["es"]["scores"]
    at, other = names["names"].index("confidence.min"), names["names"].index("span_fidelity.min")
    assert names["spearman"][at][at] == 1.0 and names["spearman"][at][other] == names["spearman"][other][at]
    would = _called("apply", out, "--set", "filters.confidence.min_score=1", "--dry-run", "--json")["es"]
    assert would["kept"] == 0 and would["rejected"] == 13
    assert "kept" in _called("apply", out, "--set", "filters.confidence.min_score=0.6")
    assert json.loads((out / "config.json").read_text())["filters"][7]["min_score"] == 0.6


def test_thresholds_are_proposed_from_decisions(out: Path) -> None:
    pairs = [pair for batch in EmittedDataset(out / "es").pairs() for pair in batch]
    worst = sorted(pairs, key=lambda p: min(one.score for one in p.projections))[:4]

    def decisions(_: object) -> list[Any]:
        lines = []
        for pair in pairs:
            assert pair.target is not None
            for span in pair.target.spans:
                action = "reject" if pair in worst else "accept"
                verdict = Verdict(span.id, span.field, span.start, span.end, span.label, pair.target.quote(span))
                about = {"corpus": "es", "split": pair.target.split, "example": pair.source.id}
                lines.append(stamped({**about, "action": action, "verdicts": (verdict,)}))
        return lines

    DecisionLog(out / "decisions.jsonl").append(decisions)
    reported = _called("tune", out, "--error", 0, "--json")["es"]
    assert reported["by"] == "decisions" and reported["before"]["judged"] == 26 and reported["before"]["right"] == 18
    best = next(p for p in reported["proposals"] if p["option"] == "min_score")
    assert best["reached"] and best["precision"] == 1.0
    would = _called("apply", out, "--set", best["set"], "--dry-run", "--json")["es"]
    assert would["kept"] == best["kept"]
    # The mildest that does: all rows but the four and the duplicate are kept.
    rejected = {p.source.id for p in worst} | {p.source.id for p in pairs if not p.kept}
    assert best["kept"] == 13 - len(rejected)


def test_thresholds_are_proposed_from_gold(out: Path, tmp_path: Path) -> None:
    lines = []
    for pair in (pair for batch in EmittedDataset(out / "es").pairs() for pair in batch):
        assert pair.target is not None
        spans = [{"start": s.start, "end": s.end, "label": s.label} for s in pair.target.spans if s.label == "LOC"]
        lines.append(json.dumps({"id": pair.source.id, "text": pair.target.text, "spans": spans}))
    (tmp_path / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    reported = _called("tune", out, "--precision", 0.9, "--gold", tmp_path / "gold.jsonl", "--json")["es"]
    assert (reported["by"], reported["before"]["precision"]) == ("gold", 0.5)
    assert not any(p["reached"] for p in reported["proposals"])
    assert "do not reach 90.0%" in _called("tune", out, "--precision", 0.9, "--gold", tmp_path / "gold.jsonl")


def test_what_is_not_there_is_said(out: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run here"):
        open_run(tmp_path / "nothing")
    with pytest.raises(ConfigError, match=r"unknown target 'fr'"):
        open_run(out, ["fr"])
    with pytest.raises(ConfigError, match="not an option of filters"):
        apply_flow(out, ["translator.beam=2"])
    with pytest.raises(ConfigError, match=r"unknown option .*'min_skore'[\s\S]*min_score"):
        apply_flow(out, ["filters.confidence.min_skore=2"])
    with pytest.raises(InputError, match=r"no decisions yet[\s\S]*spanferry inspect"):
        _called("tune", out, "--precision", 0.9)
    with pytest.raises(ConfigError, match="--precision P or --error E"):
        _called("tune", out)
    next(out.glob("stages/project-es-*/000001.arrow")).write_bytes(b"damaged")
    done = run(apply_flow(out, ["filters.confidence.min_score=0.97"]), prefect=False)
    assert [f.stage for f in done.failures] == ["project-es"]
    assert "computes it anew" in str(done.failures[0].error)
