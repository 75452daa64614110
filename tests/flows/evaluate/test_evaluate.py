"""``spanferry evaluate`` on small gold made for the test, as a user runs it."""

import ast
import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner

from spanferry.corpora.errors import SpanferryError
from spanferry.corpora.readers import open_reader
from spanferry.flows.cli.main import app
from spanferry.flows.evaluate.output import print_evaluations
from spanferry.flows.evaluate.projection import Settings, compare, evaluate_projection, parse_method
from spanferry.projectors.evaluation.gold import read_gold
from spanferry.projectors.methods.build import build_projector
from tests.conftest import Run
from tests.projectors.parallel_texts import expected, spanish


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """60 sentences of the little grammar, annotated on both sides; in one the gold of the target is different."""
    folder = tmp_path_factory.mktemp("gold")
    rows: tuple[list[object], list[object]] = ([], [])
    for item in spanish()[::5][:60]:
        target = []
        for span, quote in zip(item.spans, expected(item), strict=True):
            start = item.target_text.index(quote)
            target.append({"start": start, "end": start + len(quote), "label": span.label})
        if not rows[0]:
            target = target[:-1]
        source = [{"start": s.start, "end": s.end, "label": s.label} for s in item.spans]
        rows[0].append({"id": item.id, "text": item.source_text, "spans": source})
        rows[1].append({"id": item.id, "text": item.target_text, "spans": target})
    paths = (folder / "toy.en.jsonl", folder / "toy.es.jsonl")
    for path, own in zip(paths, rows, strict=True):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own), encoding="utf-8")
    return paths


def _evaluate(spanferry: Run, sides: tuple[Path, Path], *more: object) -> "tuple[str, str, int]":
    done = spanferry(
        "evaluate", "projection", "-i", sides[0], "--target-input", sides[1], "-t", "es", "--translator", "none", *more
    )
    return done.stdout, done.stderr, done.returncode


METHODS = ("-p", "alignment", "-p", "copy", "-p", "alignment[rule=minmax]")


def test_one_line_of_json_with_signatures(spanferry: Run, sides: tuple[Path, Path], tmp_path: Path) -> None:
    first, errors, status = _evaluate(spanferry, sides, *METHODS, "--json", "--out", tmp_path / "a")
    assert status == 0, errors
    assert first.count("\n") == 1
    shown_by = json.loads(first)
    aligned, copied, minmax = shown_by["results"]
    assert [row["method"] for row in shown_by["results"]] == ["alignment", "copy", "alignment[rule=minmax]"]
    assert (aligned["spans"], aligned["gold_spans"]) == (180, 179)
    assert aligned["f1"] > 0.9 > copied["f1"] > 0.1
    assert set(aligned["by_label"]) == {"PER", "THING", "TIME"}
    assert sum(row["gold_spans"] for row in aligned["by_length"].values()) == 179
    assert copied["not_placed"]["not_copied"] > 0
    assert len({row["signature"] for row in shown_by["results"]}) == 3
    assert "gold:toy-es" in aligned["signature"] and "bootstrap:1000" in aligned["signature"]
    (versus_copy, _) = shown_by["comparisons"]
    assert versus_copy["delta"] == pytest.approx(copied["f1"] - aligned["f1"], abs=2e-4)
    assert versus_copy["p"] < 0.01
    assert versus_copy["low"] < versus_copy["delta"] < versus_copy["high"] < 0
    assert ".minmax." in minmax["signature"] and ".minmax." not in aligned["signature"]

    again, _, _ = _evaluate(spanferry, sides, *METHODS, "--json", "--out", tmp_path / "b")
    assert again == first
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert {f.name for f in files} >= {"scores.csv", "by_label.csv", "by_length.csv", "comparisons.csv", "f1.svg"}
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        if name.suffix == ".svg":
            ElementTree.parse(tmp_path / "a" / name)
    with (tmp_path / "a" / "by_label.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9 and {row["gold"] for row in rows} == {"toy-es"}


def test_the_table_shows_what_the_json_holds(sides: tuple[Path, Path]) -> None:
    own = ("-i", sides[0], "--target-input", sides[1], "-t", "es", "--translator", "none", *METHODS)
    shown, shown_by = (
        CliRunner().invoke(app, ["evaluate", "projection", *map(str, own), *more]).stdout for more in ((), ("--json",))
    )
    for row in json.loads(shown_by)["results"]:
        line = next(line for line in shown.splitlines() if f" {row['method']} " in line and "toy-es" in line)
        assert f"{row['f1']:.3f}".removeprefix("0") in line
    assert "paired bootstrap" in shown


def test_a_narrow_terminal_shows_every_number(sides: tuple[Path, Path]) -> None:
    gold = read_gold(
        *(open_reader(path, lang=lang) for path, lang in zip(sides, ("en", "es"), strict=True)), name="toy"
    )
    settings = Settings("none", samples=20)
    methods = [parse_method("copy"), parse_method("alignment[aligner_options.prior=none,rule=minmax,boundary=subword]")]
    found = evaluate_projection(methods, [gold], settings)
    compared = compare([(e.judgement.gold.name, e.method, e.judgement.counts()) for e in found], settings)
    console = Console(file=io.StringIO(), width=80)
    print_evaluations(found, compared, settings, as_json=False, console=console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    for evaluation in found:
        assert evaluation.method in shown
        for number in (evaluation.judgement.exact.f1, evaluation.judgement.coverage, evaluation.judgement.f1_at(0.8)):
            assert f"{number:.3f}".removeprefix("0") in shown
    assert f"{compared[0][3].delta:+.3f}" in shown


def _error(*arguments: object) -> str:
    """What the command says is wrong, in this process."""
    done = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert isinstance(done.exception, SpanferryError), done.output
    assert not done.stdout
    return str(done.exception)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("-p", "alignmnt"), "did you mean 'alignment'?"),
        (("-p", "copy[ration=1]"), "did you mean 'ratio'?"),
        (("-p", "copy[ratio"), "has no ']'"),
        (("-p", "copy[ratio]"), "has no '='"),
        (("-p", "copy[ratio=most]"), "projector 'copy' does not take ratio='most'"),
        (("-p", "alignment[aligner=5]"), "projector 'alignment' does not take aligner=5"),
        (("-p", "alignment[options=0]"), "options >= 1"),
        (("-p", "alignment[aligner_options.max_pairs=many]"), "aligner 'lexical' does not take max_pairs='many'"),
        (("-p", "alignment[aligner=mixture]"), "aligner 'mixture' needs the option 'parts'"),
        (("-p", "default[weights=3]"), "Hint: --set projector.options.weights=VALUE"),
        (("-p", "ensemble[members=[1]]"), "does not take members=[1]"),
        (("-p", "ensemble[members=coyp]"), "unknown member of the ensemble 'coyp'"),
        (("-p", "constrained"), "needs a model"),
        (("--source", "English"), "'en' is the tag of English"),
        (("--words", "mine"), "Valid: given, own"),
        (("--pair-by", "name"), "Valid: index, id"),
        (("--gold", "europarl-xx"), "did you mean 'europarl"),
        (("--set", "text_kye=body"), "did you mean 'text_key'?"),
        (("--set", "repair"), "has no '='"),
    ],
)
def test_errors_come_before_any_work(more: tuple[str, ...], message: str, sides: tuple[Path, Path]) -> None:
    own = ("-i", sides[0], "--target-input", sides[1], "-t", "es", "--translator", "none")
    shown_by = _error("projection", *own, *more)
    assert message in shown_by and "Hint: " in shown_by


