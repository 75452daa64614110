"""Numbers over a table of right and damaged translations into six languages."""

from pathlib import Path

from tests.corpora.filter_pairs import pair, reasons

TABLE = [
    [cell.strip() for cell in line.split("|")]
    for line in (Path(__file__).parent / "number_pairs.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def _kept(language: str, source: str, target: str) -> bool:
    return reasons("copy", pair(source, target, langs=f"en-{language}")) == [[]]


def test_no_right_translation_is_rejected() -> None:
    assert len(TABLE) >= 150
    assert {row[0] for row in TABLE} == {"de", "es", "fr", "pt", "ru", "zh"}
    assert [row[:3] for row in TABLE if not _kept(row[0], row[1], row[2])] == []


def test_damaged_translations_are_found() -> None:
    missed = [(language, source, bad) for language, source, _, bad in TABLE if _kept(language, source, bad)]
    assert len(missed) <= 0.02 * len(TABLE), missed
