"""The report of a run: what became of every row and span, by language, with plots and rows to look at.

Functions take data and return text; writing files is the flow's business. The same input gives the same bytes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from spanferry.corpora.filters.table import Histogram, RemovalTable
from spanferry.corpora.report.marked import rows_html
from spanferry.corpora.report.page import ROWS, report_page
from spanferry.corpora.report.svg import histogram_csv, histogram_svg
from spanferry.corpora.report.tally import SCORE_BINS, Shown, Tally

_EXAMPLES = (
    ("random", "Random kept rows"),
    ("worst", "Kept rows with the least certain span"),
    ("rejected", "Random rejected rows"),
)


# Control characters as pictures of themselves: terminals obey some, and take the report for a binary file.
_CONTROLS = (
    {c: 0x2400 + c for c in range(32) if chr(c) != "\t"} | {127: 0x2421} | dict.fromkeys(range(128, 160), 0xFFFD)
)


def report_files(
    tallies: Sequence[Tally],
    removals: Mapping[str, RemovalTable] | None = None,
    *,
    title: str,
    signatures: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """Every file of the report, by its path within the report's directory.

    ``report.json``, ``report.md``, ``report.html`` (the same with plots and highlighted rows inside), and for each plot
    ``plots/<language>-<column>.svg`` with its numbers as ``.csv``.

    Args:
        tallies: One per target language, in the order they shall appear.
        removals: Target language to what the filters removed.
        title: The report's heading.
        signatures: Target language to the signature of its rows.
        extra: More for ``report.json``, such as metrics against gold: JSON values by target language.
        notes: Target language to paragraphs in Markdown that begin its section.
    """
    removals, signatures, extra, notes = removals or {}, signatures or {}, extra or {}, notes or {}
    languages: dict[str, Any] = {}
    files: dict[str, str] = {}
    sections = [f"# {escaped(title)}\n", _overview(tallies)]
    page = list(sections)
    rows: dict[str, str] = {}
    for tally in tallies:
        lang = tally.target_lang
        removal = removals.get(lang)
        plots = plots_of(tally, removal)
        files |= plots
        languages[lang] = {
            **({"signature": signatures[lang]} if lang in signatures else {}),
            **tally.summary(),
            **({"filters": asdict(removal)} if removal else {}),
            **({"more": extra[lang]} if lang in extra else {}),
            "examples": {name: [s.to_dict() for s in getattr(tally, name)] for name, _ in _EXAMPLES},
        }
        examples = {name: getattr(tally, name) for name, _ in _EXAMPLES if getattr(tally, name)}
        blocks = {name: _examples(shown) for name, shown in examples.items()}
        keys = {name: fenced(f"{lang}/{name}", ROWS) for name in examples}
        rows |= {f"{lang}/{name}": rows_html(shown) for name, shown in examples.items()}
        about = (tally, removal, signatures.get(lang), list(plots), notes.get(lang, ()))
        sections.append(_section(*about, blocks))
        page.append(_section(*about, keys))
    data = {"title": title, "seed": tallies[0].seed if tallies else 0, "languages": languages}
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    html = report_page("\n".join(page), pictures=files, rows=rows)
    return {"report.json": text, "report.md": "\n".join(sections), "report.html": html, **files}


def plots_of(tally: Tally, removal: RemovalTable | None = None) -> dict[str, str]:
    """SVG and CSV of the projection scores and of every filter's scores that vary, with their thresholds.

    Args:
        tally: One language's rows.
        removal: What the filters removed there; brings the thresholds.
    """
    lang = tally.target_lang
    columns = [h for r in removal.filters for h in r.histograms] if removal else []
    cut = next((h.low for h in columns if h.column == "confidence.min"), None)
    files: dict[str, str] = {}
    if any(tally.scores):
        edges = tuple(round(i / SCORE_BINS, 6) for i in range(SCORE_BINS + 1))
        title = f"{lang}: projection score, spans"
        files[f"plots/{lang}-projection_score.svg"] = histogram_svg(title, edges, tally.scores, low=cut)
        files[f"plots/{lang}-projection_score.csv"] = histogram_csv(edges, tally.scores)
    for shown in columns:
        if sum(count > 0 for count in shown.counts) > 1:
            files |= _plot(lang, shown)
    return files


def _plot(lang: str, shown: Histogram) -> dict[str, str]:
    name = f"plots/{lang}-{shown.column}"
    title = f"{lang}: {shown.column}, rows" + (f" ({shown.missing:,} without)" if shown.missing else "")
    svg = histogram_svg(title, shown.edges, shown.counts, low=shown.low, high=shown.high)
    return {f"{name}.svg": svg, f"{name}.csv": histogram_csv(shown.edges, shown.counts)}


def _overview(tallies: Sequence[Tally]) -> str:
    rows = []
    for tally in tallies:
        s = tally.summary()
        rows.append(
            (
                s["target_lang"],
                s["rows"],
                s["spans"],
                f"{s['projected']:,} ({share(s['projected'], s['spans'])})",
                sum(s["unprojected"].values()),
                f"{s['rejected']:,} ({share(s['rejected'], s['rows'])})",
                f"{s['kept']:,} ({share(s['kept'], s['rows'])})",
            )
        )
    heads = ("language", "rows", "source spans", "projected", "not projected", "rejected rows", "kept rows")
    return table(heads, rows)


def _section(
    tally: Tally,
    removal: RemovalTable | None,
    signature: str | None,
    plots: Sequence[str],
    notes: Sequence[str],
    examples: Mapping[str, str],
) -> str:
    s = tally.summary()
    parts = [f"## {escaped(tally.target_lang)}\n"]
    if signature:
        parts.append(f"Signature: {code(signature)}\n")
    parts += [f"{note}\n" for note in notes]
    if len(s["splits"]) > 1:
        parts.append(table(("split", "rows", "kept"), [(n, c["rows"], c["kept"]) for n, c in s["splits"].items()]))
    if s["unprojected"]:
        parts.append("### Spans not projected\n")
        parts.append(table(("reason", "spans"), s["unprojected"].items()))
    if s.get("relations"):
        parts.append(f"### Relations\n\n{s['relations_kept']:,} of {s['relations']:,} have both spans in the target.\n")
        if s["relations_lost"]:
            parts.append(table(("lost because", "relations"), s["relations_lost"].items()))
    if s["reasons"]:
        parts.append("### Rows rejected\n\nA row counts under each of its reasons.\n")
        parts.append(table(("reason", "rows"), s["reasons"].items()))
    if s["methods"]:
        parts.append("### Methods\n")
        parts.append(table(("method", "spans"), s["methods"].items()))
    if s["labels"]:
        parts.append("### Labels\n")
        rows = [(name, c["source"], c["projected"], c["kept"]) for name, c in s["labels"].items()]
        parts.append(table(("label", "source spans", "projected", "in kept rows"), rows))
    if removal:
        parts += ["### Filters\n", _filters(removal)]
    pictures = [p for p in plots if p.endswith(".svg")]
    if pictures:
        parts.append("### Scores\n")
        parts.append("\n".join(f"![{p[6:-4]}]({p}) [numbers]({p[:-4]}.csv)\n" for p in pictures))
    for name, heading in _EXAMPLES:
        if name in examples:
            parts += [f"### {heading}\n", examples[name]]
    return "\n".join(parts)


def _filters(removal: RemovalTable) -> str:
    rows = [
        (r.name, f"{r.removed:,} ({share(r.removed, removal.rows)})", f"{r.only:,} ({share(r.only, removal.rows)})")
        for r in removal.filters
    ]
    parts = [table(("filter", "rejects", "no other filter rejects"), rows)]
    names = [r.name for r in removal.filters]
    related = [
        (f"{names[i]}, {names[j]}", f"{value:.2f}")
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if (value := removal.correlation[i][j]) is not None and abs(value) >= 0.1
    ]
    if related:
        parts.append(table(("filters that reject the same rows", "correlation (phi)"), related))
    return "\n".join(parts)


def _examples(shown: Sequence[Shown]) -> str:
    lines = []
    for row in shown:
        facts = [row.id]
        if row.score is not None:
            facts.append(f"score {row.score:.3f}")
        facts += row.reasons
        target = "—" if row.target is None else row.target
        lines += [" · ".join(facts), *_indent("    ", row.source), *_indent("  → ", target), ""]
    text = "\n".join(line.translate(_CONTROLS) for line in lines[:-1])
    return fenced(text, "text")


def fenced(text: str, language: str) -> str:
    """A fenced block; the text may hold fences of its own."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def code(text: str) -> str:
    """The text as a code span, whatever it holds; on one line."""
    mark = "`"
    while mark in text:
        mark += "`"
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{blank}{' '.join(text.split())}{blank}{mark}"


def _indent(first: str, text: str) -> list[str]:
    return [f"{' ' * len(first) if i else first}{line}".rstrip() for i, line in enumerate(text.split("\n"))]


def share(part: int, whole: int) -> str:
    """``part`` of ``whole`` in per cent, as in ``12.5 %``; a dash where there is nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; whole numbers with thousands separators, to the right."""
    rows = [list(row) for row in rows]
    right = [bool(rows) and all(isinstance(row[i], int) for row in rows) for i in range(len(heads))]
    lines = [
        "| " + " | ".join(map(escaped, heads)) + " |",
        "|" + "|".join(" ---: " if r else " --- " for r in right) + "|",
        *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else " ".join(escaped(str(value)).replace("|", "\\|").split())


def escaped(text: str) -> str:
    """The text without raw HTML, for Markdown; one that is a code span as a whole is safe already."""
    is_code = len(text) > 2 and text.startswith("`") and text.endswith("`") and "`" not in text[1:-1]
    return text if is_code else escape(text, quote=False)
