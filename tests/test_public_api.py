"""``import spanferry``: its names, its examples, the main job in five lines, and what importing it loads."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import spanferry
from spanferry.corpora.schema import Example, Span


@pytest.mark.parametrize("name", spanferry.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(spanferry, name)
    assert inspect.getdoc(value), f"spanferry.{name} has no docstring"


def test_names_are_sorted_and_unknown_ones_are_an_error() -> None:
    assert sorted(spanferry.__all__) == spanferry.__all__
    assert set(spanferry.__all__) <= set(dir(spanferry))
    with pytest.raises(AttributeError, match="no attribute 'translat'"):
        spanferry.translat  # noqa: B018


@pytest.mark.parametrize("name", spanferry.__all__)
def test_the_example_of_every_public_name_holds(name: str) -> None:
    value = getattr(spanferry, name)
    names = {**vars(sys.modules[value.__module__]), "Example": Example, "Span": Span}
    found = doctest.DocTestFinder(recurse=False).find(value, name, globs=names)
    [test] = [one for one in found if one.examples]
    result = doctest.DocTestRunner(verbose=False).run(test)
    assert result.attempted and not result.failed


def test_the_main_job_in_five_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = spanferry.read("sample:sentences", lang="en")[:12]
    pairs = spanferry.translate_train(rows, source="en", target="es")
    report = spanferry.write(pairs, tmp_path / "out", "jsonl")

    assert len(pairs) == 12 == sum(report.rows.values())
    assert all(len(pair.projections) == len(pair.source.spans) for pair in pairs)
    spans = [(pair.target, span) for pair in pairs if pair.target for span in pair.target.spans]
    assert len(spans) > 8
    assert all(target.quote(span).strip() for target, span in spans)
    assert "translate" in capfd.readouterr().err, "a progress bar names the step"


def test_the_same_rows_again_give_the_same_pairs() -> None:
    rows = spanferry.read("sample:sentences", lang="en")[:3]
    first, second = (spanferry.translate_train(rows, source="en", target="de", progress=False) for _ in range(2))
    assert first == second
    assert "lang:en-de" in first[0].signature and "mt:" in first[0].signature


def test_importing_loads_nothing_heavy() -> None:
    heavy = ("numpy", "pyarrow", "ctranslate2", "prefect", "pydantic")
    code = f"import sys, spanferry; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_repair_is_an_argument_and_stands_in_the_signature() -> None:
    rows = [Example("1", "en", {"text": "Read me the news about Spain."}, spans=(Span(23, 28, "LOC"),))]
    (pair,) = spanferry.translate_train(rows, source="en", target="es", filters=[], repair=True, progress=False)
    assert pair.target is not None and "repair:terms.1" in pair.signature
    assert all(term.casefold() in pair.target.text.casefold() for _, term in pair.target.meta["repaired"])
