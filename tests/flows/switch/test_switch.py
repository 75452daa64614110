"""``spanferry run code-switch`` and ``spanferry evaluate switching``, as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from spanferry.corpora.stored.undo import undone
from spanferry.corpora.switching.presets import PRESETS
from spanferry.flows.config import build_config
from spanferry.flows.switch.config import SwitchConfig
from spanferry.flows.switch.flow import run_switch

EN = ("Anna took the night train to Vienna.", "The old bridge in Prague is closed.", "Peter sings in Vienna today.")
DE = ("Anna nahm den Nachtzug nach Wien.", "Die alte Brücke in Prag ist gesperrt.", "Peter singt heute in Wien.")
ES = ("Anna tomó el tren nocturno a Viena.", "El viejo puente de Praga está cerrado.", "Pedro canta hoy en Viena.")
TOWNS = (("Vienna", "Wien", "Viena"), ("Prague", "Prag", "Praga"), ("Vienna", "Wien", "Viena"))


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Thirty rows in three languages, with labels."""
    found = []
    for k, (lang, texts) in enumerate((("en", EN), ("de", DE), ("es", ES))):
        lines = []
        for i in range(30):
            text, town = texts[i % 3], TOWNS[i % 3][k]
            spans = [{"start": text.index(town), "end": text.index(town) + len(town), "label": "LOC", "id": "a"}]
            lines.append(json.dumps({"id": f"r{i}", "text": text, "spans": spans}, ensure_ascii=False))
        path = tmp_path / f"rows.{lang}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found.append(f"{lang}={path}")
    return found


