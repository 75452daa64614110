"""A tiny corpus in the layout that the recipe of the bundled model reads."""

import gzip
import json
from pathlib import Path

ANIMALS = [
    ("cat", "gato", "Katze"), ("dog", "perro", "Hund"), ("horse", "caballo", "Pferd"), ("cow", "vaca", "Kuh"),
    ("bird", "pájaro", "Vogel"), ("fish", "pez", "Fisch"), ("mouse", "ratón", "Maus"), ("bear", "oso", "Bär"),
]  # fmt: skip
VERBS = [("sees", "ve", "sieht"), ("wants", "quiere", "will"), ("finds", "encuentra", "findet")]
THINGS = [
    ("bread", "pan", "Brot"), ("water", "agua", "Wasser"), ("milk", "leche", "Milch"), ("money", "dinero", "Geld"),
    ("fire", "fuego", "Feuer"), ("gold", "oro", "Gold"), ("paper", "papel", "Papier"), ("wood", "madera", "Holz"),
]  # fmt: skip


def corpus(column: int) -> list[tuple[str, str]]:
    """192 pairs of made-up sentences in English and Spanish (1) or German (2)."""
    today = ("today", "hoy", "heute")[column]
    my = ("My", "Mi", "Mein")[column]
    return [
        (f"My {a[0]} {v[0]} {t[0]} today.", f"{my} {a[column]} {v[column]} {t[column]} {today}.")
        for a in ANIMALS
        for v in VERBS
        for t in THINGS
    ]


def write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))


def write_data(folder: Path) -> Path:
    """A data folder in the layout the recipe reads, with one test sentence that is also in the training text."""
    for column, code in ((1, "spa"), (2, "deu")):
        write_lines(folder / "tatoeba" / f"{code}-eng.txt.gz", ["\t".join(pair) for pair in corpus(column)])
    write_lines(folder / "tatoeba-test" / "deu-eng" / "t.eng.gz", ["my CAT sees water, today!"])
    write_lines(folder / "tatoeba-test" / "deu-eng" / "t.deu.gz", ["Nichts."])
    xsid = folder / "xsid"
    xsid.mkdir()
    (xsid / "de.test.conll").write_text("# text-en = My dog finds gold today\n1\tx\ti\tO\n", encoding="utf-8")
    squad = {"data": [{"paragraphs": [{"context": "Leer. Mi oso ve fuego hoy.", "qas": [{"question": "Wer?"}]}]}]}
    (folder / "xquad").mkdir()
    (folder / "xquad" / "xquad.es.json").write_text(json.dumps(squad), encoding="utf-8")
    return folder


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
