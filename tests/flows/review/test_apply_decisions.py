"""From decisions to a dataset, to gold, to other tools and back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.readers import open_reader
from spanferry.corpora.review.decisions import DecisionLog
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.flows.config import build_config
from spanferry.flows.engine.place import forget, mark
from spanferry.flows.inspector.edits import Edit
from spanferry.flows.inspector.importing import import_corrections
from spanferry.flows.inspector.session import ReviewSession
from spanferry.flows.review.apply import ApplyConfig, run_apply
from tests.conftest import Run
from tests.flows.inspector.inspector_runs import open_session, pair, write_run, write_switched

SOURCE = ("Ann 😀 flew from Rome to Oslo.", [("Ann", "person"), ("Rome", "place"), ("Oslo", "place")])
TARGET = "Ana 😀 voló de Roma a Oslo."


def _rows(text: str = TARGET) -> list[Pair]:
    return [
        pair("r0", SOURCE, (text, ["Ana", "de Roma", None]), lang="es"),
        pair("r1", SOURCE, (TARGET, ["Ana", "Roma", "Oslo"]), lang="es", reasons=["length_ratio:short"]),
        pair("r2", SOURCE, (TARGET, ["Ana", "Roma", "Oslo"]), lang="es", split="test"),
    ]


def _decide(session: ReviewSession, row: int, edit: Edit) -> None:
    version = session.state(row, session.row_index.pair(row)).version
    session.decide(row, version, session.row_index.data[0].version, edit)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run in which r0 was corrected to its last span and r1, a rejected row and hence the last one, was kept."""
    out = write_run(tmp_path / "run", {"es": _rows()})
    session = open_session(out, "ann")
    _decide(session, 0, Edit("accept", "s0", quote="Ana"))
    _decide(session, 0, Edit("move", "s1", start=14, end=18, quote="Roma"))
    _decide(session, 0, Edit("move", "s2", start=21, end=25, quote="Oslo"))
    _decide(session, 2, Edit("keep"))
    return out


