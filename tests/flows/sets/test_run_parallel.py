"""``run parallel`` and ``run derive``: joined rows, the same bytes, resumed runs, clear errors."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.engine.flow import Result
from spanferry.flows.sets.config import DeriveConfig, ParallelConfig
from spanferry.flows.sets.derive import run_derive
from spanferry.flows.sets.parallel import run_parallel
from spanferry.flows.translate.run import run_flow
from tests.conftest import Run

pytestmark = pytest.mark.xdist_group("runs")

_NOUNS = [("house", "casa", "Haus"), ("dog", "perro", "Hund"), ("book", "libro", "Buch"), ("tree", "árbol", "Baum")]
_ADJECTIVES = [("old", "viejo", "alte"), ("red", "rojo", "rote"), ("small", "pequeño", "kleine")]
_PEOPLE = ["Ana", "Tom", "Eva", "Noa", "Lin"]


def _texts(count: int) -> list[tuple[str, str, str, str]]:
    """(person, English, Spanish, German), no two the same."""
    rows = []
    for n in range(count):
        noun, adjective, person = _NOUNS[n % 4], _ADJECTIVES[n % 3], _PEOPLE[n % 5]
        rows.append(
            (
                person,
                f"{person} saw the {adjective[0]} {noun[0]} {n} times.",
                f"{person} vio el {noun[1]} {adjective[1]} {n} veces.",
                f"{person} sah das {adjective[2]} {noun[2]} {n} Mal.",
            )
        )
    return rows


@pytest.fixture(scope="module", autouse=True)
def _prefect_of_this_module() -> Iterator[None]:
    """Flows run in this process here; commands that other tests start must not inherit its Prefect."""
    before = set(os.environ)
    yield
    for name in set(os.environ) - before:
        del os.environ[name]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file per language: Spanish in another order and without some rows, German with a bad one and one twice."""
    folder = tmp_path_factory.mktemp("parallel")
    rows = _texts(48)
    made = {}
    for column, lang in enumerate(("en", "es", "de"), 1):
        lines = []
        for n, row in enumerate(rows):
            spans = [{"start": 0, "end": len(row[0]), "label": "PER", "id": "p"}]
            lines.append(json.dumps({"id": f"r{n}", "text": row[column], "spans": spans}, ensure_ascii=False))
        if lang == "es":
            lines = lines[::-1][:40]
        if lang == "de":
            lines[13] = json.dumps({"id": "r13", "text": "kaputt", "spans": [{"start": 0, "end": 99, "label": "PER"}]})
            lines.append(lines[5])
        made[lang] = folder / f"{lang}.test.jsonl"
        made[lang].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def _run(flow: str, out: Path, files: dict[str, Path] | list[str], *settings: str, **options: Any) -> Result:
    inputs = files if isinstance(files, list) else [f"{lang}={path}" for lang, path in files.items()]
    given = {"rows.inputs": tuple(inputs), "out": out, **options}
    if flow == "parallel":
        return run_parallel(build_config(ParallelConfig, flow, settings=settings, options=given))
    return run_derive(build_config(DeriveConfig, "derive", settings=settings, options={"kind": flow, **given}))


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


_FORMATS = 'output.formats=["multiway", "bilingual", "translation", "tmx"]'


