"""Scores, histograms and proposals of stored filters, as tables in the terminal and as JSON values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.corpora.filters.table import Histogram, RemovalTable
from spanferry.corpora.filters.tuning.proposals import Proposals, Quality
from spanferry.corpora.filters.tuning.summary import ColumnSummary
from spanferry.flows.filters.apply import Effect

_BAR = 40  # characters of the longest bar
_EIGHTHS = " ▏▎▍▌▋▊▉"
_PAIRS = 20  # of a correlation that are printed


def removal_values(table: RemovalTable) -> dict[str, Any]:
    """What each filter removes alone and together, as JSON values."""
    return {
        "rows": table.rows,
        "kept": table.kept,
        "unreadable": table.prior,
        "filters": {f.name: {"alone": f.removed, "only": f.only} for f in table.filters},
    }


def show_scores(console: Console, target: str, columns: Sequence[ColumnSummary], table: RemovalTable) -> None:
    """Prints the columns with their quantiles, and what each filter removes."""
    shown = Table(title=f"{escape(target)}: scores", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    shown.add_column("column", no_wrap=True)
    for name in ("rows", "5 %", "median", "95 %"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("rejected", no_wrap=True)
    shown.add_column("", justify="right", no_wrap=True)
    for c in columns:
        if c.rows:
            q = [f"{c.quantiles[k]:.3g}" for k in ("0.05", "0.5", "0.95")]
            cut = _cut(c.low, c.high)
            shown.add_row(escape(c.column), f"{c.rows:,}", *q, cut, f"{c.below + c.above:,}" if cut else "")
    console.print(shown)
    if empty := [c.column for c in columns if not c.rows]:
        console.print(f"[dim]without a value: {escape(', '.join(empty))}[/]", soft_wrap=True)
    title = f"{escape(target)}: what each filter removes"
    removed = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("filter", "alone", "", "no other does", ""):
        removed.add_column(name, justify="left" if name == "filter" else "right")
    for f in table.filters:
        if f.removed:
            removed.add_row(escape(f.name), f"{f.removed:,}", f"{f.share:.1%}", f"{f.only:,}", f"{f.only_share:.1%}")
    together = table.rows - table.kept - table.prior
    removed.add_row("together", f"{together:,}", f"{_share(together, table.rows):.1%}", "", "", style="bold")
    console.print(removed)
    console.print(f"{table.kept:,} of {table.rows:,} rows kept; {table.prior:,} rejected before any filter")
    if quiet := [f.name for f in table.filters if not f.removed]:
        console.print(f"[dim]remove nothing: {escape(', '.join(quiet))}[/]", soft_wrap=True)


def show_histogram(console: Console, target: str, shown: Histogram) -> None:
    """Prints the bins of one column as bars; those that are rejected are red."""
    good = {"high": "high is good", "low": "low is good", "middle": "the middle is good"}[shown.good]
    without = f", {shown.missing:,} rows without" if shown.missing else ""
    console.print(
        f"[bold]{escape(target)}: {escape(shown.column)}[/]  rejected {_cut(shown.low, shown.high)}; {good}{without}"
    )
    most = max(shown.counts) or 1
    for k, count in enumerate(shown.counts):
        low, high = shown.edges[k], shown.edges[k + 1]
        rejected = (shown.low is not None and high <= shown.low) or (shown.high is not None and low >= shown.high)
        eighths = round(8 * _BAR * count / most) or (1 if count else 0)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        # A reader that sees no colour sees the sign.
        mark = "×" if rejected else " "
        console.print(f"{low:>10.4g} {mark} [{'red' if rejected else 'blue'}]{bar}[/] {count:,}")
    console.print(f"{shown.edges[-1]:>10.4g}")


def show_correlation(
    console: Console, title: str, names: Sequence[str], rows: Sequence[Sequence[float | None]]
) -> None:
    """Prints the pairs that say most of each other, strongest first."""
    pairs = [(v, names[i], names[j]) for i, row in enumerate(rows) for j, v in enumerate(row[:i]) if v is not None]
    table = Table(title=escape(title), title_justify="left", show_header=False, box=None, padding=(0, 1))
    for value, one, other in sorted(pairs, key=lambda p: (-abs(p[0]), p[1], p[2]))[:_PAIRS]:
        table.add_row(f"{value:+.2f}", escape(other), escape(one))
    console.print(table)
    if len(pairs) > _PAIRS:
        console.print(f"[dim]{len(pairs) - _PAIRS} weaker pairs: --json[/]")
    named = {name for _, *both in pairs for name in both}
    if left := [name for name in names if name not in named]:
        console.print(f"[dim]nothing to compare: {escape(', '.join(left))}[/]", soft_wrap=True)


def _cut(low: float | None, high: float | None) -> str:
    """The values that are rejected: ``< 0.4 > 2.5``."""
    return " ".join([*([f"< {low:g}"] if low is not None else []), *([f"> {high:g}"] if high is not None else [])])


def quality_values(quality: Quality) -> dict[str, Any]:
    """A judged set as JSON values."""
    low, high = quality.interval
    return {**asdict(quality), "precision": quality.precision, "low95": low, "high95": high}


def proposal_values(found: Proposals) -> dict[str, Any]:
    """Proposals as JSON values."""
    return {
        "before": quality_values(found.before),
        "now": quality_values(found.now),
        "proposals": [
            {**{k: v for k, v in asdict(p).items() if k != "quality"}, "set": p.setting, **quality_values(p.quality)}
            for p in found.proposals
        ],
    }


def show_proposals(console: Console, target: str, found: Proposals, wanted: float, how: str, rows: int) -> None:
    """Prints what each threshold would have to be, and what would be kept."""
    console.print(f"[bold]{escape(target)}[/]  judged by {how}: {found.before.judged:,} spans of {rows:,} rows")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("", "now", "to", "precision", "95 %", "rows kept", ""):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    table.add_row("without filters", "", "", *_quality(found.before))
    table.add_row("as it is", "", "", *_quality(found.now))
    table.add_section()
    now = found.now.precision or 0.0
    shown = [p for p in found.proposals if p.reached or (p.quality.precision or 0.0) > now]
    for p in shown:
        name = f"{p.filter}.{p.option}"
        style = None if p.reached else "dim"
        table.add_row(escape(name), f"{p.now:g}", f"{p.value:g}", *_quality(p.quality), style=style)
    console.print(table)
    if not all(p.reached for p in found.proposals):
        console.print(f"[dim]those in grey do not reach {wanted:.1%}; shown is the best that they reach[/]")


def _quality(quality: Quality) -> tuple[str, str, str, str]:
    low, high = quality.interval
    precision = "" if quality.precision is None else f"{quality.precision:.1%}"
    return precision, f"{low:.1%}-{high:.1%}", f"{quality.kept:,}", f"{_share(quality.kept, quality.rows):.1%}"


def effect_values(effect: Effect) -> dict[str, Any]:
    """What other filters would keep, as JSON values."""
    return {**{k: v for k, v in asdict(effect).items() if k != "target"}, "rejected": effect.rows - effect.kept}


def show_effect(console: Console, effect: Effect) -> None:
    """Prints what other filters would keep of one language."""
    table = Table(title=escape(effect.target), title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    table.add_row("rows", f"{effect.rows:,}", "")
    table.add_row("kept now", f"{effect.kept_before:,}", f"{_share(effect.kept_before, effect.rows):.1%}")
    table.add_row("kept then", f"{effect.kept:,}", f"{_share(effect.kept, effect.rows):.1%}")
    table.add_row("", f"{effect.newly_rejected:,}", "rejected that were kept")
    table.add_row("", f"{effect.newly_kept:,}", "kept that were rejected")
    for reason, count in effect.reasons.items():
        table.add_row("", f"{count:,}", escape(reason))
    console.print(table)


def plain_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that a CSV file can hold: lists become strings, joined by ``|``."""
    return frame.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join("|")
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.List)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
