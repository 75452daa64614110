"""What an evaluation prints and writes: tables, one line of JSON, CSV files and SVG plots."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from spanferry.corpora.cells import safe_cell
from spanferry.corpora.metrics.bootstrap import Comparison
from spanferry.corpora.metrics.spans import Score
from spanferry.corpora.report.plots import bars_svg, lines_svg
from spanferry.flows.evaluate.links import LinkEvaluation, link_summary
from spanferry.flows.evaluate.projection import Evaluation, Settings, evaluation_signature
from spanferry.flows.store import make_folder, write_bytes
from spanferry.projectors.evaluation.judge import LENGTHS

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


def pooled(found: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """What several golds say together: by language all their spans, and by group (all of xSID) the mean of their F1.

    A language or a group of which there is one gold is left out.
    """
    rows: list[dict[str, Any]] = []
    for method in dict.fromkeys(e.method for e in found):
        own = [e.judgement for e in found if e.method == method]
        for lang in sorted({j.gold.target_lang for j in own}):
            same = [j.exact for j in own if j.gold.target_lang == lang]
            if len(same) > 1:
                score = sum(same, Score())
                numbers = {name: _rounded(getattr(score, name)) for name in ("precision", "recall", "f1")}
                rows.append({"method": method, "of": f"language {lang}", "golds": len(same), **numbers})
        for group in dict.fromkeys(j.gold.name.rpartition("-")[0] for j in own):
            scores = [j.exact.f1 for j in own if j.gold.name.rpartition("-")[0] == group]
            if len(scores) > 1:
                mean = {"f1": _rounded(sum(scores) / len(scores))}
                rows.append({"method": method, "of": f"mean of {group}", "golds": len(scores), **mean})
    return rows


def print_evaluations(
    found: Sequence[Evaluation], compared: Compared, settings: Settings, *, as_json: bool, console: Console
) -> None:
    """The table and the comparisons, or all of it, with the signatures, as one line of JSON."""
    rows = [summary(evaluation, settings) for evaluation in found]
    if as_json:
        report = {"results": rows, "together": pooled(found), "comparisons": _comparison_rows(compared)}
        print(json.dumps(report, ensure_ascii=False))
        return
    _print_scores(rows, [e.seconds for e in found], console)
    _print_left_out([(row["gold"], "rows not used", row["skipped_rows"]) for row in rows], console)
    if together := pooled(found):
        lines = []
        for row in together:
            numbers = [_three(row[key]) if key in row else "" for key in ("precision", "recall", "f1")]
            lines.append(((row["of"], row["method"]), [str(row["golds"]), *numbers]))
        _print_table(console, "several golds together", ("what", "method"), ("golds", "P", "R", "F1"), lines)
    if compared:
        _print_comparisons(compared, console)


def print_links(
    found: Sequence[LinkEvaluation], compared: Compared, settings: Settings, *, as_json: bool, console: Console
) -> None:
    """The same for aligners."""
    rows = [link_summary(evaluation, settings) for evaluation in found]
    if as_json:
        print(json.dumps({"results": rows, "comparisons": _comparison_rows(compared)}, ensure_ascii=False))
        return
    lines = []
    for row, evaluation in zip(rows, found, strict=True):
        numbers = [_three(row[key]) for key in ("precision", "recall", "f1")]
        numbers.append(_three((row["f1_high"] - row["f1_low"]) / 2))
        numbers.append(_three(row["aer"]) if "aer" in row else "")
        lines.append(((row["gold"], row["method"]), [*numbers, f"{evaluation.seconds:.1f}"]))
    titles = ("P", "R", "F1", "±", "AER", "s")
    _print_table(console, "links between words, gold words", ("gold", "aligner"), titles, lines)
    _print_left_out([(row["gold"], "not used", row["skipped"]) for row in rows], console)
    failed = [(f"{row['gold']}, {row['method']}", "pairs not aligned", row["failed"]) for row in rows]
    _print_left_out(failed, console)
    if compared:
        _print_comparisons(compared, console)


def write_links(found: Sequence[LinkEvaluation], compared: Compared, settings: Settings, out: Path) -> None:
    """Writes the aligners' tables as CSV into ``out``."""
    rows = [link_summary(evaluation, settings) for evaluation in found]
    make_folder(out)
    _write_csv(out / "links.csv", [{k: v for k, v in row.items() if k not in ("failed", "skipped")} for row in rows])
    if compared:
        _write_csv(out / "comparisons.csv", _comparison_rows(compared))


def write_evaluations(found: Sequence[Evaluation], compared: Compared, settings: Settings, out: Path) -> None:
    """Writes the tables as CSV and the plots as SVG into ``out``, and the numbers of each plot beside it.

    Seconds are left out: the same run gives the same bytes.
    """
    rows = [summary(evaluation, settings) for evaluation in found]
    nested = ("by_label", "by_length", "not_placed", "skipped_rows")
    make_folder(out)
    _write_csv(out / "scores.csv", [{k: v for k, v in row.items() if k not in nested} for row in rows])
    for name in ("by_label", "by_length"):
        parts = [
            {"gold": row["gold"], "method": row["method"], name.removeprefix("by_"): key, **numbers}
            for row in rows
            for key, numbers in row[name].items()
        ]
        _write_csv(out / f"{name}.csv", parts)
    if together := pooled(found):
        _write_csv(out / "together.csv", together)
    if compared:
        _write_csv(out / "comparisons.csv", _comparison_rows(compared))
    _write_plots(found, rows, out)