def run(inputs: list[str], out: Path, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """Runs the flow; rows by split, the rejected among them."""
    keys = {"rows.inputs": inputs, "out": out, "rows.shard_rows": 7, **options}
    result = run_switch(build_config(SwitchConfig, "code-switch", options=keys))
    assert not result.failures
    place = out / "code-switch"
    data = datasets.load_from_disk(str(place))
    return {
        **{split: list(data[split]) for split in data},
        "rejected": list(datasets.load_from_disk(str(place / "rejected"))),
    }


def test_a_set_of_three_languages(inputs: list[str], tmp_path: Path) -> None:
    found = run(inputs, tmp_path / "out", **{"unit.kind": "span", "sampler.kind": "probability", "sampler.cross": 1.0})
    features = datasets.load_from_disk(str(tmp_path / "out" / "code-switch"))["train"].features
    assert features["ner_tags"].feature.names == ["O", "B-LOC", "I-LOC"]
    assert len(found["train"]) == 30 and not found["rejected"]
    for row in found["train"]:
        number = int(row["id"][1:]) % 3
        assert undone(row) == {"text": EN[number]}
        (span,) = row["spans"]
        assert row["text"][span["start"] : span["end"]] in TOWNS[number][1:]
        assert row["ner_tags"].count(1) == 1 and len(row["ner_tags"]) == len(row["tokens"])
        assert {"de", "es"} & set(row["langs"])
    place = tmp_path / "out" / "code-switch"
    reported = json.loads((place / "switching.json").read_text(encoding="utf-8"))
    assert reported["units"]["switched"] == 30 and reported["rate_of_units"] == 1.0
    assert "## Switching" in (place / "report.md").read_text(encoding="utf-8")
    page = (place / "report.html").read_text(encoding="utf-8")
    assert "<h2>Switching</h2>" in page and "<svg" in page
    assert (place / "plots" / "cmi-all.svg").exists() and "unit:span" in (place / "README.md").read_text("utf-8")


def test_the_same_bytes_whatever_the_workers_and_after_a_kill(inputs: list[str], tmp_path: Path) -> None:
    options = {"sampler.kind": "cmi", "sampler.target": 20.0, "unit.kind": "phrase", "seed": 3}
    for name, workers in (("a", 1), ("b", 3)):
        run(inputs, tmp_path / name, **options, **{"executor.workers": workers})
    stage = next((tmp_path / "b" / "stages").glob("switch-[0-9a-f]*"))
    shard = sorted(stage.glob("*.arrow"))[1]
    shard.unlink()
    (tmp_path / "b" / "code-switch" / ".spanferry.json").unlink()
    run(inputs, tmp_path / "b", **options)
    files = [p.relative_to(tmp_path / "a" / "code-switch") for p in (tmp_path / "a" / "code-switch").rglob("*.*")]
    assert len(files) > 8
    for file in files:
        a, b = (tmp_path / name / "code-switch" / file for name in "ab")
        assert a.is_dir() or a.read_bytes() == b.read_bytes(), file


def test_starting_again_keeps_what_people_decided(
    inputs: list[str], tmp_path: Path, spanferry: Callable[..., Any]
) -> None:
    out = tmp_path / "out"
    run(inputs, out, **{"unit.kind": "span"})
    (out / "decisions.jsonl").write_text("{}\n")
    sources = [part for given in inputs for part in ("--input", given)]
    again = ["run", "code-switch", *sources, "--out", out, "--unit", "word", "--overwrite"]
    done = spanferry(*again, "--json")
    assert done.returncode == 0, done.stderr
    assert (out / "decisions.jsonl").read_text() == "{}\n"
    for name in ("config.json", ".spanferry-run.json"):
        (out / name).unlink()
    assert spanferry(*again).returncode == 2 and (out / "code-switch").exists()


def test_a_histogram_over_shards_and_its_measure(
    inputs: list[str], tmp_path: Path, spanferry: Callable[..., Any]
) -> None:
    shares = (1.0, 1.0, 0.0)
    options = {"sampler.kind": "histogram", "sampler.shares": shares, "align.pairs": "pivot", "languages": ["es"]}
    found = run(inputs, tmp_path / "out", **options)
    place = tmp_path / "out" / "code-switch"
    reported = json.loads((place / "switching.json").read_text(encoding="utf-8"))
    assert found["train"] and reported["distance_from_target"] <= 0.05
    done = spanferry(
        "evaluate", "switching", "-i", place, "-i", place / "train", "--bins", 3, "--json", "--out", tmp_path / "e"
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["distances"][0]["cmi"] == 0.0
    summary = measured["corpora"][str(place)]
    assert summary["cmi"] == pytest.approx(reported["metrics"]["cmi"]) and summary["utterances"] == len(found["train"])
    assert (tmp_path / "e" / "code-switch" / "histograms.json").exists()


def test_a_dictionary_needs_no_second_language(inputs: list[str], tmp_path: Path) -> None:
    path = tmp_path / "en-es.tsv"
    path.write_text("bridge\tpuente\nnight\tnoche\n", encoding="utf-8")
    found = run(inputs[:1], tmp_path / "out", preset="cosda-ml", **{"counterpart.files": {"es": str(path)}})
    texts = {row["text"] for row in found["train"]}
    assert "The old puente in Prague is closed." in texts and "Peter sings in Vienna today." in texts


def test_presets_are_defaults_that_give_way(inputs: list[str]) -> None:
    for name, preset in PRESETS.items():
        config = build_config(SwitchConfig, "code-switch", options={"preset": name})
        assert config.unit == preset.settings["unit"] and config.policy == preset.settings["policy"]
        assert preset.paper and preset.differs
    own = build_config(SwitchConfig, "code-switch", options={"preset": "cosda-ml", "sampler.cross": 0.4})
    assert own.sampler == {"kind": "probability", "ratio": 1.0, "cross": 0.4}
    other = build_config(SwitchConfig, "code-switch", options={"preset": "knowledge-barriers", "unit.kind": "sentence"})
    assert other.unit == {"kind": "sentence"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unit", "wrd"], "unknown unit 'wrd'"),
        (["--set", "unit.sise=3", "--unit", "chunk"], "sise"),
        (["--preset", "cosda"], "unknown preset 'cosda'"),
        (["--counterpart", "entities", "--unit", "span"], "no such table of entities"),
        (["--constraint", "matrix", "--unit", "clause"], "the matrix constraint is about words and phrases"),
        (["--language", "fr"], "no input has the language 'fr'"),
    ],
)
def test_what_can_not_do_is_an_error_before_any_work(
    inputs: list[str], tmp_path: Path, arguments: list[str], message: str, capsys: Any
) -> None:
    from typer.testing import CliRunner

    from spanferry.corpora.errors import SpanferryError
    from spanferry.flows.cli.main import app

    given = [part for entry in inputs for part in ("--input", entry)]
    done = CliRunner().invoke(app, ["run", "code-switch", *given, "--out", str(tmp_path / "out"), *arguments])
    assert isinstance(done.exception, SpanferryError) and message in str(done.exception)
    assert not (tmp_path / "out").exists()
