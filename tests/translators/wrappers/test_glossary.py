"""A glossary's terms: reading, finding, the translator that puts them, the filter that checks them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from spanferry.corpora.errors import InputError
from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.schema import Example, Pair, Translation
from spanferry.corpora.text.glossary import Glossary, read_glossary
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.wrappers.glossary import GlossaryTranslator
from spanferry.translators.wrappers.masks import NUMBERS, masked


def glossary(folder: Path, *lines: str) -> Glossary:
    path = folder / "terms.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_glossary(path)


def test_reading(tmp_path: Path) -> None:
    found = glossary(tmp_path, "# terms", "", "dog\tperro|can\tes", "dog\tHund\tde", "New  York\tNueva York")
    assert [(e.source, e.targets, e.lang) for e in found.entries] == [
        ("dog", ("perro", "can"), "es"),
        ("dog", ("Hund",), "de"),
        ("New  York", ("Nueva York",), ""),
    ]
    assert [e.targets[0] for e in found.into("es-MX").entries] == ["perro", "Nueva York"]
    assert [e.targets[0] for e in found.into("fr").entries] == ["Nueva York"]
    assert found.digest != glossary(tmp_path, "dog\tperro").digest


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["dog perro"], "terms.tsv:1: no glossary entry: 'dog perro'"),
        (["cat\tgato", "dog\t"], "terms.tsv:2: no glossary entry"),
        (["\tperro"], "terms.tsv:1: no glossary entry"),
        (["dog\tperro\tes\tmore"], "terms.tsv:1: no glossary entry"),
        (["dog\tperro", "cat\tgato", "dog\tcan"], "terms.tsv:3: the term 'dog' is given twice"),
    ],
)
def test_bad_lines_are_named(lines: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        glossary(tmp_path, *lines)
    assert message in str(caught.value) and "Hint:" in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the glossary can't be read"):
        read_glossary(tmp_path / "absent.tsv")


@pytest.mark.parametrize(
    ("terms", "text", "expected"),
    [
        (["dog"], "Dog, dogs, hotdog and DOG.", ["Dog", "DOG"]),
        (["US"], "US, us and Us", ["US"]),
        (["New York"], "new york, New  York and New\nYork", ["New  York", "New\nYork"]),
        (["York", "New York"], "New York and York", ["New York", "York"]),
        (["C++"], "C++ and C+++", ["C++", "C++"]),
        (["北京"], "我在北京工作", ["北京"]),
        (["naïve"], "So naïve. Naïve!", ["naïve", "Naïve"]),
    ],
)
def test_finding(terms: list[str], text: str, expected: list[str], tmp_path: Path) -> None:
    found = glossary(tmp_path, *(f"{term}\tx" for term in terms)).found(text)
    assert [text[a:b] for a, b, _ in found] == expected


def test_missing_terms_each_once(tmp_path: Path) -> None:
    terms = glossary(tmp_path, "dog\tperro|can", "cat\tgato", "bird\tave")
    text = "A cat, a dog, a cat and a bird"
    assert terms.missing(text, "un can y un pájaro") == ["cat", "bird"]
    assert terms.missing(text, "gatos, Perro, ave, GATO") == []
    assert terms.missing("nothing", "") == []


def test_terms_are_put(model: CT2Translator, tmp_path: Path) -> None:
    terms = glossary(tmp_path, "dog\tchucho\tes", "book\tmanual\tes", "station\testación\tes", "Tom\tTomás\tes")
    translator = GlossaryTranslator(model, terms)
    texts = [
        "The dog sleeps.",
        "My dog has eaten the book.",
        "Where is the station?",
        "I have two cats.",
        "Tom has a dog and a book.",
        "",
        "Dog food is not cheap.",
    ]
    found = translator.translate(texts, "en", "es")
    assert [t.reason for t in found] == [None] * 5 + ["empty_source", None]
    for text, translation in zip(texts, found, strict=True):
        assert terms.into("es").missing(text, translation.text) == [], translation.text
        assert "[" not in translation.text
    plain = model.translate(texts, "en", "es")
    assert found[2:4] == plain[2:4], "what has its terms stays as it was"
    assert found[0].text != plain[0].text and found[0].text.startswith("El ")
    assert translator.translate(texts, "en", "de") == model.translate(texts, "en", "de"), "no terms for German"
    assert found == [translator.translate([text], "en", "es")[0] for text in texts]
    assert translator.signature == f"{model.signature}|glossary:{terms.digest}.8"


class Canned:
    """Gives prepared answers, and no hypotheses."""

    signature = "mt:canned"
    marker_aware = True

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        return [Translation(self.answers.get(" ".join(text.split()), "nada"), ("p",), -1.0) for text in texts]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"A [ dog ] sleeps": "Un [ perro ] duerme"}, "Un chucho duerme"),
        ({"A [ dog ] sleeps": "[Un perro] duerme"}, "Chucho duerme"),
        ({"A [ dog ] sleeps": "Un [ perro duerme", "A N sleeps": "Un N duerme"}, "Un chucho duerme"),
        ({"A [ dog ] sleeps": "[ El ] [ perro ]", "A N sleeps": "N duerme"}, "Chucho duerme"),
        ({"A N sleeps": "Duerme", "A (N) sleeps": "Duerme un (N)"}, "Duerme un chucho"),
        ({"A N sleeps": "N N", "A dog sleeps": "Un perro"}, "Un perro"),
    ],
)
def test_one_way_after_the_other(answers: dict[str, str], expected: str, tmp_path: Path) -> None:
    _, (number,) = masked("x", [(0, 1)], NUMBERS) or ("", ("",))
    canned = Canned({key.replace("N", number): answer.replace("N", number) for key, answer in answers.items()})
    translator = GlossaryTranslator(canned, glossary(tmp_path, "dog\tchucho"))
    assert translator.translate(["A dog sleeps"], "en", "es")[0].text == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("The dog sleeps.", "El perro duerme.", []),
        ("The dog sleeps.", "El gato duerme.", ["glossary:dog"]),
        ("A dog and a cat.", "Un can y un pato.", ["glossary:cat"]),
        ("A dog and a cat.", "Nada.", ["glossary:dog", "glossary:cat"]),
        ("A bird.", "Nada.", []),
        ("A dog.", None, []),
    ],
)
def test_filter(source: str, target: str | None, expected: list[str], tmp_path: Path) -> None:
    glossary(tmp_path, "dog\tperro|can\tes", "cat\tgato", "bird\tVogel\tde")
    row = Example("r", "en", {"text": source})
    pair = Pair(row, replace(row, lang="es", texts={"text": target}) if target else None)
    filters = build([{"kind": "glossary", "path": str(tmp_path / "terms.tsv")}])
    assert [r for r in decide(filters, score(filters, [pair]))[0] if r != "no_target"] == expected


def test_filter_without_a_file_judges_nothing_and_a_bad_one_is_an_error() -> None:
    filters = build([{"kind": "glossary"}])
    assert filters[0].columns == () and filters[0].signature == "glossary"
    row = Example("r", "en", {"text": "dog"})
    assert decide(filters, score(filters, [Pair(row, row)])) == [[]]
    with pytest.raises(InputError, match="can't be read"):
        build([{"kind": "glossary", "path": "/no/such/file.tsv"}])


def test_filter_signature_is_of_the_content(tmp_path: Path) -> None:
    def signature(folder: str, line: str) -> str:
        (tmp_path / folder).mkdir()
        glossary(tmp_path / folder, line)
        return build([{"kind": "glossary", "path": str(tmp_path / folder / "terms.tsv")}])[0].signature

    assert signature("a", "dog\tperro") == signature("b", "dog\tperro") != signature("c", "dog\tcan")
