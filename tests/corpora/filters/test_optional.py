"""Filters of bitext that a run has to ask for: exact scores and reasons."""

from dataclasses import replace
from math import log
from typing import Any

import pytest

from spanferry.corpora.filters import build, decide, score
from spanferry.flows.config import RunConfig
from tests.corpora.filter_pairs import pair, reasons


@pytest.mark.parametrize(
    ("kind", "source", "target", "langs", "expected"),
    [
        ("script_ratio", "He lives here.", "Он живёт здесь.", "en-ru", []),
        ("script_ratio", "He lives here.", "On zhivyot zdes.", "en-ru", ["script_ratio:low"]),
        ("script_ratio", "He lives here.", "Живе тук.", "en-es", ["script_ratio:low"]),
        ("script_ratio", "He lives here.", "彼はここに住んでいる。", "en-ja", []),
        ("script_ratio", "He lives here.", "הוא גר כאן", "en-he", []),
        ("script_ratio", "He lives here.", "On živi ovde.", "en-sr", []),
        ("script_ratio", "He lives here.", "On živi ovde.", "en-sr_Cyrl", ["script_ratio:low"]),
        ("script_ratio", "I like [Deep Purple|band].", "Люблю [Deep Purple|band].", "en-ru", []),
        ("script_ratio", "OK", "OK", "en-ru", []),
        ("terminal_punctuation", "He lives here.", "Vive aquí.", "en-es", []),
        ("terminal_punctuation", "He lives here", "Vive. Aquí. Y. Allí. Y. Así. Ya.", "en-es",
         ["terminal_punctuation:differs"]),
        ("terminal_punctuation", "A. B. C. D.", "甲。乙。丙。丁。", "en-zh", []),
        ("average_word_length", "He lives here now", "Él vive aquí ahora", "en-es", []),
        ("average_word_length", "He lives here now", "É l v i v e", "en-es", ["average_word_length:short"]),
        ("average_word_length", "He lives here", "a" * 30 + " " + "b" * 30 + " " + "c" * 30, "en-es",
         ["average_word_length:long"]),
        ("average_word_length", "Danube steam", "Donaudampfschifffahrtsgesellschaft", "en-de", []),
        ("average_word_length", "He lives here", "他住在这里这里这里这里这里这里这里这里", "en-zh", []),
        ("html", "Click <b>Save</b> &amp; go", "Haz clic en <b>Guardar</b> &amp; ve", "en-es", []),
        ("html", "Click Save", "Haz clic en <b>Guardar</b>", "en-es", ["html:added"]),
        ("html", "Tom and Anna", "Tom &amp; Anna", "en-es", ["html:added"]),
        ("html", "I <3 you", "Te <3, 1 < 2 > 0 & ya", "en-es", []),
    ],
)  # fmt: skip
def test_reasons(kind: str, source: str, target: str, langs: str, expected: list[str]) -> None:
    row = pair(source, target, langs=langs.replace("_Cyrl", ""))
    if langs.endswith("_Cyrl") and row.target is not None:
        row = replace(row, target=replace(row.target, lang="sr-Cyrl"))
    assert reasons(kind, row) == [expected]


def test_terminal_punctuation_by_hand() -> None:
    filters = build([{"kind": "terminal_punctuation"}])
    rows = [pair("One. Two.", "Uno."), pair("One.", "Uno."), pair("One", None)]
    # A difference of one, and one more than one on the source's side.
    assert score(filters, rows)["terminal_punctuation.score"].to_list() == [pytest.approx(-log(3)), 0.0, None]


def _scored(value: float | None, lang: str, number: int) -> Any:
    row = pair("Hello there", "x", langs=f"en-{lang}", id=str(number))
    return replace(row, scores={} if value is None else {"mt_score": value})


def test_the_percentile_is_of_each_language() -> None:
    rows = [_scored(-0.01 * k, "es", k) for k in range(20)] + [_scored(-2 - 0.01 * k, "de", k) for k in range(20)]
    rows += [_scored(-9.0, "fr", 0), _scored(None, "fr", 1)]
    found = reasons("translation_score", *rows, share=0.1)
    rejected = {(r.target.lang, r.source.id): why for r, why in zip(rows, found, strict=True) if why}
    low = ["translation_score:percentile"]
    assert rejected == {
        ("es", "18"): low, ("es", "19"): low, ("de", "18"): low, ("de", "19"): low,
        ("fr", "0"): ["translation_score:low"],
    }  # fmt: skip
    filters, milder = build([{"kind": "translation_score"}]), build([{"kind": "translation_score", "share": 0.5}])
    frame = score(filters, rows)
    assert sum(map(bool, decide(milder, frame))) == 21
    assert reasons("translation_score", *[_scored(-1.0, "es", k) for k in range(40)]) == [[]] * 40


def test_a_run_adds_one_by_its_name() -> None:
    config = RunConfig.model_validate(
        {"flow": "translate-train", "source": "en", "target": ["es"], "filters": {"html": {}, "language": False}}
    )
    names = [one["kind"] for one in config.filters or ()]
    assert "html" in names and "language" not in names and "script_ratio" not in names
