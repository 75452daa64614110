"""Small runs of every flow and the hash of every file they emit, to be compared before and after a change.

    python tests/bench/compare_outputs.py FOLDER > before.txt    # change something, then again > after.txt
    diff before.txt after.txt

What is not meant to be the same on every machine and day is left out: decisions with their time, stage files, the
stamps and markers that resuming needs, and ``config.json``, which names the output folder.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

from spanferry.flows.cli.main import app

_BOOKKEEPING = ("decisions.jsonl", ".lock", ".spanferry.json", ".spanferry-run.json", "config.json")
_NOUNS = [("house", "casa", "Haus"), ("dog", "perro", "Hund"), ("book", "libro", "Buch"), ("tree", "árbol", "Baum")]
_PEOPLE = ["Ana", "Tom", "Eva", "Noa", "Lin"]


def main() -> None:
    """Runs the flows and prints ``sha256  run/file``, sorted."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    folder = options.parse_args().folder.resolve()
    shutil.rmtree(folder / "runs", ignore_errors=True)
    inputs = _inputs(folder / "inputs")
    for name, arguments in _runs(folder / "runs", inputs).items():
        out = arguments[arguments.index("--out") + 1]
        if "apply-decisions" in arguments:
            _decide(Path(out))
        app(["run", *arguments], standalone_mode=False)
        for path in sorted(p for p in Path(out).rglob("*") if p.is_file()):
            relative = path.relative_to(out)
            if relative.parts[0] != "stages" and path.name not in _BOOKKEEPING:
                print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}/{relative}")


def _runs(runs: Path, inputs: dict[str, Path]) -> dict[str, list[str]]:
    sides = [part for lang in ("en", "es", "de") for part in ("--input", f"{lang}={inputs[lang]}")]
    small = ["--set", "rows.shard_rows=10", "--json"]
    read = ["--source", "en", "--set", "shard_rows=20", "--json"]

    def out(name: str) -> list[str]:
        return ["--out", str(runs / name)]

    return {
        "translate-train": [
            "translate-train", "--input", "sample:sentences", "--limit", "70", "--target", "es", "--target", "de",
            "--write", "jsonl", "--write", "conll", "--set", "output.options.conll.allow_loss=true",
            *read, *out("tt"),
        ],
        "markers": [
            "translate-train", "--input", "sample:documents", "--limit", "4", "--target", "es",
            "--projector", "markers", "--set", "projector.options.retranslates=true", "--protect", *read,
            *out("markers"),
        ],
        "project": [
            "project", "--input", str(inputs["en"]), "--target-input", str(inputs["es"]), "--target", "es",
            *read, *out("project"),
        ],
        "parallel": [
            "parallel", *sides, "--write", "multiway", "--write", "bilingual", "--write", "translation", "--write",
            "tmx", *small, *out("parallel"),
        ],
        "derive-dictionary": ["derive", "dictionary", *sides, *small, *out("dictionary")],
        "derive-instructions": ["derive", "instructions", *sides, *small, *out("instructions")],
        "derive-pairs": [
            "derive", "sentence-pairs", "--input", f"en={inputs['pairs']}", "--set", "options.into=es", "--set",
            'rows.options.text_fields=["premise","hypothesis"]', *small, *out("pairs"),
        ],
        "code-switch": ["code-switch", *sides, "--unit", "phrase", "--cmi", "20", *small, *out("switch")],
        "code-switch-histogram": [
            "code-switch", *sides, "--sampler", "histogram", "--set", "sampler.shares=[1.0,1.0,0.0]", *small,
            *out("histogram"),
        ],
        "apply-decisions": ["apply-decisions", "--write", "jsonl", "--json", *out("project")],
    }  # fmt: skip


def _inputs(folder: Path) -> dict[str, Path]:
    """The same rows in three languages, with labels, and pairs of sentences."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for column, lang in enumerate(("en", "es", "de")):
        lines = []
        for n in range(35):
            person, noun = _PEOPLE[n % 5], _NOUNS[n % 4][column]
            text = (
                f"{person} saw the old {noun} {n} times.",
                f"{person} vio el viejo {noun} {n} veces.",
                f"{person} sah das alte {noun} {n} Mal.",
            )[column]
            spans = [
                {"start": 0, "end": len(person), "label": "PER", "id": "p"},
                {"start": text.index(noun), "end": text.index(noun) + len(noun), "label": "THING", "id": "t"},
            ]
            lines.append(json.dumps({"id": f"r{n}", "text": text, "spans": spans}, ensure_ascii=False))
        made[lang] = folder / f"rows.{lang}.test.jsonl"
        made[lang].write_text("\n".join(lines) + "\n", encoding="utf-8")
    made["pairs"] = folder / "pairs.jsonl"
    rows = [{"id": f"n{i}", "premise": f"I have {i} cats.", "hypothesis": "I have cats."} for i in (2, 3, 4)]
    made["pairs"].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return made


def _decide(out: Path) -> None:
    """Decides on the first row of the run as a person would."""
    from spanferry.flows.inspector.edits import Edit
    from spanferry.flows.inspector.runs import find_corpora
    from spanferry.flows.inspector.session import ReviewSession

    session = ReviewSession(find_corpora(out), "ann")
    pair = session.row_index.pair(0)
    quote = pair.target.quote(pair.target.spans[0])
    version = session.state(0, pair).version
    session.decide(0, version, session.row_index.data[0].version, Edit("accept", pair.target.spans[0].id, quote=quote))


if __name__ == "__main__":
    main()
