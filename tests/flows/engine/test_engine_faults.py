"""Faults that the engine makes impossible: stale output, options that nobody uses, work done twice."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora import files
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.readers.common import base
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.engine.flow import Flow, Result, run
from spanferry.flows.engine.step import ordered
from spanferry.flows.review.apply import ApplyConfig
from spanferry.flows.sets.config import DeriveConfig, ParallelConfig
from spanferry.flows.sets.derive import derive_flow
from spanferry.flows.sets.parallel import parallel_flow
from spanferry.flows.switch.config import SwitchConfig
from spanferry.flows.switch.flow import switch_flow
from spanferry.flows.translate.flow import translate_flow
from spanferry.translators.loading.load import bundled_directories

_FLOWS: dict[str, tuple[Any, Any]] = {
    "translate-train": (RunConfig, translate_flow),
    "project": (RunConfig, translate_flow),
    "parallel": (ParallelConfig, parallel_flow),
    "derive": (DeriveConfig, derive_flow),
    "code-switch": (SwitchConfig, switch_flow),
}


def _write(path: Path, texts: list[str], quote: str = "Anna") -> Path:
    rows = [
        {"id": f"r{n}", "text": text, "spans": [{"start": 0, "end": len(quote), "label": "PER", "id": "p"}]}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, Path]:
    """The same rows in English and Spanish."""
    (tmp_path / "in").mkdir()
    en = [f"Anna has {n} cats." for n in range(6)]
    es = [f"Anna tiene {n} gatos." for n in range(6)]
    return {lang: _write(tmp_path / "in" / f"{lang}.jsonl", rows) for lang, rows in (("en", en), ("es", es))}


def _flow(name: str, sides: dict[str, Path], out: Path, **options: Any) -> Flow:
    model, flow_of = _FLOWS[name]
    if model is RunConfig:
        own = {"read.path": str(sides["en"]), "target": ("es",), "shard_rows": 2, "projector.kind": "copy"}
        own |= {"read.target": str(sides["es"])} if name == "project" else {}
        own |= {"filters": ()}
    else:
        own = {"rows.inputs": tuple(f"{lang}={path}" for lang, path in sides.items()), "rows.shard_rows": 2}
        own |= {"kind": "instructions"} if name == "derive" else {}
        own |= {"unit.kind": "span"} if name == "code-switch" else {}
    given: Flow = flow_of(build_config(model, name, options={**own, "out": out, **options}))
    return given


def _run(*arguments: Any, **options: Any) -> Result:
    done = run(_flow(*arguments, **options), prefect=False)
    assert not done.failures
    return done


def _texts(done: Result) -> str:
    """Everything that is in the datasets that were written."""
    import datasets

    found = [datasets.load_from_disk(str(place)) for place in done.written.values()]
    return json.dumps([list(split) for data in found for split in data.values()], ensure_ascii=False, default=str)


@pytest.mark.parametrize("flow", _FLOWS)
def test_an_input_that_changed_between_two_runs_gives_the_new_rows(
    flow: str, sides: dict[str, Path], tmp_path: Path
) -> None:
    first = _texts(_run(flow, sides, tmp_path / "out"))
    assert "Anna" in first
    _write(sides["en"], [f"Maria has {n} dogs." for n in range(6)], "Maria")
    _write(sides["es"], [f"Maria tiene {n} perros." for n in range(6)], "Maria")
    done = _run(flow, sides, tmp_path / "out")
    assert done.computed or flow == "parallel"
    again = _texts(done)
    assert "Maria" in again and "Anna" not in again


@pytest.mark.parametrize("flow", _FLOWS)
def test_the_input_is_hashed_once_in_a_run(
    flow: str, sides: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: Counter[str] = Counter()

    def counting(paths: Any, size: int = 4, *, root: Path | None = None) -> str:
        listed = list(paths)
        hashed.update(str(path) for path in listed)
        return files.content_hash(listed, size, root=root)

    monkeypatch.setattr(base, "content_hash", counting)
    _run(flow, sides, tmp_path / "out")
    assert {name: count for name, count in hashed.items() if count != 1} == {}
    assert hashed[str(sides["en"])] == 1


@pytest.mark.parametrize(
    ("options", "again"),
    [
        ({}, False),
        ({"executor.workers": 1}, False),
        ({"translator.memory_mb": 0}, False),
        ({"translator.protect": True}, True),
        ({"translator.glossary": "terms"}, True),
        ({"translator.beam": 2}, True),
        ({"translator.options": {"max_source": 40}}, True),
        ({"translator.options": {"batch_tokens": "64"}}, False),  # int8: a row comes out the same in any batch
        ({"translator.options": {"batch_tokens": "64"}, "translator.compute_type": "float32"}, True),
        ({"seed": 1}, True),
        ({"options.into": "de"}, True),
    ],
)
def test_a_derived_set_resumes_only_what_was_made_in_the_same_way(
    options: dict[str, Any], again: bool, tmp_path: Path
) -> None:
    rows = [{"id": f"n{i}", "premise": f"I have {i} cats.", "hypothesis": "I have cats."} for i in (2, 3)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "terms.tsv").write_text("cats\tmichis\tes\n", encoding="utf-8")
    own = {"kind": "sentence-pairs", "options.into": "es", "rows.options.text_fields": ["premise", "hypothesis"]}

    def made(more: dict[str, Any]) -> Result:
        if "translator.glossary" in more:
            more = {"translator.glossary": str(tmp_path / "terms.tsv")}
        return _run("derive", {"en": path}, tmp_path / "out", **{**own, **more})

    assert made({}).computed == {"derive": 1}
    assert made(options).computed == ({"derive": 1} if again else {})
    if "translator.glossary" in options:
        (tmp_path / "terms.tsv").write_text("cats\tfelinos\tes\n", encoding="utf-8")
        changed = made(options)
        assert changed.computed == {"derive": 1} and "felinos" in _texts(changed), "other terms in the same file"


def test_other_weights_in_the_same_folder_make_another_set(tmp_path: Path) -> None:
    path = _write(tmp_path / "en.jsonl", ["Anna has a cat."])
    model = tmp_path / "model"
    shutil.copytree(bundled_directories()[0], model)
    own = {"kind": "sentence-pairs", "options.into": "es", "translator.model": str(model)}

    def digests() -> dict[str, str]:
        flow = _flow("derive", {"en": path}, tmp_path / "out", **own)
        return {step.name: step.digest for step in ordered(flow.outputs)}

    before = digests()
    weights = bytearray((model / "model.bin").read_bytes())
    weights[len(weights) // 2] ^= 1
    (model / "model.bin").write_bytes(weights)
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"derive", "emit-sentence-pairs"}


def test_a_dictionary_that_changed_switches_anew(sides: dict[str, Path], tmp_path: Path) -> None:
    terms = tmp_path / "en-es.tsv"
    own = {"preset": "cosda-ml", "counterpart.files": {"es": str(terms)}, "unit.kind": "word"}
    for word in ("gatos", "mininos"):
        terms.write_text(f"cats\t{word}\n", encoding="utf-8")
        assert word in _texts(_run("code-switch", {"en": sides["en"]}, tmp_path / "out", **own))


@pytest.mark.parametrize(
    ("flow", "options", "message"),
    [
        *((flow, {"executor.address": "tcp://x:1"}, "executor.address is not used") for flow in _FLOWS),
        *((flow, {"executor.slurm": {"cores": 2}}, "executor.slurm is not used") for flow in _FLOWS),
        ("translate-train", {"output.options": {"conll": {"allow_loss": True}}}, "writer 'conll', which is not used"),
        ("project", {"output.options": {"jsonl": {}}}, "writer 'jsonl', which is not used"),
        ("parallel", {"output.options": {"tmx": {}}}, "writer 'tmx', which is not used"),
        ("translate-train", {"read.pair_by": "id"}, "read.pair_by='id' is not used"),
        ("translate-train", {"projector.fit_rows": 5}, "projector.fit_rows=5 is not used: the projector 'copy' learns"),
        ("translate-train", {"translator.model": "parallel", "translator.beam": 2}, "translator.beam=2 is not used"),
        ("parallel", {"align.aligner": "encoder", "align.fit_rows": 5}, "the aligner 'encoder' learns nothing"),
        ("project", {"segment.mode": "none"}, "segment.mode='none' is not used"),
        ("project", {"translator.options": {"nonsense": 1}, "source": "sw"}, "is not used: no bundled model"),
        ("translate-train", {"translator.options": {"nonsense": 1}}, "unknown option of the translator 'nonsense'"),
        ("translate-train", {"translator.options": {"batch_tokens": "many"}}, "does not take batch_tokens='many'"),
        ("derive", {"translator.protect": True}, "translator.protect=True is not used"),
        ("derive", {"translator.options": {"x": 1}}, "is not used: 'instructions' translates nothing"),
        ("derive", {"reverse": "bundled"}, "reverse='bundled' is not used"),
        ("project", {"translator.protect": True}, "the projector 'copy' translates nothing"),
        ("project", {"translator.beam": 2}, "translator.beam=2 is not used: both sides are given"),
        ("derive", {"align.fit_rows": 5}, "align.fit_rows=5 is not used"),
        ("parallel", {"align.pairs": "none", "align.options": {"x": 1}}, "is not used: no words are linked"),
    ],
)
def test_an_option_that_nobody_uses_is_an_error(
    flow: str, options: dict[str, Any], message: str, sides: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        _flow(flow, sides, tmp_path / "out", **options)
    assert message in str(caught.value) and caught.value.hint
    assert not (tmp_path / "out").exists()


def test_options_of_a_writer_are_checked_for_decisions_too() -> None:
    with pytest.raises(ConfigError, match="'jsonl', which is not used"):
        build_config(ApplyConfig, "apply-decisions", options={"output.options": {"jsonl": {}}})


def test_a_flow_does_not_depend_on_what_stands_in_its_input(tmp_path: Path) -> None:
    folder = tmp_path / '"flow": "derive"'
    folder.mkdir()
    paths = {lang: _write(folder / f"{lang}.jsonl", ["Anna."]) for lang in ("en", "es")}
    assert _run("parallel", paths, tmp_path / "out").counts["multiway"]["train"] == 1


@pytest.mark.parametrize(
    ("flow", "rows", "options", "message"),
    [
        (
            "derive",
            "sides",
            {"kind": "preferences", "rows.languages": ["en", "es"]},
            "have the fields text, none that options.prompt=instruction or options.response=response names",
        ),
        ("project", "elsewhere", {}, "none of 6 labels was placed"),
        ("project", "plain", {}, "the input has no labels, only 6 texts"),
        (
            "project",
            "sides",
            {"filters": [{"kind": "length_ratio", "low": 0.01, "high": 1.0}]},
            "none of 6 rows was kept",
        ),
    ],
)
def test_an_output_with_nothing_in_it_says_why(
    flow: str, rows: str, options: dict[str, Any], message: str, sides: dict[str, Path], tmp_path: Path
) -> None:
    if rows == "elsewhere":
        _write(sides["es"], [f"Él tiene {n} gatos." for n in range(6)], "Él")
    if rows == "plain":
        for path in sides.values():
            path.write_text("".join(json.dumps({"id": str(n), "text": f"Yes {n}."}) + "\n" for n in range(6)))
    assert message in str(_run(flow, sides, tmp_path / "out", **options).empty)


def test_the_exit_status_shows_an_empty_output(sides: dict[str, Path], tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from spanferry.flows.cli.main import app

    _write(sides["es"], [f"Él tiene {n} gatos." for n in range(6)], "Él")
    own = ["run", "project", "--input", str(sides["en"]), "--target-input", str(sides["es"]), "--target", "es"]
    own += ["--projector", "copy", "--set", "filters=[]", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, own)
    assert done.exit_code == 1 and "none of 6 labels was placed: 6 " in done.stderr and "--allow-empty" in done.stderr
    assert CliRunner().invoke(app, [*own, "--allow-empty"]).exit_code == 0
