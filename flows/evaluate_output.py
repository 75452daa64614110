"""What an evaluation prints and writes: tables, one line of JSON, CSV files and SVG plots."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from corpora.metrics.bootstrap import Comparison
from corpora.metrics.spans import Score
from flows.evaluate import Evaluation, Settings, evaluation_signature
from flows.store import write_bytes

Compared = Sequence[tuple[str, str, str, Comparison]]
_COVERAGES = (0.9, 0.8)


def summary(evaluation: Evaluation, settings: Settings) -> dict[str, Any]:
    """The numbers of one method on one gold."""
    judgement = evaluation.judgement
    gold, exact, overlap = judgement.gold, judgement.exact, judgement.overlap
    row: dict[str, Any] = {
        "gold": gold.name,
        "language": gold.target_lang,
        "method": evaluation.method,
        "rows": len(gold.inputs),
        "spans": len(judgement.verdicts),
        "gold_spans": int(exact.gold),
        **{name: _rounded(getattr(exact, name)) for name in ("precision", "recall", "f1")},
        "f1_low": _rounded(evaluation.interval[0]),
        "f1_high": _rounded(evaluation.interval[1]),
        **{f"overlap_{name}": _rounded(getattr(overlap, name)) for name in ("precision", "recall", "f1")},
        "coverage": _rounded(judgement.coverage),
        "calibration_error": _rounded(judgement.calibration_error),
        **{f"f1_at_{100 * share:.0f}": _rounded(judgement.f1_at(share)) for share in _COVERAGES},
    }
    if judgement.answer_f1 is not None and judgement.answer_exact is not None:
        row |= {"answer_f1": _rounded(judgement.answer_f1), "answer_exact": _rounded(judgement.answer_exact)}
    return {
        **row,
        "by_label": _scores(judgement.by_label()),
        "by_length": _scores(judgement.by_length()),
        "not_placed": judgement.reasons(),
        "skipped_rows": dict(gold.skipped),
        "signature": evaluation_signature(evaluation, settings),
    }


def print_evaluations(
    found: Sequence[Evaluation], compared: Compared, settings: Settings, *, as_json: bool, console: Console
) -> None:
    """The table and the comparisons, or all of it, with the signatures, as one line of JSON."""
    rows = [summary(evaluation, settings) for evaluation in found]
    if as_json:
        print(json.dumps({"results": rows, "comparisons": _comparison_rows(compared)}, ensure_ascii=False))
        return
    console.print(_table(rows, [e.seconds for e in found]))
    if compared:
        console.print(_comparisons(compared))


def write_evaluations(found: Sequence[Evaluation], compared: Compared, settings: Settings, out: Path) -> None:
    """Writes the tables as CSV into ``out``. Seconds are left out: the same run gives the same bytes."""
    rows = [summary(evaluation, settings) for evaluation in found]
    nested = ("by_label", "by_length", "not_placed", "skipped_rows")
    out.mkdir(parents=True, exist_ok=True)
    _write_csv(out / "scores.csv", [{k: v for k, v in row.items() if k not in nested} for row in rows])
    for name in ("by_label", "by_length"):
        parts = [
            {"gold": row["gold"], "method": row["method"], name.removeprefix("by_"): key, **numbers}
            for row in rows
            for key, numbers in row[name].items()
        ]
        _write_csv(out / f"{name}.csv", parts)
    if compared:
        _write_csv(out / "comparisons.csv", _comparison_rows(compared))


def _table(rows: Sequence[dict[str, Any]], seconds: Sequence[float]) -> Table:
    table = Table(title="exact (start, end, label), gold source spans", title_justify="left", box=None, show_edge=False)
    for title in ("gold", "method"):
        table.add_column(title, no_wrap=True, overflow="fold")
    answers = any("answer_f1" in row for row in rows)
    titles = ["P", "R", "F1", "±", "chars", "placed", "ECE", "at 90%", "at 80%"]
    for title in [*titles, *(["answer", "exact"] if answers else []), "s"]:
        table.add_column(title, justify="right", no_wrap=True)
    for row, spent in zip(rows, seconds, strict=True):
        keys = ("overlap_f1", "coverage", "calibration_error", "f1_at_90", "f1_at_80")
        numbers = [_three(row[key]) for key in ("precision", "recall", "f1")]
        numbers.append(_three((row["f1_high"] - row["f1_low"]) / 2))
        numbers += [_three(row[key]) for key in keys]
        if answers:
            numbers += [_three(row[key]) if key in row else "" for key in ("answer_f1", "answer_exact")]
        table.add_row(row["gold"], row["method"], *numbers, f"{spent:.1f}")
    return table


def _comparisons(compared: Compared) -> Table:
    table = Table(title="difference in F1, paired bootstrap", title_justify="left", box=None, show_edge=False)
    for title in ("gold", "from", "to"):
        table.add_column(title)
    for title in ("difference", "95 %", "p"):
        table.add_column(title, justify="right")
    for gold, first, other, c in compared:
        table.add_row(gold, first, other, f"{c.delta:+.3f}", f"{c.low:+.3f} to {c.high:+.3f}", f"{c.p:.3f}")
    return table


def _comparison_rows(compared: Compared) -> list[dict[str, Any]]:
    return [
        {
            "gold": gold,
            "from": first,
            "to": other,
            **{name: _rounded(getattr(c, name)) for name in ("delta", "low", "high", "p")},
        }
        for gold, first, other, c in compared
    ]


def _scores(scores: dict[str, Score]) -> dict[str, dict[str, float]]:
    return {
        key: {
            **{name: _rounded(getattr(score, name)) for name in ("precision", "recall", "f1")},
            "predicted": int(score.predicted),
            "gold": int(score.gold),
        }
        for key, score in scores.items()
        if score.predicted or score.gold
    }


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, buffer.getvalue().encode())


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _three(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else f"{value:.3f}"