def test_the_place_of_the_output_is_made_before_any_work(sides: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    own = ("-i", sides[0], "--target-input", sides[1], "-t", "es", "--translator", "none")
    assert "can't make this folder" in _error("projection", *own, "--out", tmp_path / "file")
    assert "can't make this folder" in _error("projection", *own, "--out", tmp_path / "file" / "below")


def test_one_name_may_stand_for_a_list_of_one() -> None:
    projector = build_projector("alignment", {"filters": "contiguous"}, None, "en", "es")
    assert projector.signature == build_projector("alignment", {"filters": ["contiguous"]}, None, "en", "es").signature


def test_sides_of_different_lengths(sides: tuple[Path, Path], tmp_path: Path) -> None:
    short = tmp_path / "short.jsonl"
    short.write_text("".join(sides[1].read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    both = ("-i", sides[0], "--target-input", short, "-t", "es", "--translator", "none")
    assert "--pair-by id" in _error("projection", *both)
    assert CliRunner().invoke(app, ["evaluate", "projection", *map(str, both), "--pair-by", "id", "-p", "copy"]).stdout
    links = tmp_path / "links"
    links.write_text("0-0\n", encoding="utf-8")
    assert "Hint: a line of links for each pair" in _error("alignment", *both, "--links", links)


def test_what_was_left_out_is_reported(sides: tuple[Path, Path], tmp_path: Path) -> None:
    rows = sides[1].read_text(encoding="utf-8").splitlines()
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(["{", *rows[1:-1], '{"id": "new", "text": "Hola."}']) + "\n", encoding="utf-8")
    own = ("-i", sides[0], "--target-input", other, "-t", "es", "--translator", "none", "--pair-by", "id", "-p", "copy")
    shown = CliRunner().invoke(app, ["evaluate", "projection", *map(str, own), "-p", "copy[ratio=0.9]"]).stdout
    assert shown.count("toy-es: rows not used: ") == 1
    assert "no_source" in shown and "no_target" in shown


def test_help_shows_how_options_are_written() -> None:
    shown_by = {
        kind: CliRunner().invoke(app, ["evaluate", kind, "--help"]).stdout for kind in ("projection", "alignment")
    }
    assert "'alignment[rule=minmax]'" in " ".join(shown_by["projection"].split())
    assert "'eflomal[runs=2]'" in " ".join(shown_by["alignment"].split())


def test_no_gold(sides: tuple[Path, Path]) -> None:
    assert "Hint: --gold europarl-es" in _error("projection")
    assert "needs both sides" in _error("projection", "--input", sides[0])


def test_options_of_a_method() -> None:
    method = parse_method("alignment[aligner_options.prior=none,options=3]")
    assert (method.kind, method.options) == ("alignment", {"aligner_options": {"prior": "none"}, "options": 3})
    assert parse_method("my.module:Thing").kind == "my.module:Thing"
    mixed = parse_method('mixture[parts=[{kind="lexical"}, {kind="attention", weight=0.2}],mean=geometric]')
    assert mixed.options == {"parts": [{"kind": "lexical"}, {"kind": "attention", "weight": 0.2}], "mean": "geometric"}


def test_aligners_against_links(spanferry: Run, tmp_path: Path) -> None:
    rows = []
    for item in spanish()[:80]:
        source, target = item.source_text.rstrip(".").split(), item.target_text.rstrip(".").split()
        links = [[source.index(a), target.index(b)] for a, b in (("Rome", "Roma"), ("today", "hoy")) if a in source]
        if links:
            rows.append({"src_words": source, "tgt_words": target, "alignment": links})
    path = tmp_path / "drawn.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = ("-i", path, "-t", "es", "--translator", "none", "-a", "lexical", "-a", "lexical[prior=none]")
    done = spanferry("evaluate", "alignment", *arguments, "--json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["results"]
    assert first["recall"] > 0.9
    assert "aer" not in first
    assert first["links"] == len(rows)
    assert first["signature"] != second["signature"]
    assert (tmp_path / "out" / "links.csv").read_text(encoding="utf-8").startswith("gold,language,method,pairs,links")
    assert "needs a model" in _error("alignment", *arguments[:6], "-a", "attention")
    assert "--links FILE" in _error("alignment", "-i", path)


def test_further_texts_are_learned_from(sides: tuple[Path, Path], tmp_path: Path) -> None:
    texts = {"en": "The river is deep.\nThe old river.\n", "es": "El río es hondo.\nEl viejo río.\n"}
    files = [tmp_path / f"more.{lang}.txt" for lang in texts]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    own = ("-i", sides[0], "--target-input", sides[1], "-t", "es", "--translator", "none", "-p", "default", "--json")
    more = ("--more-input", files[0], "--more-target-input", files[1])
    without, with_more = (
        json.loads(CliRunner().invoke(app, ["evaluate", "projection", *map(str, given)]).stdout)["results"][0]
        for given in (own, own + more)
    )
    assert without["rows"] == with_more["rows"] and without["spans"] == with_more["spans"]
    assert without["signature"] != with_more["signature"]
    assert "further texts need both sides" in _error("projection", *own, *more[:2])


def test_prior_none_asks_no_encoder() -> None:
    for kind, options in (("default", {"prior": "none"}), ("alignment", {"aligner_options": {"prior": "none"}})):
        signature = build_projector(kind, options, None, "en", "es").signature
        assert "prior:none" in signature and "context:" not in signature
    both = build_projector("default", {"prior": "none", "context": True}, None, "en", "es").signature
    assert "prior:none" in both and "context:" in both


_COMMANDS = ("projection", "alignment")


@pytest.mark.parametrize("command", _COMMANDS)
def test_hints_name_options_of_the_command(command: str, tmp_path: Path) -> None:
    known = set(re.findall(r"--[a-z][a-z-]*", CliRunner().invoke(app, ["evaluate", command, "--help"]).stdout))
    file, links = tmp_path / "odd.weird", tmp_path / "links"
    file.write_text("a b\n", encoding="utf-8")
    links.write_text("0-0\n", encoding="utf-8")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    own = ("--target", "es", *(("--links", links) if command == "alignment" else ()))
    for one, other in ((file, file), (tmp_path / "bad.json", tmp_path / "bad.json"), (file, tmp_path / "none.txt")):
        shown = _error(command, "--input", one, "--target-input", other, *own)
        hint = shown.partition("Hint: ")[2]
        assert "read.format" not in hint and "read.pair_by" not in hint, hint
        assert set(re.findall(r"--[a-z][a-z-]*", hint)) <= known, hint


def test_hints_of_evaluations_in_the_source_name_their_options() -> None:
    known = {
        option
        for command in _COMMANDS
        for option in re.findall(r"--[a-z][a-z-]*", CliRunner().invoke(app, ["evaluate", command, "--help"]).stdout)
    }
    root = Path(__file__).resolve().parents[3]
    for file in (
        "flows/cli/evaluate/methods.py",
        "flows/evaluate/projection.py",
        "flows/evaluate/links.py",
        "projectors/evaluation/gold.py",
    ):
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint" and isinstance(node.value, ast.Constant):
                named = set(re.findall(r"--[a-z][a-z-]*", str(node.value.value)))
                assert named <= known, (file, node.value.value)