@pytest.fixture(scope="module")
def joined(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("joined") / "out"
    result = _run("parallel", out, files, _FORMATS, "rows.shard_rows=10")
    assert not result.failures
    assert result.counts["multiway"] == {"test": 48, "rejected": 1}
    assert result.reasons["multiway"] == {"join:duplicate_id": 1}
    return out


def test_cells_are_joined_by_id(joined: Path) -> None:
    import datasets

    data = datasets.load_from_disk(str(joined / "multiway"))["test"]
    rows = {row["id"]: row for row in data}
    assert [row["id"] for row in data] == [f"r{n}" for n in range(48)], "the order of the first input"
    for n, (person, english, spanish, german) in enumerate(_texts(48)):
        row = rows[f"r{n}"]
        assert row["en"]["text"] == english
        assert (row["es"] and row["es"]["text"]) == (spanish if n >= 8 else None)
        assert (row["de"] and row["de"]["text"]) == (german if n != 13 else None)
        for lang in ("en", "es", "de"):
            for span in row[lang]["spans"] if row[lang] else ():
                assert row[lang]["text"][span["start"] : span["end"]] == person
    assert rows["r13"]["missing"] == [{"lang": "de", "reason": "read:bad_offsets"}]
    assert rows["r2"]["missing"] == [{"lang": "es", "reason": "join:no_row"}]
    assert {(k["source_lang"], k["target_lang"]) for k in rows["r9"]["links"]} == {("en", "es"), ("en", "de")}


def test_report_and_card_tell_what_is_missing(joined: Path) -> None:
    report = json.loads((joined / "multiway" / "report.json").read_text(encoding="utf-8"))
    assert report["cells"] == {"en": 48, "es": 40, "de": 47}
    assert "<caption>Cells</caption>" in (joined / "multiway" / "report.html").read_text(encoding="utf-8")
    assert len(report["examples"]) == 10
    card = (joined / "bilingual" / "README.md").read_text(encoding="utf-8")
    assert "language:\n- de\n- en\n- es\n" in card and str(joined) not in card
    head = (joined / "tmx" / "test.tmx").read_text(encoding="utf-8")
    assert head.count("<tu ") == 48 and '<hi type="PER" x="1">' in head


def test_bilingual_rows_find_the_words(joined: Path) -> None:
    import datasets

    data = datasets.load_from_disk(str(joined / "bilingual"))["test"]
    right = 0
    for row in data:
        words = [[row[side][w["start"] : w["end"]] for w in row[f"{side}_words"]] for side in ("source", "target")]
        linked = {(words[0][int(a)], words[1][int(b)]) for a, b in (k.split("-") for k in row["alignment"].split())}
        column = {"es": 1, "de": 2}[row["target_lang"]]
        right += sum((noun[0], noun[column]) in linked for noun in _NOUNS)
        assert len(row["probabilities"]) == len(linked)
    assert right == len(data) == 87, "every noun is linked with its translation"


def test_workers_shards_of_the_join_and_a_second_run_change_no_byte(
    joined: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    again = _run("parallel", tmp_path / "out", files, _FORMATS, "rows.shard_rows=10", **{"executor.workers": 1})
    assert again.computed == {"fit-en-es": 1, "fit-en-de": 1, "align": 5}
    assert _files(tmp_path / "out" / "multiway") == _files(joined / "multiway")
    assert _files(tmp_path / "out" / "tmx") == _files(joined / "tmx")
    before = _files(tmp_path / "out" / "bilingual")
    assert _run("parallel", tmp_path / "out", files, _FORMATS, "rows.shard_rows=10").computed == {}
    # A shard whose line is missing was cut off: it alone is made again.
    stage = next((tmp_path / "out" / "stages").glob("align-*"))
    lines = (stage / "manifest.jsonl").read_text().splitlines(keepends=True)
    (stage / "manifest.jsonl").write_text("".join(line for line in lines if '"shard": 2' not in line))
    shutil.rmtree(tmp_path / "out" / "bilingual")
    assert _run("parallel", tmp_path / "out", files, _FORMATS, "rows.shard_rows=10").computed == {"align": 1}
    assert _files(tmp_path / "out" / "bilingual") == before


def test_derived_sets_share_the_rows_and_the_links(joined: Path, files: dict[str, Path], tmp_path: Path) -> None:
    import datasets

    shutil.copytree(joined, tmp_path / "out")
    result = _run("dictionary", tmp_path / "out", files, "rows.shard_rows=10")
    assert result.computed == {"derive": 1}, "the links were there"
    data = datasets.load_from_disk(str(tmp_path / "out" / "dictionary"))["train"]
    found = {(row["source"], row["target"]) for row in data if row["target_lang"] == "de"}
    assert {(noun[0], noun[2]) for noun in _NOUNS} <= found
    lines = (tmp_path / "out" / "dictionary" / "en-de.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "source\ttarget\tcount\tp_target_given_source\tp_source_given_target"
    assert len(lines) == 1 + sum(row["target_lang"] == "de" for row in data)
    card = (tmp_path / "out" / "dictionary" / "README.md").read_text(encoding="utf-8")
    assert "Koehn" in card and "`double`" in card
    result = _run("instructions", tmp_path / "out", files, "rows.shard_rows=10")
    assert result.computed == {"derive": 5}, "shard by shard"
    assert result.counts["instructions"]["test"] == 2 * (40 + 47 + 39)
    assert result.reasons["instructions"] == {"join:duplicate_id": 1}
    rejected = datasets.load_from_disk(str(tmp_path / "out" / "instructions" / "rejected"))
    assert rejected["id"] == ["r5"]


class Backwards:
    """A translator that a user might bring: it turns the words around."""

    signature = "mt:backwards"

    def supports(self, source: str, target: str) -> bool:
        return (source, target) == ("es", "en")

    def translate(self, texts: list[str], source: str, target: str) -> list[Any]:
        from spanferry.corpora.schema import Translation

        assert self.supports(source, target)
        return [Translation(" ".join(reversed(text.split()))) for text in texts]


def test_round_trip_with_a_model_for_each_way(tmp_path: Path) -> None:
    import datasets

    path = tmp_path / "pairs.jsonl"
    rows = [
        {"id": f"n{i}", "question": "x", "premise": f"I have {i} cats.", "hypothesis": "I have cats."} for i in (2, 3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = _run(
        "sentence-pairs",
        tmp_path / "out",
        {"en": path},
        "options.into=es",
        'rows.options.text_fields=["premise", "hypothesis"]',
        "reverse=tests.flows.sets.test_run_parallel:Backwards",
    )
    assert not result.failures
    data = datasets.load_from_disk(str(tmp_path / "out" / "sentence-pairs"))["train"]
    found = {row["id"]: row for row in data}
    there, back = found["n2_independent-es"], found["n2_round_trip-es"]
    assert "gatos" in there["premise"] and there["lang"] == "es"
    assert back["premise"] == " ".join(reversed(there["premise"].split())), "the bundled model there, the other back"
    assert (back["lang"], back["through"]) == ("en", "es")


def test_a_run_joins_a_file_in_another_language(tmp_path: Path) -> None:
    import datasets

    rows = _texts(12)
    for name, column in (("en", 1), ("de", 3)):
        lines = [{"id": f"r{n}", "text": row[column], "spans": [[0, len(row[0]), "PER"]]} for n, row in enumerate(rows)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    options = {"read.path": str(tmp_path / "en.jsonl"), "target": ("es",), "out": tmp_path / "run"}
    run_flow(build_config(RunConfig, "translate-train", options=options))
    result = _run("parallel", tmp_path / "set", [str(tmp_path / "run"), f"de={tmp_path / 'de.jsonl'}"])
    assert result.counts["multiway"] == {"train": 12, "rejected": 0}
    ours = datasets.load_from_disk(str(tmp_path / "run" / "es"))["train"]
    data = {row["id"]: row for row in datasets.load_from_disk(str(tmp_path / "set" / "multiway"))["train"]}
    assert len(ours) > 8
    for row in ours:
        joined = data[row["id"]]
        assert joined["es"]["text"] == row["text"] and joined["de"] is not None
        assert [s["score"] for s in joined["es"]["spans"]] == [s["score"] for s in row["spans"]]
        assert {s["name"] for s in joined["scores"]} >= {"es:mt_score"}
    for row in datasets.load_from_disk(str(tmp_path / "run" / "es" / "rejected")):
        assert data[row["id"]]["es"] is None
        assert [m["reason"] for m in data[row["id"]]["missing"]] == row["reasons"]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["rows.inputs=[]"], InputError, "no input"),
        (['rows.languages=["en", "fr"]'], ConfigError, "no input has the language 'fr'"),
        (['output.formats=["tmxx"]'], ConfigError, "did you mean 'tmx'"),
        (["align.aligner=lexicall"], ConfigError, "unknown aligner"),
        (["rows.join=index"], InputError, "rows.join=id"),
        (["rows.min=2"], ConfigError, "min_languages"),
    ],
)
def test_what_is_wrong_is_reported(
    files: dict[str, Path], tmp_path: Path, settings: list[str], error: type[Exception], message: str
) -> None:
    inputs = {} if settings == ["rows.inputs=[]"] else files
    with pytest.raises(error, match=message):
        _run("parallel", tmp_path / "out", inputs, *settings)


def test_inputs_without_a_common_id(tmp_path: Path) -> None:
    for lang, name in (("en", "a"), ("de", "b")):
        (tmp_path / f"{lang}.jsonl").write_text(f'{{"id": "{name}", "text": "x"}}\n')
    inputs = {lang: tmp_path / f"{lang}.jsonl" for lang in ("en", "de")}
    with pytest.raises(InputError, match="none of its ids") as caught:
        _run("parallel", tmp_path / "out", inputs)
    assert caught.value.hint == "--set rows.join=index joins the n-th rows of all inputs instead"
    result = _run("parallel", tmp_path / "out", inputs, "rows.join=index", "align.pairs=none")
    assert result.counts["multiway"] == {"train": 1, "rejected": 0}


def test_the_command_lines(joined: Path, spanferry: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    memory = joined / "tmx" / "test.tmx"
    done = spanferry("run", "parallel", "-i", memory, "-o", tmp_path / "set", "--pairs", "none", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["rows"] == {"multiway": {"test": 48, "rejected": 0}}
    done = spanferry("run", "derive", "realignment", "-i", memory, "-o", tmp_path / "dry", "--dry-run")
    assert done.returncode == 0 and "48 rows, 48 kept" in done.stderr and "Nothing was written" in done.stderr
    assert not (tmp_path / "dry").exists()
    done = spanferry("run", "derive", "instuctions", "-i", memory, "-o", tmp_path / "out")
    assert done.returncode == 2 and "did you mean 'instructions'" in done.stderr
    assert not (tmp_path / "out").exists()
