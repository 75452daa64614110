"""The report and the card of a parallel or derived set."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from spanferry.corpora.report.card import size_category
from spanferry.corpora.report.markdown import table
from spanferry.corpora.report.page import report_page
from spanferry.flows.store import write_bytes, write_json
from spanferry.flows.version import VERSION

EXAMPLES = 10


@dataclass(frozen=True)
class SetFacts:
    """What report and card show.

    Attributes:
        title: Heading.
        about: What the set is, in a sentence or two.
        paper: Where it comes from; None: nowhere in particular.
        differs: What is done otherwise than there.
        task: The hub's task category.
        languages: BCP-47, in order.
        sources: What it was made from, without paths of this machine.
        signature: Every choice that made it.
        columns: Column to type.
        rows: Rows by split, ``rejected`` last.
        reasons: Rejected rows by reason; a row counts under each.
        cells: Language to cells, for sets of rows by language.
        lost: What a format could not hold, by format and kind.
        examples: Some rows.
    """

    title: str
    about: str
    paper: str | None
    differs: str | None
    task: str
    languages: Sequence[str]
    sources: Sequence[str]
    signature: str
    columns: dict[str, str]
    rows: dict[str, int]
    reasons: dict[str, int]
    cells: dict[str, int] = field(default_factory=dict)
    lost: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: Sequence[Any] = ()

    @property
    def kept(self) -> int:
        """Rows that were not rejected."""
        return sum(n for name, n in self.rows.items() if name != "rejected")


def counted(reasons: Iterable[Sequence[str]]) -> dict[str, int]:
    """Rows by reason, most frequent first."""
    counts: Counter[str] = Counter(reason for row in reasons for reason in row)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def write_documents(place: Path, facts: SetFacts) -> None:
    """Writes ``report.md``, ``report.html``, ``report.json`` and the card ``README.md`` into ``place``."""
    write_json(place / "report.json", _json(facts))
    report = _report(facts)
    write_bytes(place / "report.md", report.encode("utf-8", "backslashreplace"))
    write_bytes(place / "report.html", report_page(report).encode("utf-8", "backslashreplace"))
    write_bytes(place / "README.md", _card(facts).encode("utf-8", "backslashreplace"))


def _json(facts: SetFacts) -> dict[str, Any]:
    return {
        "title": facts.title,
        "languages": list(facts.languages),
        "rows": facts.rows,
        "reasons": facts.reasons,
        "cells": facts.cells,
        "lost": facts.lost,
        "signature": facts.signature,
        "examples": list(facts.examples),
    }


def _report(facts: SetFacts) -> str:
    parts = [f"# {facts.title}\n", facts.about + "\n", table(("split", "rows"), list(facts.rows.items()))]
    if facts.cells:
        parts += ["## Cells\n", table(("language", "rows that have it"), list(facts.cells.items()))]
    if facts.reasons:
        parts += [
            "## Rows rejected\n\nA row counts under each of its reasons.\n",
            table(("reason", "rows"), list(facts.reasons.items())),
        ]
    lost = [(name, kind, count) for name, kinds in facts.lost.items() for kind, count in kinds.items()]
    if lost:
        parts += ["## What a format could not hold\n", table(("format", "what", "count"), lost)]
    if facts.examples:
        parts += [f"## {len(facts.examples)} rows, drawn by their id\n", _fenced(facts.examples)]
    parts.append(f"Signature:\n\n```text\n{facts.signature}\n```\n")
    return "\n".join(parts)


def _card(facts: SetFacts) -> str:
    head = {
        "pretty_name": facts.title,
        "language": sorted({lang.split("-")[0] for lang in facts.languages}),
        "license": "unknown",
        "multilinguality": ["translation"],
        "task_categories": [facts.task],
        "annotations_creators": ["machine-generated"],
        "size_categories": [size_category(facts.kept)],
        "tags": ["spanferry", "parallel"],
    }
    rows = [("made from", ", ".join(facts.sources)), ("languages", ", ".join(facts.languages))]
    rows += [("after", facts.paper)] if facts.paper else []
    rows += [("differs", facts.differs)] if facts.differs else []
    rows.append(("Spanferry", VERSION))
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120)}---\n",
        f"# {facts.title}\n",
        facts.about + "\n",
        "## Dataset Structure\n",
        table(("split", "rows"), list(facts.rows.items())),
        table(("column", "type"), [(name, f"`{kind}`") for name, kind in facts.columns.items()]),
        "Offsets are Unicode code points of the raw text, the end exclusive. Rejected rows are kept apart under the"
        " name `rejected`, each with all its reasons.\n",
        '```python\nfrom datasets import load_from_disk\n\ndata = load_from_disk("OUT")\n```\n',
        "## Dataset Creation\n",
        table(("what", "how"), rows),
        f"Signature:\n\n```text\n{facts.signature}\n```\n",
        "## Bias, Risks, and Limitations\n",
        "What the inputs got wrong is wrong here too: machine translations have their model's errors, projected spans"
        " and word links were placed by machine. Rejected rows are not a random sample. Nothing was anonymized.\n",
        "## Licence\n",
        "Not stated. The licences of the inputs hold.\n",
    ]
    return "\n".join(parts)


def _fenced(examples: Sequence[Any]) -> str:
    text = "\n".join(json.dumps(row, ensure_ascii=False, indent=1) for row in examples)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}json\n{text}\n{fence}\n"
