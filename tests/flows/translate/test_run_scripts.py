"""Labels carried by a whole run into text without spaces, and into words that prepositions are written with."""

import json
from pathlib import Path

import datasets
import pytest

from tests.conftest import Run

pytestmark = pytest.mark.xdist_group("runs")

# English with [labels], and the same in the other language with what belongs to them.
TEXTS = {
    "th": [
        ("[Nok] works in [Bangkok] today.", "วันนี้[นก]ทำงานใน[กรุงเทพ]"),
        ("[Nok] sleeps in [Chiang Mai] today.", "วันนี้[นก]นอนหลับใน[เชียงใหม่]"),
        ("[Malee] works in [Chiang Mai].", "[มาลี]ทำงานใน[เชียงใหม่]"),
        ("[Malee] sleeps in [Bangkok].", "[มาลี]นอนหลับใน[กรุงเทพ]"),
        ("Today [Malee] works 😀 in [Bangkok].", "วันนี้[มาลี]ทำงาน 😀 ใน[กรุงเทพ]"),
    ],
    "he": [
        ("[Dana] works in [Haifa] today.", "היום [דנה] עובדת [בחיפה]."),
        ("[Dana] sleeps in [Eilat] today.", "היום [דנה] ישנה [באילת]."),
        ("[Miriam] works in [Eilat].", "[מרים] עובדת [באילת]."),
        ("[Miriam] sleeps in [Haifa].", "[מרים] ישנה [בחיפה]."),
        ("Today [Miriam] works 😀 in [Haifa].", "היום [מרים] עובדת 😀 [בחיפה]."),
    ],
}


def _row(number: int, marked: str, labels: tuple[str, ...]) -> str:
    """A row of JSON Lines from a text with brackets: the first span has the first label."""
    parts = marked.replace("]", "[").split("[")
    text, spans = "", []
    for k, part in enumerate(parts):
        if k % 2:
            spans.append({"start": len(text), "end": len(text) + len(part), "label": labels[k // 2]})
        text += part
    return json.dumps({"id": str(number), "text": text, "spans": spans})


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_project(language: str, spanferry: Run, tmp_path: Path) -> None:
    for side in (0, 1):
        rows = [_row(n, pair[side], ("PER", "LOC")) for n, pair in enumerate(TEXTS[language])]
        (tmp_path / f"{side}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = spanferry(
        *(
            "run",
            "project",
            "--input",
            tmp_path / "0.jsonl",
            "--target-input",
            tmp_path / "1.jsonl",
            "--target",
            language,
        ),
        *("--set", "filters=[]", "--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    rows = datasets.load_from_disk(str(tmp_path / "out" / language))["train"]
    found = [{s["label"]: row["text"][s["start"] : s["end"]] for s in row["spans"]} for row in rows]
    wanted = [
        dict(zip(("PER", "LOC"), text.replace("]", "[").split("[")[1::2], strict=True)) for _, text in TEXTS[language]
    ]
    assert found == wanted