def _config(out: Path, **options: Any) -> ApplyConfig:
    return build_config(ApplyConfig, "apply-decisions", options={"out": out, **options})


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_one_command_later_the_corrections_are_in_the_dataset(out: Path, spanferry: Run) -> None:
    before = _files(out / "es")
    done = spanferry("run", "apply-decisions", "--out", out, "--write", "jsonl")
    assert done.returncode == 0, done.stderr
    assert "2 of 3 rows decided on, 2 gold; applied: 1 accept, 3 keep, 2 move, 1 overrule" in done.stdout
    import datasets

    rows = {row["id"]: row for split in datasets.load_from_disk(out / "es-reviewed").values() for row in split}
    assert set(rows) == {"r0", "r1", "r2"}, "r1 was accepted anyway"
    quotes = [(s["label"], rows["r0"]["text"][s["start"] : s["end"]]) for s in rows["r0"]["spans"]]
    assert quotes == [("person", "Ana"), ("place", "Roma"), ("place", "Oslo")]
    lines = (out / "es-reviewed-jsonl" / "train.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["r0", "r1"]
    assert _files(out / "es") == before, "what was reviewed stays as it is"


def test_the_same_decisions_give_the_same_bytes(out: Path) -> None:
    (first,) = run_apply(_config(out))
    before = _files(first.directory)
    run_apply(_config(out))
    assert _files(first.directory) == before


def test_reviewed_rows_are_gold_for_evaluate(out: Path, spanferry: Run) -> None:
    run_apply(_config(out))
    both = {lang: list(open_reader(out / "es-reviewed", lang=lang, format="reviewed").read()) for lang in ("en", "es")}
    assert [r.id for r in both["es"]] == [r.id for r in both["en"]] == ["r0", "r1"], "r2 was not reviewed"
    assert all(isinstance(r, Example) and "review" not in r.meta for rows in both.values() for r in rows)
    side = ("--input", out / "es-reviewed", "--target-input", out / "es-reviewed", "--format", "reviewed")
    done = spanferry("evaluate", "projection", *side, "--target", "es", "--projector", "copy", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert (result["rows"], result["gold_spans"]) == (2, 6)


def test_gold_in_another_language_names_those_there_are(out: Path) -> None:
    run_apply(_config(out))
    with pytest.raises(ConfigError, match="Valid: en, es"):
        list(open_reader(out / "es-reviewed", lang="fr", format="reviewed").read())


def test_decisions_survive_a_new_projection_and_a_new_start(out: Path) -> None:
    mark(out, "translate-train", "0.1.0", ["es"])
    forget(out)
    assert [p.name for p in out.iterdir()] == ["decisions.jsonl"]
    again = [
        pair("r0", SOURCE, (f"Hoy, {TARGET}", ["Ana", None, None]), lang="es"),
        pair("r1", SOURCE, ("Ana se fue.", ["Ana", None, None]), lang="es"),
    ]
    write_run(out, {"es": again})
    (done,) = run_apply(_config(out))
    row = EmittedDataset(done.directory).pair(0)
    assert [row.target.quote(s) for s in row.target.spans] == ["Ana", "Roma", "Oslo"]
    stale = [json.loads(line) for line in (done.directory / "stale.jsonl").read_text().splitlines()]
    assert [(s["reason"], s["verdict"]["quote"]) for s in stale] == [("quote_gone", "Roma"), ("quote_gone", "Oslo")]
    assert json.loads((done.directory / "review.json").read_text())["stale"] == 2


def test_code_switched_rows_are_corrected_too(tmp_path: Path) -> None:
    out = write_switched(tmp_path)
    session = open_session(out)
    _decide(session, 0, Edit("accept", "s0", quote="Mailand"))
    _decide(session, 0, Edit("move", "s1", start=2, end=15, quote="The casa roja"))
    (done,) = run_apply(_config(out))
    row = EmittedDataset(done.directory).pair(0)
    assert [row.target.quote(s) for s in row.target.spans] == ["Mailand", "The casa roja"]
    assert (row.source.split, done.counts.gold, done.counts.stale) == ("test", 1, [])
    assert [s["lang"] for s in row.target.meta["switches"]] == ["es", "de"]


def test_the_outcome_is_no_corpus_to_review(out: Path) -> None:
    run_apply(_config(out))
    assert [c.name for c in open_session(out).row_index.corpora] == ["es"]
    run_apply(_config(out))
    assert not (out / "es-reviewed-reviewed").exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [({"target": ("fr",)}, "unknown dataset 'fr'"), ({"output.formats": ("xml",)}, "unknown writer 'xml'")],
)
def test_wrong_options_are_errors_before_any_work(options: dict[str, Any], error: str, out: Path) -> None:
    with pytest.raises(ConfigError, match=error):
        run_apply(_config(out, **options))
    assert not (out / "es-reviewed").exists()


def test_without_decisions_there_is_nothing_to_apply(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no decisions yet"):
        run_apply(_config(write_run(tmp_path, {"es": _rows()})))


def test_label_studio_and_back(tmp_path: Path, spanferry: Run) -> None:
    out = write_run(tmp_path / "run", {"es": _rows()})
    done = spanferry("decisions", "export", out, "--to", tmp_path / "tasks", "--format", "label_studio")
    assert done.returncode == 0, done.stderr
    tasks = json.loads((tmp_path / "tasks" / "train.json").read_text())
    (task,) = tasks
    regions = task["predictions"][0]["result"]
    spans = [r for r in regions if "labels" in r.get("value", {})]
    # A person shortens "de Roma" and adds the last place, in new code points, as the tool's export has it.
    next(r for r in spans if r["value"]["text"] == "de Roma")["value"] |= {"start": 14, "end": 18, "text": "Roma"}
    added = {"start": 21, "end": 25, "text": "Oslo", "labels": ["place"]}
    regions.append({**spans[0], "id": "x1", "value": added})
    task["annotations"] = [{"id": 1, "result": regions, "was_cancelled": False}]
    (tmp_path / "export.json").write_text(json.dumps([task]))
    done = spanferry("decisions", "import", out, tmp_path / "export.json", "--format", "label_studio", "--who", "eve")
    assert done.returncode == 0, done.stderr
    assert _decided(out) == {("r0", "s0"): "Ana", ("r0", "s1"): "Roma", ("r0", "added-1"): "Oslo", ("r0", "s2"): ""}
    again = spanferry("decisions", "import", out, tmp_path / "export.json", "--format", "label_studio")
    assert "nothing new" in again.stdout, again.stderr


def test_doccano_and_back(tmp_path: Path, spanferry: Run) -> None:
    out = write_run(tmp_path / "run", {"es": _rows()})
    done = spanferry("decisions", "export", out, "--to", tmp_path / "tasks", "--format", "doccano")
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "tasks").glob("*train*")
    row = json.loads(path.read_text().splitlines()[0])
    key = "entities" if "entities" in row else "label"
    spans = [s for s in row[key] if (s["label"] if isinstance(s, dict) else s[2]) == "person"]
    row[key] = spans  # a person takes "de Roma" away
    (tmp_path / "export.jsonl").write_text(json.dumps(row) + "\n")
    done = spanferry("decisions", "import", out, tmp_path / "export.jsonl", "--format", "doccano")
    assert done.returncode == 0, done.stderr
    actions = {
        (d.example, v.span): d.action for d in DecisionLog(out / "decisions.jsonl").decisions for v in d.verdicts
    }
    assert actions == {("r0", "s0"): "accept", ("r0", "s1"): "reject", ("r0", "s2"): "accept"}


def test_corrections_of_another_text_are_not_taken(tmp_path: Path, spanferry: Run) -> None:
    out = write_run(tmp_path / "run", {"es": _rows()})
    (tmp_path / "x.jsonl").write_text('{"id":"r0","text":"Otro","spans":[]}\n{"id":"zz","text":"Otro","spans":[]}\n')
    done = spanferry("decisions", "import", out, tmp_path / "x.jsonl", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert "1 other_text" in done.stdout and "1 no_example" in done.stdout
    assert not (out / "decisions.jsonl").exists()


def test_what_others_decide_during_an_import_counts(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", {"es": _rows()})
    data = EmittedDataset(out / "es")
    log, other = DecisionLog(out / "decisions.jsonl"), open_session(out)

    def rows() -> Iterator[Pair]:
        for batch in data.pairs():
            yield from batch
        # Somebody decides after the log was opened and the rows were read.
        other.decide(0, 0, data.version, Edit("accept", "s0", quote=quote))

    first = next(p for batch in data.pairs() for p in batch)
    assert first.target is not None
    quote = next(first.target.quote(s) for s in first.target.spans if s.id == "s0")
    done = import_corrections(rows(), [first.target], "es", "eve", log)
    said = [v.span for d in DecisionLog(log.path).decisions for v in d.verdicts]
    assert len(said) == len(set(said)) and "s0" in said
    assert "s0" not in [v.span for d in done.decisions for v in d.verdicts]


def test_lines_that_are_not_understood_are_listed(tmp_path: Path, spanferry: Run) -> None:
    out = write_run(tmp_path / "run", {"es": _rows()})
    session = open_session(out)
    session.decide(0, 0, session.row_index.data[0].version, Edit("keep"))
    with (out / "decisions.jsonl").open("a") as file:
        file.write('{"id":"9","action":"merge","corpus":"es","split":"train","example":"r0"}\nnonsense\n')
    done = spanferry("run", "apply-decisions", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "line 2: unknown action 'merge'" in done.stderr and "line 3: not a line of JSON" in done.stderr
    assert json.loads((out / "es-reviewed" / "review.json").read_text())["reviewed"] == 1


def _decided(out: Path) -> dict[tuple[str, str], str]:
    lines = DecisionLog(out / "decisions.jsonl").decisions
    assert {d.via for d in lines} == {"import"} and {d.who for d in lines} == {"eve"}
    return {(d.example, v.span): v.quote for d in lines for v in d.verdicts}
