"""Whole runs with ``--protect`` and ``--glossary``, and with and without the memory."""

import json
from pathlib import Path

import pytest

from spanferry.translators.loading.load import load_translator
from spanferry.translators.wrappers.memory import memory_path, open_memory
from spanferry.translators.wrappers.wrap import wrap
from tests.conftest import Run

ROWS = [
    ("Open {file} with `read()` in Madrid.", ["{file}", "`read()`", "Madrid", "{file} with `read()`"]),
    ("The dog sleeps in <b>Boston</b> near %s.", ["Boston", "<b>Boston</b>", "dog"]),
    ("Write to ann@mail.example.org or to Peter.", ["ann@mail.example.org", "Peter"]),
    ("Anna has bought a train for my sister.", ["Anna", "train"]),
    ("<br/>", []),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    lines = []
    for number, (text, quotes) in enumerate(ROWS):
        starts = [(text.index(quote), quote) for quote in quotes]
        spans = [{"start": at, "end": at + len(quote), "label": f"L{len(quote)}"} for at, quote in starts]
        lines.append(json.dumps({"id": f"r{number}", "text": text, "spans": spans}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (path.parent / "terms.tsv").write_text("dog\tchucho\tes\nAnna\tXyzzy-Blorb|Qwx\tes\n", encoding="utf-8")
    return path


def test_items_and_terms_with_labels_on_them_and_a_memory(
    data: Path, spanferry: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    terms = data.parent / "terms.tsv"
    model = load_translator("bundled", source="en", target="es")
    wrap(model, protect=True, glossary=str(terms), memory_mb=9).translate([text for text, _ in ROWS], "en", "es")
    memory = open_memory(9, memory_path())
    assert len(memory) == len(ROWS)
    arguments = ["run", "translate-train", "--input", data, "--target", "es", "--protect", "--glossary", terms]
    outputs = {}
    for name, megabytes in (("warm", 9), ("off", 0)):
        done = spanferry(*arguments, "--out", tmp_path / name, "--set", f"translator.memory_mb={megabytes}")
        assert done.returncode == 0, done.stderr
        folder = tmp_path / name / "es"
        outputs[name] = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert len(memory) == len(ROWS), "the run found every text"
    assert outputs["off"] == outputs["warm"], "the memory changes no byte"

    import datasets

    rows = {row["id"]: row for row in datasets.load_from_disk(str(tmp_path / "warm" / "es"))["train"]}
    rejected = {row["id"]: row for row in datasets.load_from_disk(str(tmp_path / "warm" / "es" / "rejected"))}
    assert "translate:only_markup" in rejected["r4"]["reasons"]
    for number, items in enumerate((["{file}", "`read()`"], ["<b>", "</b>", "%s", "chucho"], ["ann@mail.example.org"])):
        row = rows[f"r{number}"]
        assert all(item in row["text"] for item in items), row["text"]
        quotes = {span["id"]: row["text"][span["start"] : span["end"]] for span in row["spans"]}
        for at, quote in enumerate(ROWS[number][1]):
            if quote in items:
                assert quotes[f"s{at}"] == quote
    assert "|protect:2|" in rows["r0"]["signature"] and "|glossary:" in rows["r0"]["signature"]


def test_a_bad_glossary_is_an_error_before_any_work(data: Path, spanferry: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_text("dog perro\n", encoding="utf-8")
    arguments = ["run", "translate-train", "--input", data, "--target", "es", "--out", tmp_path / "out"]
    done = spanferry(*arguments, "--glossary", tmp_path / "bad.tsv")
    assert done.returncode == 2 and "bad.tsv:1: no glossary entry: 'dog perro'" in done.stderr
    assert not (tmp_path / "out").exists()