def _write_plots(found: Sequence[Evaluation], rows: Sequence[dict[str, Any]], out: Path) -> None:
    golds = list(dict.fromkeys(row["gold"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    by_both = {(row["gold"], row["method"]): row for row in rows}
    bars = {
        method: [tuple(by_both[gold, method][key] for key in ("f1", "f1_low", "f1_high")) for gold in golds]
        for method in methods
    }
    plots = {"f1": bars_svg("F1, exact, with 95 % interval", golds, bars, up="F1")}
    bins, curve = [], []
    for evaluation, row in zip(found, rows, strict=True):
        key = {"gold": row["gold"], "method": row["method"]}
        bins += [{**key, **_rounded_all(asdict(b))} for b in evaluation.judgement.reliability() if b.count]
        curve += [{**key, "coverage": c / 20, "f1": _rounded(evaluation.judgement.f1_at(c / 20))} for c in range(1, 21)]
    for gold in golds:
        lengths = [key for key in LENGTHS if any(key in by_both[gold, m]["by_length"] for m in methods)]
        longs, trust, cover = {}, {}, {}
        for method in methods:
            scores = by_both[gold, method]["by_length"]
            longs[method] = [(float(k), scores[key]["f1"]) for k, key in enumerate(lengths) if key in scores]
            own = [b for b in bins if (b["gold"], b["method"]) == (gold, method)]
            trust[method] = [(b["confidence"], b["accuracy"]) for b in own]
            cover[method] = [(c["coverage"], c["f1"]) for c in curve if (c["gold"], c["method"]) == (gold, method)]
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in gold)
        plots |= {
            f"{name}.length": lines_svg(f"{gold}: F1 by words", longs, across="words", up="F1", ticks=lengths),
            f"{name}.reliability": lines_svg(
                f"{gold}: is the confidence right?", trust, across="confidence", up="share right", diagonal=True
            ),
            f"{name}.coverage": lines_svg(
                f"{gold}: the most confident spans", cover, across="share of the spans kept", up="F1 among them"
            ),
        }
    _write_csv(out / "reliability.csv", bins)
    _write_csv(out / "coverage.csv", curve)
    make_folder(out / "plots")
    for name, picture in plots.items():
        write_bytes(out / "plots" / f"{name}.svg", picture.encode())


def _print_scores(rows: Sequence[dict[str, Any]], seconds: Sequence[float], console: Console) -> None:
    answers = any("answer_f1" in row for row in rows)
    titles = ["P", "R", "F1", "±", "chars", "placed", "ECE", "at 90%", "at 80%"]
    lines = []
    for row, spent in zip(rows, seconds, strict=True):
        keys = ("overlap_f1", "coverage", "calibration_error", "f1_at_90", "f1_at_80")
        numbers = [_three(row[key]) for key in ("precision", "recall", "f1")]
        numbers.append(_three((row["f1_high"] - row["f1_low"]) / 2))
        numbers += [_three(row[key]) for key in keys]
        if answers:
            numbers += [_three(row[key]) if key in row else "" for key in ("answer_f1", "answer_exact")]
        lines.append(((row["gold"], row["method"]), [*numbers, f"{spent:.1f}"]))
    _print_table(
        console,
        "exact (start, end, label), gold source spans",
        ("gold", "method"),
        [*titles, *(["answer", "exact"] if answers else []), "s"],
        lines,
    )


def _print_left_out(counted: Sequence[tuple[str, str, dict[str, int]]], console: Console) -> None:
    """A line for what the numbers leave out, each once."""
    lines = [
        f"{name}: {what}: " + ", ".join(f"{number:,} {reason}" for reason, number in reasons.items())
        for name, what, reasons in counted
        if reasons
    ]
    for line in dict.fromkeys(lines):
        console.print(line, markup=False, soft_wrap=True)


def _print_comparisons(compared: Compared, console: Console) -> None:
    lines = [
        ((gold, first, other), [f"{c.delta:+.3f}", f"{c.low:+.3f} to {c.high:+.3f}", f"{c.p:.3f}"])
        for gold, first, other, c in compared
    ]
    title = "difference in F1, paired bootstrap"
    _print_table(console, title, ("gold", "from", "to"), ("difference", "95 %", "p"), lines)


def _print_table(
    console: Console,
    title: str,
    names: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[tuple[Sequence[str], Sequence[str]]],
) -> None:
    """A table of names and numbers. Where the terminal is too narrow for it, the names stand above their numbers."""
    table = Table(title=title, title_justify="left", box=None, show_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    for own, values in rows:
        table.add_row(*map(escape, own), *values)
    if Measurement.get(console, console.options.update(max_width=1000), table).maximum <= console.width:
        console.print(table)
        return
    widths = [
        max(len(cell) for cell in column) for column in zip(numbers, *(values for _, values in rows), strict=True)
    ]

    def line(cells: Sequence[str]) -> str:
        return "  " + " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))

    console.print(title, style="italic", markup=False)
    console.print(line(numbers), style="bold", markup=False, soft_wrap=True)
    for own, values in rows:
        console.print("  ".join(own), markup=False, soft_wrap=True)
        console.print(line(values), markup=False, soft_wrap=True)


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
            "predicted_spans": int(score.predicted),
            "gold_spans": int(score.gold),
        }
        for key, score in scores.items()
        if score.predicted or score.gold
    }


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    buffer = io.StringIO()
    rows = [{safe_cell(key): safe_cell(value) for key, value in row.items()} for row in rows]
    writer = csv.DictWriter(buffer, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, buffer.getvalue().encode())


def _rounded_all(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _rounded(value) if isinstance(value, float) else value for key, value in row.items()}


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _three(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else f"{value:.3f}"
